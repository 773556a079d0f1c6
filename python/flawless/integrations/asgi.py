"""ASGI applications: Starlette, FastAPI, Quart, Litestar, Django's, and any other."""

from __future__ import annotations

from typing import Any, Awaitable, Callable, MutableMapping

from flawless.integrations._body import RecordedBody, is_form
from flawless.integrations._report import report
from flawless.integrations._request import from_asgi

__all__ = ["FlawlessASGIMiddleware"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class FlawlessASGIMiddleware:
    """Report what an ASGI application raises, also in its background tasks, at its start and at
    its end."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("type") == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        body = _body_of(scope)
        try:
            await self.app(scope, receive if body is None else _recording(receive, body), send)
        except BaseException as error:
            report(error, from_asgi, scope, body)
            raise

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_known = False

        async def noticing() -> MutableMapping[str, Any]:
            nonlocal is_known
            is_known = True
            return await receive()

        try:
            await self.app(scope, noticing, send)
        except BaseException as error:
            # Before it asks for anything, an application says so that it has no lifespan.
            if is_known:
                report(error)
            raise


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
