"""joblib: its own workers, and those of multiprocessing."""

import pytest
from programs import SET_UP, count, innermost, outcome, row_of, run, values

row = row_of("joblib", "joblib")

# The module that workers import: there they set the client up.
TASKS = SET_UP + """
def divide(amount):
    price = 1 / amount
"""

RUN = """
import sys, warnings
import joblib, shop_tasks

try:
    joblib.Parallel(n_jobs=2, backend=sys.argv[1])(
        joblib.delayed(shop_tasks.divide)(amount) for amount in (1, 0)
    )
except ZeroDivisionError:
    print("failed")
    if "flawless" in sys.modules:
        sys.modules["flawless"].capture_exception()
"""

FORGET = """
import sys
import shop_tasks
from joblib.externals.loky import get_reusable_executor, wait

executor = get_reusable_executor(max_workers=1)
wait([executor.submit(shop_tasks.divide, 0) for _ in range(64)])
executor.shutdown()
print("done")
"""


@pytest.fixture
def start(tmp_path):
    def start(program, *arguments, server=None):
        (tmp_path / "shop_tasks.py").write_text(TASKS)
        return run(program, tmp_path, *arguments, server=server)

    return start


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_what_a_task_raises_is_reported_once(sink, start, row, backend):
    done = start(RUN, backend, server=sink)
    assert done.stdout == "failed\n", done.stderr
    (report,) = sink.rest()
    assert report["error_count"] == 1
    row["arrives"] = True
    assert innermost(report) == "price = 1 / amount"
    row["right_line"] = True
    assert values(report)["amount"] == "0"
    row["locals"] = True
    assert outcome(done) == outcome(start(RUN, backend))
    row["unharmed"] = True


def test_each_failure_that_nobody_asks_for_counts(sink, start, row):
    done = start(FORGET, server=sink)
    assert done.stdout == "done\n", done.stderr
    reports = sink.rest()
    assert count(reports) == 64
    assert {innermost(report) for report in reports} == {"price = 1 / amount"}
    row["counts"] = True
