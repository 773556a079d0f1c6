"""Flask: every application is watched."""

from __future__ import annotations

from typing import Any

from flask import Flask, got_request_exception, has_request_context, request

from flawless.client.middleware import FlawlessMiddleware
from flawless.integrations._error_handlers import answers_failure, exception_in, is_for_all
from flawless.integrations._patch import patch
from flawless.integrations._report import report
from flawless.integrations._request import from_wsgi
from flawless.integrations._web import name_by, watch_wsgi

__all__ = ["init_app", "switch_on"]

_EXTENSION = "flawless"


def switch_on() -> None:
    """Report what no error handler of an application has handled. A catch-all handler for
    `Exception` does not count."""
    # Flask responds to errors of views itself, and sends the signal. Only the middleware sees what
    # a streamed response raises later, and what Flask raises around the views.
    got_request_exception.connect(_not_handled)
    watch_wsgi(Flask, _rule)

    @patch(Flask, "handle_user_exception")
    def handle_user_exception(former: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
        error = exception_in((*args, *kwargs.values()))
        if has_request_context() and is_for_all(self, error, request.blueprints):
            _report(error)
        answer = former(self, *args, **kwargs)
        if answers_failure(error, answer):
            _report(error)
        return answer


def init_app(app: Flask) -> None:
    """Do the same for one application `app`, if `flawless.init` leaves Flask alone."""
    if _EXTENSION in app.extensions:
        return
    app.extensions[_EXTENSION] = True
    got_request_exception.connect(_not_handled, app)
    setattr(app, "wsgi_app", FlawlessMiddleware(app.wsgi_app))


def _not_handled(sender: object, exception: BaseException | None = None, **_: Any) -> None:
    name_by(_rule, None)
    _report(exception)


def _report(error: Any) -> None:
    report(error, "flask", lambda: from_wsgi(request.environ))


def _rule(_: object) -> str | None:
    if not has_request_context():
        return None
    return getattr(getattr(request, "url_rule", None), "rule", None)
