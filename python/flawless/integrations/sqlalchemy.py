"""Statements that the program sends with SQLAlchemy: each is a breadcrumb."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from flawless.integrations._crumb import query_crumb

__all__ = ["switch_on"]


def switch_on() -> None:
    """Note each statement, of all engines."""
    event.listen(Engine, "before_cursor_execute", _executes)


def _executes(
    connection: Any, cursor: Any, statement: Any, parameters: Any, context: Any, many: bool
) -> None:
    query_crumb(statement, many)
