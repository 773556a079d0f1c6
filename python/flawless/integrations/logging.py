"""`logging`: records that carry an exception are reported, others are breadcrumbs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from flawless.integrations._log_record import hear

if TYPE_CHECKING:
    from flawless.integrations._log_handler import FlawlessHandler

__all__ = ["FlawlessHandler", "switch_on"]

_is_on = False


def switch_on() -> None:
    """See every log record, before any handler and without being one. Records of level ERROR and
    above that carry an exception are reported; those from INFO up are breadcrumbs."""
    global _is_on
    if _is_on:
        return
    _is_on = True
    former: Any = logging.Logger.filter

    # Not around the handlers, because some inspect the frames that call them.
    def filter(self: logging.Logger, record: logging.LogRecord) -> Any:
        kept = former(self, record)
        if kept:
            hear(kept if isinstance(kept, logging.LogRecord) else record)
        return kept

    setattr(logging.Logger, "filter", filter)


def __getattr__(name: str) -> Any:
    # Imported on first use, because it changes how loggers add handlers.
    if name == "FlawlessHandler":
        from flawless.integrations._log_handler import FlawlessHandler

        return FlawlessHandler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
