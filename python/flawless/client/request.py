"""A web request as given by a program."""

from __future__ import annotations

from typing import NamedTuple, Sequence

__all__ = ["Request"]


class Request(NamedTuple):
    """The web request being served when something failed.

    `method` is one like ``GET``, `path` includes the query, `protocol` is one like ``HTTP/1.1``,
    `headers` are pairs of texts, `body` is the beginning of a form or of JSON; `client_address` is
    reported if it is given.
    """

    method: str
    path: str
    protocol: str = ""
    headers: Sequence[tuple[str, str]] = ()
    body: str = ""
    client_address: str | None = None
