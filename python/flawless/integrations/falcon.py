"""Falcon: every application is watched, of WSGI and of ASGI."""

from __future__ import annotations

import asyncio
from typing import Any

from falcon import App, HTTPError, HTTPStatus

from flawless.integrations._patch import patch
from flawless.integrations._report import report
from flawless.integrations._web import (
    FAILURE,
    name_by,
    watch_asgi,
    watch_wsgi,
    when_part_imported,
)

__all__ = ["switch_on"]


def switch_on() -> None:
    """Report what no error handler of an application has handled. A catch-all handler for
    `Exception` does not count."""
    watch_wsgi(App)

    @patch(App, "_get_responder")
    def get_responder(former: Any, self: Any, req: Any, *more: Any) -> Any:
        name_by(_route, req)
        return former(self, req, *more)

    @patch(App, "_handle_exception")
    def handle_exception(
        former: Any, self: Any, req: Any, resp: Any, ex: Any, *more: Any, **kwargs: Any
    ) -> Any:
        _before(self, ex)
        is_handled = former(self, req, resp, ex, *more, **kwargs)
        _after(resp, ex)
        return is_handled

    when_part_imported("falcon", "falcon.asgi", _switch_on_asgi)


def _switch_on_asgi() -> None:
    from falcon.asgi import App as AsyncApp
    from falcon.asgi import Response

    watch_asgi(AsyncApp)

    @patch(AsyncApp, "_handle_exception")
    async def handle_exception(
        former: Any, self: Any, req: Any, resp: Any, ex: Any, *more: Any, **kwargs: Any
    ) -> Any:
        _before(self, ex)
        is_handled = await former(self, req, resp, ex, *more, **kwargs)
        _after(resp, ex)
        return is_handled

    @patch(Response, "schedule")
    def schedule(former: Any, self: Any, callback: Any) -> Any:
        # Leave refusing anything else to Falcon.
        if not asyncio.iscoroutinefunction(callback):
            return former(self, callback)

        async def watched() -> None:
            try:
                await callback()
            except BaseException as error:
                report(error, "falcon")
                raise

        return former(self, watched)


def _before(app: Any, error: Any) -> None:
    """Report an exception that goes to the catch-all handler, before that logs it."""
    try:
        if isinstance(error, HTTPStatus):
            return
        if isinstance(error, HTTPError):
            is_failure = error.status_code >= FAILURE
        else:
            handler = app._find_error_handler(error)
            is_failure = handler is None or handler is app._error_handlers.get(Exception)
        if is_failure:
            report(error, "falcon")
    except Exception:
        pass


def _after(resp: Any, error: Any) -> None:
    """Report an exception that a handler of the program turned into a server error."""
    try:
        if not isinstance(error, (HTTPError, HTTPStatus)) and resp.status_code >= FAILURE:
            report(error, "falcon")
    except Exception:
        # A websocket has no response.
        pass


def _route(req: Any) -> str | None:
    template = getattr(req, "uri_template", None)
    return template if isinstance(template, str) else None
