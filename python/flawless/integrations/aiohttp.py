"""aiohttp: every server is watched."""

from __future__ import annotations

from typing import Any

from aiohttp.web import HTTPException
from aiohttp.web_protocol import RequestHandler

from flawless import _scope
from flawless.client.request import Request
from flawless.integrations._body import RecordedBody, is_form
from flawless.integrations._patch import patch
from flawless.integrations._report import report
from flawless.integrations._request import (
    body_text,
    client_address,
    told_headers,
    told_path,
    word,
)
from flawless.integrations._web import FAILURE, name_by, take_as_told

__all__ = ["switch_on"]


def switch_on() -> None:
    """Report what handlers and middlewares raise, unless a middleware catches it and responds."""

    @patch(RequestHandler, "_handle_request")
    async def handle_request(
        former: Any, self: Any, request: Any, start: Any, handler: Any, *more: Any, **kwargs: Any
    ) -> Any:
        outer = _scope.enter(_request, request)
        name_by(_route, request)

        async def watched(request: Any) -> Any:
            try:
                return await handler(request)
            except HTTPException as error:
                if error.status >= FAILURE:
                    report(error, "aiohttp")
                raise
            except BaseException as error:
                if _client_left(request, error):
                    # aiohttp logs it.
                    take_as_told(error)
                report(error, "aiohttp")
                raise

        try:
            return await former(self, request, start, watched, *more, **kwargs)
        finally:
            _scope.leave(outer)


def _client_left(request: Any, error: BaseException) -> bool:
    transport = request.transport
    return isinstance(error, ConnectionError) and (transport is None or transport.is_closing())


def _request(request: Any) -> Request:
    content_type = request.headers.get("Content-Type")
    body = None
    # The part that the handler has read, which aiohttp keeps.
    read = getattr(request, "_read_bytes", None)
    if read is not None and is_form(request.method, content_type):
        body = RecordedBody(content_type)
        body.add(read)
    return Request(
        word(request.method),
        told_path(request.raw_path),
        "HTTP/%d.%d" % request.version[:2],
        told_headers(request.headers.items()),
        body_text(body),
        client_address(request.remote),
    )


def _route(request: Any) -> str | None:
    resource = getattr(getattr(request, "match_info", None), "route", None)
    path = getattr(getattr(resource, "resource", None), "canonical", None)
    return path if isinstance(path, str) else None
