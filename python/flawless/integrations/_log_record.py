"""Reports and breadcrumbs made from `logging` records."""

from __future__ import annotations

import logging
import re
from typing import Any

from flawless import _scope
from flawless.integrations._report import report

_MESSAGE = 2_000
_TEXT = 1_000
# Printing these runs no code of the program.
_PLAIN = frozenset([str, int, float, bool, type(None)])
# A width like this could make a text of any size.
_WIDE = re.compile(r"%[^%a-zA-Z]*(\d{4}|\*)")
# These log each request with the client's address. The request is reported anyway.
_OF_REQUESTS = frozenset(
    ["aiohttp.access", "django.server", "gunicorn.access", "hypercorn.access", "tornado.access",
     "uvicorn.access", "werkzeug"]
)  # fmt: skip


def hear(record: logging.LogRecord) -> None:
    """Report a record of level ERROR or above that has an exception, and keep it as a
    breadcrumb."""
    try:
        if type(record.levelno) is not int or record.levelno < logging.INFO:
            return
        if record.levelno >= logging.ERROR:
            report_record(record)
        if type(record.msg) is str and record.name not in _OF_REQUESTS:
            _scope.add_breadcrumb(
                _formatted(record.msg, record.args)[:_MESSAGE],
                category=record.name,
                level=record.levelname,
            )
    except Exception as error:
        if _scope.is_of_signal_handler(error):
            raise
        # `logging` itself reports an invalid record.


def _formatted(message: str, args: Any) -> str:
    """The formatted message if that runs no code of the program, otherwise the format string."""
    if type(args) is dict:
        values = list(args.values())
    elif type(args) is tuple:
        values = list(args)
    else:
        return message
    is_plain = all(
        type(value) in _PLAIN and (type(value) is not str or len(value) <= _TEXT)
        for value in values
    )
    if not values or not is_plain or len(message) > _MESSAGE or _WIDE.search(message):
        return message
    try:
        return message % args
    except Exception:
        return message


def report_record(record: logging.LogRecord) -> None:
    """Report the exception of a record, if it has one."""
    info = record.exc_info
    if isinstance(info, tuple) and len(info) > 1 and info[1] is not None:
        report(info[1], "logging", handled=True, additional_info=_info(record))


def _info(record: logging.LogRecord) -> str:
    try:
        message = record.getMessage()
    except Exception:
        message = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
    return (
        f"logger: {record.name}\nlevel: {record.levelname}\nmessage: {message[:_MESSAGE]}"
    )
