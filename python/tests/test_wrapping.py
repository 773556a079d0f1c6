"""Wrappers: what they report, and that they change nothing else."""

import asyncio
import functools
import gc
import inspect
import pickle
import sys
import traceback
import weakref

import pytest

import flawless
from flawless.client.decorators import WrapClassMetaclass, wrap_class, wrap_function


def functions(report):
    return [line["function_name"] for line in report["traceback"]]


@wrap_function
def average(prices, *, unit="EUR"):
    """The average price."""
    return sum(prices) / len(prices)


def nightly():
    return average([])


def test_the_callers_and_the_frames_of_the_traceback_are_one_stack(sink):
    with pytest.raises(ZeroDivisionError):
        nightly()
    report = sink.next()
    assert functions(report)[-2:] == ["nightly", "average"]
    assert report["exception_type"] == "builtins.ZeroDivisionError"
    assert report["exception_message"] == "ZeroDivisionError('division by zero')"
    last = report["traceback"][-1]
    assert last["filename"] == __file__
    assert last["text"].strip() == "return sum(prices) / len(prices)"
    assert last["frame_locals"] == {"prices": "[]", "unit": "'EUR'"}
    assert not any("flawless>" in line["filename"] for line in report["traceback"])


def test_metadata_and_parameters_are_those_of_the_function():
    assert average.__name__ == "average" and average.__doc__ == "The average price."
    assert str(inspect.signature(average)) == "(prices, *, unit='EUR')"
    assert average.__wrapped__ is not average
    assert pickle.loads(pickle.dumps(average)) is average
    assert average([1, 3]) == 2 and average([1, 3], unit="USD") == 2


def every_kind(a, b=2, /, c=3, *rest, d, e=5, **others):
    return a, b, c, rest, d, e, others


def test_every_kind_of_parameter_is_passed_on():
    wrapped = wrap_function(every_kind)
    for args, kwargs in [
        ((1,), {"d": 4}),
        ((1, 7, 8, 9, 10), {"d": 4, "e": 6, "f": 11, "a": 12}),
        ((1,), {"c": 0, "d": 4}),
    ]:
        assert wrapped(*args, **kwargs) == every_kind(*args, **kwargs)
    with pytest.raises(TypeError) as bare:
        every_kind(1)
    with pytest.raises(TypeError) as error:
        wrapped(1)
    assert str(error.value) == str(bare.value)


def test_callables_of_all_kinds_are_wrapped(sink):
    class Called:
        def __call__(self, x):
            return 1 / x

    for function in (Called(), functools.partial(lambda y, x: y / x, 1), int):
        wrapped = wrap_function(function)
        with pytest.raises((ZeroDivisionError, TypeError)):
            wrapped(0) if function is not int else wrapped(None)
    assert len(sink.rest()) == 3
    with pytest.raises(TypeError, match="wraps functions"):
        wrap_function(7)


def test_names_that_the_wrapper_uses_itself_are_free_for_parameters(sink):
    @wrap_function
    def odd(_flawless_function, function=1, caught=2, wrapper=3, make=4):
        return _flawless_function / 0

    with pytest.raises(ZeroDivisionError):
        odd(1)
    assert functions(sink.next())[-1] == "odd"


def test_the_exception_is_the_same_object_with_its_traceback(sink):
    error = ValueError("mine")

    @wrap_function
    def inner():
        raise error

    @wrap_function
    def outer():
        inner()

    with pytest.raises(ValueError) as caught:
        outer()
    assert caught.value is error
    names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    assert [name for name in names if name in ("inner", "outer")][-1] == "inner"
    if sys.version_info >= (3, 11):
        assert names[1:] == ["outer", "inner"], "wrappers leave no entry"
    assert len(sink.rest()) == 1, "reported once, however many wrappers it passes"


class Slotted(Exception):
    __slots__ = ()


class Forbidding(Exception):
    def __setattr__(self, name, value):
        raise AttributeError(name)

    def __getattribute__(self, name):
        raise RuntimeError(name)


@pytest.mark.parametrize("kind", [Slotted, Forbidding])
def test_an_exception_that_forbids_attributes_is_reported_once(sink, kind):
    @wrap_function
    def inner():
        raise kind("x")

    wrapped = wrap_function(wrap_function(lambda: inner()))
    try:
        wrapped()
    except kind:
        pass
    reports = sink.rest()
    assert [report["exception_type"] for report in reports] == [f"{__name__}.{kind.__name__}"]


def test_an_exception_ends_here_when_it_is_asked_to(sink):
    @wrap_function(error_threshold=3, reraise_exception=False)
    def quiet():
        raise KeyError("k")

    assert quiet() is None
    report = sink.next()
    assert report["error_threshold"] == 3


def test_the_callers_are_left_out_when_they_are_not_wanted(sink):
    @wrap_function(save_current_stack_trace=False)
    def alone():
        raise KeyError("k")

    with pytest.raises(KeyError):
        alone()
    assert functions(sink.next()) == ["alone"]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, StopIteration, GeneratorExit])
