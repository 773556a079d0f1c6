"""Django: ``MIDDLEWARE = ["flawless.integrations.django.FlawlessMiddleware", ...]``, or
``INSTALLED_APPS = ["flawless.integrations.django", ...]``, which sees commands as well."""

from __future__ import annotations

from typing import Any, Callable

from flawless.integrations.django.settings import set_up
from flawless.integrations.django.watch import Watch, switch_on

__all__ = ["FlawlessMiddleware", "switch_on"]


class FlawlessMiddleware(Watch):
    """Report what views, middleware and streamed responses raise. Put it first in MIDDLEWARE;
    Django passes it `get_response`."""

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        set_up()
        super().__init__(get_response)
