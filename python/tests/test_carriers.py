"""Exceptions that only carry another one arrive with it: its own traceback, or its text whole."""

import asyncio
import concurrent.futures
import multiprocessing
import sys

import joblib
import pytest
import tenacity

import flawless

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup, ExceptionGroup


def lookup(key):
    return {}[key]


def divide(number):
    return 1 / number


def caught(call, *arguments):
    try:
        call(*arguments)
    except BaseException as error:
        return error


def report_of(wire, error):
    flawless.capture_exception(error)
    (report,) = wire()
    return report


def innermost(exception):
    return exception["traceback"][-1]["function_name"] if exception["traceback"] else None


def shape(report):
    return [
        (chained["exception_type"].rpartition(".")[2], chained["relation"], chained["parent"],
         innermost(chained))
        for chained in report["chain"]
    ]  # fmt: skip


def test_members_of_groups_within_groups_have_their_own_tracebacks_and_locals(wire):
    inner = ExceptionGroup("inner", [caught(lookup, "a"), caught(divide, 0)])
    error = caught(raise_it, BaseExceptionGroup("outer", [inner, caught(divide, 0)]))
    report = report_of(wire, error)
    assert shape(report) == [
        ("ExceptionGroup", "member", None, None),
        ("ZeroDivisionError", "member", None, "divide"),
        ("KeyError", "member", 0, "lookup"),
        ("ZeroDivisionError", "member", 0, "divide"),
    ]
    for chained in report["chain"][1:]:
        assert chained["traceback"][-1]["frame_locals"] in ({"key": "'a'"}, {"number": "0"})
        assert chained["traceback"][-1]["text"].strip().startswith("return")


def raise_it(error):
    raise error


def test_fifty_members_arrive_each_with_the_values_of_its_line(wire):
    members = [caught(divide, 0) for _ in range(60)]
    report = report_of(wire, caught(raise_it, ExceptionGroup("many", members)))
    assert len(report["chain"]) == 50
    for chained in report["chain"]:
        assert chained["traceback"][-1]["frame_locals"] == {"number": "0"}


@pytest.mark.skipif(sys.version_info < (3, 11), reason="there is no TaskGroup")
def test_the_tasks_of_a_group_are_its_members(wire):
    async def job(function, argument):
        await asyncio.sleep(0)
        return function(argument)

    async def main():
        async with asyncio.TaskGroup() as group:
            group.create_task(job(lookup, "a"))
            group.create_task(job(divide, 0))

    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(main())
    report = report_of(wire, raised.value)
    assert shape(report) == [
        ("KeyError", "member", None, "lookup"),
        ("ZeroDivisionError", "member", None, "divide"),
    ]


def deep(depth, number):
    return deep(depth - 1, number) if depth else divide(number)


def long_names(number):
    # Each call is a line of another text, else Python would say that it was repeated.
    namespace = dict(globals())
    names = [f"function_number_{n}_{'x' * 60}" for n in range(100)]
    lines = [f"def {name}(n):\n    return {inner}(n)" for name, inner in zip(names, names[1:])]
    code = "\n".join(lines) + f"\ndef {names[-1]}(n):\n    return divide(n)\n"
    exec(compile(code, __file__, "exec"), namespace)
    return namespace[names[0]](number)


def in_pool(function, argument):
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(function, (argument,))


def in_executor(function, argument):
    context = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(function, argument).result()


def in_joblib(function, argument):
    return joblib.Parallel(n_jobs=2)(joblib.delayed(function)(argument) for _ in range(2))


@pytest.mark.parametrize("run", [in_pool, in_executor, in_joblib])
def test_the_traceback_of_another_process_is_told_whole_as_it_reads(wire, run):
    report = report_of(wire, caught(run, divide, 0))
    assert report["exception_type"] == "builtins.ZeroDivisionError"
    cause = report["chain"][0]
    assert cause["exception_type"].endswith("RemoteTraceback")
    assert cause["relation"] == "cause"
    text = cause["exception_message"]
    assert "Traceback (most recent call last):\n" in text
    assert f'  File "{__file__}", line ' in text and "in divide\n    return 1 / number\n" in text
    assert text.rstrip('"\n').endswith("ZeroDivisionError: division by zero")


def test_a_long_traceback_of_another_process_keeps_its_beginning_and_its_end(wire):
    report = report_of(wire, caught(in_pool, long_names, 0))
    text = report["chain"][0]["exception_message"]
    assert 14_000 < len(text) <= 16_384
    assert "Traceback (most recent call last):\n" in text and "\n  [...]\n" in text
    assert "in divide\n" in text
    assert text.rstrip('"\n').endswith("ZeroDivisionError: division by zero")


def test_secrets_in_the_traceback_of_another_process_do_not_leave(wire):
    error = ValueError("x")
    error.__cause__ = remote("Traceback (most recent call last):\nE: token gh" + "p_" + "a1B2" * 9)
    text = report_of(wire, error)["chain"][0]["exception_message"]
    assert "**scrubbed**" in text and "a1B2" not in text


def remote(text):
    from multiprocessing.pool import RemoteTraceback

    return RemoteTraceback(text)


