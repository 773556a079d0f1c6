"""uvicorn, also as gunicorn's worker: it ends by the signal that it received, so that exit handlers
do not run."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.server import Server

from flawless._exit import flush_at_shutdown
from flawless.integrations._patch import patch

__all__ = ["switch_on"]


def switch_on() -> None:
    """Send waiting reports when the server shuts down."""

    @patch(Server, "shutdown")
    async def shutdown(former: Any, self: Any, *args: Any, **kwargs: Any) -> None:
        await former(self, *args, **kwargs)
        await asyncio.get_running_loop().run_in_executor(None, flush_at_shutdown)
