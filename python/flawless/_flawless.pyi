"""The native half."""

from types import TracebackType
from typing import Any, Callable, Optional, Sequence

__all__ = [
    "before_fork",
    "capture",
    "caught",
    "end",
    "flush",
    "forget_thinning",
    "init",
    "install_scrubbers",
    "is_set_up",
    "record",
    "redaction_rules",
    "set_hostports",
    "set_package_folder",
    "tells_client_address",
]

_Row = tuple[str, int, str, Optional[str]]
_Request = tuple[str, str, str, Sequence[tuple[str, str]], str, Optional[str]]

def before_fork() -> None: ...
def caught(
    error: BaseException, error_threshold: object, save_current_stack_trace: bool
) -> bool: ...
def capture(
    error: BaseException,
    additional_info: str | None,
    request: tuple[Callable[..., _Request], tuple[Any, ...]] | None,
    error_threshold: int | None,
    mechanism: str,
    handled: bool,
) -> None: ...
def record(
    kind: type[BaseException],
    error: BaseException,
    traceback: TracebackType | None,
    hostname: str | None,
    preceding_stack: list[_Row] | None,
    error_threshold: int | None,
    additional_info: str | None,
) -> None: ...
def init(
    *,
    is_off: bool,
    dsn: str | None,
    hostports: list[str],
    hostname: str,
    revision: str | None,
    environment: str | None,
    folders: list[str],
    module_folders: list[str],
    runtime: str,
    arguments: list[str],
    redact_names: list[str],
    redact_values: list[str],
    redact_off: list[str],
    ignore_classes: list[type[BaseException]],
    ignore_names: list[str],
    before_send: Callable[[dict[str, Any], BaseException], dict[str, Any] | None] | None,
    send_client_address: bool,
    ca_file: str | None,
    queue_reports: int,
    queue_bytes: int,
    timeout: float,
) -> None: ...
def set_hostports(
    hostports: list[str], hostname: str, environment: str | None, folders: list[str]
) -> None: ...
def install_scrubbers(variables_regex: str) -> None: ...
def flush(timeout: float) -> bool: ...
def end() -> None: ...
def forget_thinning() -> None: ...
def is_set_up() -> bool: ...
def redaction_rules() -> list[str]: ...
def set_package_folder(folder: str) -> None: ...
def tells_client_address() -> bool: ...
