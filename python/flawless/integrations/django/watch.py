"""Exceptions of a Django project, from its signals and from a middleware."""

from __future__ import annotations

import functools
import sys
from typing import Any, AsyncIterator, Callable, Iterator

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django import conf
from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestAborted,
    SuspiciousOperation,
)
from django.core.handlers.base import BaseHandler
from django.core.signals import got_request_exception
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

from flawless import _scope
from flawless.integrations._body import RecordedBody, RecordingInput, is_form
from flawless.integrations._patch import patch
from flawless.integrations._report import report
from flawless.integrations._request import (
    Request,
    body_text,
    client_address,
    word,
    wsgi_headers,
)
from flawless.integrations._web import FAILURE

__all__ = ["Watch", "switch_on"]

# Django turns these into 400, 403 or 404, or the client has left.
_ANSWERS = (
    BadRequest,
    Http404,
    MultiPartParserError,
    PermissionDenied,
    RequestAborted,
    SuspiciousOperation,
    UnreadablePostError,
)
_BODY = "_flawless_body"
_MIDDLEWARE = "flawless.integrations.django.FlawlessMiddleware"


class Watch:
    """A middleware to put first; Django passes it `get_response`."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
            # Otherwise Django would call it in another thread, without the callers of the view.
            setattr(self, "process_exception", self._process_exception_async)
        got_request_exception.connect(_not_handled, dispatch_uid="flawless")

    def __call__(self, request: Any) -> Any:
        _record_body(request)
        if self._is_async:
            return self._answer_async(request)
        former = _enter(request)
        try:
            return _watch(request, self.get_response(request))
        finally:
            _scope.leave(former)

    async def _answer_async(self, request: Any) -> Any:
        former = _enter(request)
        try:
            return _watch(request, await self.get_response(request))
        finally:
            _scope.leave(former)

    def process_exception(self, request: Any, exception: BaseException) -> None:
        """Report what a view raises; called by Django."""
        _report(exception, request)

    async def _process_exception_async(self, request: Any, exception: BaseException) -> None:
        _report(exception, request)


def switch_on() -> None:
    """Report what views and middleware of every project raise, without any setting."""
    got_request_exception.connect(_not_handled, dispatch_uid="flawless")

    @patch(BaseHandler, "load_middleware")
    def load_middleware(former: Any, self: Any, *args: Any, **kwargs: Any) -> None:
        former(self, *args, **kwargs)
        if _MIDDLEWARE not in conf.settings.MIDDLEWARE:
            watch = Watch(self._middleware_chain)
            self._exception_middleware.append(
                self.adapt_method_mode(False, watch.process_exception)
            )
            self._middleware_chain = watch

    @patch(BaseHandler, "process_exception_by_middleware")
    def process_exception(former: Any, self: Any, exception: Any, request: Any) -> Any:
        response = former(self, exception, request)
        # A middleware that responds without an error has handled it; a generic error page has not.
        if getattr(response, "status_code", 0) >= FAILURE:
            _report(exception, request)
        return response


def _enter(request: Any) -> Any:
    former = _scope.enter(_request, request)
    _scope.current().transaction = functools.partial(_route, request)
    return former


def _route(request: Any) -> str | None:
    return getattr(getattr(request, "resolver_match", None), "route", None)


def _not_handled(sender: object, request: Any = None, **_: Any) -> None:
    # A middleware raised it, or a template that was rendered late.
    _report(sys.exc_info()[1], request)


def _report(error: BaseException | None, request: Any) -> None:
    if not isinstance(error, _ANSWERS):
        report(error, "django", _request, request)


def _request(request: Any) -> Request:
    headers = request.META
    protocol = headers.get("SERVER_PROTOCOL")
    if protocol is None:
        protocol = "HTTP/" + getattr(request, "scope", {}).get("http_version", "1.1")
    return Request(
        word(request.method),
        request.get_full_path()[:2_000],
        word(protocol),
        wsgi_headers(headers),
        body_text(getattr(request, _BODY, None)),
        client_address(headers.get("REMOTE_ADDR")),
    )


def _record_body(request: Any) -> None:
    try:
        content_type = request.META.get("CONTENT_TYPE")
        stream = getattr(request, "_stream", None)
        if hasattr(request, _BODY):
            return
        if stream is not None and is_form(request.method, content_type):
            body = RecordedBody(content_type)
            setattr(request, _BODY, body)
            request._stream = RecordingInput(stream, body)
    except Exception:
        pass


def _watch(request: Any, response: Any) -> Any:
    # The server sends a file in its own way.
    if getattr(response, "streaming", False) and getattr(response, "file_to_stream", None) is None:
        parts = response.streaming_content
        watch = _watch_async if hasattr(parts, "__aiter__") else _watch_sync
        response.streaming_content = watch(request, parts)
    return response


def _watch_sync(request: Any, parts: Any) -> Iterator[bytes]:
    try:
        for part in parts:
            yield part
    except BaseException as error:
        _report(error, request)
        raise


async def _watch_async(request: Any, parts: Any) -> AsyncIterator[bytes]:
    try:
        async for part in parts:
            yield part
    except BaseException as error:
        _report(error, request)
        raise
