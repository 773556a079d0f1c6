"""The Django settings that set the client up: FLAWLESS_DSN and FLAWLESS."""

from __future__ import annotations

import difflib
import inspect
import os
from typing import Any, Mapping

from django import conf
from django.core import mail
from django.core.exceptions import ImproperlyConfigured

import flawless
from flawless import _flawless, _setup

_set_up_with: dict[str, Any] | None = None


def set_up() -> None:
    """Set the client up once from the settings FLAWLESS_DSN and FLAWLESS."""
    global _set_up_with
    arguments = _arguments()
    if not arguments and (_flawless.is_set_up() or not os.environ.get(_setup.DSN_VARIABLE)):
        return
    if arguments == _set_up_with and _flawless.is_set_up():
        return
    # Under Django's test runner, which has a mailbox in memory, failures are usually intended.
    if hasattr(mail, "outbox") and not arguments.get("report_in_tests"):
        return
    try:
        flawless.init(**arguments)
    except (TypeError, ValueError) as error:
        raise ImproperlyConfigured(f"the settings FLAWLESS_DSN and FLAWLESS: {error}") from error
    _set_up_with = arguments


def _arguments() -> dict[str, Any]:
    dsn = getattr(conf.settings, "FLAWLESS_DSN", None)
    options = getattr(conf.settings, "FLAWLESS", None) or {}
    if not isinstance(options, Mapping):
        raise ImproperlyConfigured(
            "the setting FLAWLESS must be a dict of arguments of flawless.init, such as "
            f"FLAWLESS = {{'environment': 'production'}}, not {type(options).__name__}"
        )
    known = list(inspect.signature(flawless.init).parameters)
    for name in options:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1)
            mend = f"did you mean {near[0]!r}?" if near else "it knows " + ", ".join(known)
            raise ImproperlyConfigured(f"the setting FLAWLESS has an unknown key {name!r}: {mend}")
    arguments = dict(options)
    if dsn:
        if "dsn" in arguments:
            raise ImproperlyConfigured(
                "the server's address is set twice: remove the setting FLAWLESS_DSN or the key "
                "'dsn' of the setting FLAWLESS"
            )
        arguments["dsn"] = dsn
    return arguments
