"""Statements that the program sends through Django: each is a breadcrumb."""

from __future__ import annotations

from typing import Any

from django.db.backends.utils import CursorWrapper

from flawless.integrations._crumb import query_crumb
from flawless.integrations._patch import patch

__all__ = ["switch_on"]


def switch_on() -> None:
    """Note each statement."""

    @patch(CursorWrapper, "execute")
    def execute(former: Any, self: Any, sql: Any, params: Any = None) -> Any:
        query_crumb(sql)
        return former(self, sql, params)

    @patch(CursorWrapper, "executemany")
    def executemany(former: Any, self: Any, sql: Any, param_list: Any) -> Any:
        query_crumb(sql, many=True)
        return former(self, sql, param_list)
