"""multiprocessing: exceptions that end its processes."""

from __future__ import annotations

import sys
from multiprocessing import process, util
from typing import Any

from flawless import _exit, _scope
from flawless.integrations._job import name_of
from flawless.integrations._report import report

__all__ = ["switch_on"]


def switch_on() -> None:
    """Report what ends processes, and send waiting reports there, because a forked child ends
    without running exit handlers."""
    # A spawned child imports the program first. Otherwise the code of the child may set the client
    # up.
    is_spawned = getattr(process.current_process(), "_inheriting", False)
    if is_spawned or process.parent_process() is not None:
        _begin()
    util.register_after_fork(_end, _begin)
    _watch_bootstrap()


def _watch_bootstrap() -> None:
    # It reads the name only to print it with the exception that ended the process, while handling
    # that.
    former: Any = process.BaseProcess.name
    code = process.BaseProcess._bootstrap.__code__  # type: ignore[attr-defined]

    def name(self: Any) -> Any:
        if sys._getframe(1).f_code is code:
            _report()
        return former.fget(self)

    setattr(process.BaseProcess, "name", property(name, former.fset, doc=former.__doc__))


def _begin(_: object = None) -> None:
    # Also when the process exits normally, but not when a signal kills it.
    util.Finalize(None, _end, exitpriority=-100)
    # The scope of the work that started the process does not apply to its own work.
    _scope.enter()
    _scope.current().transaction = _name


def _name() -> str | None:
    child = process.current_process()
    target = getattr(child, "_target", None)
    return name_of(type(child) if target is None else target)


def _end() -> None:
    # Until 3.12 it is called earlier, in a `finally`.
    _report()
    _exit.flush_at_exit()


def _report() -> None:
    error = sys.exc_info()[1]
    if error is None:
        return
    name = getattr(process.current_process(), "_name", None)
    info = f"process: {name}" if type(name) is str else None
    report(error, "multiprocessing", additional_info=info)
