"""Litestar: every application is watched."""

from __future__ import annotations

import inspect
import sys
from typing import Any

from litestar import Litestar
from litestar.exceptions import HTTPException, LitestarException, WebSocketException
from litestar.middleware._internal.exceptions.middleware import (
    ExceptionHandlerMiddleware,
    get_exception_handler,
)
from litestar.utils.scope.state import ScopeState

from flawless.integrations._patch import patch
from flawless.integrations._report import report
from flawless.integrations._web import FAILURE, report_alone, take_as_told, watch_asgi

__all__ = ["switch_on"]


def switch_on() -> None:
    """Report what no exception handler of an application has handled. A catch-all handler for
    `Exception` or 500 does not count."""
    watch_asgi(Litestar)

    @patch(ExceptionHandlerMiddleware, "__call__")
    async def call(former: Any, self: Any, scope: Any, receive: Any, send: Any) -> None:
        try:
            await former(self, scope, receive, send)
        except LitestarException as error:
            cause = error.__cause__
            if cause is not None and _has_started(scope):
                # With another exception Litestar says that the response has already begun.
                report_alone(cause, "litestar")
                take_as_told(error)
            raise

    @patch(ExceptionHandlerMiddleware, "handle_exception_logging")
    def handle_exception_logging(former: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
        error = sys.exc_info()[1]
        if error is not None and not _may_be_failure(error):
            take_as_told(error)
        return former(self, *args, **kwargs)

    parameters = inspect.signature(ExceptionHandlerMiddleware.handle_request_exception)
    if not {"scope", "send", "exc"} <= set(parameters.parameters):
        raise TypeError("handle_request_exception has other parameters")

    @patch(ExceptionHandlerMiddleware, "handle_request_exception")
    async def handle_request_exception(former: Any, *args: Any, **kwargs: Any) -> None:
        given = parameters.bind(*args, **kwargs)
        scope, send, error = (given.arguments[name] for name in ("scope", "send", "exc"))
        if _is_unforeseen(scope, error):
            report(error, "litestar")
        status = 0

        async def noting(message: Any) -> None:
            nonlocal status
            if message.get("type") == "http.response.start":
                status = message.get("status", 0)
            await send(message)

        given.arguments["send"] = noting
        await former(*given.args, **given.kwargs)
        if status >= FAILURE and _may_be_failure(error):
            report(error, "litestar")

    _watch_websockets()


def _watch_websockets() -> None:
    former = ExceptionHandlerMiddleware.handle_websocket_exception

    async def handle_websocket_exception(*args: Any, **kwargs: Any) -> None:
        error = sys.exc_info()[1]
        if error is not None and _may_be_failure(error):
            report(error, "litestar")
        await former(*args, **kwargs)

    setattr(
        ExceptionHandlerMiddleware,
        "handle_websocket_exception",
        staticmethod(handle_websocket_exception),
    )


def _may_be_failure(error: BaseException) -> bool:
    if isinstance(error, WebSocketException):
        return False
    return not isinstance(error, HTTPException) or error.status_code >= FAILURE


def _is_unforeseen(scope: Any, error: Any) -> bool:
    """Whether there is no handler, or only one for all exceptions."""
    if not _may_be_failure(error) or isinstance(error, HTTPException):
        return False
    handlers = ScopeState.from_scope(scope).exception_handlers
    if not isinstance(handlers, dict):
        return True
    handler = get_exception_handler(handlers, error)
    return handler is None or handler in (handlers.get(Exception), handlers.get(FAILURE))


def _has_started(scope: Any) -> bool:
    return scope.get("type") == "http" and ScopeState.from_scope(scope).response_started
