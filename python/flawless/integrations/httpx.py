"""Requests that the program sends with httpx: each is a breadcrumb."""

from __future__ import annotations

from typing import Any

from httpx import AsyncClient, Client

from flawless.integrations._crumb import http_crumb
from flawless.integrations._patch import patch

__all__ = ["switch_on"]


def switch_on() -> None:
    """Note each request with its status, or what it failed with."""

    @patch(Client, "send")
    def send(former: Any, self: Any, request: Any, *of: Any, **more: Any) -> Any:
        try:
            response = former(self, request, *of, **more)
        except Exception as error:
            http_crumb(request.method, request.url, None, error)
            raise
        http_crumb(request.method, request.url, response.status_code)
        return response

    @patch(AsyncClient, "send")
    async def send_async(former: Any, self: Any, request: Any, *of: Any, **more: Any) -> Any:
        try:
            response = await former(self, request, *of, **more)
        except Exception as error:
            http_crumb(request.method, request.url, None, error)
            raise
        http_crumb(request.method, request.url, response.status_code)
        return response
