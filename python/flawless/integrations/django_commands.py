"""Django: names management commands. An exception that ends one reaches the interpreter's hook."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from flawless import _scope
from flawless.integrations._patch import patch

__all__ = ["switch_on"]


def switch_on() -> None:
    """Set the name of the running command."""

    @patch(BaseCommand, "create_parser")
    def create_parser(former: Any, self: Any, prog_name: Any, subcommand: Any, **of: Any) -> Any:
        # `call_command` has no program name, and its caller remains the transaction.
        if prog_name and type(subcommand) is str:
            _scope.current().transaction = f"manage.py {subcommand}"
        return former(self, prog_name, subcommand, **of)
