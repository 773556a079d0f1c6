"""`logging`: records that carry an exception are reported, others are breadcrumbs."""

from __future__ import annotations

import logging
from typing import Any

from flawless import _scope
from flawless.integrations._patch import patch
from flawless.integrations._report import report

__all__ = ["FlawlessHandler", "switch_on"]

_MESSAGE = 2_000
# They are printed without asking anybody.
_PLAIN = frozenset([str, int, float, bool, type(None)])
_hears_all = False


def switch_on() -> None:
    """Hear every record that is logged, without being one of the handlers: those of the level
    ERROR and above that carry an exception are reported, those from INFO on are breadcrumbs."""
    global _hears_all
    _hears_all = True


class FlawlessHandler(logging.Handler):
    """Report the exception of each record that has one (``exc_info``), as that of
    ``logger.exception(...)`` has. For programs that configure their handlers one by one:
    `flawless.init` hears all records by itself.

    Records below `level`, and those without an exception, are not reported: there is no line to
    blame. To `logging` it is no
    handler: `logging.lastResort` and `logging.basicConfig` do what they do without it.
    """

    def __init__(self, level: int | str = logging.ERROR) -> None:
        super().__init__(level)

    def handle(self, record: logging.LogRecord) -> Any:
        # Without the handler's lock: while one thread prints values, others go on.
        kept = self.filter(record)
        if kept:
            self.emit(kept if isinstance(kept, logging.LogRecord) else record)
        return kept

    def emit(self, record: logging.LogRecord) -> None:
        _report(record)


# Those of the root stand here: `logging` configures itself only when the root has no handler.
_of_root: list[FlawlessHandler] = []


@patch(logging.Logger, "addHandler")
def _add_handler(former: Any, self: logging.Logger, handler: Any) -> None:
    if self is not logging.root or not isinstance(handler, FlawlessHandler):
        former(self, handler)
    elif handler not in _of_root:
        _of_root.append(handler)


@patch(logging.Logger, "removeHandler")
def _remove_handler(former: Any, self: logging.Logger, handler: Any) -> None:
    if self is logging.root and handler in _of_root:
        _of_root.remove(handler)
    else:
        former(self, handler)


@patch(logging.Logger, "callHandlers")
def _call_handlers(former: Any, self: logging.Logger, record: logging.LogRecord) -> None:
    if _hears_all and record.levelno >= logging.INFO:
        _hear(record)
    at: Any = self
    theirs: list[Any] = []
    ours: list[Any] = []
    while at is not None:
        of = at.handlers if at is not logging.root else [*at.handlers, *_of_root]
        for handler in of:
            (ours if isinstance(handler, FlawlessHandler) else theirs).append(handler)
        at = at.parent if at.propagate else None
    for handler in ours:
        # Those that stand among others are called with them.
        if (not theirs or handler in _of_root) and record.levelno >= handler.level:
            handler.handle(record)
    former(self if theirs or not ours else _WithoutHandlers(self), record)


class _WithoutHandlers:
    """What `logging` asks of a logger that has no handler."""

    handlers: list[Any] = []
    propagate = False
    parent = None

    def __init__(self, logger: logging.Logger) -> None:
        self.manager = logger.manager
        self.name = logger.name


def _hear(record: logging.LogRecord) -> None:
    if record.levelno >= logging.ERROR:
        _report(record)
    message = record.msg
    args: Any = record.args
    if type(message) is not str:
        return
    if args:
        values = args.values() if isinstance(args, dict) else args
        # What else there is may change, or be slow to print: only the words are kept.
        if all(type(value) in _PLAIN for value in values):
            try:
                message = message % args
            except (KeyError, TypeError, ValueError):
                # `logging` itself tells that.
                pass
    _scope.add_breadcrumb(
        message[:_MESSAGE], category=record.name, level=record.levelname.lower()
    )


def _report(record: logging.LogRecord) -> None:
    info = record.exc_info
    if isinstance(info, tuple) and len(info) > 1 and info[1] is not None:
        report(info[1], "logging", handled=True, additional_info=_info(record))


def _info(record: logging.LogRecord) -> str:
    try:
        message = record.getMessage()
    except Exception:
        message = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
    return (
        f"logger: {record.name}\nlevel: {record.levelname}\nmessage: {message[:_MESSAGE]}"
    )
