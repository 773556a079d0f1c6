"""Sends waiting reports when the process ends."""

from __future__ import annotations

import atexit
import os
import sys

from flawless import _flawless

_seconds = 2.0
_is_registered = False


def prepare(seconds: float | None = None) -> None:
    """Have waiting reports sent at exit, within `seconds`."""
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
    """The seconds allowed for sending waiting reports."""
    return _seconds


def flush_at_exit() -> None:
    """Send waiting reports."""
    try:
        _flawless.flush(_seconds)
    finally:
        # Also if the wait was interrupted.
        _flawless.end()


def flush_at_shutdown() -> None:
    """Send waiting reports, because a signal may end the process soon."""
    _flawless.flush(_seconds)


def in_new_process(_: object = None) -> None:
    """Register the flush in a multiprocessing child, which does not run `atexit` functions."""
    process = sys.modules.get("multiprocessing.process")
    util = sys.modules.get("multiprocessing.util")
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(None, flush_at_exit, exitpriority=-100)
