"""CherryPy: every application is watched."""

from __future__ import annotations

import sys
from typing import Any, Callable

from cherrypy import HTTPError
from cherrypy._cprequest import Request
from cherrypy._cptree import Application, Tree
from cherrypy._cpwsgi import _TrappedResponse

from flawless.integrations._patch import patch
from flawless.integrations._report import report
from flawless.integrations._web import FAILURE, name_by, qualified_name, watch_wsgi

__all__ = ["switch_on"]


def switch_on() -> None:
    """Report exceptions that CherryPy turns into a 500, even if an error page is set."""
    watch_wsgi(Tree)
    watch_wsgi(Application)

    @patch(Request, "respond")
    def respond(former: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
        name_by(_endpoint, self)
        try:
            return former(self, *args, **kwargs)
        except Exception as error:
            # From an error page, for example.
            if not isinstance(error, self.throws):
                report(error, "cherrypy")
            raise

    @patch(Request, "handle_error")
    def handle_error(former: Any, self: Any, *args: Any) -> Any:
        report(sys.exc_info()[1], "cherrypy")
        return former(self, *args)

    @patch(HTTPError, "set_response")
    def set_response(former: Any, self: Any, *args: Any) -> Any:
        # If it was not raised, it is only a page.
        if self.code >= FAILURE and sys.exc_info()[1] is self:
            report(self, "cherrypy")
        return former(self, *args)

    @patch(_TrappedResponse, "trap")
    def trap(former: Any, self: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
        return former(self, _reporting(self, function), *args, **kwargs)


def _reporting(response: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """Report what a streamed response raises, and exceptions before a request exists."""

    def reporting(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except StopIteration:
            raise
        except Exception as error:
            if not isinstance(error, response.throws):
                report(error, "cherrypy")
            raise

    return reporting


def _endpoint(request: Any) -> str | None:
    # The encoding tool wraps the handler that the program has exposed.
    handler = getattr(request.handler, "oldhandler", request.handler)
    return qualified_name(getattr(handler, "callable", None))
