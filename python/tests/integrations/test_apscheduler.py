"""APScheduler 3: jobs in threads, processes and event loops."""

import pytest
from programs import SET_UP, count, innermost, outcome, row_of, run, values

row = row_of("APScheduler", "apscheduler")

JOBS = SET_UP + """
import asyncio, logging, sys, threading, time
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from apscheduler.executors.pool import ProcessPoolExecutor, ThreadPoolExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.schedulers.background import BackgroundScheduler

logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s")

def pay(amount, password=None):
    price = 1 / amount

async def pay_later(amount):
    await asyncio.sleep(0)
    price = 1 / amount

def says_for_whom(user):
    import flawless
    print(flawless._scope.current().user)
    flawless.set_user(user)
"""

RUN = JOBS + """
if __name__ == "__main__":
    number, done = int(sys.argv[2]), threading.Semaphore(0)

    def tell(event):
        print(type(event.exception).__name__)
        done.release()

    def start(scheduler, job):
        scheduler.add_listener(tell, EVENT_JOB_ERROR | EVENT_JOB_EXECUTED)
        for _ in range(number):
            scheduler.add_job(job, args=(0,), max_instances=number, misfire_grace_time=None)
        scheduler.start()

    async def main():
        scheduler = AsyncIOScheduler()
        start(scheduler, pay_later)
        for _ in range(number):
            while not done.acquire(blocking=False):
                await asyncio.sleep(0.01)
        scheduler.shutdown()

    if sys.argv[1] == "asyncio":
        asyncio.run(main())
    else:
        kind = ThreadPoolExecutor if sys.argv[1] == "threads" else ProcessPoolExecutor
        scheduler = BackgroundScheduler(executors={"default": kind(1)})
        start(scheduler, pay)
        for _ in range(number):
            done.acquire()
        scheduler.shutdown()
    print("done")
"""


@pytest.mark.parametrize("kind", ["threads", "processes", "asyncio"])
def test_a_job_that_fails_is_reported_once_with_its_arguments(wire, tmp_path, row, kind):
    done = run(RUN, tmp_path, kind, "1", server=wire)
    assert done.stdout == "ZeroDivisionError\ndone\n", done.stderr
    (report,) = wire()
    assert report["exception_type"].endswith("ZeroDivisionError")
    row["arrives"] = True
    assert innermost(report) == "price = 1 / amount"
    row["right_line"] = True
    assert values(report)["amount"] == "0"
    row["locals"] = True
    job, identity, args, _ = report["additional_info"].splitlines()
    name = "__main__.pay_later" if kind == "asyncio" else "__main__.pay"
    assert job == f"APScheduler job: {name}" and report["transaction"] == name
    assert identity.startswith("id: ") and args == "args: (0,)"
    assert outcome(done) == outcome(run(RUN, tmp_path, kind, "1"))
    row["unharmed"] = True


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_each_failure_counts(sink, tmp_path, row, kind):
    run(RUN, tmp_path, kind, "64", server=sink)
    assert count(sink.rest()) == 64
    row["counts"] = True


SCOPES = JOBS + """
scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(1)})
done = threading.Semaphore(0)
scheduler.add_listener(lambda event: done.release(), EVENT_JOB_EXECUTED)
for user in ("ann", "bob"):
    scheduler.add_job(says_for_whom, args=(user,), misfire_grace_time=None)
scheduler.start()
done.acquire(), done.acquire()
scheduler.shutdown()
"""


def test_what_is_said_in_one_job_is_not_said_in_the_next(sink, tmp_path):
    assert run(SCOPES, tmp_path, server=sink).stdout == "None\nNone\n"
