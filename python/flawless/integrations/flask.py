"""Flask: ``flawless.integrations.flask.init_app(app)``."""

from __future__ import annotations

from typing import Any

from flask import Flask, got_request_exception, request

from flawless.client.middleware import FlawlessMiddleware
from flawless.integrations._report import report
from flawless.integrations._request import from_wsgi

__all__ = ["init_app"]

_EXTENSION = "flawless"


def init_app(app: Flask) -> None:
    """Report what no error handler of the application has handled."""
    if _EXTENSION in app.extensions:
        return
    app.extensions[_EXTENSION] = True
    # Flask answers errors of views itself: it says so by the signal. What a streamed answer
    # raises later, and what Flask raises around the views, only the middleware sees.
    got_request_exception.connect(_not_handled, app)
    setattr(app, "wsgi_app", FlawlessMiddleware(app.wsgi_app))


def _not_handled(sender: object, exception: BaseException | None = None, **_: Any) -> None:
    report(exception, lambda: from_wsgi(request.environ))
