"""Starlette, FastAPI: every application is watched."""

from __future__ import annotations

from starlette.applications import Starlette

from flawless.integrations._web import watch_asgi

__all__ = ["switch_on"]


def switch_on() -> None:
    """Report what applications raise, including existing ones."""
    watch_asgi(Starlette)
