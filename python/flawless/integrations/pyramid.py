"""Pyramid: every application is watched."""

from __future__ import annotations

import sys
from typing import Any

from pyramid.httpexceptions import HTTPException
from pyramid.interfaces import IExceptionViewClassifier, IMultiView, IRequest, ISecuredView, IView
from pyramid.router import Router
from pyramid.view import ViewMethodsMixin
from zope.interface import implementedBy, providedBy

from flawless.integrations._patch import patch
from flawless.integrations._report import report
from flawless.integrations._web import FAILURE, name_by, watch_wsgi

__all__ = ["switch_on"]


def switch_on() -> None:
    """Report what no exception view has handled. A catch-all view for `Exception` does not
    count."""
    watch_wsgi(Router)

    @patch(Router, "invoke_request")
    def invoke_request(former: Any, self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        name_by(_route, request)
        return former(self, request, *args, **kwargs)

    @patch(ViewMethodsMixin, "invoke_exception_view")
    def invoke_exception_view(
        former: Any, self: Any, exc_info: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        error = (exc_info or sys.exc_info())[1]
        if _is_for_all(self, error):
            report(error, "pyramid")
        response = former(self, exc_info, *args, **kwargs)
        if _is_failure(error, response):
            report(error, "pyramid")
        return response


def _is_for_all(request: Any, error: Any) -> bool:
    """Whether the responsible view is the one for all exceptions."""
    try:
        if isinstance(error, HTTPException):
            return False
        found = _view(request, providedBy(error))
        return found is not None and found is _view(request, implementedBy(Exception))
    except Exception:
        return False


def _view(request: Any, kind: Any) -> Any:
    of = getattr(request, "request_iface", IRequest).combined
    for view in (IView, ISecuredView, IMultiView):
        found = request.registry.adapters.lookup((IExceptionViewClassifier, of, kind), view)
        if found is not None:
            return found
    return None


def _is_failure(error: Any, response: Any) -> bool:
    answer = error if isinstance(error, HTTPException) else response
    status = getattr(answer, "status_int", None)
    return isinstance(status, int) and status >= FAILURE


def _route(request: Any) -> str | None:
    pattern = getattr(getattr(request, "matched_route", None), "pattern", None)
    if isinstance(pattern, str):
        return pattern if pattern.startswith("/") else "/" + pattern
    # It was found by traversal.
    name = getattr(request, "view_name", None)
    return f"view {name!r}" if isinstance(name, str) else None