def test_a_long_message_with_a_traceback_in_it_is_told_whole(wire):
    told = "Traceback (most recent call last):\n" + '  File "/srv/shop.py", line 3, in f\n' * 300
    error = RuntimeError(f"a worker has failed:\n{told}KeyError: 'price'")
    text = report_of(wire, error)["exception_message"]
    assert text.startswith("RuntimeError(") and text.endswith("""KeyError: \\'price\\'')""")
    assert len(text) > 10_000


class RayTaskError(Exception):
    """As Ray makes it."""

    def __init__(self, traceback_str, cause):
        self.traceback_str, self.cause = traceback_str, cause
        super().__init__(cause)


def test_the_remote_stack_of_a_task_is_told_as_it_reads(wire):
    text = 'ray::price_of() (pid=7)\n  File "/srv/shop.py", line 3, in price_of\nKeyError: 1'
    assert report_of(wire, RayTaskError(text, KeyError(1)))["exception_message"] == text


def test_what_a_retry_has_tried_is_the_cause(wire):
    retry = tenacity.retry(stop=tenacity.stop_after_attempt(2))
    report = report_of(wire, caught(retry(divide), 0))
    assert report["exception_type"] == "tenacity.RetryError"
    assert shape(report)[0] == ("ZeroDivisionError", "cause", None, "divide")


def test_an_exception_that_is_only_held_becomes_the_cause(wire):
    def tenacity_without_cause():
        future = tenacity.Future(1)
        future.set_exception(caught(divide, 0))
        raise tenacity.RetryError(future)

    def future_of_another_thread():
        future = concurrent.futures.Future()
        future.set_exception(caught(divide, 0))
        error = RuntimeError("no answer")
        error.future = future
        raise error

    async def task():
        future = asyncio.get_running_loop().create_future()
        future.set_exception(caught(divide, 0))
        error = RuntimeError("no answer")
        error.future = future
        future.exception()
        raise error

    def attribute():
        error = RuntimeError("no answer")
        error.reason = caught(divide, 0)
        raise error

    def argument():
        raise RuntimeError(caught(divide, 0))

    def exc_info():
        error = RuntimeError("no answer")
        error.attempt = Attempt(caught(divide, 0))
        raise error

    for call in (tenacity_without_cause, future_of_another_thread, lambda: asyncio.run(task()),
                 attribute, argument, exc_info):  # fmt: skip
        report = report_of(wire, caught(call))
        assert shape(report) == [("ZeroDivisionError", "cause", None, "divide")]


class Attempt:
    """As of `retrying`."""

    def __init__(self, error):
        self.value = (type(error), error, error.__traceback__)


def test_what_is_held_and_was_never_raised_is_no_cause(wire):
    error = RuntimeError("x")
    error.example = KeyError("never raised")
    assert shape(report_of(wire, error)) == []


def test_a_cause_that_is_said_stays_the_only_one(wire):
    error = RuntimeError("x")
    error.other = caught(divide, 0)
    error.__cause__ = caught(lookup, "a")
    assert shape(report_of(wire, error)) == [("KeyError", "cause", None, "lookup")]


def test_what_is_held_and_handled_is_told_once(wire):
    def wrap():
        try:
            divide(0)
        except ZeroDivisionError as error:
            raise RuntimeError(error)

    assert shape(report_of(wire, caught(wrap))) == [
        ("ZeroDivisionError", "cause", None, "divide")
    ]


class Several(Exception):
    """A group of before there were groups."""

    def __init__(self, exceptions):
        self.exceptions = exceptions


def test_what_holds_several_that_were_raised_is_a_group(wire):
    report = report_of(wire, Several([caught(divide, 0), caught(lookup, "a"), KeyError("not")]))
    assert shape(report) == [
        ("ZeroDivisionError", "member", None, "divide"),
        ("KeyError", "member", None, "lookup"),
    ]


class Hostile(Exception):
    @property
    def __cause__(self):
        raise AssertionError("code of the program was run")

    __context__ = __dict__ = exceptions = args = __notes__ = __cause__


def test_nothing_of_the_exceptions_own_is_run_to_find_it(wire):
    assert report_of(wire, caught(raise_it, Hostile(1)))["exception_type"].endswith("Hostile")


def test_two_faults_under_one_carrier_are_counted_apart(wire):
    def carry(error):
        raise ExceptionGroup("carried", [error])

    def wait(function, argument):
        return in_pool(function, argument)

    for _ in range(30):
        for error in (caught(lookup, "a"), caught(divide, 0)):
            flawless.capture_exception(caught(carry, error))
    counts = {}
    for report in wire():
        name = innermost(report["chain"][0])
        counts[name] = counts.get(name, 0) + report["error_count"]
    assert counts == {"lookup": 30, "divide": 30}


def test_two_faults_of_a_pool_at_one_line_are_counted_apart(wire):
    with multiprocessing.get_context("fork").Pool(1) as pool:
        for _ in range(30):
            for function, argument in ((divide, 0), (deep_divide, 0)):
                flawless.capture_exception(caught(pool.apply, function, (argument,)))
    counts = {}
    for report in wire():
        name = "deep" if "deep_divide" in report["chain"][0]["exception_message"] else "plain"
        counts[name] = counts.get(name, 0) + report["error_count"]
    assert counts == {"plain": 30, "deep": 30}


def deep_divide(number):
    return divide(number)
