"""Quart: every application is watched."""

from __future__ import annotations

from typing import Any

from quart import (
    Quart,
    has_request_context,
    has_websocket_context,
    request,
    websocket,
)
from quart.signals import (
    got_background_exception,
    got_request_exception,
    got_serving_exception,
    got_websocket_exception,
)

from flawless.integrations._error_handlers import answers_failure, exception_in, is_for_all
from flawless.integrations._patch import patch
from flawless.integrations._report import report
from flawless.integrations._web import watch_asgi

__all__ = ["switch_on"]


def switch_on() -> None:
    """Report what no error handler of an application has handled. A catch-all handler for
    `Exception` does not count."""
    watch_asgi(Quart, _rule)
    got_request_exception.connect(_not_handled)
    got_websocket_exception.connect(_not_handled)
    got_background_exception.connect(_not_handled)
    got_serving_exception.connect(_not_handled)

    @patch(Quart, "handle_user_exception")
    async def handle_user_exception(former: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
        error = exception_in((*args, *kwargs.values()))
        if is_for_all(self, error, _blueprints()):
            report(error, "quart")
        answer = await former(self, *args, **kwargs)
        if answers_failure(error, answer):
            report(error, "quart")
        return answer


# Quart would call a plain function in another thread.
async def _not_handled(sender: object, exception: Any = None, **_: Any) -> None:
    report(exception, "quart")


def _blueprints() -> Any:
    served = _served()
    return () if served is None else served.blueprints


def _rule(_: object) -> str | None:
    rule = getattr(getattr(_served(), "url_rule", None), "rule", None)
    return rule if isinstance(rule, str) else None


def _served() -> Any:
    if has_request_context():
        return request
    return websocket if has_websocket_context() else None
