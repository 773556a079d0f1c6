"""Requests that the program sends with aiohttp: each is a breadcrumb."""

from __future__ import annotations

from typing import Any

from aiohttp.client import ClientSession

from flawless.integrations._crumb import http_crumb
from flawless.integrations._patch import patch

__all__ = ["switch_on"]


def switch_on() -> None:
    """Note each request with its status, or what it failed with."""

    @patch(ClientSession, "_request")
    async def request(former: Any, self: Any, method: Any, url: Any, *of: Any, **more: Any) -> Any:
        try:
            response = await former(self, method, url, *of, **more)
        except Exception as error:
            http_crumb(method, url, None, error)
            raise
        http_crumb(method, url, response.status)
        return response
