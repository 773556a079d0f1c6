"""The Django application that sets the client up."""

from __future__ import annotations

from django.apps import AppConfig

from flawless.integrations.django.settings import set_up


class FlawlessConfig(AppConfig):
    """Set the client up from the settings FLAWLESS_DSN and FLAWLESS, also for commands."""

    name = "flawless.integrations.django"
    label = "flawless"

    def ready(self) -> None:
        set_up()
