"""What is told beside an exception: for whom, for what, after what."""

import collections.abc
import itertools
import threading
import time
import weakref

import pytest

import flawless
from flawless.client.decorators import wrap_function


def fail():
    try:
        return [][1]
    except IndexError:
        flawless.capture_exception()


@pytest.fixture(autouse=True)
def nothing_said():
    with flawless.scope():
        yield


def test_what_was_said_arrives_with_the_next_exception(wire):
    flawless.set_user({"id": 7, "email": "ann@example.com", "password": "hunter2"})
    flawless.set_tag("region", "eu-1")
    flawless.set_context("order", {"number": 7, "items": ["book"], "token": "hunter2"})
    flawless.set_transaction("nightly")
    flawless.add_breadcrumb("cart is full", category="cart", level="warning", data={"items": 3})
    fail()
    (report,) = wire()
    user = {"id": "7", "email": "ann@example.com", "password": "**scrubbed**"}
    assert (report["user"], report["tags"]) == (user, {"region": "eu-1"})
    order = {"number": "7", "items": "['book']", "token": "**scrubbed**"}
    assert (report["contexts"], report["transaction"]) == ({"order": order}, "nightly")
    (crumb,) = report["breadcrumbs"]
    assert abs(crumb.pop("at") / 1000 - time.time()) < 60
    assert crumb == {
        "category": "cart", "level": "warning", "message": "cart is full", "data": {"items": "3"},
    }
    assert (report["mechanism"], report["handled"]) == ("capture_exception", True)
    assert report["thread"] == "MainThread"


def test_what_is_said_in_a_scope_does_not_leave_it(wire):
    flawless.set_tag("outer", "1")
    with flawless.scope():
        flawless.set_user("7")
        flawless.add_breadcrumb("within")
        fail()
    fail()
    within, outside = wire()
    assert within["user"] == {"id": "7"} and len(within["breadcrumbs"]) == 1
    assert (outside["user"], outside["breadcrumbs"]) == (None, [])
    assert outside["tags"] == {"outer": "1"}


def test_what_is_taken_back_is_not_told(wire):
    flawless.set_user("7")
    flawless.set_tag("a", 1)
    flawless.set_context("c", {"x": 1})
    flawless.set_user(None)
    flawless.set_tag("a", None)
    flawless.set_context("c", None)
    fail()
    (report,) = wire()
    assert (report["user"], report["tags"], report["contexts"]) == (None, None, {})


def test_the_last_hundred_breadcrumbs_are_told(wire):
    for number in range(250):
        flawless.add_breadcrumb(f"step {number}")
    fail()
    (report,) = wire()
    messages = [crumb["message"] for crumb in report["breadcrumbs"]]
    assert messages == [f"step {number}" for number in range(150, 250)]


def test_what_makes_no_sense_harms_nothing(wire):
    class Odd:
        def __repr__(self):
            raise SystemExit

        __str__ = __bool__ = __eq__ = __repr__

    flawless.set_user({Odd: 1, "x": Odd()})
    flawless.set_tag(7, Odd())
    flawless.set_context("c", [Odd()])
    flawless.add_breadcrumb(Odd(), category=Odd(), level=7, data=Odd())
    flawless.set_transaction(Odd())
    fail()
    (report,) = wire()
    assert report["exception_type"] == "builtins.IndexError"
    assert "Odd object" in report["user"]["x"]


def test_the_thread_and_the_task_are_named(wire):
    import asyncio

    thread = threading.Thread(target=fail, name="worker 7")
    thread.start()
    thread.join()

    async def main():
        fail()

    async def run():
        await asyncio.create_task(main(), name="task 7")

    asyncio.run(run())
    of_thread, of_task = wire()
    assert of_thread["thread"] == "worker 7"
    assert (of_task["thread"], of_task["task"]) == ("MainThread", "task 7")


def test_the_process_is_described_and_its_modules_once(wire):
    fail()
    fail()
    first, second = wire()
    assert first["process"]["runtime"].startswith("CPython 3.")
    assert first["process"]["arguments"]
    assert "pytest" in first["process"]["modules"]
    assert second["process"]["modules"] is None
    assert first["process"]["modules_id"] == second["process"]["modules_id"]
    assert first["id"] != second["id"]


