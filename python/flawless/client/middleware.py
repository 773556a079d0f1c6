"""WSGI applications whose exceptions are reported."""

from __future__ import annotations

from types import GeneratorType
from typing import Any, Callable, Iterable, Iterator

from flawless._setup import this_host
from flawless.integrations._body import RecordedBody, RecordingInput, is_form
from flawless.integrations._report import report
from flawless.integrations._request import WSGI_BODY, from_wsgi

__all__ = ["FlawlessMiddleware"]

# Of a type that is written in Python.
_HEAP_TYPE = 1 << 9


class FlawlessMiddleware:
    """Report what a WSGI application raises, also while its answer is iterated and closed."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self.app = app
        self.hostname = this_host()

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            _record_body(environ)
        try:
            answer = self.app(environ, start_response)
        except BaseException as error:
            report(error, from_wsgi, environ)
            raise
        kind = type(answer)
        if kind is GeneratorType:
            return _WatchedAnswer(answer, environ)
        if kind is list or kind is tuple or _is_finished(kind, environ):
            return answer
        return _WatchedAnswer(answer, environ)


class _WatchedAnswer:
    """An answer that reports what it raises."""

    __slots__ = ("_answer", "_environ", "_iterator")

    def __init__(self, answer: Any, environ: dict[str, Any]) -> None:
        self._answer = answer
        self._environ = environ
        self._iterator: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            # Not `yield from`: that would close the answer too, which is the server's to do.
            for part in self._answer:
                yield part
        except BaseException as error:
            report(error, from_wsgi, self._environ)
            raise

    def __next__(self) -> bytes:
        if self._iterator is None:
            self._iterator = self.__iter__()
        return next(self._iterator)

    def close(self) -> None:
        answer, self._answer = self._answer, ()
        close = getattr(answer, "close", None)
        if close is None:
            return
        try:
            close()
        except BaseException as error:
            report(error, from_wsgi, self._environ)
            raise


def _is_finished(kind: type, environ: dict[str, Any]) -> bool:
    """Whether answers of this type stay as they are.

    A server looks at an answer's length, and sends files in a way of its own when it knows what
    its file wrapper has made: an object of that type, one in C, or the file itself.
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
