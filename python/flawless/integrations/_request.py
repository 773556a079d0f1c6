"""Makes web requests for reports: method, path with query, protocol, headers, form body."""

from __future__ import annotations

from typing import Any, Iterable, Mapping
from urllib.parse import quote, quote_from_bytes

from flawless import _flawless
from flawless.client.request import Request
from flawless.integrations._body import RecordedBody

# The key under which the middleware keeps the part of the body that the application has read.
WSGI_BODY = "flawless.body"

_PATH = 2_000
_WORD = 50
_HEADER_NAME = 100
_HEADER_VALUE = 1_000
_HEADERS = 100
# Headers in which proxies send the client's address.
_ADDRESSES = frozenset(
    ["Cf-Connecting-Ip", "Client-Ip", "Fastly-Client-Ip", "Forwarded", "True-Client-Ip",
     "X-Client-Ip", "X-Cluster-Client-Ip", "X-Forwarded", "X-Forwarded-For", "X-Real-Ip"]
)  # fmt: skip
# Characters that a URL holds unescaped.
_PLAIN = "/:;,@&=+$!*'()~%"


def as_told(request: Any) -> Request:
    """Make the request from what a program gives: a `Request`, a WSGI environment or an ASGI
    scope."""
    if isinstance(request, Mapping):
        if "REQUEST_METHOD" in request:
            return from_wsgi(request)
        return from_asgi(request, None)
    given = Request(*request)
    headers = given.headers
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return given._replace(headers=[(str(name), str(value)) for name, value in pairs])


def from_wsgi(environ: Mapping[str, Any]) -> Request:
    """Make the request from a WSGI environment."""
    get = environ.get
    path = _latin(get("SCRIPT_NAME")) + _latin(get("PATH_INFO"))
    return Request(
        _text(get("REQUEST_METHOD"), _WORD),
        _path(quote_from_bytes(path[:_PATH], _PLAIN), get("QUERY_STRING")),
        _text(get("SERVER_PROTOCOL"), _WORD),
        wsgi_headers(environ),
        body_text(get(WSGI_BODY)),
        client_address(get("REMOTE_ADDR")),
    )


def from_asgi(scope: Mapping[str, Any], body: RecordedBody | None) -> Request:
    """Make the request from an ASGI scope."""
    raw_path = scope.get("raw_path")
    if isinstance(raw_path, bytes):
        path = quote_from_bytes(raw_path[:_PATH], _PLAIN)
    else:
        path = quote(_text(scope.get("path"), _PATH), _PLAIN)
    headers: dict[str, str] = {}
    for name, value in scope.get("headers") or ():
        name = _text(name, _HEADER_NAME).title()
        value = _text(value, _HEADER_VALUE)
        if name in headers:
            # HTTP/2 sends each cookie separately.
            value = headers[name] + ("; " if name == "Cookie" else ", ") + value
        headers[name] = value[:_HEADER_VALUE]
    client = scope.get("client") or (None,)
    return Request(
        _text(scope.get("method") or "GET", _WORD),
        _path(path, scope.get("query_string")),
        "HTTP/" + _text(scope.get("http_version") or "1.1", _WORD),
        _first(headers.items()),
        body_text(body),
        client_address(client[0]),
    )


def wsgi_headers(environ: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The headers of a WSGI environment, or of Django's equivalent."""
    headers = {}
    for key, value in list(environ.items()):
        if not isinstance(key, str) or not isinstance(value, str):
            continue
        if key.startswith("HTTP_"):
            key = key[5:]
        elif key not in ("CONTENT_TYPE", "CONTENT_LENGTH") or not value:
            continue
        name = _text(key, _HEADER_NAME).replace("_", "-").title()
        headers[name] = _text(value, _HEADER_VALUE)
    return _first(headers.items())


def told_headers(pairs: Iterable[tuple[Any, Any]]) -> list[tuple[str, str]]:
    """The headers from a framework's list."""
    headers: dict[str, str] = {}
    for name, value in pairs:
        name = _text(str(name), _HEADER_NAME).title()
        value = _text(value, _HEADER_VALUE)
        headers[name] = (headers[name] + ", " + value if name in headers else value)[:_HEADER_VALUE]
    return _first(headers.items())


def told_path(path: object) -> str:
    """The path with its query, as received."""
    return _text(path, _PATH)


def client_address(address: object) -> str | None:
    """The client's address, if the program wants it reported."""
    return word(address) or None if _flawless.tells_client_address() else None


def body_text(body: RecordedBody | None) -> str:
    """The part of the body that the application has read."""
    return body.text() if body is not None else ""


def word(value: object) -> str:
    """A short text in a form that the report can hold."""
    return _text(value, _WORD)


def _first(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    if not _flawless.tells_client_address():
        headers = [(name, value) for name, value in headers if name not in _ADDRESSES]
    return sorted(headers)[:_HEADERS]


def _path(path: str, query: object) -> str:
    query = _text(query, _PATH)
    return (path + "?" + query if query else path)[:_PATH]


def _text(value: object, limit: int) -> str:
    if isinstance(value, bytes):
        return value[:limit].decode("latin-1")
    if not isinstance(value, str):
        return ""
    # A lone surrogate cannot be sent.
    return value[:limit].encode("utf-8", "replace").decode("utf-8")


def _latin(value: object) -> bytes:
    # WSGI's strings are bytes in disguise; those of a handmade environment may not be.
    text = value if isinstance(value, str) else ""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")
