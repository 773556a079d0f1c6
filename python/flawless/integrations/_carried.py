"""Tasks that other processes do for this one: what they raise is reported there, with its frames,
and not again where it arrives."""

from __future__ import annotations

import time
from typing import Any, Callable

from flawless import _exit, _flawless, _scope
from flawless.integrations._patch import patch
from flawless.integrations._report import report

__all__ = ["Results", "Tasks", "hand_on", "mark_like", "report_task", "watch_carrier"]

# What the native half keeps with an exception that it has reported.
_MARK = "_flawless_already_caught"
_dict_of = BaseException.__dict__["__dict__"].__get__


class Tasks:
    """The queue from which a worker takes its tasks: each begins a scope of its own."""

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
    """The queue into which a worker puts outcomes: before the last one is there, what was reported
    is sent."""

    def __init__(self, queue: Any, has_tasks: Callable[[], bool]) -> None:
        self._queue = queue
        self._has_tasks = has_tasks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)

    def put(self, result: Any) -> None:
        """Hand an outcome over."""
        try:
            if not self._has_tasks():
                _sending.send()
        except Exception:
            pass
        self._queue.put(result)


class _Sending:
    """Whoever waits for an outcome may kill the worker as soon as it is there, as joblib does, and
    `with Pool() as pool`. So what was reported is sent before."""

    # Seconds for which a server that has not answered in time is not waited for again.
    _PAUSE = 60.0

    def __init__(self) -> None:
        self.has_reported = False
        self._next = 0.0

    def send(self, interval: float = 0.0) -> None:
        """Send what was reported, unless that was done less than so many seconds ago."""
        now = time.monotonic()
        if self.has_reported and now >= self._next:
            self.has_reported = False
            was_sent = _flawless.flush(_exit.patience())
            self._next = time.monotonic() + (interval if was_sent else self._PAUSE)


_sending = _Sending()


def watch_carrier(carrier: type, mechanism: str, interval: float | None = None) -> None:
    """Report the exceptions that a worker puts into a `carrier` while it handles them, and if there
    is an interval in seconds, send them so often.

    They carry the mark with them, also those that are made anew where they arrive."""

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
        # A class that takes its state in a way of its own may not expect it.
        is_plain = type(self.exc).__setstate__ is BaseException.__setstate__
        if mark is None or not is_plain or len(reduced) != 2:
            return reduced
        return (*reduced, {_MARK: mark})


def report_task(error: Any, mechanism: str) -> None:
    """Report what a task has raised."""
    _sending.has_reported = True
    report(error, mechanism)


def mark_like(error: BaseException, reported: Any) -> bool:
    """Have an exception count as reported if that is so of another one, in whose place it is
    sent."""
    mark = _mark_of(reported)
    if mark is None:
        return False
    BaseException.__setattr__(error, _MARK, mark)
    return True


def hand_on(error: Any) -> None:
    """Have an exception that was reported count as such also where it is raised for whoever waits
    for its outcome, with a traceback that was made anew."""
    mark = _mark_of(error)
    if mark is not None:
        # As if another process had reported it.
        BaseException.__setattr__(error, _MARK, (0, mark[1]))


def _mark_of(error: Any) -> Any:
    return _dict_of(error).get(_MARK) if isinstance(error, BaseException) else None


def _stands_for_another(error: Any) -> bool:
    """Whether it says that another one, which was reported, could not be sent."""
    traceback = getattr(error, "__traceback__", None)
    if traceback is None or traceback.tb_frame.f_code.co_name != "_sendback_result":
        return False
    sent = error.__context__
    for _ in range(10):
        if sent is None or mark_like(error, sent):
            break
        sent = sent.__context__
    return _mark_of(error) is not None
