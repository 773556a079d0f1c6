"""RQ: jobs that fail in a worker, also in the process that it starts for each of them."""

from __future__ import annotations

import sys
from typing import Any

from rq.worker import Worker

from flawless import _scope
from flawless._exit import flush_at_shutdown
from flawless.integrations._job import describe
from flawless.integrations._patch import patch
from flawless.integrations._report import report

__all__ = ["switch_on"]


def switch_on() -> None:
    """Report each failed job, and send waiting reports before its process ends, because exit
    handlers do not run then."""
    owner = _owner("perform_job")

    @patch(owner, "perform_job")
    def perform_job(former: Any, self: Any, job: Any, *args: Any, **kwargs: Any) -> Any:
        before = _scope.enter()
        _scope.current().transaction = _name(job)
        try:
            return former(self, job, *args, **kwargs)
        finally:
            _scope.leave(before)

    @patch(_owner("handle_exception"), "handle_exception")
    def handle_exception(former: Any, self: Any, job: Any, *exc_info: Any) -> Any:
        _failed(job, exc_info)
        try:
            return former(self, job, *exc_info)
        finally:
            _send(self)

    for end in ("handle_job_success", "handle_job_failure"):

        @patch(_owner(end), end)
        def handled(former: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                return former(self, *args, **kwargs)
            finally:
                _send(self)


def _send(worker: Any) -> None:
    # Which of them is called last depends on the version.
    if getattr(worker, "is_horse", False) is True:
        flush_at_shutdown()


def _owner(name: str) -> Any:
    # Since 2.7 all workers have a common base class.
    for owner in Worker.__mro__:
        if name in owner.__dict__:
            return owner
    raise AttributeError(name)


def _failed(job: Any, exc_info: tuple[Any, ...]) -> None:
    try:
        current = _scope.current()
        name = _name(job)
        if current.transaction is None:
            # The module of the job set the client up after the job had begun.
            current.transaction = name
        try:
            info = describe("RQ job", name, job.id, job.args, job.kwargs)
        except Exception:
            # The job's data cannot be read here, which is why it has failed.
            info = f"RQ job: {name}\nid: {job.id}"
    except Exception:
        info = None
    # The second differs when a failure callback has failed.
    for error in (sys.exc_info()[1], *exc_info[1:2]):
        report(error, "rq", additional_info=info)


def _name(job: Any) -> str | None:
    try:
        name = job.func_name
    except Exception:
        return None
    return name if type(name) is str else None
