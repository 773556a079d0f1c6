"""Huey: its real consumer, with a queue in a file, and immediate mode."""

import re
import signal
import subprocess
import sys
import time

import pytest
from programs import SET_UP, count, environment, innermost, outcome, row_of, run, values

row = row_of("Huey", "huey")

SHOP = SET_UP + """
import sys
from huey import MemoryHuey, SqliteHuey, crontab
from huey.exceptions import CancelExecution, RetryTask, TaskLockedException

huey = MemoryHuey(immediate=True) if sys.argv[0].endswith("program.py") else SqliteHuey(
    filename="queue.db")

@huey.task()
def pay(amount, password=None):
    price = 1 / amount

@huey.task()
def cancels():
    raise CancelExecution(retry=False)

tried = []

@huey.task()
def tries_again():
    if not tried:
        tried.append(1)
        raise RetryTask("later")

@huey.task()
def locked():
    raise TaskLockedException("not now")

@huey.task()
def says_for_whom(user):
    if "flawless" in sys.modules:
        import flawless
        print("user:", flawless._scope.current().user)
        flawless.set_user(user)
"""

HERE = SHOP + """
pay(0, password="hunter2")
for task in (cancels, tries_again, locked):
    task()
print("done")
"""


def test_a_task_that_fails_is_reported_once_with_its_arguments(wire, tmp_path, row):
    done = run(HERE, tmp_path, server=wire)
    assert done.stdout == "done\n"
    (report,) = wire()
    assert report["exception_type"].endswith("ZeroDivisionError")
    row["arrives"] = True
    assert report["transaction"] == "__main__.pay"
    assert innermost(report) == "price = 1 / amount"
    row["right_line"] = True
    assert values(report)["amount"] == "0" and "hunter2" not in values(report)["password"]
    row["locals"] = True
    task, identity, args, kwargs = report["additional_info"].splitlines()
    assert task == "Huey task: __main__.pay" and re.fullmatch(r"id: [0-9a-f-]{36}", identity)
    assert args == "args: (0,)"
    assert kwargs.startswith("kwargs: {'password': ") and "hunter2" not in kwargs


def test_the_program_does_what_it_does_without_the_client(sink, tmp_path, row):
    with_client, without = (run(HERE, tmp_path, server=server) for server in (sink, None))
    one, other = (re.sub(r"[0-9a-f-]{36}", "#", outcome(done)[0]) for done in (with_client, without))
    assert one == other and with_client.returncode == without.returncode == 0
    row["unharmed"] = True


def test_what_is_said_in_one_task_is_not_said_in_the_next(sink, tmp_path):
    done = run(SHOP + "says_for_whom('ann')\nsays_for_whom('bob')\n", tmp_path, server=sink)
    assert done.stdout == "user: None\nuser: None\n"


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_a_consumer_sends_what_waits_when_it_is_stopped(sink, tmp_path, row, kind):
    (tmp_path / "huey_shop.py").write_text(SHOP)
    send = "import huey_shop\nfor _ in range(64): huey_shop.pay(0)\n"
    subprocess.run([sys.executable, "-c", send], cwd=tmp_path, env=environment(), check=True)
    errors = tmp_path / "errors"
    with open(errors, "w") as file:
        consumer = subprocess.Popen(
            [sys.executable, "-m", "huey.bin.huey_consumer", "huey_shop.huey",
             "--workers", "1", "--worker-type", kind, "--delay", "0.05"],
            cwd=tmp_path, env=environment(sink), stdout=file, stderr=file,
        )  # fmt: skip
    try:
        until = time.monotonic() + 30
        while errors.read_text().count("Unhandled exception in task") < 64:
            assert time.monotonic() < until, errors.read_text()
            time.sleep(0.02)
        consumer.send_signal(signal.SIGINT)
        consumer.wait(timeout=30)
    finally:
        consumer.kill()
    reports = sink.rest()
    assert count(reports) == 64
    assert {innermost(report) for report in reports} == {"price = 1 / amount"}
    row["counts"] = True
