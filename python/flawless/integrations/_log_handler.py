"""A `logging` handler that `logging` does not count as a handler."""

from __future__ import annotations

import logging
from typing import Any

from flawless.integrations._log_record import report_record
from flawless.integrations._patch import patch


class FlawlessHandler(logging.Handler):
    """Report the exception of each record that has one (``exc_info``), such as that of
    ``logger.exception(...)``. It is for programs that configure their handlers one by one;
    `flawless.init` sees all records without it.

    Records below `level` are not reported, nor are those without an exception, which have no line
    to blame. `logging` does not count it as a handler: `logging.lastResort` and
    `logging.basicConfig` behave as they do without it.
    """

    def __init__(self, level: int | str = logging.ERROR) -> None:
        super().__init__(level)

    def handle(self, record: logging.LogRecord) -> Any:
        # Without the handler's lock, so that others continue while one thread prints values.
        kept = self.filter(record)
        if kept:
            self.emit(kept if isinstance(kept, logging.LogRecord) else record)
        return kept

    def emit(self, record: logging.LogRecord) -> None:
        report_record(record)


# Handlers of the root are kept here, since `logging` configures itself only when the root has none.
_of_root: list[FlawlessHandler] = []


@patch(logging.Logger, "addHandler")
def _add_handler(former: Any, self: logging.Logger, hdlr: Any) -> None:
    # With the original parameter names, because programs may pass them by name.
    if self is not logging.root or not isinstance(hdlr, FlawlessHandler):
        former(self, hdlr)
    elif hdlr not in _of_root:
        _of_root.append(hdlr)


@patch(logging.Logger, "removeHandler")
def _remove_handler(former: Any, self: logging.Logger, hdlr: Any) -> None:
    if self is logging.root and hdlr in _of_root:
        _of_root.remove(hdlr)
    else:
        former(self, hdlr)


@patch(logging.Logger, "callHandlers")
def _call_handlers(former: Any, self: logging.Logger, record: logging.LogRecord) -> None:
    at: Any = self
    theirs: list[Any] = []
    ours: list[Any] = []
    while at is not None:
        of = at.handlers if at is not logging.root else [*at.handlers, *_of_root]
        for handler in of:
            (ours if isinstance(handler, FlawlessHandler) else theirs).append(handler)
        at = at.parent if at.propagate else None
    for handler in ours:
        # Those in a list with other handlers are called with them.
        if (not theirs or handler in _of_root) and record.levelno >= handler.level:
            handler.handle(record)
    former(self if theirs or not ours else _WithoutHandlers(self), record)


class _WithoutHandlers:
    """The part of a logger without handlers that `logging` uses."""

    handlers: list[Any] = []
    propagate = False
    parent = None

    def __init__(self, logger: logging.Logger) -> None:
        self.manager = logger.manager
        self.name = logger.name
