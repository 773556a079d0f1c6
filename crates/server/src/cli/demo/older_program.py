"""Runs the demo's shop where the package is not installed. Each of three failures is reported as
the client of 0.4.5 does: in a framed, binary Thrift call of record_error."""
import linecache
import socket
import struct
import sys
import traceback


def text(field, value):
    data = value.encode("utf-8", "replace")
    return struct.pack(">bhi", 11, field, len(data)) + data


def number(field, value):
    return struct.pack(">bhq", 10, field, value)


def string(value):
    data = value.encode("utf-8", "replace")
    return struct.pack(">i", len(data)) + data


def stack_line(frame, line):
    path = frame.f_code.co_filename
    variables = [(name, repr(value)[:250]) for name, value in frame.f_locals.items()
                 if not name.startswith("__")]
    return (text(1, path) + number(2, line) + text(3, frame.f_code.co_name)
            + text(4, linecache.getline(path, line))
            + struct.pack(">bhbbi", 13, 5, 11, 11, len(variables))
            + b"".join(string(name) + string(value) for name, value in variables) + b"\0")


def request(error):
    lines = []
    step = error.__traceback__.tb_next
    while step is not None:
        lines.append(stack_line(step.tb_frame, step.tb_lineno))
        step = step.tb_next
    kind = type(error)
    return (struct.pack(">bhbi", 15, 1, 12, len(lines)) + b"".join(lines)
            + text(2, repr(error)) + text(3, "web-01.example.com")
            + text(5, "GET /reports/today HTTP/1.1\nHost: shop.example.com")
            + number(6, 1) + text(7, kind.__module__ + "." + kind.__name__) + b"\0")


def report(error, port):
    call = (struct.pack(">I", 0x80010001) + string("record_error") + struct.pack(">i", 0)
            + struct.pack(">bh", 12, 1) + request(error) + b"\0")
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(struct.pack(">I", len(call)) + call)
        answer = connection.recv(4096)
    if answer[4:8] != b"\x80\x01\x00\x02":
        sys.exit("the server did not accept the report: %r" % answer)


def main():
    from shop.report import daily_report
    for attempt in range(3):
        try:
            daily_report([])
        except ZeroDivisionError as error:
            report(error, int(sys.argv[1]))
            if attempt == 0:
                # Without this file's own frame, which is not part of the shop.
                last = "".join(traceback.format_exception(
                    type(error), error, error.__traceback__.tb_next))
    print(last, end="")


main()
