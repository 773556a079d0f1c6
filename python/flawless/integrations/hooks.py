"""The interpreter's own hooks: uncaught exceptions of the program and of its threads, and
unraisable ones."""

from __future__ import annotations

import atexit
import sys
import threading
from typing import Any, Callable

from flawless.integrations._report import report

__all__ = ["install"]

_is_installed = False
# `CO_GENERATOR`, `CO_COROUTINE` and `CO_ASYNC_GENERATOR` of `inspect`.
_RESUMED = 0x20 | 0x80 | 0x200


def install() -> None:
    """Report uncaught exceptions, then call the former hooks. Hooks that others set later, as Typer
    and rich do, do not prevent reports of uncaught exceptions of the program and its threads."""
    global _is_installed
    if _is_installed:
        return
    _is_installed = True
    _hook_main()
    _hook_threads()
    _hook_unraisable()


def _hook_main() -> None:
    former = sys.excepthook

    def excepthook(kind: Any, error: Any, traceback: Any) -> Any:
        if not _is_of_console(sys._getframe().f_back):
            _report_uncaught(error, traceback)
        return former(kind, error, traceback)

    sys.excepthook = excepthook
    # Runs before waiting reports are sent.
    atexit.register(_report_last)


def _is_of_console(caller: Any) -> bool:
    """Whether a prompt within the program, rather than the interpreter, calls the hook."""
    return caller is not None and caller.f_globals.get("__name__") == "code"


def _report_last() -> None:
    """Report what ended the program if another hook has replaced ours. The interpreter keeps it."""
    error = getattr(sys, "last_value", None)
    traceback = getattr(error, "__traceback__", None)
    if traceback is None:
        return
    # Prompts, debuggers and test runners also keep exceptions there that did not end the program.
    # Those were not raised through the outermost frame; an ended coroutine has no caller either.
    outermost = traceback.tb_frame
    is_resumed = outermost.f_code.co_flags & _RESUMED
    if outermost.f_back is None and not is_resumed:
        _report_uncaught(error, traceback)


def _report_uncaught(error: Any, traceback: Any) -> None:
    # A Django command reports an error to its caller with this; with `--traceback` it is not
    # caught.
    is_answer = any(
        kind.__name__ == "CommandError" and kind.__module__ == "django.core.management.base"
        for kind in type(error).__mro__
    )
    if not is_answer and not _is_typed(traceback):
        report(error, "excepthook")


def _is_typed(traceback: Any) -> bool:
    """Whether it comes from code typed at a prompt, which has no line to blame."""
    if not hasattr(sys, "ps1"):
        return False
    if traceback is None:
        return True
    # A program may continue after a prompt, and then end.
    outermost = traceback.tb_frame
    return outermost.f_back is not None or outermost.f_code.co_filename.startswith("<")


def _hook_threads() -> None:
    former = threading.excepthook
    if former is None:
        return

    def excepthook(args: Any) -> Any:
        _report(args.exc_value, "threading", lambda: f"thread: {args.thread.name}")
        return former(args)

    threading.excepthook = excepthook
    make = getattr(threading, "_make_invoke_excepthook", None)
    if make is not None:
        setattr(threading, "_make_invoke_excepthook", lambda: _Invoke(make()))


class _Invoke:
    """Called when a thread ends with an exception; calls the hook that is set then."""

    __slots__ = ("_former",)

    def __init__(self, former: Any) -> None:
        self._former = former

    def __call__(self, thread: Any) -> None:
        _report(sys.exc_info()[1], "threading", lambda: f"thread: {thread.name}")
        self._former(thread)


def _hook_unraisable() -> None:
    former = getattr(sys, "unraisablehook", None)
    if former is None:
        return

    def unraisablehook(unraisable: Any) -> Any:
        _report(unraisable.exc_value, "unraisablehook", lambda: _where(unraisable))
        return former(unraisable)

    sys.unraisablehook = unraisablehook


def _where(unraisable: Any) -> str:
    # The object may be half destroyed, so only its name is read.
    name = getattr(unraisable.object, "__qualname__", None) or type(unraisable.object).__name__
    return f"{unraisable.err_msg or 'Exception ignored in'}: {name}"


def _report(error: Any, mechanism: str, describe: Callable[[], str]) -> None:
    # At the very end nothing is left to send it.
    if error is None or sys.is_finalizing():
        return
    try:
        info: str | None = describe()
    except Exception:
        info = None
    report(error, mechanism, additional_info=info)
