"""asyncio: what a loop's exception handler is told, such as tasks whose exception nobody has
retrieved."""

from __future__ import annotations

import asyncio
from typing import Any

from flawless.integrations._report import report

__all__ = ["install"]


def install(loop: asyncio.AbstractEventLoop | None = None) -> None:
    """Report what reaches the exception handler of a loop, by default the running one; then the
    handler that was set before goes on, else the loop's own.

    Raises RuntimeError without a loop.
    """
    if loop is None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError(
                "flawless.integrations.asyncio.install() is called by a coroutine, the first one "
                "of the program; elsewhere give it the loop: install(loop)"
            ) from None
    former = loop.get_exception_handler()
    if not isinstance(former, _Handler):
        loop.set_exception_handler(_Handler(former))


class _Handler:
    __slots__ = ("_former",)

    def __init__(self, former: Any) -> None:
        self._former = former

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        message = context.get("message")
        message = message[:1_000] if isinstance(message, str) else None
        report(context.get("exception"), additional_info=message)
        if self._former is None:
            loop.default_exception_handler(context)
        else:
            self._former(loop, context)
