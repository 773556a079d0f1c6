"""`logging`: records that carry an exception are reported."""

from __future__ import annotations

import contextvars
import logging
from typing import Any

from flawless.integrations._report import report

__all__ = ["FlawlessHandler"]

_MESSAGE = 2_000
# Printing a value may log. The thread that prints has the context of the one that reports.
_is_reporting = contextvars.ContextVar("flawless_is_reporting", default=False)


class FlawlessHandler(logging.Handler):
    """Report the exception of each record that has one (``exc_info``), as that of
    ``logger.exception(...)`` has.

    Records without an exception are not reported: there is no line to blame.
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
        try:
            error = record.exc_info[1] if record.exc_info else None
            if error is None or _is_reporting.get():
                return
            token = _is_reporting.set(True)
            try:
                report(error, additional_info=_info(record))
            finally:
                _is_reporting.reset(token)
        except Exception:
            pass


def _info(record: logging.LogRecord) -> str:
    try:
        message = record.getMessage()
    except Exception:
        message = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
    return (
        f"logger: {record.name}\nlevel: {record.levelname}\nmessage: {message[:_MESSAGE]}"
    )
