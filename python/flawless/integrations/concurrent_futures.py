"""ProcessPoolExecutor: the worker reports what calls raise, even if the outcome is never
retrieved."""

from __future__ import annotations

from concurrent.futures import process
from typing import Any

from flawless.integrations._carried import Tasks, watch_carrier
from flawless.integrations._job import name_of
from flawless.integrations._patch import patch

__all__ = ["switch_on"]


def switch_on() -> None:
    """Report what calls raise, and results that cannot be sent."""
    watch_carrier(process._ExceptionWithTraceback, "concurrent.futures")

    @patch(process, "_process_worker")
    def _process_worker(former: Any, call_queue: Any, *args: Any, **kwargs: Any) -> Any:
        return former(Tasks(call_queue, _name), *args, **kwargs)


def _name(call: Any) -> str | None:
    if call is None:
        return None
    function = call.fn
    # `map` makes several calls at once.
    if getattr(function, "func", None) is process._process_chunk:
        function = function.args[0]
    return name_of(function)
