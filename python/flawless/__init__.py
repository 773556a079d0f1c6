"""Finds bugs in production and tells the one developer who should know.

``flawless.init(dsn)`` once at the start of the program; from then on uncaught exceptions are
reported. Functions, classes and web applications are wrapped with `flawless.client`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flawless._scope import (
    add_breadcrumb,
    scope,
    set_context,
    set_tag,
    set_transaction,
    set_user,
)
from flawless._setup import init
from flawless.client.client import capture_exception, flush

if TYPE_CHECKING:
    from flawless.client.request import Request

__all__ = [
    "Request",
    "add_breadcrumb",
    "capture_exception",
    "flush",
    "init",
    "scope",
    "set_context",
    "set_tag",
    "set_transaction",
    "set_user",
]
__version__ = "0.5.0"


def __getattr__(name: str) -> Any:
    # Few programs need what is slow to make.
    if name == "Request":
        from flawless.client.request import Request

        return Request
    raise AttributeError(f"module 'flawless' has no attribute {name!r}")
