"""Which error handler of Flask or Quart handles an exception, and how it responds."""

from __future__ import annotations

from typing import Any

from werkzeug.exceptions import HTTPException

from flawless.integrations._web import FAILURE


def exception_in(arguments: tuple[Any, ...]) -> Any:
    """The exception among a method's arguments; newer versions pass the context before it."""
    return next((one for one in arguments if isinstance(one, BaseException)), None)


def is_for_all(app: Any, error: Any, blueprints: Any) -> bool:
    """Whether the responsible handler is one for all exceptions."""
    try:
        if isinstance(error, HTTPException):
            return False
        handler = app._find_error_handler(error, blueprints)
        return handler is not None and any(
            handler is codes.get(None, {}).get(kind)
            for codes in app.error_handler_spec.values()
            for kind in (Exception, BaseException)
        )
    except Exception:
        return False


def answers_failure(error: Any, answer: Any) -> bool:
    """Whether a handler of the program responds to the exception with a server error."""
    try:
        if isinstance(error, HTTPException):
            return (error.code or 0) >= FAILURE
        if isinstance(answer, tuple):
            status = answer[1] if len(answer) > 1 else None
            if isinstance(status, (int, str)):
                return int(str(status)[:3]) >= FAILURE
            answer = answer[0]
        status = getattr(answer, "status_code", None)
        return isinstance(status, int) and status >= FAILURE
    except Exception:
        return False
