"""Sanic: every application is watched."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

from sanic import Sanic
from sanic.exceptions import SanicException
from sanic.handlers import ErrorHandler
from sanic.touchup.service import TouchUp

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
from flawless.integrations._web import FAILURE, name_by

__all__ = ["switch_on"]


def switch_on() -> None:
    """Report what no exception handler of an application has handled. A catch-all handler for
    `Exception` does not count."""
    _watch_requests()
    _watch_tasks()
    _watch_websockets()
    former: Any = TouchUp.run

    def run(app: Any) -> None:
        former(app)
        # Sanic has recompiled its methods, without the code for unused signals.
        _watch_requests()

    setattr(TouchUp, "run", staticmethod(functools.update_wrapper(run, former)))


def _watch_requests() -> None:
    if getattr(Sanic.handle_request, "_is_of_flawless", False):
        return

    @patch(Sanic, "handle_request")
    async def handle_request(former: Any, self: Any, request: Any, *args: Any) -> Any:
        outer = _scope.enter(_request, request)
        name_by(_route, request)
        try:
            return await former(self, request, *args)
        finally:
            _scope.leave(outer)

    @patch(Sanic, "handle_exception")
    async def handle_exception(
        former: Any, self: Any, request: Any, exception: Any, *args: Any, **kwargs: Any
    ) -> Any:
        if _is_unforeseen(self, request, exception):
            _report(request, exception)
        answer = await former(self, request, exception, *args, **kwargs)
        if _answers_failure(request, exception):
            _report(request, exception)
        return answer

    setattr(Sanic.handle_request, "_is_of_flawless", True)


def _watch_tasks() -> None:
    @patch(Sanic, "add_task")
    def add_task(former: Any, self: Any, task: Any, *args: Any, **kwargs: Any) -> Any:
        if asyncio.iscoroutine(task):
            task = _watched(task)
        return former(self, task, *args, **kwargs)


async def _watched(task: Any) -> Any:
    try:
        return await task
    except BaseException as error:
        report(error, "sanic")
        raise


def _watch_websockets() -> None:
    former = ErrorHandler.log

    def log(request: Any, exception: Any) -> None:
        # What a websocket raises is only logged.
        if not isinstance(exception, SanicException) or exception.status_code >= FAILURE:
            _report(request, exception)
        former(request, exception)

    setattr(ErrorHandler, "log", staticmethod(functools.update_wrapper(log, former)))


def _is_unforeseen(app: Any, request: Any, error: Any) -> bool:
    """Whether there is no handler, or only the one for all exceptions."""
    try:
        if isinstance(error, SanicException):
            return bool(error.status_code >= FAILURE)
        name = request.name if request else None
        handlers = app.error_handler
        handler = handlers._lookup(error, name)
        known = handlers.cached_handlers
        return handler is None or any(
            handler is known.get((kind, of))
            for kind in (Exception, BaseException)
            for of in (name, None)
        )
    except Exception:
        return True


def _answers_failure(request: Any, error: Any) -> bool:
    status = getattr(getattr(request.stream, "response", None), "status", None)
    if isinstance(error, SanicException):
        return False
    return isinstance(status, int) and status >= FAILURE


def _report(request: Any, error: Any) -> None:
    # Sanic uses exceptions without a traceback for requests that timed out or were abandoned.
    if getattr(error, "__traceback__", None) is not None:
        report(error, "sanic", _request, request)


def _request(request: Any) -> Request:
    content_type = request.headers.get("content-type")
    body = None
    if is_form(request.method, content_type):
        body = RecordedBody(content_type)
        body.add(request.body)
    return Request(
        word(request.method),
        told_path(request.raw_url),
        "HTTP/" + word(request.version),
        told_headers(request.headers.items()),
        body_text(body),
        client_address(request.ip),
    )


def _route(request: Any) -> str | None:
    template = getattr(request, "uri_template", None)
    return template if isinstance(template, str) else None
