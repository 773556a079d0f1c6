"""What waits is sent when the process ends."""

from __future__ import annotations

import atexit
import os
import sys

from flawless import _flawless

_seconds = 2.0
_is_registered = False


def prepare(seconds: float | None = None) -> None:
    """Send what waits at exit, within so many seconds."""
    global _is_registered, _seconds
    if seconds is not None:
        _seconds = float(seconds)
    if not _is_registered:
        _is_registered = True
        atexit.register(flush_at_exit)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=_flawless.before_fork)
        util = sys.modules.get("multiprocessing.util")
        if util is not None:
            util.register_after_fork(flush_at_exit, in_new_process)


def patience() -> float:
    """Seconds in which what waits is to be sent."""
    return _seconds


def flush_at_exit() -> None:
    """Send what waits."""
    try:
        _flawless.flush(_seconds)
    finally:
        # Also when somebody does not want to wait for it.
        _flawless.end()


def flush_at_shutdown() -> None:
    """Send what waits: the process may end by a signal soon."""
    _flawless.flush(_seconds)


def in_new_process(_: object = None) -> None:
    """A child of multiprocessing ends without `atexit`: it has a list of its own."""
    process = sys.modules.get("multiprocessing.process")
    util = sys.modules.get("multiprocessing.util")
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(None, flush_at_exit, exitpriority=-100)
