"""eventlet: exceptions that end green threads."""

from __future__ import annotations

import sys
from typing import Any

from eventlet import greenpool
from eventlet.hubs.hub import BaseHub

from flawless.integrations._carried import hand_on
from flawless.integrations._patch import patch
from flawless.integrations._report import report

__all__ = ["switch_on"]


def switch_on() -> None:
    """Report what green threads and callbacks of the loop raise."""
    for name in ("squelch_exception", "squelch_generic_exception", "squelch_timer_exception"):

        @patch(BaseHub, name)
        def squelch(former: Any, self: Any, *args: Any) -> Any:
            # The last one is like the result of `sys.exc_info`.
            _report(args[-1][1])
            return former(self, *args)

    # A pool only prints exceptions of functions started by `spawn_n`.
    setattr(greenpool, "traceback", _Printing(getattr(greenpool, "traceback")))


def _report(error: Any) -> None:
    report(error, "eventlet")
    hand_on(error)


class _Printing:
    """The module `traceback`, which also reports the handled exception when it is printed."""

    def __init__(self, former: Any) -> None:
        self._former = former

    def __getattr__(self, name: str) -> Any:
        return getattr(self._former, name)

    def print_exc(self, *args: Any, **kwargs: Any) -> Any:
        _report(sys.exc_info()[1])
        return self._former.print_exc(*args, **kwargs)
