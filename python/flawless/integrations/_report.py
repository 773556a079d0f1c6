"""Reports exceptions seen by frameworks: only errors, with the request, never raising."""

from __future__ import annotations

from typing import Any, Callable

from flawless._scope import is_of_signal_handler
from flawless.client.client import capture
from flawless.integrations._request import Request

# Exceptions that cancel tasks of asyncio and trio, greenlets, and actors of Dramatiq.
_CANCELLED = frozenset(["Abort", "CancelledError", "Cancelled", "GreenletExit", "Shutdown"])
# The client has closed its connection, which no developer could fix.
_CLIENT_LEFT = frozenset(["ClientDisconnect", "WebSocketDisconnect"])


def is_error(error: BaseException, depth: int = 0) -> bool:
    """Whether it is an error, rather than the orderly end of a program, a generator or a task."""
    if isinstance(error, Exception):
        kind = type(error)
        return kind.__name__ not in _CLIENT_LEFT or not kind.__module__.startswith("starlette.")
    members = members_of(error)
    if members and depth < 10:
        return any(is_error(member, depth + 1) for member in members)
    is_end = isinstance(error, (GeneratorExit, KeyboardInterrupt, SystemExit))
    return not is_end and type(error).__name__ not in _CANCELLED


def members_of(error: BaseException) -> tuple[BaseException, ...]:
    """The members of a group, built-in or from the backport."""
    if not any(kind.__name__ == "BaseExceptionGroup" for kind in type(error).__mro__):
        return ()
    members = getattr(error, "exceptions", None)
    return members if type(members) is tuple else ()


def report(
    error: Any,
    mechanism: str,
    make_request: Callable[..., Request] | None = None,
    *request_of: Any,
    handled: bool = False,
    additional_info: str | None = None,
) -> None:
    """Report an error once. `mechanism` names what saw it. The request is the one that
    `make_request(*request_of)` returns, otherwise that of the scope."""
    try:
        if not isinstance(error, BaseException) or not is_error(error):
            return
    except Exception as failure:
        if is_of_signal_handler(failure):
            raise
        # It is reported unchanged.
        pass
    request = None if make_request is None else (make_request, request_of)
    capture(error, additional_info, request, None, mechanism, handled)
