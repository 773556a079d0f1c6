"""Finds bugs in production and tells the one developer who should know.

``flawless.init(dsn)`` once at the start of the program; from then on uncaught exceptions are
reported, what is logged with an exception, and what the frameworks do not handle that the program
imports. Functions and classes are wrapped with `wrap_function` and `wrap_class`.
"""

from __future__ import annotations

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

# As `typing` has it, which is slow to import.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flawless.client.decorators import wrap_class, wrap_function
    from flawless.client.middleware import FlawlessMiddleware
    from flawless.client.request import Request

__all__ = [
    "FlawlessMiddleware",
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
    "wrap_class",
    "wrap_function",
]
__version__ = "0.5.0"


# Not every program needs what is slow to import.
_LATER = {
    "FlawlessMiddleware": "flawless.client.middleware",
    "Request": "flawless.client.request",
    "wrap_class": "flawless.client.decorators",
    "wrap_function": "flawless.client.decorators",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'flawless' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_LATER[name]), name)
