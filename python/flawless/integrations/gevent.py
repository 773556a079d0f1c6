"""gevent: exceptions that end greenlets."""

from __future__ import annotations

from typing import Any

from gevent.hub import Hub

from flawless.integrations._carried import hand_on
from flawless.integrations._patch import patch
from flawless.integrations._report import report

__all__ = ["switch_on"]


def switch_on() -> None:
    """Report what greenlets and callbacks of the loop raise."""

    @patch(Hub, "handle_error")
    def handle_error(former: Any, self: Any, context: Any, kind: Any, error: Any, tb: Any) -> Any:
        try:
            is_expected = isinstance(error, self.NOT_ERROR)
        except Exception:
            is_expected = False
        if not is_expected:
            report(error, "gevent")
            hand_on(error)
        return former(self, context, kind, error, tb)
