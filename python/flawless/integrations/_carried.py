"""Tasks that other processes do for this one. Their exceptions are reported there, with their
frames, and not again where they arrive."""

from __future__ import annotations

import time
from typing import Any, Callable

from flawless import _exit, _flawless, _scope
from flawless.integrations._patch import patch
from flawless.integrations._report import report

__all__ = ["Results", "Tasks", "hand_on", "mark_like", "report_task", "watch_carrier"]

# The attribute in which the native half marks a reported exception.
_MARK = "_flawless_already_caught"
_dict_of = BaseException.__dict__["__dict__"].__get__


class Tasks:
    """The queue from which a worker takes its tasks. Each task begins a scope of its own."""

    def __init__(self, queue: Any, name_of: Callable[[Any], str | None]) -> None:
        self._queue = queue
        self._name_of = name_of

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)

    def get(self, *args: Any, **kwargs: Any) -> Any:
        """Take the next task."""
        task = self._queue.get(*args, **kwargs)
        _scope.enter()
        try:
            _scope.current().transaction = self._name_of(task)
        except Exception:
            pass
        return task


class Results:
    """The queue into which a worker puts outcomes. Reports are sent before the last one is put."""

    def __init__(self, queue: Any, has_tasks: Callable[[], bool]) -> None:
        self._queue = queue
        self._has_tasks = has_tasks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)

    def put(self, result: Any) -> None:
        """Put an outcome."""
        try:
            if not self._has_tasks():
                _sending.send()
        except Exception:
            pass
        self._queue.put(result)


class _Sending:
    """Sends reports before an outcome is put, because the process that waits for it may then kill
    the worker, as joblib and `with Pool() as pool` do."""

    # Seconds without another attempt after a server has not answered in time.
    _PAUSE = 60.0

    def __init__(self) -> None:
        self.has_reported = False
        self._next = 0.0

    def send(self, interval: float = 0.0) -> None:
        """Send reports, unless that was done less than `interval` seconds ago."""
        now = time.monotonic()
        if self.has_reported and now >= self._next:
            self.has_reported = False
            was_sent = _flawless.flush(_exit.patience())
            self._next = time.monotonic() + (interval if was_sent else self._PAUSE)


_sending = _Sending()


def watch_carrier(carrier: type, mechanism: str, interval: float | None = None) -> None:
    """Report the exceptions that a worker puts into a `carrier` while it handles them. With an
    `interval` in seconds, send them at most that often.

    They carry the mark with them, even if they are recreated where they arrive."""

    @patch(carrier, "__init__")
    def __init__(former: Any, self: Any, exc: Any, *args: Any) -> None:
        if not _stands_for_another(exc):
            report_task(exc, mechanism)
            if interval is not None:
                _sending.send(interval)
        former(self, exc, *args)

    @patch(carrier, "__reduce__")
    def __reduce__(former: Any, self: Any) -> Any:
        reduced = former(self)
        mark = _mark_of(self.exc)
        # A class with its own `__setstate__` may not expect the mark.
        is_plain = type(self.exc).__setstate__ is BaseException.__setstate__
        if mark is None or not is_plain or len(reduced) != 2:
            return reduced
        return (*reduced, {_MARK: mark})


def report_task(error: Any, mechanism: str) -> None:
    """Report an exception of a task."""
    _sending.has_reported = True
    report(error, mechanism)


def mark_like(error: BaseException, reported: Any) -> bool:
    """Mark an exception as reported if the one that it is sent instead of was."""
    mark = _mark_of(reported)
    if mark is None:
        return False
    BaseException.__setattr__(error, _MARK, mark)
    return True


def hand_on(error: Any) -> None:
    """Keep an exception marked as reported where it is raised, with a new traceback, for a caller
    that waits for the outcome."""
    mark = _mark_of(error)
    if mark is not None:
        # As if another process had reported it.
        BaseException.__setattr__(error, _MARK, (0, mark[1]))


def _mark_of(error: Any) -> Any:
    return _dict_of(error).get(_MARK) if isinstance(error, BaseException) else None


def _stands_for_another(error: Any) -> bool:
    """Whether it only says that another exception, which was reported, could not be sent."""
    traceback = getattr(error, "__traceback__", None)
    if traceback is None or traceback.tb_frame.f_code.co_name != "_sendback_result":
        return False
    sent = error.__context__
    for _ in range(10):
        if sent is None or mark_like(error, sent):
            break
        sent = sent.__context__
    return _mark_of(error) is not None