def test_what_ends_a_program_or_a_loop_is_no_error(sink, kind):
    @wrap_function(reraise_exception=False)
    def end():
        raise kind()

    with pytest.raises(kind):
        end()
    assert sink.rest() == []


def test_a_generator_is_wrapped_as_one(sink):
    @wrap_function
    def numbers(limit):
        """Numbers."""
        for number in range(limit):
            got = yield number
            if got == "fail":
                raise ValueError("told to")
        return "done"

    assert inspect.isgeneratorfunction(numbers)
    assert list(numbers(3)) == [0, 1, 2]
    running = numbers(3)
    next(running)
    with pytest.raises(ValueError):
        running.send("fail")
    numbers(3).close()
    assert functions(sink.next())[-1] == "numbers"
    assert sink.rest() == []

    def outer():
        return (yield from numbers(1))

    running = outer()
    next(running)
    with pytest.raises(StopIteration) as stop:
        next(running)
    assert stop.value.value == "done"


def test_a_coroutine_is_wrapped_as_one(sink):
    @wrap_function
    async def fetch(url):
        await asyncio.sleep(0)
        return {}[url]

    assert inspect.iscoroutinefunction(fetch)
    with pytest.raises(KeyError):
        asyncio.run(fetch("x"))
    report = sink.next()
    assert functions(report)[-1] == "fetch"
    assert report["traceback"][-1]["frame_locals"]["url"] == "'x'"


def test_a_cancelled_task_is_no_error(sink):
    @wrap_function
    async def wait():
        await asyncio.sleep(60)

    async def main():
        task = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert sink.rest() == []


def test_an_async_generator_is_wrapped_as_one(sink):
    ended = []

    @wrap_function
    async def pages(count):
        try:
            for page in range(count):
                got = yield page
                if got == "fail":
                    raise ValueError("told to")
        except KeyError:
            yield "handled"
        finally:
            ended.append(True)

    async def main():
        assert [page async for page in pages(3)] == [0, 1, 2]
        running = pages(3)
        await running.__anext__()
        with pytest.raises(ValueError):
            await running.asend("fail")
        running = pages(3)
        await running.__anext__()
        assert await running.athrow(KeyError("k")) == "handled"
        await running.aclose()
        return inspect.isasyncgenfunction(pages)

    assert asyncio.run(main())
    assert len(ended) == 3, "it is closed when the wrapper is closed"
    assert len(sink.rest()) == 1


class Shop:
    kind = "shop"

    def __init__(self, name):
        self.name = name
        self.password = "hunter2"

    def sell(self, thing):
        return {}[thing]

    @staticmethod
    def tax(amount):
        return amount / 0

    @classmethod
    def open(cls, name):
        return cls.kind + name

    @property
    def turnover(self):
        return 1 / 0

    @functools.cached_property
    def rating(self):
        return 1 / 0

    def __getattr__(self, name):
        raise AttributeError(name)


class Branch(Shop):
    def close(self):
        return self.name / 2


Branch = wrap_class(Branch, error_threshold=7)


def test_a_class_is_wrapped_with_all_kinds_of_methods(sink):
    branch = Branch("north")
    for fail in (
        lambda: branch.sell("x"),
        lambda: branch.tax(1),
        lambda: Branch.tax(1),
        lambda: Branch.open(5),
        lambda: branch.turnover,
        lambda: branch.rating,
        lambda: branch.close(),
    ):
        with pytest.raises((KeyError, TypeError, ZeroDivisionError)):
            fail()
    reports = sink.rest()
    names = [functions(report)[-1] for report in reports]
    assert names == ["sell", "tax", "tax", "open", "turnover", "rating", "close"]
    assert {report["error_threshold"] for report in reports} == {7}
    locals_of_sell = reports[0]["traceback"][-1]["frame_locals"]
    assert locals_of_sell["self.name"] == "'north'"
    assert locals_of_sell["self.password"] == "**scrubbed**"
    assert "self" not in locals_of_sell
    assert not hasattr(branch, "nothing"), "what is not there is no error"
    assert sink.rest() == []


def test_the_classes_of_a_metaclass_are_wrapped(sink):
    class Base(metaclass=WrapClassMetaclass):
        def run(self):
            raise ValueError("x")

    class Derived(Base):
        def run(self):
            super().run()

    with pytest.raises(ValueError):
        Derived().run()
    assert len(sink.rest()) == 1


def test_nothing_of_a_report_stays_alive(sink):
    class Thing:
        pass

    thing = Thing()
    reference = weakref.ref(thing)

    @wrap_function
    def fail(thing):
        raise ValueError("x")

    try:
        fail(thing)
    except ValueError:
        pass
    flawless.flush(5)
    del thing
    gc.collect()
    assert reference() is None
