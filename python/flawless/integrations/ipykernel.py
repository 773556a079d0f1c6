"""Jupyter: exceptions of cells in a Python kernel. Code typed at a terminal is not reported."""

from __future__ import annotations

import sys
from typing import Any

from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.error import UsageError

from flawless.integrations._patch import patch
from flawless.integrations._report import report

__all__ = ["switch_on"]


def switch_on() -> None:
    """Report what cells raise, including syntax errors."""
    # A running shell has its own references to these two.
    for name in ("showtraceback", "showsyntaxerror"):

        @patch(ZMQInteractiveShell, name)
        def show(former: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
            given = args[0] if args else kwargs.get("exc_tuple")
            error = given[1] if isinstance(given, tuple) else sys.exc_info()[1]
            # It explains the usage of a magic command.
            if not isinstance(error, UsageError):
                report(error, "ipykernel")
            return former(self, *args, **kwargs)
