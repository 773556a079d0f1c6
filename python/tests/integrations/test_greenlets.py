"""Greenlets of gevent and green threads of eventlet."""

import pytest
from programs import SET_UP, count, innermost, outcome, row_of, run, values

gevent_row = row_of("gevent", "gevent")
eventlet_row = row_of("eventlet", "eventlet")

GEVENT = """
import gevent

def pay(amount):
    gevent.sleep(0)
    price = 1 / amount

def ends(amount):
    raise gevent.GreenletExit

def start(function, number):
    gevent.joinall([gevent.spawn(function, 0) for _ in range(number)])

def wait(function):
    try:
        gevent.spawn(function, 0).get()
    except ZeroDivisionError:
        if "flawless" in sys.modules:
            sys.modules["flawless"].capture_exception()

def kill():
    greenlet = gevent.spawn(gevent.sleep, 10)
    gevent.sleep(0)
    greenlet.kill()
"""

EVENTLET = """
import eventlet

def pay(amount):
    eventlet.sleep(0)
    price = 1 / amount

def ends(amount):
    raise eventlet.greenlet.GreenletExit

def start(function, number):
    pool = eventlet.GreenPool()
    for each in range(number):
        # A pool has ways of its own.
        if each % 2:
            pool.spawn_n(function, 0)
        else:
            eventlet.spawn(function, 0)
    pool.waitall()
    eventlet.sleep(0.05)

def wait(function):
    try:
        eventlet.spawn(function, 0).wait()
    except ZeroDivisionError:
        if "flawless" in sys.modules:
            sys.modules["flawless"].capture_exception()

def kill():
    thread = eventlet.spawn(eventlet.sleep, 10)
    eventlet.sleep(0)
    thread.kill()
"""

# Deprecated by those who make it.
QUIET = "import sys, warnings\nwarnings.simplefilter('ignore', DeprecationWarning)\n"


def program(kind, *lines):
    begin = GEVENT if kind == "gevent" else EVENTLET
    return QUIET + SET_UP + begin + "\n".join([*lines, "print('done')"])


@pytest.fixture(params=["gevent", "eventlet"])
def kind(request):
    return request.param


@pytest.fixture
def row(kind, gevent_row, eventlet_row):
    return gevent_row if kind == "gevent" else eventlet_row


@pytest.mark.parametrize("number", [1, 2])
def test_what_nobody_catches_is_reported_once(sink, tmp_path, row, kind, number):
    done = run(program(kind, f"start(pay, {number})"), tmp_path, server=sink)
    assert done.stdout == "done\n"
    reports = sink.rest()
    assert count(reports) == number
    row["arrives"] = True
    assert {innermost(report) for report in reports} == {"price = 1 / amount"}
    row["right_line"] = True
    assert values(reports[0])["amount"] == "0"
    row["locals"] = True
    assert outcome(done) == outcome(run(program(kind, f"start(pay, {number})"), tmp_path))
    row["unharmed"] = True


def test_each_failure_counts(sink, tmp_path, row, kind):
    run(program(kind, "start(pay, 64)"), tmp_path, server=sink)
    assert count(sink.rest()) == 64
    row["counts"] = True


def test_whoever_waits_for_it_does_not_count_it_again(sink, tmp_path, kind):
    run(program(kind, "wait(pay)"), tmp_path, server=sink)
    (report,) = sink.rest()
    assert report["error_count"] == 1


def test_the_end_of_a_greenlet_is_no_error(sink, tmp_path, kind):
    run(program(kind, "start(ends, 2)", "kill()"), tmp_path, server=sink)
    assert sink.rest() == []
