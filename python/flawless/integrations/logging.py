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
_is_installed = False


def switch_on() -> None:
    """Hear every record that is logged, without being one of the handlers: those of the level
    ERROR and above that carry an exception are reported, those from INFO on are breadcrumbs."""
    global _is_installed
    if _is_installed:
        return
    _is_installed = True
    former = logging.Logger.callHandlers

    def callHandlers(self: logging.Logger, record: logging.LogRecord) -> None:
        try:
            if record.levelno >= logging.INFO:
                _hear(record)
        except Exception:
            pass
        former(self, record)

    setattr(logging.Logger, "callHandlers", callHandlers)


def _hear(record: logging.LogRecord) -> None:
    if record.levelno >= logging.ERROR:
        _report(record)
    args: Any = record.args
    message = record.msg
    if args:
        values = args.values() if isinstance(args, dict) else args
        # What else there is may change, or be slow to print: only the words are kept.
        if type(message) is str and all(type(value) in _PLAIN for value in values):
            message = message % args
    if type(message) is str:
        _scope.add_breadcrumb(
            message[:_MESSAGE], category=record.name, level=record.levelname.lower()
        )


class FlawlessHandler(logging.Handler):
    """Report the exception of each record that has one (``exc_info``), as that of
    ``logger.exception(...)`` has. For programs that configure their handlers one by one:
    `flawless.init` hears all records by itself.

    Records without an exception are not reported: there is no line to blame. To `logging` it is no
    handler: `logging.lastResort` and `logging.basicConfig` do what they do without it.
    """

    def __init__(self, level: int | str = logging.ERROR) -> None:
        super().__init__(level)
        _count_as_none()

    def handle(self, record: logging.LogRecord) -> Any:
        # Without the handler's lock: while one thread prints values, others go on.
        kept = self.filter(record)
        if kept:
            self.emit(kept if isinstance(kept, logging.LogRecord) else record)
        return kept

    def emit(self, record: logging.LogRecord) -> None:
        _report(record)


# Those of the root: `logging` configures itself only when the root has no handler.
_of_root: list[FlawlessHandler] = []
_counts_as_none = False


def _count_as_none() -> None:
    """Handlers of ours are none to `logging`, which writes to stderr when there is no other."""
    global _counts_as_none
    if _counts_as_none:
        return
    _counts_as_none = True

    @patch(logging.Logger, "addHandler")
    def addHandler(former: Any, self: logging.Logger, handler: Any) -> None:
        if self is not logging.root or not isinstance(handler, FlawlessHandler):
            former(self, handler)
        elif handler not in _of_root:
            _of_root.append(handler)

    @patch(logging.Logger, "removeHandler")
    def removeHandler(former: Any, self: logging.Logger, handler: Any) -> None:
        if self is logging.root and handler in _of_root:
            _of_root.remove(handler)
        else:
            former(self, handler)

    @patch(logging.Logger, "callHandlers")
    def callHandlers(former: Any, self: logging.Logger, record: logging.LogRecord) -> None:
        former(self, record)
        reached = _reached(self)
        if logging.root in reached:
            for handler in _of_root:
                if record.levelno >= handler.level:
                    handler.handle(record)
        last = logging.lastResort
        handlers = [handler for logger in reached for handler in logger.handlers]
        is_only_ours = all(isinstance(handler, FlawlessHandler) for handler in handlers)
        # Without any, `logging` has done so already.
        if handlers and is_only_ours and last is not None and record.levelno >= last.level:
            last.handle(record)


def _reached(logger: logging.Logger) -> list[logging.Logger]:
    """The loggers whose handlers hear what this one is told."""
    reached = []
    at: logging.Logger | None = logger
    while at is not None:
        reached.append(at)
        at = at.parent if at.propagate else None
    return reached


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
