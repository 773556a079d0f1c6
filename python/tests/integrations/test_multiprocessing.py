"""Processes of multiprocessing, and those that do the tasks of pools."""

import sys

import pytest
from programs import SET_UP, count, innermost, outcome, row_of, run, values

process_row = row_of("multiprocessing.Process")
pool_row = row_of("multiprocessing.Pool")
executor_row = row_of("ProcessPoolExecutor")

WORK = SET_UP + """
import concurrent.futures, multiprocessing, os, sys, time

def divide(amount):
    price = 1 / amount

def often(amount):
    import flawless
    for _ in range(63):
        try:
            divide(amount)
        except ZeroDivisionError:
            flawless.capture_exception()
    divide(amount)

class Worker(multiprocessing.Process):
    def run(self):
        divide(0)

class Strange(Exception):
    # What is sent to the parent does not know of the mark.
    def __init__(self, one, two):
        self.one, self.two = one, two
    def __reduce__(self):
        return Strange, (self.one, self.two)

def strange(amount):
    raise Strange(amount, 2)

class Unpickleable(Exception):
    def __init__(self, lock):
        super().__init__(lock)
        self.lock = lambda: lock

def unpickleable(amount):
    raise Unpickleable(amount)

def unpickleable_result(amount):
    return lambda: amount

def says_for_whom(user):
    import flawless
    at = flawless._scope.current()
    former = at.user, at.transaction
    flawless.set_user(user)
    return former
"""

START = WORK + """
if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    if sys.argv[2] == "Worker":
        Worker.__bases__ = (context.Process,)
        child = Worker()
    else:
        child = context.Process(target=globals()[sys.argv[2]], args=(0,))
    child.start()
    child.join()
    print(child.exitcode)
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_what_ends_a_process_is_reported_once(sink, tmp_path, process_row, method):
    done = run(START, tmp_path, method, "divide", server=sink)
    assert done.stdout == "1\n"
    (report,) = sink.rest()
    process_row["arrives"] = True
    assert innermost(report) == "price = 1 / amount"
    process_row["right_line"] = True
    assert values(report)["amount"] == "0"
    process_row["locals"] = True
    assert report["additional_info"].startswith("process: ")
    assert outcome(done) == outcome(run(START, tmp_path, method, "divide"))
    process_row["unharmed"] = True


def test_a_class_of_processes_may_run_what_it_wants(sink, tmp_path):
    run(START, tmp_path, "fork", "Worker", server=sink)
    (report,) = sink.rest()
    assert innermost(report) == "price = 1 / amount"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_all_that_a_process_has_counted_is_sent_when_it_ends(sink, tmp_path, process_row, method):
    run(START, tmp_path, method, "often", server=sink)
    assert count(sink.rest()) == 64
    process_row["counts"] = True


@pytest.mark.parametrize("code", ["0", "3", "None", "'no'"])
def test_the_end_of_a_process_is_no_error(sink, tmp_path, code):
    begin = START.replace("def divide(amount):", f"def divide(amount):\n    sys.exit({code})")
    done = run(begin, tmp_path, "fork", "divide", server=sink)
    assert done.stdout == {"0": "0\n", "3": "3\n", "None": "0\n", "'no'": "1\n"}[code]
    assert sink.rest() == []


POOL = WORK + """
if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    kind, function, number = sys.argv[2], globals()[sys.argv[3]], int(sys.argv[4])
    awaits = sys.argv[5] == "awaits"
    errors = 0
    if kind == "pool":
        with context.Pool(1) as pool:
            results = [pool.apply_async(function, (0,)) for _ in range(number)]
            for result in results:
                if awaits:
                    try:
                        result.get()
                    except Exception as error:
                        errors += 1
                        last = type(error).__name__
                        if "flawless" in sys.modules:
                            flawless = sys.modules["flawless"]
                            flawless.capture_exception()
                else:
                    result.wait()
            pool.close()
            pool.join()
    else:
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
            futures = [pool.submit(function, 0) for _ in range(number)]
            for future in futures:
                if awaits:
                    try:
                        future.result()
                    except Exception as error:
                        errors += 1
                        last = type(error).__name__
                        if "flawless" in sys.modules:
                            flawless = sys.modules["flawless"]
                            flawless.capture_exception()
                else:
                    while not future.done():
                        time.sleep(0.01)
    print(errors, awaits and last)
"""


@pytest.mark.parametrize("awaits", ["awaits", "forgets"])
@pytest.mark.parametrize("kind", ["pool", "executor"])
def test_what_a_task_raises_is_reported_by_its_worker(
    sink, tmp_path, pool_row, executor_row, kind, awaits
):
    row = pool_row if kind == "pool" else executor_row
    done = run(POOL, tmp_path, "fork", kind, "divide", "64", awaits, server=sink)
    assert done.stdout == ("64 ZeroDivisionError\n" if awaits == "awaits" else "0 False\n")
    reports = sink.rest()
    assert reports
    row["arrives"] = True
    assert {innermost(report) for report in reports} == {"price = 1 / amount"}
    row["right_line"] = True
    assert values(reports[0])["amount"] == "0"
    row["locals"] = True
    assert count(reports) == 64
    row["counts"] = True
    assert outcome(done) == outcome(run(POOL, tmp_path, "fork", kind, "divide", "64", awaits))
    row["unharmed"] = True


def test_workers_that_are_killed_as_soon_as_all_is_done_have_sent_it(sink, tmp_path):
    # The end of `with` kills them.
    kill = POOL.replace("            pool.close()\n            pool.join()\n", "")
    assert kill != POOL
    run(kill, tmp_path, "fork", "pool", "divide", "64", "awaits", server=sink)
    assert count(sink.rest()) == 64


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
@pytest.mark.parametrize("kind", ["pool", "executor"])
def test_workers_that_import_the_program_report_as_well(sink, tmp_path, kind, method):
    run(POOL, tmp_path, method, kind, "divide", "2", "awaits", server=sink)
    reports = sink.rest()
    assert count(reports) == 2
    assert {innermost(report) for report in reports} == {"price = 1 / amount"}


@pytest.mark.parametrize("function", ["strange", "unpickleable", "unpickleable_result"])
@pytest.mark.parametrize("kind", ["pool", "executor"])
def test_what_cannot_be_sent_as_it_is_counts_once(sink, tmp_path, kind, function):
    done = run(POOL, tmp_path, "fork", kind, function, "1", "awaits", server=sink)
    (report,) = sink.rest()
    assert report["error_count"] == 1
    if function == "unpickleable":
        assert report["exception_type"] == "__main__.Unpickleable"
    assert outcome(done) == outcome(run(POOL, tmp_path, "fork", kind, function, "1", "awaits"))


SCOPES = WORK + """
if __name__ == "__main__":
    flawless.set_user("parent")
    context = multiprocessing.get_context("fork")
    with flawless.scope():
        flawless.set_user("request")
        with context.Pool(1) as pool:
            print([pool.apply(says_for_whom, (user,)) for user in ("ann", "bob")])
            print(pool.map(says_for_whom, ["eve"]))
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
            print([pool.submit(says_for_whom, user).result() for user in ("ann", "bob")])
            print(list(pool.map(says_for_whom, ["eve"])))
"""


def test_what_is_said_in_one_task_is_not_said_in_the_next(sink, tmp_path):
    done = run(SCOPES, tmp_path, server=sink)
    none = "(None, '__main__.says_for_whom')"
    assert done.stdout == f"[{none}, {none}]\n[{none}]\n" * 2, done.stderr
