"""Requests that the program sends with `http.client`, which urllib, requests and urllib3 use: each
is a breadcrumb."""

from __future__ import annotations

from http.client import HTTPConnection
from typing import Any

from flawless.integrations._crumb import http_crumb
from flawless.integrations._patch import patch

__all__ = ["switch_on"]

_SENT = "_flawless_sent"


def switch_on() -> None:
    """Note each request with its status, or what it failed with."""

    @patch(HTTPConnection, "putrequest")
    def putrequest(former: Any, self: Any, method: Any, url: Any, *of: Any, **more: Any) -> Any:
        self.__dict__[_SENT] = (method, _whole(self, url))
        return former(self, method, url, *of, **more)

    @patch(HTTPConnection, "endheaders")
    def endheaders(former: Any, self: Any, *of: Any, **more: Any) -> Any:
        try:
            return former(self, *of, **more)
        except Exception as error:
            _note(self, error=error)
            raise

    @patch(HTTPConnection, "getresponse")
    def getresponse(former: Any, self: Any, *of: Any, **more: Any) -> Any:
        try:
            response = former(self, *of, **more)
        except Exception as error:
            _note(self, error=error)
            raise
        _note(self, status=getattr(response, "status", None))
        return response


def _note(connection: Any, status: Any = None, error: Exception | None = None) -> None:
    sent = connection.__dict__.pop(_SENT, None)
    if sent is not None:
        http_crumb(sent[0], sent[1], status, error)


def _whole(connection: Any, url: Any) -> str:
    if not isinstance(url, str) or "://" in url:
        return str(url)
    of = getattr(connection, "port", None)
    usual = getattr(connection, "default_port", None)
    scheme = "https" if usual == 443 else "http"
    port = "" if of in (None, usual) else f":{of}"
    return f"{scheme}://{getattr(connection, 'host', '')}{port}{url}"
