"""The setup of a program: where the server is, what runs here, and what must not leave."""

from __future__ import annotations

import _string  # noqa: F401
import gc  # noqa: F401
import marshal  # noqa: F401
import opcode  # noqa: F401
import os
import sys
import threading  # noqa: F401
import time  # noqa: F401
import types  # noqa: F401
import warnings  # noqa: F401

from flawless import _exit, _flawless, _tests
from flawless import integrations as frameworks

# Like `typing.TYPE_CHECKING`, without the slow import.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Any, Callable, Iterable

# The native half uses these modules while it reports, and imports nothing then. If a thread first
# imported one while another forks, the child would wait forever for that thread to finish.

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
    ignore: Iterable[type[BaseException] | str] = (),
    before_send: Callable[[dict[str, Any], BaseException], dict[str, Any] | None] | None = None,
    hooks: bool = True,
    integrations: bool = True,
    integrations_off: Iterable[str] = (),
    send_client_address: bool = False,
    report_in_tests: bool = False,
    ca_file: str | os.PathLike[str] | None = None,
    queue_reports: int = 100,
    queue_bytes: int = 8 * 1024 * 1024,
    timeout: float = 2.0,
    flush_at_exit: float = 2.0,
) -> None:
    """Set the client up. From then on uncaught exceptions are reported, and those that reach known
    frameworks or `logging`.

    `dsn` is the address that ``flawless projects`` prints, by default the environment variable
    FLAWLESS_DSN; `hostports` are older servers as ``host:port``. If all are missing or empty,
    nothing is reported. `revision` is the running commit, by default found in the environment, a
    REVISION file or ``.git``; `environment` is where it runs, such as ``production``, by default
    FLAWLESS_ENVIRONMENT; `hostname` is by default that of the machine.

    `redact_names` and `redact_values` are regular expressions for names and values that never leave
    the process, in addition to the built-in rules, which `redact_off` switches off by name.
    `ignore` lists exceptions that are not reported, as classes or names. `before_send` is called
    with the report and the exception, and returns the report to send, or None.

    `hooks=False` leaves the interpreter's hooks for uncaught exceptions alone, `integrations=False`
    all frameworks, and `integrations_off` those that it names. `send_client_address` includes the
    client's address in web requests, `report_in_tests` also reports failures under pytest.
    `ca_file` holds the certificates of a private authority. At most `queue_reports` reports of
    `queue_bytes` in total wait for a server, which has `timeout` seconds for each step: to connect,
    to take a report, and to answer. Reports that wait at the end of the program are sent within
    `flush_at_exit` seconds.

    Raises ValueError or TypeError when an argument is wrong.
    """
    if hostports is not None and not hostports:
        raise ValueError(_NO_SERVERS)
    _require_text(dsn=dsn, revision=revision, environment=environment, hostname=hostname)
    _require_number(queue_reports=queue_reports, queue_bytes=queue_bytes)
    _require_number(timeout=timeout, flush_at_exit=flush_at_exit)
    if timeout <= 0:
        raise ValueError("flawless.init: timeout must be more than 0 seconds, such as timeout=2")
    if before_send is not None:
        if not callable(before_send):
            raise TypeError(f"flawless.init: before_send must be a function, not {before_send!r}")
        # The native half imports nothing while it reports.
        from flawless.client import request  # noqa: F401
    without = _texts("integrations_off", integrations_off)
    frameworks.require_known(without)
    classes, names = _exceptions(ignore)
    if dsn is None and hostports is None:
        dsn = os.environ.get(DSN_VARIABLE)
    tested = _tests.of_caller()
    is_off = not (dsn or hostports) or (tested is _tests.PROGRAM and not report_in_tests)
    _flawless.init(
        is_off=is_off,
        dsn=dsn or None,
        hostports=_texts("hostports", hostports or ()),
        hostname=hostname or this_host(),
        revision=revision,
        environment=environment or os.environ.get(ENVIRONMENT_VARIABLE) or None,
        folders=code_folders(),
        module_folders=[folder for folder in sys.path if isinstance(folder, str) and folder],
        runtime=_runtime(),
        arguments=_arguments(),
        redact_names=_texts("redact_names", redact_names),
        redact_values=_texts("redact_values", redact_values),
        redact_off=_texts("redact_off", redact_off),
        ignore_classes=classes,
        ignore_names=names,
        before_send=before_send,
        send_client_address=bool(send_client_address),
        ca_file=None if ca_file is None else os.fspath(ca_file),
        queue_reports=int(queue_reports),
        queue_bytes=int(queue_bytes),
        timeout=float(timeout),
    )
    if is_off:
        return
    _exit.prepare(flush_at_exit)
    if tested is not None and not report_in_tests:
        # A test that sets the client up only wants what it reports by hand.
        return
    if hooks:
        from flawless.integrations import hooks as interpreter_hooks

        interpreter_hooks.install()
    if integrations:
        frameworks.install(without)


def set_hostports(hostports: list[str] | tuple[str, ...]) -> None:
    """Set the servers, as 0.4.5 did: `hostports` is a list or tuple of texts like ``host:port``.

    Raises ValueError when it is anything else, or empty.
    """
    if not isinstance(hostports, (list, tuple)):
        raise ValueError("hostports must be a list or tuple, such as ['flawless.example.com:9028']")
    if not hostports:
        raise ValueError(_NO_SERVERS)
    if _tests.of_caller() is _tests.PROGRAM:
        return
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
    """Where the program's code may be, most likely first."""
    folders = []
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    if main:
        folder = os.path.dirname(os.path.abspath(main))
        # A server's own start script says nothing about the program.
        if not folder.startswith(sys.prefix + os.sep):
            folders.append(folder)
    try:
        folders.append(os.getcwd())
    except OSError:
        pass
    return folders


def _runtime() -> str:
    """What runs the program, such as ``CPython 3.13.0 on linux x86_64``."""
    machine = "" if sys.platform == "win32" else " " + os.uname().machine
    version = sys.version.split(" ", 1)[0]
    name = {"cpython": "CPython", "pypy": "PyPy"}.get(sys.implementation.name, "Python")
    return f"{name} {version} on {sys.platform}{machine}"


def _arguments() -> list[str]:
    """The command line."""
    return [text for text in getattr(sys, "argv", ()) if isinstance(text, str)]


def _exceptions(ignore: Iterable[Any]) -> tuple[list[type[BaseException]], list[str]]:
    if isinstance(ignore, (str, type)) or not hasattr(ignore, "__iter__"):
        raise TypeError(f"flawless.init: ignore must be a list of exceptions, not {ignore!r}")
    classes, names = [], []
    for one in ignore:
        if isinstance(one, type) and issubclass(one, BaseException):
            classes.append(one)
        elif isinstance(one, str):
            names.append(one)
        else:
            raise TypeError(
                "flawless.init: ignore must hold exception classes, or their names such as "
                f"'KeyError' or 'shop.errors.Expected', not {one!r}"
            )
    return classes, names


def _texts(name: str, values: Iterable[Any]) -> list[str]:
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise TypeError(f"flawless: {name} must be a list of strings, not {values!r}")
    texts = [getattr(value, "pattern", value) for value in values]
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"flawless: {name} must be a list of strings, but holds {text!r}")
    return texts


def _require_text(**values: object) -> None:
    for name, value in values.items():
        if value is not None and not isinstance(value, str):
            raise TypeError(f"flawless.init: {name} must be a string, not {value!r}")


def _require_number(**values: Any) -> None:
    for name, value in values.items():
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not 0 <= value < 2**53:
            raise TypeError(f"flawless.init: {name} must be a number of at least 0, not {value!r}")
