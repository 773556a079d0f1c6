"""joblib: exceptions of tasks in workers of loky, its own backend, if they have set the client up.
The multiprocessing integration covers the other backends."""

from __future__ import annotations

from typing import Any

from joblib.externals.loky import process_executor

from flawless.integrations._carried import Tasks, watch_carrier
from flawless.integrations._job import name_of
from flawless.integrations._patch import patch

__all__ = ["switch_on"]


def switch_on() -> None:
    """Report what tasks raise."""
    watch_carrier(process_executor._ExceptionWithTraceback, "joblib", interval=0.1)

    @patch(process_executor, "_process_worker")
    def _process_worker(former: Any, call_queue: Any, *args: Any, **kwargs: Any) -> Any:
        return former(Tasks(call_queue, _name), *args, **kwargs)


def _name(call: Any) -> str | None:
    if call is None:
        return None
    # joblib puts several calls into one.
    items = getattr(call.fn, "items", None)
    return name_of(items[0][0] if type(items) is list and items else call.fn)
