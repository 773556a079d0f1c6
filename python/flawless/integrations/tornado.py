"""Tornado: every application is watched."""

from __future__ import annotations

from typing import Any

from tornado.iostream import StreamClosedError
from tornado.web import Finish, HTTPError, RequestHandler

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
from flawless.integrations._web import FAILURE, name_by, qualified_name, take_as_told

__all__ = ["switch_on"]


def switch_on() -> None:
    """Report what handlers raise, including those of websockets, whatever page they write."""

    @patch(RequestHandler, "_execute")
    async def execute(former: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
        outer = _scope.enter(_request, self.request)
        name_by(_endpoint, self)
        try:
            return await former(self, *args, **kwargs)
        finally:
            _scope.leave(outer)

    @patch(RequestHandler, "_handle_request_exception")
    def handle_request_exception(former: Any, self: Any, e: Any, *more: Any) -> Any:
        _report(self, e)
        return former(self, e, *more)

    @patch(RequestHandler, "log_exception")
    def log_exception(former: Any, self: Any, typ: Any, value: Any, tb: Any) -> Any:
        # Exceptions of websockets come only here.
        _report(self, value)
        return former(self, typ, value, tb)


def _report(handler: Any, error: Any) -> None:
    try:
        if isinstance(error, Finish):
            return
        if isinstance(error, HTTPError) and error.status_code < FAILURE:
            return
        if _client_left(handler, error):
            # Tornado logs it.
            take_as_told(error)
            return
    except Exception:
        pass
    report(error, "tornado", _request, handler.request)


def _client_left(handler: Any, error: Any) -> bool:
    if type(error).__name__ == "WebSocketClosedError":
        return type(error).__module__ == "tornado.websocket"
    stream = getattr(handler.request.connection, "stream", None)
    return isinstance(error, StreamClosedError) and (stream is None or stream.closed())


def _request(request: Any) -> Request:
    content_type = request.headers.get("Content-Type")
    body = None
    if is_form(request.method, content_type):
        body = RecordedBody(content_type)
        body.add(request.body)
    return Request(
        word(request.method),
        told_path(request.uri),
        word(request.version),
        told_headers(request.headers.get_all()),
        body_text(body),
        client_address(request.remote_ip),
    )


def _endpoint(handler: Any) -> str | None:
    return qualified_name(type(handler))
