"""Flask: every application is watched."""

from __future__ import annotations

import functools
from typing import Any

from flask import Flask, got_request_exception, request

from flawless import _scope
from flawless.client.middleware import FlawlessMiddleware
from flawless.integrations._patch import patch
from flawless.integrations._report import report
from flawless.integrations._request import from_wsgi

__all__ = ["init_app", "switch_on"]

_EXTENSION = "flawless"


def switch_on() -> None:
    """Report what no error handler of an application has handled."""
    # Flask answers errors of views itself: it says so by the signal. What a streamed answer
    # raises later, and what Flask raises around the views, only the middleware sees.
    got_request_exception.connect(_not_handled)

    @patch(Flask, "__call__")
    def call(former: Any, self: Any, environ: Any, start_response: Any) -> Any:
        return FlawlessMiddleware(functools.partial(former, self))(environ, start_response)


def init_app(app: Flask) -> None:
    """The same for one application `app`, where `flawless.init` leaves Flask alone."""
    if _EXTENSION in app.extensions:
        return
    app.extensions[_EXTENSION] = True
    got_request_exception.connect(_not_handled, app)
    setattr(app, "wsgi_app", FlawlessMiddleware(app.wsgi_app))


def _not_handled(sender: object, exception: BaseException | None = None, **_: Any) -> None:
    rule = getattr(request, "url_rule", None)
    _scope.current().transaction = getattr(rule, "rule", None)
    report(exception, "flask", lambda: from_wsgi(request.environ))
