"""An exception object that is shared, kept or told by hand: each raise of it is one occurrence."""

import asyncio
import sys
import threading
import time

import pytest

import flawless
from flawless.client.decorators import wrap_function
from test_raised_again import counted, swallow


@pytest.fixture
def broken():
    """What a pool that is broken raises again and again."""
    return ConnectionError("pool is broken")


# What handles another exception, or leaves another block, is no handler of this one.


def test_in_a_fallback_for_another_exception_it_is_counted_each_time(sink, broken):
    def pool():
        raise broken

    def handle():
        try:
            pool()
        except ConnectionError:
            flawless.capture_exception()

    def fallback():
        try:
            {}["x"]
        except KeyError:
            handle()

    for _ in range(30):
        fallback()
    assert counted(sink) == {"pool": 30}


def test_in_a_finally_it_is_counted_each_time(sink, broken):
    def pool():
        raise broken

    def cleanup():
        try:
            pass
        finally:
            try:
                pool()
            except ConnectionError:
                flawless.capture_exception()

    for _ in range(30):
        cleanup()
    assert counted(sink) == {"pool": 30}


def test_raised_by_the_end_of_a_with_block_it_is_counted_each_time(sink, broken):
    class Session:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            raise broken

    def use():
        with Session():
            pass

    for _ in range(30):
        try:
            use()
        except ConnectionError:
            flawless.capture_exception()
    assert counted(sink) == {"__exit__": 30}


def test_in_a_program_that_runs_within_an_except_block_it_is_counted_each_time(sink, broken):
    def pool():
        raise broken

    def serve():
        for _ in range(30):
            try:
                pool()
            except ConnectionError:
                flawless.capture_exception()

    try:
        raise ImportError("no such module")
    except ImportError:
        serve()
    assert counted(sink) == {"pool": 30}


# Its traceback is taken off: what is new may lie where the old one lay.


def test_it_does_not_matter_how_its_traceback_was_taken_off(sink, broken):
    def sets_none():
        broken.__traceback__ = None
        raise broken

    def on_another_line():
        error = broken.with_traceback(None)
        raise error

    for _ in range(30):
        for call in (sets_none, on_another_line):
            try:
                call()
            except ConnectionError:
                flawless.capture_exception()
    assert counted(sink) == {"sets_none": 30, "on_another_line": 30}


def test_it_is_so_in_a_loop_of_one_function(sink, broken):
    def loop():
        for _ in range(30):
            try:
                broken.__traceback__ = None
                raise broken
            except ConnectionError:
                flawless.capture_exception()

    loop()
    assert counted(sink) == {"loop": 30}


# Many raise it at once.


def test_threads_that_all_have_it_on_its_way_through_two_wrappers_are_counted_once_each(sink, broken):
    barrier = threading.Barrier(40)

    @wrap_function
    def inner():
        raise broken

    @wrap_function
    def outer():
        try:
            inner()
        except ConnectionError:
            barrier.wait()
            raise

    threads = [threading.Thread(target=swallow, args=(outer,)) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted(sink) == {"inner": 40}


@pytest.mark.parametrize("wrappers", [1, 2])
@pytest.mark.parametrize("waits", [False, True], ids=["at once", "after a wait"])
def test_tasks_that_await_one_future_are_counted_once_each(sink, wrappers, waits):
    async def asks(future, event):
        try:
            await future
        except ValueError:
            if waits:
                await event.wait()
            raise

    for _ in range(wrappers):
        asks = wrap_function(asks)

    async def main():
        future, event = asyncio.get_running_loop().create_future(), asyncio.Event()
        tasks = [asyncio.ensure_future(asks(future, event)) for _ in range(6)]
        await asyncio.sleep(0)
        future.set_exception(ValueError("shared"))
        await asyncio.wait([future])
        for _ in range(3):
            await asyncio.sleep(0)
        event.set()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())
    assert counted(sink) == {"asks": 6}


# Told by hand, and raised later.


def test_what_is_captured_before_it_is_raised_is_told_once(sink):
    def made():
        error = ValueError("made")
        flawless.capture_exception(error)
        raise error

    for _ in range(5):
        try:
            made()
        except ValueError:
            flawless.capture_exception()
    assert counted(sink) == {"made": 5}


def test_attempts_that_are_each_captured_are_not_told_again_when_the_last_is_raised(sink):
    def attempt():
        return 1 / 0

    def retry():
        last = None
        for _ in range(3):
            try:
                attempt()
            except ZeroDivisionError as error:
                last = error
                flawless.capture_exception()
        raise last

    try:
        retry()
    except ZeroDivisionError:
        flawless.capture_exception()
    assert counted(sink) == {"attempt": 3}


def test_what_a_coroutine_has_captured_and_raises_later_is_told_once(sink):
    async def fails():
        return 1 / 0

    async def later():
        failed = None
        try:
            await fails()
        except ZeroDivisionError as error:
            flawless.capture_exception(error)
            failed = error
        await asyncio.sleep(0)
        raise failed

    try:
        asyncio.run(later())
    except ZeroDivisionError:
        flawless.capture_exception()
    assert counted(sink) == {"fails": 1}


# What it costs.


def wrapped(call):
    return wrap_function(call)


def captured(call):
    def captures(*arguments):
        try:
            call(*arguments)
        except ZeroDivisionError:
            flawless.capture_exception()
            raise

    return captures


@pytest.mark.parametrize("seen", [wrapped, captured])
def test_a_recursion_that_is_seen_at_each_level_takes_time_in_proportion_to_its_depth(sink, seen):
    @seen
    def dive(depth):
        1 / depth
        dive(depth - 1)

    def used(depth):
        begun = time.thread_time()
        swallow(dive, depth)
        return time.thread_time() - begun

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        used(250)
        short = min(used(250) for _ in range(3))
        long = min(used(2_500) for _ in range(2))
    finally:
        sys.setrecursionlimit(limit)
    assert long < 40 * short, "in proportion to its square it would be 100 times as long"
