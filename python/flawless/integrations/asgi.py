"""ASGI applications: Starlette, FastAPI, Quart, Litestar, Django's, and any other."""

from __future__ import annotations

import asyncio
import functools
from typing import Any, Awaitable, Callable, MutableMapping

from flawless import _scope, integrations
from flawless._exit import flush_at_shutdown
from flawless.integrations._body import RecordedBody, is_form
from flawless.integrations._report import report
from flawless.integrations._request import from_asgi

__all__ = ["FlawlessASGIMiddleware"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


# Key in the ASGI scope for the identity of the request's scope.
_SCOPE = "flawless.scope"


class FlawlessASGIMiddleware:
    """Report what the ASGI application `app` raises, also in background tasks, at startup and at
    shutdown. Waiting reports are sent before it ends."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        integrations.install_web()
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("type") == "lifespan":
            await self._lifespan(scope, receive, send)
        elif _SCOPE in scope and scope[_SCOPE] is _scope.current().key:
            await self._watched(scope, receive, send)
        else:
            body = _body_of(scope)
            former = _scope.enter(from_asgi, scope, body)
            scope[_SCOPE] = _scope.current().key = object()
            _scope.current().transaction = functools.partial(_endpoint, scope)
            try:
                receive = receive if body is None else _recording(receive, body)
                await self._watched(scope, receive, send)
            finally:
                _scope.leave(former)

    async def _watched(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except BaseException as error:
            report(error, "asgi")
            raise

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_known = False

        async def noticing() -> MutableMapping[str, Any]:
            nonlocal is_known
            is_known = True
            return await receive()

        async def ending(message: MutableMapping[str, Any]) -> None:
            if message.get("type") == "lifespan.shutdown.complete":
                # A signal may end the server, and exit handlers do not run then.
                await _flush()
            await send(message)

        try:
            await self.app(scope, noticing, ending)
        except BaseException as error:
            # Raising before it receives anything is how an application says that it has no
            # lifespan.
            if is_known:
                report(error, "asgi")
            raise


async def _flush() -> None:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        # On trio, blocking is fine: nothing else is left to do.
        flush_at_shutdown()
        return
    await loop.run_in_executor(None, flush_at_shutdown)


def _endpoint(scope: Scope) -> str | None:
    """The routed path, otherwise the endpoint function."""
    route = getattr(scope.get("route"), "path", None) or scope.get("path_template")
    if isinstance(route, str):
        return route
    endpoint = scope.get("endpoint")
    name = getattr(endpoint, "__qualname__", None)
    return f"{getattr(endpoint, '__module__', '')}.{name}" if isinstance(name, str) else None


def _body_of(scope: Scope) -> RecordedBody | None:
    try:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            return None
        for name, value in scope["headers"]:
            if name.lower() == b"content-type":
                content_type = value.decode("latin-1")
                return RecordedBody(content_type) if is_form("POST", content_type) else None
    except Exception:
        pass
    return None


def _recording(receive: Receive, body: RecordedBody) -> Receive:
    async def recording() -> MutableMapping[str, Any]:
        message = await receive()
        body.add(message.get("body"))
        return message

    return recording
