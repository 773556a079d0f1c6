"""asyncio: errors that reach a loop's exception handler, such as exceptions of tasks that were
never retrieved."""

from __future__ import annotations

import asyncio
from asyncio.base_events import BaseEventLoop
from typing import Any

from flawless.integrations._patch import patch
from flawless.integrations._report import report

__all__ = ["install", "switch_on"]


def install(loop: asyncio.AbstractEventLoop | None = None) -> None:
    """Report what reaches the exception handler of `loop`, by default the running one, and then
    call the former handler, or the loop's own. `flawless.init` does so for all loops.

    Raises RuntimeError if there is no loop.
    """
    if loop is None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError(
                "flawless.integrations.asyncio.install() found no running loop. Call it in the "
                "first coroutine of the program, or give it the loop: install(loop)"
            ) from None
    former = loop.get_exception_handler()
    if not isinstance(former, _Handler):
        loop.set_exception_handler(_Handler(former))


def switch_on() -> None:
    """Report what reaches the exception handlers of all of Python's own loops."""

    @patch(BaseEventLoop, "call_exception_handler")
    def call_exception_handler(former: Any, self: Any, context: dict[str, Any]) -> Any:
        _report(context)
        return former(self, context)


def _report(context: dict[str, Any]) -> None:
    message = context.get("message")
    message = message[:1_000] if isinstance(message, str) else None
    report(context.get("exception"), "asyncio", additional_info=message)


class _Handler:
    __slots__ = ("_former",)

    def __init__(self, former: Any) -> None:
        self._former = former

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        _report(context)
        if self._former is None:
            loop.default_exception_handler(context)
        else:
            self._former(loop, context)
