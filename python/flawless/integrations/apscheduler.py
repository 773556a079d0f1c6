"""APScheduler 3: jobs that fail, in threads, processes and event loops."""

from __future__ import annotations

import importlib
import sys
from contextvars import ContextVar
from typing import Any

from apscheduler.events import JobExecutionEvent
from apscheduler.executors import base

from flawless import _scope
from flawless.integrations._job import describe, name_of
from flawless.integrations._patch import patch
from flawless.integrations._report import report

__all__ = ["switch_on"]

_job: ContextVar[Any] = ContextVar("flawless_apscheduler", default=None)


def switch_on() -> None:
    """Report what jobs raise."""
    of_coroutines = _module_of_coroutines()
    former_ones = {
        "run_job": base.run_job,
        "run_coroutine_job": of_coroutines.run_coroutine_job,
    }

    @patch(base, "run_job")
    def run_job(former: Any, job: Any, *args: Any, **kwargs: Any) -> Any:
        before = _begin(job)
        try:
            return former(job, *args, **kwargs)
        finally:
            _end(before)

    @patch(of_coroutines, "run_coroutine_job")
    async def run_coroutine_job(former: Any, job: Any, *args: Any, **kwargs: Any) -> Any:
        before = _begin(job)
        try:
            return await former(job, *args, **kwargs)
        finally:
            _end(before)

    _replace_in_executors(
        former_ones,
        {"run_job": base.run_job, "run_coroutine_job": of_coroutines.run_coroutine_job},
    )

    # The event of a failed job is made while the exception is handled, before it is logged.
    @patch(JobExecutionEvent, "__init__")
    def __init__(former: Any, self: Any, *args: Any, **kwargs: Any) -> None:
        former(self, *args, **kwargs)
        error = sys.exc_info()[1]
        if error is not None and self.exception is error:
            _failed(error, self.job_id)


def _module_of_coroutines() -> Any:
    # Until 3.10 it is a separate function.
    if hasattr(base, "run_coroutine_job"):
        return base
    return importlib.import_module("apscheduler.executors.base_py3")


def _replace_in_executors(former: dict[str, Any], put: dict[str, Any]) -> None:
    # Executors imported earlier have their own references to the two.
    for name, module in list(sys.modules.items()):
        if name.startswith("apscheduler.executors."):
            for function in former:
                if vars(module).get(function) is former[function]:
                    setattr(module, function, put[function])


def _begin(job: Any) -> Any:
    before = (_scope.enter(), _job.get())
    _job.set(job)
    try:
        _scope.current().transaction = name_of(job.func)
    except Exception:
        pass
    return before


def _end(before: Any) -> None:
    _scope.leave(before[0])
    _job.set(before[1])


def _failed(error: BaseException, identity: Any) -> None:
    try:
        job = _job.get()
        info = describe("APScheduler job", name_of(job.func), identity, job.args, job.kwargs)
    except Exception:
        info = None
    report(error, "apscheduler", additional_info=info)
