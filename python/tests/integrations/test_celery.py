"""Celery tasks, in eager mode and by a real worker with a pool of processes."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import celery_shop
import pytest

HERE = pathlib.Path(__file__).parent


@pytest.fixture
def eager(sink):
    celery_shop.app.conf.task_always_eager = True
    yield sink
    celery_shop.app.conf.task_always_eager = False


def test_a_task_that_fails_is_reported_once_with_its_arguments(eager):
    result = celery_shop.pay.delay(0, password="hunter2")
    (report,) = eager.rest()
    assert report["exception_type"].endswith("ZeroDivisionError")
    assert report["traceback"][-1]["function_name"] == "pay"
    name, task_id, args, kwargs = report["additional_info"].splitlines()
    assert (name, task_id) == ("Celery task: celery_shop.pay", f"id: {result.id}")
    assert args in ("args: (0,)", "args: [0]")
    assert kwargs.startswith("kwargs: {'password': ") and "hunter2" not in kwargs


def test_an_exception_that_cannot_be_pickled_is_reported_as_it_is(eager):
    celery_shop.lock.delay()
    (report,) = eager.rest()
    assert report["exception_type"] == "celery_shop.Unpickleable"
    assert report["traceback"][-1]["function_name"] == "lock"


def test_expected_exceptions_are_not_reported_and_retries_only_when_given_up(eager):
    celery_shop.expected.delay()
    assert eager.rest() == []
    celery_shop.again.delay()
    (report,) = eager.rest()
    assert report["exception_type"].endswith("OSError")


def test_a_worker_reports_each_failure_once_and_sends_what_waits_when_it_ends(sink, tmp_path):
    for folder in ("queue", "control"):
        (tmp_path / folder).mkdir()
    environment = {
        **os.environ,
        "FLAWLESS_TEST_FOLDER": str(tmp_path),
        "FLAWLESS_TEST_PORT": str(sink.port),
    }
    send = "import celery_shop\nfor _ in range(12): celery_shop.pay.delay(0)\n"
    subprocess.run([sys.executable, "-c", send], cwd=HERE, env=environment, check=True)
    errors = tmp_path / "errors"
    with open(errors, "w") as file:
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "celery_shop", "worker", "--pool", "prefork",
             "--concurrency", "1", "--without-gossip", "--without-mingle"],
            cwd=HERE, env=environment, stdout=subprocess.DEVNULL, stderr=file,
        )

    def failed():
        return errors.read_text().count("raised unexpected")

    try:
        reports = [sink.next() for _ in range(10)]
        end = time.monotonic() + 20
        while failed() < 12 and time.monotonic() < end:
            time.sleep(0.05)
        worker.send_signal(signal.SIGTERM)
        worker.wait(timeout=60)
    finally:
        worker.kill()
    assert failed() == 12
    reports += sink.rest()
    assert sum(report["error_count"] for report in reports) == 12, "the last two were counted"
    assert {report["traceback"][-1]["function_name"] for report in reports} == {"pay"}
