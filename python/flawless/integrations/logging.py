"""`logging`: records that carry an exception are reported."""

from __future__ import annotations

import logging
from typing import Any

from flawless.integrations._report import report

__all__ = ["FlawlessHandler"]

_MESSAGE = 2_000


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
        info = record.exc_info
        if isinstance(info, tuple) and len(info) > 1 and info[1] is not None:
            report(info[1], additional_info=_info(record))


def _info(record: logging.LogRecord) -> str:
    try:
        message = record.getMessage()
    except Exception:
        message = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
    return (
        f"logger: {record.name}\nlevel: {record.levelname}\nmessage: {message[:_MESSAGE]}"
    )
