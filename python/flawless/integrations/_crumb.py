"""Breadcrumbs of well-known libraries. Noting one never raises."""

from __future__ import annotations

from typing import Any

from flawless import _scope

_URL = 1_000
_STATEMENT = 1_000


def http_crumb(method: Any, url: Any, status: Any, error: BaseException | None = None) -> None:
    """Note a request that the program sent."""
    data: dict[str, object] = {}
    if isinstance(status, int):
        data["status"] = int(status)
    if error is not None:
        data["error"] = type(error).__name__
    level = "info" if error is None else "error"
    _scope.add_breadcrumb(
        f"{method} {url}"[:_URL], category="http", level=level, data=data or None
    )


def query_crumb(statement: Any, many: bool = False) -> None:
    """Note a statement that the program sent to a database, without its parameters."""
    if type(statement) is str:
        data = {"many": True} if many else None
        _scope.add_breadcrumb(statement[:_STATEMENT], category="query", data=data)
