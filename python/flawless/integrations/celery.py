"""Celery: call ``flawless.integrations.celery.install()`` where the application is created."""

from __future__ import annotations

import sys
from typing import Any

from celery import signals
from celery.exceptions import TaskPredicate
from celery.utils.serialization import UnpickleableExceptionWrapper

from flawless import _exit, _scope
from flawless.integrations._job import printed
from flawless.integrations._report import report

__all__ = ["install", "switch_on"]

_ARGUMENTS = 1_000
# By task id: the scope of a running task, with the former scope of the thread.
_scopes: dict[Any, Any] = {}


def install() -> None:
    """Report tasks that fail for good, each once, from the worker and in eager mode."""
    signals.task_prerun.connect(_begins, dispatch_uid="flawless")
    signals.task_postrun.connect(_ends, dispatch_uid="flawless")
    signals.task_failure.connect(_failed, dispatch_uid="flawless")
    signals.worker_process_shutdown.connect(_process_ends, dispatch_uid="flawless")


switch_on = install


def _begins(sender: Any = None, task_id: Any = None, **_: Any) -> None:
    _scopes[task_id] = _scope.enter()
    _scope.current().transaction = getattr(sender, "name", None)


def _ends(task_id: Any = None, **_: Any) -> None:
    _scope.leave(_scopes.pop(task_id, None))


def _failed(
    sender: Any = None,
    task_id: Any = None,
    exception: Any = None,
    args: Any = None,
    kwargs: Any = None,
    **_: Any,
) -> None:
    try:
        error = _original(exception)
        # The task rejects its message, or declares the exception as expected.
        if isinstance(error, (TaskPredicate, *(getattr(sender, "throws", None) or ()))):
            return
        request = getattr(sender, "request", None)
        lines = [
            f"Celery task: {getattr(sender, 'name', sender)}",
            f"id: {task_id}",
            f"args: {_printed(getattr(request, 'argsrepr', None), args)}",
            f"kwargs: {_printed(getattr(request, 'kwargsrepr', None), kwargs)}",
        ]
        report(error, "celery", additional_info="\n".join(lines))
    except Exception:
        pass


def _original(exception: Any) -> Any:
    # Celery replaces an exception that cannot be pickled while it handles it.
    handled = sys.exc_info()[1]
    is_stand_in = isinstance(exception, UnpickleableExceptionWrapper)
    if handled is not None and (is_stand_in or isinstance(handled, type(exception))):
        return handled
    return exception


def _printed(as_sent: Any, values: Any) -> str:
    # The sender may have chosen what to show.
    return as_sent[:_ARGUMENTS] if isinstance(as_sent, str) else printed(values)


def _process_ends(**_: Any) -> None:
    # A child of the worker ends without running exit handlers.
    _exit.flush_at_shutdown()
