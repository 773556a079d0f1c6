"""WSGI applications whose exceptions are reported."""

from __future__ import annotations

from types import GeneratorType
from typing import Any, Callable, Iterator

from flawless import integrations
from flawless._scope import CURRENT, Scope
from flawless._setup import this_host
from flawless.integrations._body import RecordedBody, RecordingInput, is_form
from flawless.integrations._report import report
from flawless.integrations._request import WSGI_BODY, from_wsgi

__all__ = ["FlawlessMiddleware"]

# `Py_TPFLAGS_HEAPTYPE`, set for types created in Python.
_HEAP_TYPE = 1 << 9


_NOT_GIVEN = object()
_get, _set = CURRENT.get, CURRENT.set
# Key in the environment for the identity of the request's scope.
_SCOPE = "flawless.scope"


class FlawlessMiddleware:
    """Report what the WSGI application `app` raises, also while its response is iterated and
    closed.

    Frameworks that respond to errors themselves, such as Django, Flask and Pyramid, are watched
    too.
    """

    # For Django, whose MIDDLEWARE may contain it.
    sync_capable = True
    async_capable = False

    def __init__(self, app: Callable[..., Any]) -> None:
        integrations.install_web()
        self.app = app
        self.hostname = this_host()

    def __call__(self, environ: Any, start_response: Any = _NOT_GIVEN) -> Any:
        if start_response is _NOT_GIVEN:
            # A Django request: Django's own signal reports its exceptions.
            return self.app(environ)
        former = _get()
        # A copy of the environment may be served within this request, or elsewhere.
        if former is None or environ.get(_SCOPE, _NOT_GIVEN) is not former.key:
            if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
                _record_body(environ)
            begun = Scope()
            environ[_SCOPE] = begun.key = object()
            begun.request = (from_wsgi, (environ,))
            _set(begun)
        try:
            answer = self.app(environ, start_response)
            kind = type(answer)
            if kind is GeneratorType and not _is_begun(answer):
                return _parts(answer, environ, _get())
            if kind is list or kind is tuple or kind is _WatchedAnswer:
                return answer
            return answer if _is_finished(kind, environ) else _WatchedAnswer(answer, environ)
        except BaseException as error:
            # This also removes this entry from the traceback.
            report(error, "wsgi", from_wsgi, environ)
            raise
        finally:
            _set(former)


def _is_begun(answer: Any) -> bool:
    """Whether a generator has already produced parts."""
    is_suspended = getattr(answer, "gi_suspended", None)
    if is_suspended is None:
        return answer.gi_frame is not None and answer.gi_frame.f_lasti >= 0
    return bool(is_suspended)


def _parts(answer: Any, environ: dict[str, Any], scope: Scope | None) -> Iterator[bytes]:
    """Yield the parts of a response within the scope of the request, and report what that
    raises."""
    former = _get()
    _set(scope)
    is_outside = False
    try:
        # Not `yield from`, because the scope is left for each part.
        for part in answer:
            _set(former)
            is_outside = True
            yield part
            is_outside = False
            former = _get()
            _set(scope)
    except BaseException as error:
        if is_outside:
            # It was closed or thrown into, which is meant for the generator that is the response.
            # Any other response is closed by its own method.
            former = _get()
            if type(answer) is GeneratorType:
                _close(answer, environ, scope)
        else:
            report(error, "wsgi", from_wsgi, environ)
        raise
    finally:
        _set(former)


def _close(answer: Any, environ: dict[str, Any], scope: Scope | None) -> None:
    close = getattr(answer, "close", None)
    if close is None:
        return
    former = _get()
    _set(scope)
    try:
        close()
    except BaseException as error:
        report(error, "wsgi", from_wsgi, environ)
        raise
    finally:
        _set(former)


class _WatchedAnswer:
    """A response, other than a fresh generator, that reports what it raises."""

    __slots__ = ("_answer", "_environ", "_iterator", "_scope")

    def __init__(self, answer: Any, environ: dict[str, Any]) -> None:
        self._answer = answer
        self._environ = environ
        self._iterator: Iterator[bytes] | None = None
        self._scope = _get()

    def __iter__(self) -> Iterator[bytes]:
        return _parts(self._answer, self._environ, self._scope)

    def __next__(self) -> bytes:
        if self._iterator is None:
            self._iterator = self.__iter__()
        return next(self._iterator)

    def close(self) -> None:
        answer, self._answer = self._answer, ()
        _close(answer, self._environ, self._scope)


def _is_finished(kind: type, environ: dict[str, Any]) -> bool:
    """Whether responses of this type are left unchanged.

    A server uses a response's length, and sends files in its own way when it recognizes its file
    wrapper's result: an object of that type, a C object, or the file itself.
    """
    if hasattr(kind, "__len__") or not hasattr(kind, "__iter__"):
        return True
    file_wrapper = environ.get("wsgi.file_wrapper")
    if isinstance(file_wrapper, type):
        return issubclass(kind, file_wrapper)
    if file_wrapper is None or kind.__module__ in ("builtins", "itertools"):
        return False
    return kind.__module__ == "_io" or not kind.__flags__ & _HEAP_TYPE


def _record_body(environ: dict[str, Any]) -> None:
    try:
        content_type = environ.get("CONTENT_TYPE")
        if WSGI_BODY in environ or environ.get("CONTENT_LENGTH") == "0":
            return
        stream = environ.get("wsgi.input")
        if is_form(environ.get("REQUEST_METHOD"), content_type) and stream is not None:
            environ[WSGI_BODY] = body = RecordedBody(content_type or "")
            environ["wsgi.input"] = RecordingInput(stream, body)
    except Exception:
        pass
