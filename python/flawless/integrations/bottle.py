"""Bottle: every application is watched."""

from __future__ import annotations

from typing import Any, Mapping

from bottle import Bottle, HTTPError

from flawless.integrations._patch import patch
from flawless.integrations._report import report
from flawless.integrations._web import FAILURE, watch_wsgi

__all__ = ["switch_on"]


def switch_on() -> None:
    """Report exceptions that Bottle turns into a 500, even if an error page is set."""
    watch_wsgi(Bottle, _route)

    @patch(HTTPError, "__init__")
    def init(former: Any, self: Any, *args: Any, **kwargs: Any) -> None:
        former(self, *args, **kwargs)
        # Bottle makes one from an exception while it handles that.
        if isinstance(self.exception, Exception) and self.status_code >= FAILURE:
            report(self.exception, "bottle")

    @patch(Bottle, "_cast")
    def cast(former: Any, self: Any, out: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(out, HTTPError):
            _report_raised(out)
        try:
            return former(self, out, *args, **kwargs)
        except Exception as error:
            # From an error page, for example.
            report(error, "bottle")
            raise


def _report_raised(answer: Any) -> None:
    """Report a server error response that the program has raised."""
    is_raised = answer.__traceback__ is not None and answer.exception is None
    if is_raised and answer.status_code >= FAILURE:
        report(answer, "bottle")


def _route(environ: Mapping[str, Any]) -> str | None:
    return getattr(environ.get("bottle.route"), "rule", None)
