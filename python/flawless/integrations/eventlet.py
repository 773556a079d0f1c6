"""eventlet: what ends a green thread."""

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
    """Report what green threads raise, and what the loop calls."""
    for name in ("squelch_exception", "squelch_generic_exception", "squelch_timer_exception"):

        @patch(BaseHub, name)
        def squelch(former: Any, self: Any, *args: Any) -> Any:
            # The last one is as `sys.exc_info` answers.
            _report(args[-1][1])
            return former(self, *args)

    # A pool prints what was started by `spawn_n`, and tells nobody else.
    setattr(greenpool, "traceback", _Printing(getattr(greenpool, "traceback")))


def _report(error: Any) -> None:
    report(error, "eventlet")
    hand_on(error)


class _Printing:
    """The module `traceback`, for the one who prints the exception that it handles."""

    def __init__(self, former: Any) -> None:
        self._former = former

    def __getattr__(self, name: str) -> Any:
        return getattr(self._former, name)

    def print_exc(self, *args: Any, **kwargs: Any) -> Any:
        _report(sys.exc_info()[1])
        return self._former.print_exc(*args, **kwargs)
