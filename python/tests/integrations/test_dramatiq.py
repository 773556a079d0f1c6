"""Dramatiq: its real worker processes, with the broker that it has for tests."""

import re
import signal
import subprocess
import sys
import time

from programs import SET_UP, count, environment, innermost, outcome, row_of, run, values

row = row_of("Dramatiq", "dramatiq")

SHOP = SET_UP + """
import sys
import dramatiq
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Middleware, Shutdown, TimeLimit

broker = StubBroker()
dramatiq.set_broker(broker)

class Expected(Exception):
    pass

@dramatiq.actor(max_retries=0)
def pay(amount, password=None):
    price = 1 / amount

@dramatiq.actor(max_retries=0, throws=Expected)
def expected():
    raise Expected("as it should be")

@dramatiq.actor(max_retries=0, throws=Expected)
def again():
    raise dramatiq.errors.Retry("later")

@dramatiq.actor(max_retries=0)
def limited():
    raise dramatiq.errors.RateLimitExceeded("later")

@dramatiq.actor(max_retries=0)
def ends():
    raise Shutdown("the worker ends")
"""

HERE = SHOP + """
from dramatiq import Worker
broker.emit_after("process_boot")
pay.send(0, password="hunter2")
for actor in (expected, again, limited, ends):
    actor.send()
worker = Worker(broker, worker_timeout=50, worker_threads=1)
worker.start()
broker.join("default", timeout=10_000, fail_fast=False)
worker.join()
worker.stop()
print("done")
"""


def test_a_message_that_fails_is_reported_once_with_its_arguments(wire, tmp_path, row):
    done = run(HERE, tmp_path, server=wire)
    assert done.stdout == "done\n"
    (report,) = wire()
    assert report["exception_type"].endswith("ZeroDivisionError")
    row["arrives"] = True
    assert report["transaction"] == "pay"
    assert innermost(report) == "price = 1 / amount"
    row["right_line"] = True
    assert values(report)["amount"] == "0" and "hunter2" not in values(report)["password"]
    row["locals"] = True
    actor, identity, args, kwargs = report["additional_info"].splitlines()
    assert actor == "Dramatiq actor: pay" and re.fullmatch(r"id: [0-9a-f-]{36}", identity)
    assert args == "args: (0,)" or args == "args: [0]"
    assert kwargs.startswith("kwargs: {'password': ") and "hunter2" not in kwargs


def test_the_program_does_what_it_does_without_the_client(sink, tmp_path, row):
    with_client, without = (run(HERE, tmp_path, server=server) for server in (sink, None))
    one, other = (re.sub(r"[0-9a-f-]{36}", "#", outcome(done)[0]) for done in (with_client, without))
    assert one == other and with_client.returncode == without.returncode == 0
    row["unharmed"] = True


WORKER = SHOP + """
class Boot(Middleware):
    def after_worker_boot(self, broker, worker):
        for _ in range(64):
            pay.send(0)

broker.add_middleware(Boot())
"""


def test_worker_processes_send_what_waits_when_they_are_stopped(sink, tmp_path, row):
    (tmp_path / "dramatiq_shop.py").write_text(WORKER)
    errors = tmp_path / "errors"
    with open(errors, "w") as file:
        worker = subprocess.Popen(
            [sys.executable, "-m", "dramatiq", "dramatiq_shop", "--processes", "1",
             "--threads", "2", "--path", str(tmp_path), "--skip-logging"],
            cwd=tmp_path, env=environment(sink), stdout=file, stderr=file,
        )  # fmt: skip
    try:
        reports, until = [], time.monotonic() + 30
        # Of 64 the last one that is sent at once is the 64th.
        while len(reports) < 13 and time.monotonic() < until:
            reports += sink.rest()
            time.sleep(0.05)
        time.sleep(0.2)
        worker.send_signal(signal.SIGTERM)
        worker.wait(timeout=30)
    finally:
        worker.kill()
    reports += sink.rest()
    assert count(reports) == 64, errors.read_text()
    assert {innermost(report) for report in reports} == {"price = 1 / amount"}
    row["counts"] = True
