"""multiprocessing.Pool: the worker reports what tasks raise, even if the outcome is never
retrieved."""

from __future__ import annotations

from multiprocessing import pool
from typing import Any

from flawless.integrations._carried import (
    Results,
    Tasks,
    mark_like,
    report_task,
    watch_carrier,
)
from flawless.integrations._job import name_of
from flawless.integrations._patch import patch

__all__ = ["switch_on"]

_CHUNKS = ("mapstar", "starmapstar")


def switch_on() -> None:
    """Report what tasks raise, and results that cannot be sent."""
    names: Any = pool
    watch_carrier(names.ExceptionWithTraceback, "multiprocessing.pool")

    @patch(pool, "worker")
    def worker(former: Any, inqueue: Any, outqueue: Any, *args: Any, **kwargs: Any) -> Any:
        reader = getattr(inqueue, "_reader", None)
        # Otherwise it is a thread.
        if reader is not None:
            outqueue = Results(outqueue, reader.poll)
        return former(Tasks(inqueue, _name), outqueue, *args, **kwargs)

    @patch(names.MaybeEncodingError, "__init__")
    def __init__(former: Any, self: Any, exc: Any, value: Any) -> None:
        former(self, exc, value)
        # It replaces a reported exception, or a result.
        if not mark_like(self, getattr(value, "exc", None)):
            report_task(exc, "multiprocessing.pool")
            mark_like(self, exc)


def _name(task: Any) -> str | None:
    if task is None:
        return None
    function, args = task[2], task[3]
    if function.__module__ == pool.__name__ and function.__name__ in _CHUNKS:
        function = args[0][0]
    return name_of(function)
