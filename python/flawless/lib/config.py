"""The configuration file of 0.4.5, as far as a client uses it: ``flawless_hostports`` names the
servers. All other options belong to the server, and have the values from the file."""

from __future__ import annotations

import os
from typing import Any, Callable, NamedTuple

__all__ = ["OPTIONS", "FlawlessConfig", "FlawlessOption", "default_path", "get", "init_config"]


class FlawlessOption(NamedTuple):
    """An option of the file: its `name`, its `default`, its `type`, which parses its text, and its
    `description`."""

    name: str
    default: Any
    type: Callable[[str], Any]
    description: str


def _list(text: str) -> list[str]:
    parts = (part.strip() for part in text.split(","))
    return [part for part in parts if part]


def _whether(text: str) -> bool:
    # 0.4.5 treated every text as true.
    return text.strip().lower() not in ("", "0", "no", "off", "false", "none")


def _option(name: str, default: Any, kind: Callable[[str], Any] = str) -> FlawlessOption:
    described = "servers of the client" if name == "flawless_hostports" else "option of the server"
    return FlawlessOption(name, default, kind, described)


OPTIONS = [
    _option("port", 9028, int),
    _option("http_port", 8080, int),
    _option("hostname", "localhost"),
    _option("email_domain_name", "example.com"),
    _option("ignore_vcs_email_domain", False, _whether),
    _option("default_contact", None),
    _option("smtp_host", "localhost:25"),
    _option("smtp_user", None),
    _option("smtp_password", None),
    _option("smtp_use_tls", False, _whether),
    _option("smtp_from", None),
    _option("data_dir_path", "/tmp/"),
    _option("config_dir_path", None),
    _option("report_runtime_package_directory_names", ["site-packages"], _list),
    _option("report_only_after_minimum_date", "1970-1-1"),
    _option("report_error_threshold", 3, int),
    _option("only_blame_filepaths_matching", [r"^(?!.*\.egg).*$"], _list),
    _option("max_concurrent_git_blames", 10, int),
    _option("git_cli_path", "git"),
    _option("repo_type", "git"),
    _option("repo_dir", "/tmp/flawless_repo"),
    _option("repo_url", None),
    _option("repo_branch_pattern", None),
    _option("flawless_hostports", None, _list),
    _option("client_timeout", 10, int),
    _option("log_level", "INFO"),
    _option("log_file", None),
    _option("log_days_to_keep", 3, int),
    _option("redis_version", "2.0"),
]

default_path = "/etc/flawless/flawless.cfg"


class FlawlessConfig:
    """The options as attributes, initially those in `values`. Servers set here are used until the
    program sets others."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__[name] = value
        if name == "flawless_hostports" and value:
            from flawless import _flawless
            from flawless._setup import set_hostports

            if not _flawless.is_set_up():
                set_hostports(list(value))

    def __str__(self) -> str:
        return str(self.__dict__)


_config = FlawlessConfig({option.name: option.default for option in OPTIONS})


def get() -> FlawlessConfig:
    """Return the options: their defaults, or the values of the file that `init_config` read."""
    return _config


def init_config(filepath: str) -> None:
    """Read the file at `filepath`, with a section ``[flawless]``. A missing file changes nothing,
    as in 0.4.5.

    Raises ValueError for a value that its option does not accept, and `configparser.Error` for a
    file that cannot be parsed.
    """
    import configparser

    _config.config_dir_path = os.path.dirname(filepath)
    parser = configparser.ConfigParser()
    parser.read(filepath)
    for option in OPTIONS:
        if parser.has_option("flawless", option.name):
            setattr(_config, option.name, option.type(parser.get("flawless", option.name)))