def test_a_wrapped_function_and_a_request_of_ones_own(wire):
    @wrap_function
    def work():
        raise KeyError("x")

    with pytest.raises(KeyError):
        work()
    try:
        raise ValueError("x")
    except ValueError:
        request = flawless.Request("GET", "/pay?token=hunter2", headers={"Host": "shop"})
        flawless.capture_exception(request=request)
    try:
        raise LookupError("x")
    except LookupError:
        flawless.capture_exception(request={"REQUEST_METHOD": "PUT", "PATH_INFO": "/x"})
    try:
        raise OSError("x")
    except OSError:
        flawless.capture_exception(request="nonsense")
    wrapped, own, wsgi, nonsense = wire()
    assert (wrapped["mechanism"], wrapped["handled"]) == ("wrapper", None)
    assert own["request"]["path"] == "/pay?token=**scrubbed**"
    assert own["request"]["headers"] == {"Host": "shop"}
    assert (wsgi["request"]["method"], wsgi["request"]["path"]) == ("PUT", "/x")
    assert nonsense["request"] is None


@pytest.mark.parametrize("wanted", [False, True])
def test_who_asks_is_told_only_when_that_is_wanted(wire, wanted):
    flawless.init(wire.dsn, hooks=False, send_client_address=wanted)
    try:
        raise ValueError("x")
    except ValueError:
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "REMOTE_ADDR": "192.0.2.7"}
        flawless.capture_exception(request=environ)
    (report,) = wire()
    assert report["request"]["client_address"] == ("192.0.2.7" if wanted else None)


def test_the_trace_of_opentelemetry_is_told_when_there_is_one(program):
    done, (report,) = program(
        """
        import sys, types
        class Span:
            def get_span_context(self):
                return types.SimpleNamespace(trace_id=0x0af7651916cd43dd8448eb211c80319c)
        trace = types.ModuleType("opentelemetry.trace")
        trace.get_current_span = Span
        sys.modules["opentelemetry.trace"] = trace
        1 / 0
        """
    )
    assert report["trace_id"] == "0af7651916cd43dd8448eb211c80319c"


def test_the_name_of_a_context_hides_what_is_in_it(wire):
    flawless.set_context("password", {"value": "hunter2"})
    flawless.set_context("token", "hunter2")
    flawless.add_breadcrumb("x", category="password=hunter2")
    fail()
    (report,) = wire()
    assert "hunter2" not in str(report["contexts"]) + str(report["breadcrumbs"])


def test_a_breadcrumb_takes_the_first_facts_of_whatever_mapping_it_is_given(wire):
    class Endless(collections.abc.Mapping):
        def __getitem__(self, name):
            return 1

        def __iter__(self):
            return itertools.count()

        def __len__(self):
            raise TypeError("nobody knows")

    flawless.add_breadcrumb("x", data=Endless())
    fail()
    (report,) = wire()
    (crumb,) = report["breadcrumbs"]
    assert len(crumb["data"]) == 20


def test_breadcrumbs_keep_nothing_alive_and_nothing_that_changes(wire):
    class Order:
        pass

    order, data = Order(), {"n": 1}
    data["order"] = order
    kept = weakref.ref(order)
    flawless.add_breadcrumb("x" * 10_000, data=data)
    data["n"] = 2
    del order, data
    assert kept() is None
    fail()
    (report,) = wire()
    (crumb,) = report["breadcrumbs"]
    assert crumb["data"]["n"] == "1" and "Order" in crumb["data"]["order"]


def test_scopes_that_end_out_of_order_leave_no_stranger_behind(wire):
    def work():
        with flawless.scope():
            flawless.set_user("stranger")
            yield

    begun = work()
    next(begun)
    with flawless.scope():
        flawless.set_user("own")
        begun.close()
        fail()
    again = flawless.scope()
    with again:
        with again:
            flawless.set_user("within")
    (report,) = wire()
    assert report["user"] == {"id": "own"}


def test_a_copy_of_an_environment_has_a_scope_of_its_own(wire):
    def inner(environ, start_response):
        flawless.set_user("ann")
        return [b""]

    def outer(environ, start_response):
        thread = threading.Thread(target=lambda: app(dict(environ), start_response))
        thread.start()
        thread.join()
        return [b""]

    app = flawless.FlawlessMiddleware(
        lambda environ, start: (inner if "batch" in environ else outer)(
            {**environ, "batch": 1}, start
        )
    )
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "batch": 1}
    app(environ, None)
    app(environ, None)
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    (report,) = wire()
    assert report["user"] is None
