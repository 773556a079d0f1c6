"""multiprocessing: what ends a process that it has started."""

from __future__ import annotations

import sys
from multiprocessing import process, util
from typing import Any

from flawless import _exit, _scope
from flawless.integrations._job import name_of
from flawless.integrations._report import report

__all__ = ["switch_on"]


def switch_on() -> None:
    """Report what ends processes, and send what waits there: a child that was forked ends without
    what is registered for the end."""
    # A child that is spawned imports the program first. Else the client may be set up by what the
    # child runs.
    is_spawned = getattr(process.current_process(), "_inheriting", False)
    if is_spawned or process.parent_process() is not None:
        _begin()
    util.register_after_fork(_end, _begin)


def _begin(_: object = None) -> None:
    # Also before the process ends by itself, but not when a signal kills it.
    util.Finalize(None, _end, exitpriority=-100)
    # What was said of the work that has started the process is not said of its own.
    _scope.enter()
    _scope.current().transaction = _name


def _name() -> str | None:
    child = process.current_process()
    target = getattr(child, "_target", None)
    return name_of(type(child) if target is None else target)


def _end() -> None:
    # It is called in a `finally`, so an exception that ends the process is being handled.
    error = sys.exc_info()[1]
    if error is not None:
        report(error, "multiprocessing", additional_info=_info())
    _exit.flush_at_exit()


def _info() -> str | None:
    name: Any = process.current_process().name
    return f"process: {name}" if type(name) is str else None
