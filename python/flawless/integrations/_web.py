"""Shared by the integrations of web frameworks."""

from __future__ import annotations

import functools
from typing import Any, Callable

from flawless import _scope
from flawless._imports import when_imported
from flawless.client.middleware import FlawlessMiddleware
from flawless.integrations import warn
from flawless.integrations._patch import patch
from flawless.integrations._report import members_of, report
from flawless.integrations.asgi import FlawlessASGIMiddleware

# Responses with this status or above are server errors.
FAILURE = 500
_DEPTH = 10


def watch_wsgi(kind: type, read_name: Callable[..., str | None] | None = None) -> None:
    """Watch the WSGI applications of this class. `read_name(environ)` returns the route."""

    @patch(kind, "__call__")
    def call(former: Any, self: Any, *of: Any, **named: Any) -> Any:
        # Some use other names for them, and are called with these as keywords.
        environ, start_response = (*of, *named.values())
        app = functools.partial(former, self)
        return _WatchedWSGI(app, read_name)(environ, start_response)


def watch_asgi(kind: type, read_name: Callable[..., str | None] | None = None) -> None:
    """Watch the ASGI applications of this class. `read_name(scope)` returns the route, by default
    the one in the scope."""

    former = kind.__dict__.get("__call__") or getattr(kind, "__call__")

    # With exactly these parameters, because uvicorn treats a callable without any as a factory.
    async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
        await _WatchedASGI(functools.partial(former, self), read_name)(scope, receive, send)

    setattr(kind, "__call__", functools.update_wrapper(call, former))


def name_by(read: Callable[..., str | None], *of: Any) -> None:
    """Set how to find the name of the endpoint if something fails in this request."""
    request_scope = _scope.CURRENT.get()
    if request_scope is not None:
        request_scope.transaction = functools.partial(read, *of)


def qualified_name(function: Any) -> str | None:
    """The name of a function that handles requests, with its module."""
    name = getattr(function, "__qualname__", None)
    return f"{getattr(function, '__module__', '')}.{name}" if isinstance(name, str) else None


def take_as_told(error: BaseException) -> None:
    """Mark an exception as reported, so that nothing else, such as a log record, reports it."""
    try:
        setattr(error, "_flawless_already_caught", True)
    except Exception:
        pass


def report_alone(error: BaseException, mechanism: str) -> None:
    """Report an exception, or the only member of a group of one, as frameworks make them."""
    for _ in range(_DEPTH):
        members = members_of(error)
        if len(members) != 1:
            break
        take_as_told(error)
        error = members[0]
    report(error, mechanism)


def when_part_imported(framework: str, module: str, switch_on: Callable[[], None]) -> None:
    """Switch on the integration of a part of a framework that is imported separately."""

    def told() -> None:
        try:
            switch_on()
        except Exception as error:
            if _scope.is_of_signal_handler(error):
                raise
            warn(f"flawless: {framework} is not watched in full: {type(error).__name__}: {error}")

    when_imported(module, told)


class _WatchedWSGI(FlawlessMiddleware):
    """Made for one request by a framework that is already watched."""

    def __init__(self, app: Any, read_name: Any) -> None:
        def named(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
            name_by(read_name, environ)
            return app(environ, start_response)

        self.app = app if read_name is None else named


class _WatchedASGI(FlawlessASGIMiddleware):
    """Made for one request by a framework that is already watched."""

    def __init__(self, app: Any, read_name: Any) -> None:
        self.app = app
        self._read_name = read_name

    async def _watched(self, scope: Any, receive: Any, send: Any) -> None:
        if self._read_name is not None:
            name_by(self._read_name, scope)
        try:
            await self.app(scope, receive, send)
        except BaseException as error:
            report_alone(error, "asgi")
            raise
