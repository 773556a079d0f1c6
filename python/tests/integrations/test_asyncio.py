"""The exception handler of an asyncio loop."""

import asyncio
import gc

import pytest

import flawless.integrations.asyncio


async def fail():
    raise ValueError("nobody waits")


async def forget_a_task():
    task = asyncio.ensure_future(fail())
    await asyncio.sleep(0)
    del task
    gc.collect()


def test_a_task_nobody_retrieves_is_reported_once_and_told_to_the_former_handler(sink):
    told = []

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context))
        flawless.integrations.asyncio.install()
        flawless.integrations.asyncio.install()
        await forget_a_task()

    asyncio.run(main())
    (report,) = sink.rest()
    assert report["traceback"][-1]["function_name"] == "fail"
    assert report["additional_info"] == "Task exception was never retrieved"
    assert [str(context["exception"]) for context in told] == ["nobody waits"]


def test_without_a_former_handler_the_default_one_logs(sink, caplog):
    loop = asyncio.new_event_loop()
    flawless.integrations.asyncio.install(loop)
    loop.run_until_complete(forget_a_task())
    loop.close()
    assert len(sink.rest()) == 1
    assert "Task exception was never retrieved" in caplog.text


def test_an_error_of_a_callback_is_reported(sink, caplog):
    async def main():
        flawless.integrations.asyncio.install()
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        await asyncio.sleep(0)

    asyncio.run(main())
    assert sink.next()["exception_type"].endswith("ZeroDivisionError")


def test_what_carries_no_error_is_only_passed_on(sink, caplog):
    async def main():
        flawless.integrations.asyncio.install()
        loop = asyncio.get_running_loop()
        loop.call_exception_handler({"message": "only words"})
        loop.call_exception_handler({"message": 5, "exception": asyncio.CancelledError()})

    asyncio.run(main())
    assert sink.rest() == []
    assert "only words" in caplog.text


def test_without_a_loop_it_says_how_to_call_it():
    with pytest.raises(RuntimeError, match=r"install\(loop\)"):
        flawless.integrations.asyncio.install()
