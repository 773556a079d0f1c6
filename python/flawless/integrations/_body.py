"""The beginning of a form body, kept while the application reads it: it is never read ahead."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote_plus

_CHARACTERS = 2_000
# Allows for UTF-8, and for the parts between the fields of a multipart form.
_BYTES = 4 * _CHARACTERS
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"


def is_form(method: object, content_type: object) -> bool:
    """Whether the body of such a request is worth showing: forms and JSON."""
    if method in ("GET", "HEAD") or not isinstance(content_type, str):
        return False
    kind = content_type.partition(";")[0].strip().lower()
    return kind in (_FORM, _MULTIPART, "application/json") or kind.endswith("+json")


class RecordedBody:
    """The part of a body read so far, bounded."""

    __slots__ = ("_bytes", "_content_type")

    def __init__(self, content_type: str) -> None:
        self._bytes = bytearray()
        self._content_type = content_type

    def add(self, part: object) -> None:
        """Add a part that the application has read."""
        room = _BYTES - len(self._bytes)
        if room > 0 and isinstance(part, (bytes, bytearray, memoryview)):
            self._bytes += part[:room]

    def text(self) -> str:
        """The text to show: of multipart forms the text fields, like a plain form."""
        body = bytes(self._bytes)
        if self._content_type.lower().lstrip().startswith(_MULTIPART):
            return _text_fields(body, self._content_type)[:_CHARACTERS]
        return body.decode("utf-8", "replace")[:_CHARACTERS]


class RecordingInput:
    """Behaves like the stream it wraps, and keeps the beginning of the data read."""

    __slots__ = ("_body", "_stream")

    def __init__(self, stream: Any, body: RecordedBody) -> None:
        self._stream = stream
        self._body = body

    def read(self, *size: Any) -> Any:
        return self._seen(self._stream.read(*size))

    def readline(self, *size: Any) -> Any:
        return self._seen(self._stream.readline(*size))

    def readlines(self, *hint: Any) -> Any:
        lines = self._stream.readlines(*hint)
        for line in lines[:100]:
            self._body.add(line)
        return lines

    def __iter__(self) -> Any:
        for line in self._stream:
            yield self._seen(line)

    def __next__(self) -> Any:
        return self._seen(next(self._stream))

    def __enter__(self) -> Any:
        self._stream.__enter__()
        return self

    def __exit__(self, *of: Any) -> Any:
        return self._stream.__exit__(*of)

    def __getattr__(self, name: str) -> Any:
        # An incomplete copy has no stream yet.
        if name in RecordingInput.__slots__:
            raise AttributeError(name)
        found = getattr(self._stream, name)
        # Not every stream has these methods.
        if name in ("read1", "readall"):
            return lambda *size: self._seen(found(*size))
        if name in ("readinto", "readinto1"):
            return lambda buffer: self._filled(found(buffer), buffer)
        return found

    def _filled(self, count: Any, buffer: Any) -> Any:
        if isinstance(count, int):
            self._body.add(memoryview(buffer).cast("B")[:count])
        return count

    def _seen(self, part: Any) -> Any:
        self._body.add(part)
        return part


def _text_fields(body: bytes, content_type: str) -> str:
    boundary = _parameter(content_type.encode("latin-1", "replace"), b"boundary")
    if not boundary:
        return ""
    fields = []
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:]:
        head, has_value, value = part.partition(b"\r\n\r\n")
        # Without the empty line it is the end, or its head was not read completely.
        if not has_value or b"filename" in head.lower():
            continue
        name = _parameter(head, b"name").decode("utf-8", "replace")
        fields.append(f"{quote_plus(name)}={quote_plus(value.decode('utf-8', 'replace'))}")
    return "&".join(fields)


def _parameter(head: bytes, name: bytes) -> bytes:
    for part in head.replace(b"\r\n", b";").split(b";"):
        key, _, value = part.partition(b"=")
        if key.strip().lower() == name:
            return value.strip().strip(b'"')
    return b""
