"""RQ: its real worker with a process for each job, and a real Redis."""

import re
import socket
import subprocess
import time

import pytest
from programs import SET_UP, count, finish, innermost, outcome, row_of, values

row = row_of("RQ", "rq")

JOBS = """
import sys

def pay(amount, password=None):
    price = 1 / amount

def says_for_whom(user):
    import flawless
    with open("users", "a") as file:
        print(flawless._scope.current().user, file=file)
    flawless.set_user(user)

def falls_back(job, connection, kind, error, traceback):
    raise LookupError("the callback has failed")
"""

# It sends jobs and does them.
WORK = """
import sys
import redis, rq
kind = getattr(rq, sys.argv[2])
connection = redis.Redis(port=int(sys.argv[1]))
queue = rq.Queue(connection=connection)
{send}
kind([queue], connection=connection).work(burst=True)
"""


@pytest.fixture(scope="module")
def redis_port(tmp_path_factory):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("redis")
    process = subprocess.Popen(
        ["redis-server", "--port", str(port), "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    until = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            assert time.monotonic() < until, "Redis does not start"
            time.sleep(0.01)
    yield port
    process.kill()
    process.wait()


@pytest.fixture
def work(redis_port, tmp_path):
    """Sends jobs, and has a worker do them."""

    def work(send, server, kind="Worker", set_up=SET_UP, jobs=JOBS):
        (tmp_path / "jobs.py").write_text(jobs)
        (tmp_path / "work.py").write_text(set_up + WORK.format(send=send))
        return finish(["work.py", str(redis_port), kind], tmp_path, server=server)

    return work


def test_a_job_that_fails_is_reported_once_with_its_arguments(wire, work, row):
    work("queue.enqueue('jobs.pay', 0, password='hunter2')", wire)
    (report,) = wire()
    assert report["exception_type"].endswith("ZeroDivisionError")
    row["arrives"] = True
    assert report["transaction"] == "jobs.pay"
    assert innermost(report) == "price = 1 / amount"
    row["right_line"] = True
    assert values(report)["amount"] == "0" and "hunter2" not in values(report)["password"]
    row["locals"] = True
    job, identity, args, kwargs = report["additional_info"].splitlines()
    assert job == "RQ job: jobs.pay" and re.fullmatch(r"id: [0-9a-f-]{36}", identity)
    assert args in ("args: (0,)", "args: [0]")
    assert kwargs.startswith("kwargs: {'password': ") and "hunter2" not in kwargs


def test_the_worker_does_what_it_does_without_the_client(sink, work, row):
    def seen(server):
        text, status = outcome(work("queue.enqueue('jobs.pay', 0)", server))
        text = re.sub(r"[0-9a-f-]{32,36}|\d\d:\d\d:\d\d|PID \d+|unpickled \d+", "#", text)
        return text, status

    assert seen(sink) == seen(None)
    row["unharmed"] = True


def test_a_module_of_jobs_may_set_the_client_up(sink, work):
    work("queue.enqueue('jobs.pay', 0)", sink, set_up="", jobs=SET_UP + JOBS)
    (report,) = sink.rest()
    assert innermost(report) == "price = 1 / amount"


@pytest.mark.parametrize("kind", ["Worker", "SimpleWorker"])
def test_each_failure_counts_also_when_the_process_ends_at_once(sink, work, row, kind):
    number = 6 if kind == "Worker" else 64
    work(f"for _ in range({number}): queue.enqueue('jobs.pay', 0)", sink, kind)
    reports = sink.rest()
    assert count(reports) == number
    assert {innermost(report) for report in reports} == {"price = 1 / amount"}
    row["counts"] = kind == "SimpleWorker"


def test_a_callback_that_fails_does_not_hide_why_the_job_has_failed(sink, work):
    work("queue.enqueue('jobs.pay', 0, on_failure=rq.Callback('jobs.falls_back'))", sink)
    assert sorted(innermost(report) for report in sink.rest()) == [
        "price = 1 / amount", 'raise LookupError("the callback has failed")',
    ]  # fmt: skip


def test_what_is_said_in_one_job_is_not_said_in_the_next(sink, work, tmp_path):
    work("for user in ('ann', 'bob'): queue.enqueue('jobs.says_for_whom', user)", sink,
         "SimpleWorker")  # fmt: skip
    assert (tmp_path / "users").read_text() == "None\nNone\n"
