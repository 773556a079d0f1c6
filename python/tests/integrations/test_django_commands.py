"""Management commands of Django, and Celery's beat: programs that end by what nobody catches, or log
it."""

import re
import signal
import subprocess
import sys
import time

import pytest
from programs import count, environment, finish, innermost, outcome, row_of, values

row = row_of("Django commands", "django")
beat_row = row_of("Celery beat", "celery")

SETTINGS = """
import os
SECRET_KEY = "x"
USE_TZ = True
INSTALLED_APPS = ["shop"]
if "FLAWLESS_TEST_DSN" in os.environ:
    INSTALLED_APPS.append("flawless.integrations.django")
    FLAWLESS_DSN = os.environ["FLAWLESS_TEST_DSN"]
    FLAWLESS = {"revision": "r1"}
"""

COMMAND = """
import logging, sys
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

def charge(amount):
    price = 1 / amount

class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("how")

    def handle(self, how, **options):
        if how == "often":
            for _ in range(63):
                try:
                    charge(0)
                except ZeroDivisionError:
                    logging.getLogger("shop").exception("no price")
        if how == "expected":
            raise CommandError("not today", returncode=3)
        if how == "ends":
            sys.exit(4)
        if how == "within":
            call_command("pay", "fails")
        charge(0)
"""


@pytest.fixture
def project(tmp_path):
    commands = tmp_path / "shop" / "management" / "commands"
    commands.mkdir(parents=True)
    for folder in (commands, commands.parent, commands.parent.parent):
        (folder / "__init__.py").touch()
    (commands / "pay.py").write_text(COMMAND)
    (tmp_path / "settings.py").write_text(SETTINGS)
    return tmp_path


def command(project, *words, server=None):
    return finish(["-m", "django", "pay", *words], project, server,
                  DJANGO_SETTINGS_MODULE="settings", PYTHONPATH=project)  # fmt: skip


def test_what_ends_a_command_is_reported_once(wire, project, row):
    done = command(project, "fails", server=wire)
    (report,) = wire()
    row["arrives"] = True
    assert innermost(report) == "price = 1 / amount"
    row["right_line"] = True
    assert values(report)["amount"] == "0"
    row["locals"] = True
    assert report["transaction"] == "manage.py pay"
    assert outcome(done) == outcome(command(project, "fails"))
    assert done.returncode == 1
    row["unharmed"] = True


def test_a_command_that_calls_another_is_still_the_one_that_runs(wire, project):
    command(project, "within", server=wire)
    (report,) = wire()
    assert report["transaction"] == "manage.py pay"


def test_each_failure_counts(wire, project, row):
    command(project, "often", server=wire)
    assert count(wire()) == 64
    row["counts"] = True


@pytest.mark.parametrize("words", [["expected"], ["ends"], ["expected", "--traceback"], ["--wrong"]])
def test_what_a_command_says_on_purpose_is_no_error(wire, project, words):
    done = command(project, *words, server=wire)
    assert done.returncode == command(project, *words).returncode
    assert wire() == []


BEAT = """
import os, sys
import celery, celery.beat
if "FLAWLESS_TEST_PORT" in os.environ:
    import flawless
    flawless.init(hostports=["127.0.0.1:" + os.environ["FLAWLESS_TEST_PORT"]], revision="r1")

class Schedule(celery.schedules.schedule):
    def is_due(self, last_run_at):
        price = 1 / self.amount
    amount = 0

app = celery.Celery("shop", broker="memory://")
app.conf.beat_schedule = {"KIND": {"task": "pay", "schedule": SCHEDULE, "args": (ARGS)}}
app.conf.beat_schedule_filename = "beat"
app.conf.beat_max_loop_interval = 0.02
"""
KINDS = {
    "sends": ("0.01", "object(),"),
    "due": ("Schedule(1)", ""),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_beat_cannot_do_is_reported(sink, tmp_path, beat_row, kind):
    schedule, args = KINDS[kind]
    text = BEAT.replace("KIND", kind).replace("SCHEDULE", schedule).replace("ARGS", args)
    (tmp_path / "beat_shop.py").write_text(text)
    errors = tmp_path / "errors"

    def failures():
        return len(re.findall("Message Error|Cannot calculate", errors.read_text()))

    def beat(server):
        with open(errors, "w") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "beat_shop", "beat", "-l", "ERROR"],
                cwd=tmp_path, env=environment(server), stdout=subprocess.DEVNULL, stderr=file,
            )  # fmt: skip
        try:
            until = time.monotonic() + 20
            while process.poll() is None and failures() < 20:
                assert time.monotonic() < until
                time.sleep(0.02)
            process.send_signal(signal.SIGTERM)
            return process.wait(timeout=20)
        finally:
            process.kill()

    status = beat(sink)
    reports = sink.rest()
    # The signal may come before the last one is written; older ones end when they cannot say what
    # is due.
    assert failures() <= count(reports) <= failures() + 1
    beat_row["arrives"] = beat_row["counts"] = True
    if kind == "due":
        assert {innermost(report) for report in reports} == {"price = 1 / self.amount"}
        beat_row["right_line"] = True
        assert "last_run_at" in values(reports[0])
        beat_row["locals"] = True
    assert status == beat(None)
    beat_row["unharmed"] = True
