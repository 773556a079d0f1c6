"""Integrations of frameworks, each in a file of its own with a function `switch_on`.

`flawless.init` switches on those whose framework the program has imported or imports later.
"""

from __future__ import annotations

import sys
import warnings

from flawless._imports import is_there, when_imported
from flawless._scope import is_of_signal_handler

# Like `typing.TYPE_CHECKING`, without the slow import.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Iterable

__all__ = ["NAMES", "install", "install_web"]

# Each integration with the module whose import switches it on.
_SWITCHED_ON_BY: dict[str, str] = {
    "aiohttp": "aiohttp.web",
    "aiohttp_client": "aiohttp.client",
    "apscheduler": "apscheduler.executors.base",
    "asyncio": "asyncio.base_events",
    "aws_lambda": "awslambdaric.bootstrap",
    "bottle": "bottle",
    "celery": "celery.app.trace",
    "cherrypy": "cherrypy",
    "concurrent_futures": "concurrent.futures.process",
    "django": "django.core.handlers.base",
    "django_commands": "django.core.management.base",
    "django_db": "django.db.backends.utils",
    "dramatiq": "dramatiq.worker",
    "eventlet": "eventlet.greenpool",
    "falcon": "falcon",
    "flask": "flask",
    "gevent": "gevent.hub",
    "http_client": "http.client",
    "httpx": "httpx",
    "huey": "huey.api",
    "ipykernel": "ipykernel.zmqshell",
    "joblib": "joblib.externals.loky.process_executor",
    "litestar": "litestar",
    "logging": "logging",
    "multiprocessing": "multiprocessing.util",
    "multiprocessing_pool": "multiprocessing.pool",
    "pyramid": "pyramid.router",
    "quart": "quart",
    "rq": "rq.worker",
    "sanic": "sanic",
    "sqlalchemy": "sqlalchemy",
    "starlette": "starlette.applications",
    "tornado": "tornado.web",
    "uvicorn": "uvicorn.server",
}
NAMES = tuple(_SWITCHED_ON_BY)
# Frameworks that respond to errors themselves, so that no middleware around them sees one.
_WEB = (
    "bottle",
    "cherrypy",
    "django",
    "falcon",
    "flask",
    "litestar",
    "pyramid",
    "quart",
    "sanic",
)

_MODULE = "flawless.integrations."
_installed: set[str] = set()
_off: frozenset[str] = frozenset()


def install(off: Iterable[str]) -> None:
    """Switch on the integrations of modules that are imported, now or later, except those in
    `off`."""
    global _off
    _off = frozenset(off)
    _install(NAMES)


def install_web() -> None:
    """Switch on only the web frameworks, because one was wrapped in a middleware of ours."""
    _install(_WEB)


def _install(names: Iterable[str]) -> None:
    for name in names:
        if name not in _installed and name not in _off:
            switch = _Switch(name)
            if not is_there(_MODULE + name):
                when_imported(_MODULE + name, switch.ours_is_there)
            when_imported(_SWITCHED_ON_BY[name], switch.framework_is_there)


def require_known(off: Iterable[str]) -> None:
    """Raise ValueError for a name that is not an integration."""
    for name in off:
        if name not in _SWITCHED_ON_BY:
            import difflib

            near = difflib.get_close_matches(name, NAMES, 1)
            mend = f"did you mean {near[0]!r}?" if near else "known are " + ", ".join(NAMES)
            raise ValueError(f"integrations_off: {name!r} is not an integration; {mend}")


class _Switch:
    """Switches an integration on once both the framework and our file for it are imported, in
    either order."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._has_framework = False

    def framework_is_there(self) -> None:
        self._has_framework = True
        ours = _MODULE + self._name
        if ours not in sys.modules and self._name not in _off:
            self._quietly(lambda: __import__(ours))
        if is_there(ours):
            self._switch_on()

    def ours_is_there(self) -> None:
        if self._has_framework:
            self._switch_on()

    def _switch_on(self) -> None:
        name = self._name
        if name not in _installed and name not in _off:
            _installed.add(name)
            self._quietly(sys.modules[_MODULE + name].switch_on)

    def _quietly(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:
            if is_of_signal_handler(error):
                raise
            _installed.add(self._name)
            # An unknown version of the framework. The program runs, and must report its errors
            # itself.
            warn(
                f"flawless: {self._name} is not watched: {type(error).__name__}: {error}. Call "
                "flawless.capture_exception() where your program handles its errors"
            )


def warn(text: str) -> None:
    """Warn the program, unless it turns warnings into errors."""
    try:
        warnings.warn(text, RuntimeWarning, stacklevel=3)
    except Warning:
        pass
