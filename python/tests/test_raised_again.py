"""One exception object, seen and raised many times: what is one occurrence and what is another."""

import asyncio
import concurrent.futures
import contextlib
import copy
import logging
import pickle
import subprocess
import sys
import textwrap
import threading

import jinja2
import pytest

import flawless
from flawless.client.decorators import wrap_function
from flawless.integrations.logging import FlawlessHandler
from test_delivery import START, run

BROKEN = ConnectionError("pool is broken")


def innermost(report):
    return report["traceback"][-1]["function_name"]


def counted(sink):
    """Occurrences by the function in which they failed."""
    found = {}
    for report in sink.rest():
        name = innermost(report)
        found[name] = found.get(name, 0) + report["error_count"]
    return found


@pytest.fixture(autouse=True)
def unraised():
    """Each test begins with an exception that was never raised."""
    global BROKEN
    BROKEN = ConnectionError("pool is broken")


@wrap_function
def page_a():
    raise BROKEN


@wrap_function
def page_b():
    raise BROKEN


@wrap_function
def page_c():
    raise BROKEN.with_traceback(None)


def swallow(function, *args):
    try:
        return function(*args)
    except Exception:
        return None


def test_an_exception_that_is_kept_and_raised_again_by_others_is_counted_each_time(sink):
    for _ in range(50):
        for page in (page_a, page_b):
            swallow(page)
    assert counted(sink) == {"page_a": 50, "page_b": 50}


def test_pages_one_after_the_other_are_told_each_with_its_own_frames_alone(sink):
    try:
        page_a()
    except ConnectionError:
        pass
    try:
        page_b()
    except ConnectionError:
        pass
    first, second = sink.rest()
    functions = [line["function_name"] for line in second["traceback"]]
    assert (innermost(first), functions[-1]) == ("page_a", "page_b")
    assert "page_a" not in functions


def test_it_is_another_occurrence_also_when_its_traceback_was_taken_off(sink):
    for _ in range(20):
        swallow(page_c)
    assert counted(sink) == {"page_c": 20}


def test_raised_in_a_loop_of_one_function_it_is_another_each_time(sink):
    def loop():
        for _ in range(20):
            try:
                raise BROKEN
            except ConnectionError:
                flawless.capture_exception()

    loop()
    assert counted(sink) == {"loop": 20}


def test_raised_by_hand_it_is_another_when_it_is_captured_by_its_caller(sink):
    def order():
        raise BROKEN

    def gift():
        order()

    for _ in range(5):
        for call in (order, gift):
            try:
                call()
            except ConnectionError:
                flawless.capture_exception()
    reports = sink.rest()
    assert sum(report["error_count"] for report in reports) == 10
    assert len({len(report["traceback"]) for report in reports}) == 2, "it does not grow"


def test_threads_that_raise_it_are_counted_each(sink):
    start = threading.Barrier(4)

    def work():
        start.wait()
        for _ in range(100):
            swallow(page_a)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted(sink) == {"page_a": 400}


def test_a_future_that_all_ask_is_an_occurrence_for_each_who_asks(sink):
    future = concurrent.futures.Future()
    future.set_exception(OSError("cannot connect"))

    @wrap_function
    def asks():
        return future.result()

    for _ in range(50):
        swallow(asks)
    reports = sink.rest()
    assert sum(report["error_count"] for report in reports) == 50
    for report in reports:
        functions = [line["function_name"] for line in report["traceback"]]
        assert functions.count("asks") == 1


def fails(number):
    return 1 / number


def test_a_future_that_failed_by_itself_is_told_with_the_line_that_failed(sink):
    @wrap_function
    def asks(future):
        return future.result()

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        future = pool.submit(fails, 0)
        for _ in range(5):
            swallow(asks, future)
    reports = sink.rest()
    assert sum(report["error_count"] for report in reports) == 5
    for report in reports:
        functions = [line["function_name"] for line in report["traceback"]]
        assert functions[-1] == "fails" and functions.count("asks") == 1


# What follows is one raise on its way up.


def test_wrappers_within_wrappers_and_everything_around_them_see_it_once(sink):
    logger = logging.Logger("shop")
    logger.addHandler(FlawlessHandler())

    @wrap_function
    def inner():
        raise BROKEN

    def logs():
        try:
            inner()
        except ConnectionError:
            logger.exception("failed")
            raise

    @wrap_function
    @wrap_function
    def outer():
        logs()

    for _ in range(3):
        try:
            outer()
        except ConnectionError as error:
            flawless.capture_exception(error)
            flawless.capture_exception(error)
    assert counted(sink) == {"inner": 3}


def raises_it_again():
    try:
        page_a()
    except ConnectionError as error:
        flawless.capture_exception(error)
        raise error


def raises_without_traceback():
    try:
        page_a()
    except ConnectionError as error:
        raise error.with_traceback(None)


def raises_with_what_it_had():
    try:
        page_a()
    except ConnectionError as error:
        raise error.with_traceback(error.__traceback__)


def hand_over(error):
    raise error


hand_over_wrapped = wrap_function(hand_over)


def lets_another_raise_it():
    try:
        page_a()
    except ConnectionError as error:
        hand_over(error)


