"""Reporting exceptions by hand."""

from __future__ import annotations

import os
import sys

from flawless import _flawless
from flawless._setup import set_hostports

# Like `typing.TYPE_CHECKING`, without the slow import.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Any, Callable, Iterable, Mapping

    from flawless.client.request import Request

__all__ = ["capture_exception", "flush", "install_scrubbers", "record_error", "set_hostports"]


def install_scrubbers(variables_regex: str | re.Pattern[str]) -> None:
    """Never send variables whose name matches `variables_regex`, a regular expression, at its
    beginning.

    Raises TypeError when it is neither a string nor a compiled pattern, and ValueError when it
    cannot be compiled.
    """
    pattern = getattr(variables_regex, "pattern", variables_regex)
    if not isinstance(pattern, str):
        raise TypeError(f"variables_regex must be a string, not {variables_regex!r}")
    _flawless.install_scrubbers(pattern)


def record_error(
    hostname: str | None,
    exc_info: tuple[Any, Any, Any],
    preceding_stack: Iterable[Any] | None = None,
    error_threshold: int | None = None,
    additional_info: object = None,
) -> None:
    """Report an exception like 0.4.5. It never raises, and reports anything it is given.

    `hostname` is the machine to show; `exc_info` is the result of ``sys.exc_info()``;
    `preceding_stack` are rows of ``traceback.extract_stack()`` that led there; `error_threshold` is
    the number of occurrences at which the developer is notified, overriding the server's;
    `additional_info` is free text, shown unchanged.
    """
    try:
        kind, error, traceback = exc_info
        if error is None and isinstance(kind, type):
            error = kind()
        if error is None:
            return
        rows = None
        if preceding_stack:
            rows = [
                (_text(os.path.abspath(row[0])), int(row[1] or 0), _text(row[2]), _text(row[3]))
                for row in preceding_stack
            ]
        info = _text(additional_info)
        host = _text(hostname)
        _flawless.record(
            kind or type(error), error, traceback, host, rows, error_threshold, info
        )
    except Exception:
        # The program continues as if nothing had been reported.
        pass


def capture_exception(
    error: BaseException | tuple[Any, Any, Any] | None = None,
    *,
    additional_info: object = None,
    request: Request | Mapping[str, Any] | tuple[Any, ...] | None = None,
    error_threshold: int | None = None,
) -> None:
    """Report an exception, by default the one that is being handled. It never raises.

    `error` is an exception, or the result of ``sys.exc_info()``. `additional_info` is free text,
    shown unchanged. `request` is the web request being served, as `flawless.Request`, a WSGI
    environment or an ASGI scope; by default the one that a middleware has seen. `error_threshold`
    is the number of occurrences at which the developer is notified, overriding the server's.
    """
    given: Any = error
    if given is None:
        given = sys.exc_info()[1]
    elif isinstance(given, tuple):
        given = given[1] if len(given) > 1 else None
    # There is no catch-all here: exceptions from a signal handler belong to the program.
    if issubclass(type(given), BaseException):
        if additional_info is None and request is None and error_threshold is None:
            # Called directly: during any call in between, another thread that shares the exception
            # may continue and replace its traceback.
            _flawless.capture(given, None, None, None, "capture_exception", True)
            return
        make = None if request is None else (_as_told, (request,))
        capture(given, additional_info, make, error_threshold, "capture_exception", True)


def capture(
    error: BaseException,
    additional_info: object,
    request: tuple[Callable[..., Any], tuple[Any, ...]] | None,
    error_threshold: int | None,
    mechanism: str,
    handled: bool,
) -> None:
    """Hand an exception to the native half. It never raises. `request` is the function that makes
    the request, and its arguments."""
    info = None if additional_info is None else _text(additional_info)
    try:
        _flawless.capture(error, info, request, error_threshold, mechanism, handled)
    except (TypeError, ValueError, OverflowError):
        # The details given with the exception are invalid.
        _flawless.capture(error, info, None, None, mechanism, handled)


def _as_told(request: Any) -> Request:
    # Imported here, because few programs need it.
    from flawless.integrations._request import as_told

    return as_told(request)


def _text(value: object) -> Any:
    if value is None:
        return None
    try:
        # A lone surrogate cannot be sent.
        return str(value).encode("utf-8", "replace").decode("utf-8")
    except Exception:
        return None


def flush(timeout: float = 2.0) -> bool:
    """Send waiting reports, and wait for that at most `timeout` seconds. Ctrl-C ends the wait.

    Returns True when a server has taken all of them; False when some still wait, were refused, or
    were lost since the last call.
    """
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise TypeError(f"flawless.flush: timeout must be a number of seconds, not {timeout!r}")
    return _flawless.flush(timeout)
