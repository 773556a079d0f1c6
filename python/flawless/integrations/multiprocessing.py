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
    _watch_bootstrap()


def _watch_bootstrap() -> None:
    # It asks for the name only to print it with what has ended the process, while it handles that.
    former: Any = process.BaseProcess.name
    code = process.BaseProcess._bootstrap.__code__  # type: ignore[attr-defined]

    def name(self: Any) -> Any:
        if sys._getframe(1).f_code is code:
            _report()
        return former.fget(self)

    setattr(process.BaseProcess, "name", property(name, former.fset, doc=former.__doc__))


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
    # Until 3.12 it is called before that, in a `finally`.
    _report()
    _exit.flush_at_exit()


def _report() -> None:
    error = sys.exc_info()[1]
    if error is None:
        return
    name = getattr(process.current_process(), "_name", None)
    info = f"process: {name}" if type(name) is str else None
    report(error, "multiprocessing", additional_info=info)