def lets_a_wrapped_one_raise_it():
    try:
        page_a()
    except ConnectionError as error:
        hand_over_wrapped(error)


def raises_it_finally():
    failed = None
    try:
        page_a()
    except ConnectionError as error:
        failed = error
    finally:
        if failed is not None:
            raise failed


def reraise(error, traceback):
    try:
        if error.__traceback__ is not traceback:
            raise error.with_traceback(traceback)
        raise error
    finally:
        error = traceback = None


def lets_a_library_raise_it():
    try:
        page_a()
    except ConnectionError as error:
        reraise(error, error.__traceback__)


def raises_with_a_shorter_traceback():
    try:
        page_a()
    except ConnectionError as error:
        raise error.with_traceback(error.__traceback__.tb_next)


class Manager:
    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if error is not None:
            raise error


def leaves_a_manager():
    with Manager():
        page_a()


def leaves_a_stack_of_managers():
    with contextlib.ExitStack() as stack:
        stack.enter_context(Manager())
        stack.callback(int)
        page_a()


@contextlib.contextmanager
def managed():
    try:
        yield
    except ConnectionError as error:
        raise error


def leaves_a_generator():
    with managed():
        page_a()


def renders_a_page():
    jinja2.Template("a page\n{{ page() }}").render(page=page_a)


@pytest.mark.parametrize(
    "function",
    [raises_it_again, raises_without_traceback, raises_with_what_it_had, lets_another_raise_it,
     lets_a_wrapped_one_raise_it, raises_it_finally, leaves_a_manager, leaves_a_stack_of_managers,
     leaves_a_generator, renders_a_page, lets_a_library_raise_it, raises_with_a_shorter_traceback],
    ids=lambda function: function.__name__,
)  # fmt: skip
def test_what_handles_it_and_raises_it_again_goes_on_with_the_same_raise(sink, function):
    outer = wrap_function(wrap_function(function))
    for _ in range(3):
        swallow(outer)
    assert counted(sink) == {"page_a": 3}


def test_a_thread_of_a_pool_and_the_one_who_waits_for_it_see_one_failure(sink):
    @wrap_function
    def waits(pool):
        return pool.submit(wrap_function(fails), 0).result()

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for _ in range(5):
            swallow(waits, pool)
    assert counted(sink) == {"fails": 5}


def test_a_task_and_those_who_await_it_see_one_failure(sink):
    @wrap_function
    async def work():
        await asyncio.sleep(0)
        return 1 / 0

    @wrap_function
    async def gathers():
        await asyncio.gather(work(), asyncio.sleep(0))

    @wrap_function
    async def managed_by_stack():
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(AsyncManager())
            await asyncio.ensure_future(work())

    async def main():
        for coroutine in (gathers, managed_by_stack):
            try:
                await coroutine()
            except ZeroDivisionError:
                pass

    asyncio.run(main())
    assert counted(sink) == {"work": 2}


class AsyncManager:
    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, error, traceback):
        if error is not None:
            raise error


def test_a_thread_for_a_coroutine_and_the_coroutine_see_one_failure(sink):
    @wrap_function
    async def waits():
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, wrap_function(fails), 0)

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            asyncio.run(waits())
    assert counted(sink) == {"fails": 2}


def test_an_uncaught_exception_that_was_reported_before_is_not_told_by_the_hook_again(sink):
    program = START + textwrap.dedent(
        """
        from flawless.client.decorators import wrap_function
        @wrap_function
        def main():
            try:
                1 / 0
            except ZeroDivisionError as error:
                flawless.capture_exception()
                raise error
        main()
        """
    )
    done = run(program, sink.port)
    assert done.returncode == 1
    assert len(sink.rest()) == 1


def test_what_another_process_has_reported_is_not_told_again_by_the_one_who_waits(sink, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(
            f"""
            import concurrent.futures, multiprocessing, flawless
            from flawless.client.decorators import wrap_function
            flawless.init(hostports=["127.0.0.1:{sink.port}"])

            @wrap_function
            def work(n):
                return 1 / n

            if __name__ == "__main__":
                context = multiprocessing.get_context("fork")
                with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
                    for wait in (pool.submit(work, 0).result, lambda: list(pool.map(work, [0]))):
                        try:
                            wait()
                        except ZeroDivisionError:
                            flawless.capture_exception()
                with context.Pool(1) as pool:
                    try:
                        pool.apply(work, (0,))
                    except ZeroDivisionError:
                        flawless.capture_exception()
                    pool.close()
                    pool.join()
            """
        )
    )
    subprocess.run([sys.executable, str(program)], check=True, timeout=60)
    assert counted(sink) == {"work": 3}


def test_what_is_remembered_of_an_exception_can_be_copied_and_sent(sink):
    swallow(page_a)
    for other in (copy.copy(BROKEN), pickle.loads(pickle.dumps(BROKEN))):
        assert (type(other), other.args) == (ConnectionError, BROKEN.args)


def test_nothing_is_kept_alive_by_what_is_remembered(sink):
    class Thing:
        pass

    import gc
    import weakref

    def fail(thing):
        raise BROKEN

    thing = Thing()
    reference = weakref.ref(thing)
    swallow(wrap_function(fail), thing)
    BROKEN.__traceback__ = None
    del thing
    gc.collect()
    assert reference() is None
