"""Reports as they are on the wire: with what the generated code of 0.4.5 leaves out."""

import struct

REPORT = {
    1: "traceback", 2: "exception_message", 3: "hostname", 4: "error_threshold",
    5: "additional_info", 6: "error_count", 7: "exception_type", 8: "revision", 9: "environment",
    11: "lost_count", 13: "request", 14: "notes", 15: "id", 16: "handled", 17: "mechanism",
    18: "transaction", 19: "user", 20: "tags", 21: "contexts", 22: "breadcrumbs", 23: "process",
    24: "thread", 25: "task", 26: "trace_id",
}  # fmt: skip
FRAME = {
    1: "filename", 2: "line_number", 3: "function_name", 4: "text", 5: "frame_locals",
    6: "before", 7: "after",
}  # fmt: skip
CHAINED = {
    1: "exception_type", 2: "exception_message", 3: "relation", 4: "parent", 5: "traceback",
    6: "notes",
}  # fmt: skip

REQUEST = {
    1: "method", 2: "path", 3: "protocol", 4: "headers", 5: "body", 6: "client_address",
}  # fmt: skip
BREADCRUMB = {1: "at", 2: "category", 3: "level", 4: "message", 5: "data"}
PROCESS = {1: "runtime", 2: "arguments", 3: "modules_id", 4: "modules"}

_NUMBERS = {3: ">b", 6: ">h", 8: ">i", 10: ">q"}
_STOP, _BOOL, _STRING, _STRUCT, _MAP, _LIST = 0, 2, 11, 12, 13, 15


def report_in(body):
    """The report of a `record_error` message; its chain under `chain`."""
    # Version and kind, name, sequence number; then a struct with the request as its only field.
    at = 8 + struct.unpack_from(">i", body, 4)[0] + 4
    arguments, _ = _value(body, at, _STRUCT)
    (request,) = arguments.values()
    report = _named(request, REPORT)
    report["chain"] = [_named(chained, CHAINED) for chained in request.get(12, [])]
    for name, parts in (("request", REQUEST), ("process", PROCESS)):
        report[name] = report[name] and _named(report[name], parts)
    report["breadcrumbs"] = [_named(one, BREADCRUMB) for one in report["breadcrumbs"] or []]
    report["contexts"] = {one[1]: one.get(2) for one in report["contexts"] or []}
    for exception in [report, *report["chain"]]:
        frames = exception["traceback"] or []
        exception["traceback"] = [_named(frame, FRAME) for frame in frames]
    return report


def _named(fields, names):
    return {name: fields.get(number) for number, name in names.items()}


def _value(body, at, kind):
    if kind in _NUMBERS:
        size = struct.calcsize(_NUMBERS[kind])
        return struct.unpack_from(_NUMBERS[kind], body, at)[0], at + size
    if kind == _BOOL:
        return body[at] == 1, at + 1
    if kind == _STRING:
        (length,) = struct.unpack_from(">i", body, at)
        return body[at + 4 : at + 4 + length].decode(), at + 4 + length
    if kind == _STRUCT:
        fields = {}
        while body[at] != _STOP:
            of, number = struct.unpack_from(">bh", body, at)
            fields[number], at = _value(body, at + 3, of)
        return fields, at + 1
    if kind == _LIST:
        of, length = struct.unpack_from(">bi", body, at)
        at, values = at + 5, []
        for _ in range(length):
            value, at = _value(body, at, of)
            values.append(value)
        return values, at
    assert kind == _MAP, kind
    of_key, of_value, length = struct.unpack_from(">bbi", body, at)
    at, found = at + 6, {}
    for _ in range(length):
        key, at = _value(body, at, of_key)
        found[key], at = _value(body, at, of_value)
    return found, at
