"""The interpreter's own hooks: uncaught exceptions of the program, of its threads, and those
that nobody can catch."""

from __future__ import annotations

import sys
import threading
from typing import Any, Callable

from flawless.integrations._report import report

__all__ = ["install"]

_is_installed = False


def install() -> None:
    """Report uncaught exceptions, then do what was done before. Only the first call counts: a
    hook that another has set since stays."""
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
        # What is typed at a prompt has no line to blame.
        if not hasattr(sys, "ps1"):
            report(error)
        return former(kind, error, traceback)

    sys.excepthook = excepthook


def _hook_threads() -> None:
    former = threading.excepthook

    def excepthook(args: Any) -> Any:
        _report(args.exc_value, lambda: f"thread: {args.thread.name}")
        return former(args)

    threading.excepthook = excepthook


def _hook_unraisable() -> None:
    former = sys.unraisablehook

    def unraisablehook(unraisable: Any) -> Any:
        _report(unraisable.exc_value, lambda: _where(unraisable))
        return former(unraisable)

    sys.unraisablehook = unraisablehook


def _where(unraisable: Any) -> str:
    # The object may be half destroyed: no more is asked for than a name.
    name = getattr(unraisable.object, "__qualname__", None) or type(unraisable.object).__name__
    return f"{unraisable.err_msg or 'Exception ignored in'}: {name}"


def _report(error: Any, describe: Callable[[], str]) -> None:
    # At the very end nothing is there that could send it.
    if error is None or sys.is_finalizing():
        return
    try:
        info: str | None = describe()
    except Exception:
        info = None
    report(error, additional_info=info)
