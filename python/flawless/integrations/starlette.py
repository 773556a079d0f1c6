"""Starlette, FastAPI: every application is watched."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette

from flawless.integrations._patch import patch
from flawless.integrations.asgi import FlawlessASGIMiddleware

__all__ = ["switch_on"]


def switch_on() -> None:
    """Report what applications raise, also those that exist already."""

    @patch(Starlette, "__call__")
    async def call(former: Any, self: Any, scope: Any, receive: Any, send: Any) -> None:
        await FlawlessASGIMiddleware(lambda *of: former(self, *of))(scope, receive, send)
