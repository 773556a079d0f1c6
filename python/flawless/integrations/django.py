"""Django: ``MIDDLEWARE = ["flawless.integrations.django.FlawlessMiddleware", ...]``."""

from __future__ import annotations

import difflib
import inspect
import os
import sys
from typing import Any, AsyncIterator, Callable, Iterator, Mapping

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.core.exceptions import (
    BadRequest,
    ImproperlyConfigured,
    PermissionDenied,
    RequestAborted,
    SuspiciousOperation,
)
from django.core.signals import got_request_exception
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

import flawless
from flawless import _flawless, _setup
from flawless.integrations._body import RecordedBody, RecordingInput, is_form
from flawless.integrations._report import report
from flawless.integrations._request import Request, body_text, word, wsgi_headers

__all__ = ["FlawlessMiddleware"]

# Django answers these with 400, 403 or 404, or the client has gone.
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
_set_up_with: dict[str, Any] | None = None


class FlawlessMiddleware:
    """Report what views, middleware and streamed answers raise. It stands first in MIDDLEWARE."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        _set_up()
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
            # Else Django would call it in another thread, away from those who called the view.
            setattr(self, "process_exception", self._process_exception_async)
        got_request_exception.connect(_not_handled, dispatch_uid="flawless")

    def __call__(self, request: Any) -> Any:
        _record_body(request)
        if self._is_async:
            return self._answer_async(request)
        return _watch(request, self.get_response(request))

    async def _answer_async(self, request: Any) -> Any:
        return _watch(request, await self.get_response(request))

    def process_exception(self, request: Any, exception: BaseException) -> None:
        """Called by Django for what a view raises."""
        _report(exception, request)

    async def _process_exception_async(self, request: Any, exception: BaseException) -> None:
        _report(exception, request)


def _not_handled(sender: object, request: Any = None, **_: Any) -> None:
    # Middleware has raised it, or a template that was rendered late.
    _report(sys.exc_info()[1], request)


def _report(error: BaseException | None, request: Any) -> None:
    if not isinstance(error, _ANSWERS):
        report(error, _request, request)


def _request(request: Any) -> Request:
    headers = request.META
    protocol = headers.get("SERVER_PROTOCOL")
    if protocol is None:
        protocol = "HTTP/" + getattr(request, "scope", {}).get("http_version", "1.1")
    return (
        word(request.method),
        request.get_full_path()[:2_000],
        word(protocol),
        wsgi_headers(headers),
        body_text(getattr(request, _BODY, None)),
    )


def _record_body(request: Any) -> None:
    try:
        content_type = request.META.get("CONTENT_TYPE")
        stream = getattr(request, "_stream", None)
        if stream is not None and is_form(request.method, content_type):
            body = RecordedBody(content_type)
            setattr(request, _BODY, body)
            request._stream = RecordingInput(stream, body)
    except Exception:
        pass


def _watch(request: Any, response: Any) -> Any:
    # A file is sent by the server in a way of its own.
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


def _set_up() -> None:
    """Set the client up as the settings FLAWLESS_DSN and FLAWLESS say, once."""
    global _set_up_with
    arguments = _arguments()
    if not arguments and (_flawless.is_set_up() or not os.environ.get(_setup.DSN_VARIABLE)):
        return
    if arguments == _set_up_with and _flawless.is_set_up():
        return
    try:
        flawless.init(**arguments)
    except (TypeError, ValueError) as error:
        raise ImproperlyConfigured(f"the settings FLAWLESS_DSN and FLAWLESS: {error}") from error
    _set_up_with = arguments


def _arguments() -> dict[str, Any]:
    dsn = getattr(settings, "FLAWLESS_DSN", None)
    options = getattr(settings, "FLAWLESS", None) or {}
    if not isinstance(options, Mapping):
        raise ImproperlyConfigured(
            "the setting FLAWLESS must be a dict of arguments of flawless.init, such as "
            f"FLAWLESS = {{'environment': 'production'}}, not {type(options).__name__}"
        )
    known = list(inspect.signature(flawless.init).parameters)
    for name in options:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1)
            mend = f"did you mean {near[0]!r}?" if near else "it knows " + ", ".join(known)
            raise ImproperlyConfigured(f"the setting FLAWLESS has an unknown key {name!r}: {mend}")
    arguments = dict(options)
    if dsn:
        if "dsn" in arguments:
            raise ImproperlyConfigured(
                "the server's address is set twice: remove the setting FLAWLESS_DSN or the key "
                "'dsn' of the setting FLAWLESS"
            )
        arguments["dsn"] = dsn
    return arguments
