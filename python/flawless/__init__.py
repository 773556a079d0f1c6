"""Finds bugs in production and notifies the one developer who should know.

Call ``flawless.init(dsn)`` once at the start of the program. From then on uncaught exceptions are
reported, and those that are logged or that the program's frameworks do not handle. Wrap functions
and classes with `wrap_function` and `wrap_class`.
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

# Like `typing.TYPE_CHECKING`, without the slow import.
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


# Imported on first use, because these are slow to import.
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
