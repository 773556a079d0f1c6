"""AWS Lambda: Amazon's own runtime for Python, before a stand-in of the interface that it asks for
events."""

import contextlib
import http.server
import json
import subprocess
import sys
import threading

import pytest
from programs import SET_UP, count, environment, innermost, row_of, run, values

row = row_of("AWS Lambda", "awslambdaric")

HANDLERS = SET_UP + """
import sys

def handle(event, context):
    if "divide_by" in event:
        price = 1 / event["divide_by"]
        return price
    return event.get("answer", lambda: "cannot be sent")
"""


class Runtime:
    """Hands out events, and keeps what is answered with the reports that had come by then."""

    def __init__(self, events, sink):
        self.events, self.answers, self.reports = list(events), [], []
        self.is_done = threading.Event()
        runtime = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                if not runtime.events:
                    runtime.is_done.set()
                    return
                body = json.dumps(runtime.events.pop(0)).encode()
                self.send_response(200)
                for name, value in (
                    ("Request-Id", f"request-{len(runtime.answers)}"),
                    ("Deadline-Ms", "9999999999999"),
                    ("Invoked-Function-Arn", "arn:aws:lambda:eu-1:7:function:shop"),
                ):
                    head = "Lambda-Runtime-Aws-" if name == "Request-Id" else "Lambda-Runtime-"
                    self.send_header(head + name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                runtime.reports.append(sink.rest())
                runtime.answers.append((self.path.rpartition("/")[2], json.loads(body)))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()
                if "init" in self.path:
                    runtime.is_done.set()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        ).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def ask(sink, tmp_path):
    """Starts the runtime with a handler for these events, until all are answered."""

    def ask(*events, server=sink, handlers=HANDLERS):
        (tmp_path / "shop.py").write_text(handlers)
        runtime = Runtime(events, sink)
        known = environment(
            server, AWS_LAMBDA_RUNTIME_API=f"127.0.0.1:{runtime.port}",
            AWS_LAMBDA_FUNCTION_NAME="shop", AWS_LAMBDA_FUNCTION_VERSION="3",
        )  # fmt: skip
        with contextlib.ExitStack() as at_the_end:
            at_the_end.callback(runtime.close)
            process = subprocess.Popen(
                [sys.executable, "-m", "awslambdaric", "shop.handle"], cwd=tmp_path, env=known,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            at_the_end.callback(process.communicate)
            # As Amazon does it: nothing runs after the last answer.
            at_the_end.callback(process.kill)
            assert runtime.is_done.wait(30)
        return runtime

    return ask


def test_what_a_handler_raises_has_arrived_before_its_answer(ask, row):
    asked = ask({"divide_by": 0}, {"divide_by": 2}, {"divide_by": 0})
    (first,), none, again = asked.reports
    assert none == [] and count(again) == 1
    row["arrives"] = True
    assert innermost(first) == 'price = 1 / event["divide_by"]'
    row["right_line"] = True
    assert values(first)["event"] == "{'divide_by': 0}"
    row["locals"] = True
    assert first["additional_info"].splitlines() == [
        "function_name: shop", "function_version: 3", "aws_request_id: request-0",
        "invoked_function_arn: arn:aws:lambda:eu-1:7:function:shop",
    ]  # fmt: skip


def test_the_answers_are_those_without_the_client(ask, row):
    events = [{"divide_by": 0}, {"answer": "yes"}, {}]
    assert ask(*events).answers == ask(*events, server=None).answers
    row["unharmed"] = True


def test_each_failure_counts_before_the_process_stands_still(ask, row):
    reports = ask(*[{"divide_by": 0}] * 20).reports
    assert [count(each) for each in reports] == [1] * 20
    row["counts"] = True


def test_an_answer_that_cannot_be_sent_is_reported(ask):
    ((report,),) = ask({}).reports
    assert "Unable to marshal response" in report["exception_message"]


@pytest.mark.parametrize("line", ["import no_such_module", "1 / 0"])
def test_a_module_that_cannot_be_imported_is_reported(ask, sink, line):
    asked = ask({}, handlers=SET_UP + line + "\n")
    reports = [*asked.reports[0], *sink.rest()]
    assert [innermost(report) for report in reports] == [line]


BY_HAND = SET_UP + """
import sys
from flawless.integrations.aws_lambda import watch

@watch
def handle(event, context):
    price = 1 / event["divide_by"]

try:
    handle({"divide_by": 0}, None)
except ZeroDivisionError as error:
    print(handle.__name__, type(error).__name__, flush=True)
import os
os._exit(0)
"""


def test_a_handler_may_be_watched_by_hand(sink, tmp_path):
    done = run(BY_HAND, tmp_path, server=sink)
    assert done.stdout == "handle ZeroDivisionError\n"
    (report,) = sink.rest()
    assert innermost(report) == 'price = 1 / event["divide_by"]'
