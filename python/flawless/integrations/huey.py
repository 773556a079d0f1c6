"""Huey: tasks that fail, in a consumer and in immediate mode, for each attempt."""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar
from typing import Any

from huey.api import Huey

from flawless import _scope
from flawless.integrations._job import describe
from flawless.integrations._patch import patch
from flawless.integrations._report import report

__all__ = ["switch_on"]

# The signals of a task that mean errors.
_ERRORS = ("error", "timeout")

_task: ContextVar[Any] = ContextVar("flawless_huey", default=None)


def switch_on() -> None:
    """Report what tasks raise, except for what tells Huey to retry, to wait or to stop."""

    @patch(Huey, "_execute")
    def execute(former: Any, self: Any, task: Any, *args: Any, **kwargs: Any) -> Any:
        before = _scope.enter()
        _scope.current().transaction = _name(task)
        running = _task.get()
        _task.set(task)
        try:
            return former(self, task, *args, **kwargs)
        finally:
            _task.set(running)
            _scope.leave(before)

    @patch(Huey, "_emit")
    def emit(former: Any, self: Any, signal: Any, task: Any, *args: Any, **kwargs: Any) -> Any:
        if signal in _ERRORS:
            _failed(sys.exc_info()[1], task)
        return former(self, signal, task, *args, **kwargs)

    # Huey logs an exception before it sends the signal, and the log record lacks the task.
    logging.getLogger("huey").addFilter(_before_it_is_logged)


def _before_it_is_logged(record: logging.LogRecord) -> bool:
    task = _task.get()
    if task is not None and record.exc_info and record.levelno >= logging.ERROR:
        _failed(record.exc_info[1], task)
    return True


def _failed(error: Any, task: Any) -> None:
    try:
        info = describe("Huey task", _name(task), task.id, task.args, task.kwargs)
    except Exception:
        info = None
    report(error, "huey", additional_info=info)


def _name(task: Any) -> str:
    # Huey creates a class for each task function, in its module.
    return f"{type(task).__module__}.{type(task).__name__}"
