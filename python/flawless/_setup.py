"""What a program says once: where the server is, what runs here, what stays here."""

from __future__ import annotations

import _string  # noqa: F401
import gc  # noqa: F401
import linecache  # noqa: F401
import marshal  # noqa: F401
import opcode  # noqa: F401
import os
import sys
import time  # noqa: F401
import types  # noqa: F401
import warnings  # noqa: F401
from typing import TYPE_CHECKING, Any, Iterable

from flawless import _exit, _flawless

if TYPE_CHECKING:
    import re

# The native half uses these while it reports, and imports nothing then. If the first time was in
# a thread while another one forks, the child would wait for ever for that thread to finish.

_flawless.set_package_folder(os.path.dirname(os.path.abspath(__file__)) + os.sep)

DSN_VARIABLE = "FLAWLESS_DSN"
ENVIRONMENT_VARIABLE = "FLAWLESS_ENVIRONMENT"
_NO_SERVERS = "hostports names no server: give at least one, such as 'flawless.example.com:9028'"


def init(
    dsn: str | None = None,
    *,
    hostports: Iterable[str] | None = None,
    revision: str | None = None,
    environment: str | None = None,
    hostname: str | None = None,
    redact_names: Iterable[str | re.Pattern[str]] = (),
    redact_values: Iterable[str | re.Pattern[str]] = (),
    redact_off: Iterable[str] = (),
    hooks: bool = True,
    queue_reports: int = 100,
    queue_bytes: int = 8 * 1024 * 1024,
    timeout: float = 2.0,
    flush_at_exit: float = 2.0,
) -> None:
    """Set the client up; from then on uncaught exceptions are reported.

    `dsn` is the address that ``flawless projects`` prints, by default that in the environment
    variable FLAWLESS_DSN; `hostports` are older servers as ``host:port``. `revision` is the
    commit that runs, by default found in the environment, a REVISION file or ``.git``.
    `redact_names` and `redact_values` are regular expressions of names and values that never
    leave the process, beside the built-in rules, of which `redact_off` switches some off.
    `hooks=False` leaves the interpreter's hooks for uncaught exceptions alone. Times are
    seconds.

    Raises ValueError or TypeError when an argument is wrong.
    """
    if dsn is None and hostports is None:
        dsn = os.environ.get(DSN_VARIABLE) or None
        if dsn is None:
            raise ValueError(
                "flawless.init needs the address of the server: "
                "flawless.init('http://KEY@flawless.example.com:8080/shop'), as "
                f"`flawless projects` prints it, or the environment variable {DSN_VARIABLE}"
            )
    if dsn is None and not hostports:
        raise ValueError(_NO_SERVERS)
    _require_text(dsn=dsn, revision=revision, environment=environment, hostname=hostname)
    _require_number(queue_reports=queue_reports, queue_bytes=queue_bytes)
    _require_number(timeout=timeout, flush_at_exit=flush_at_exit)
    if timeout <= 0:
        raise ValueError("flawless.init: timeout must be more than 0 seconds, such as timeout=2")
    _flawless.init(
        dsn=dsn,
        hostports=_texts("hostports", hostports or ()),
        hostname=hostname or this_host(),
        revision=revision,
        environment=environment or os.environ.get(ENVIRONMENT_VARIABLE) or None,
        folders=code_folders(),
        redact_names=_texts("redact_names", redact_names),
        redact_values=_texts("redact_values", redact_values),
        redact_off=_texts("redact_off", redact_off),
        queue_reports=int(queue_reports),
        queue_bytes=int(queue_bytes),
        timeout=float(timeout),
    )
    _exit.prepare(flush_at_exit)
    if hooks:
        from flawless.integrations import hooks as interpreter_hooks

        interpreter_hooks.install()


def set_hostports(hostports: list[str] | tuple[str, ...]) -> None:
    """Set the servers, each as ``host:port``, as 0.4.5 did."""
    if not isinstance(hostports, (list, tuple)):
        raise ValueError("hostports must be a list or tuple, such as ['flawless.example.com:9028']")
    if not hostports:
        raise ValueError(_NO_SERVERS)
    _flawless.set_hostports(
        hostports=_texts("hostports", hostports),
        hostname=this_host(),
        environment=os.environ.get(ENVIRONMENT_VARIABLE) or None,
        folders=code_folders(),
    )
    _exit.prepare()


def this_host() -> str:
    """The name of this machine."""
    if sys.platform != "win32":
        return os.uname().nodename
    import socket

    return socket.gethostname()


def code_folders() -> list[str]:
    """Where the program's code may lie, the likeliest first."""
    folders = []
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    if main:
        folder = os.path.dirname(os.path.abspath(main))
        # A server's own start script says nothing of the program.
        if not folder.startswith(sys.prefix + os.sep):
            folders.append(folder)
    try:
        folders.append(os.getcwd())
    except OSError:
        pass
    return folders


def _texts(name: str, values: Iterable[Any]) -> list[str]:
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise TypeError(f"flawless: {name} must be a list of strings, not {values!r}")
    texts = [getattr(value, "pattern", value) for value in values]
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"flawless: {name} must be a list of strings, and holds {text!r}")
    return texts


def _require_text(**values: object) -> None:
    for name, value in values.items():
        if value is not None and not isinstance(value, str):
            raise TypeError(f"flawless.init: {name} must be a string, not {value!r}")


def _require_number(**values: Any) -> None:
    for name, value in values.items():
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not 0 <= value < 2**53:
            raise TypeError(f"flawless.init: {name} must be a number from 0 on, not {value!r}")
