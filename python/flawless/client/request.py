"""A web request as a program tells it."""

from __future__ import annotations

from typing import NamedTuple, Sequence

__all__ = ["Request"]


class Request(NamedTuple):
    """The web request that was served when something failed.

    `method` is a word like ``GET``, `path` has the query, `protocol` is one like ``HTTP/1.1``,
    `headers` are pairs of texts, `body` is the beginning of a form or of JSON; `client_address` is
    told when it is given here.
    """

    method: str
    path: str
    protocol: str = ""
    headers: Sequence[tuple[str, str]] = ()
    body: str = ""
    client_address: str | None = None
