"""Typer, click and rich: they put hooks of their own in the place of the interpreter's."""

import pytest
from programs import SET_UP, count, innermost, outcome, row_of, run, values

typer_row = row_of("Typer", "typer")
rich_row = row_of("rich", "rich")
click_row = row_of("click", "click")

PAY = """
import sys, threading

def pay(amount):
    price = 1 / amount

def work(how):
    if how == "often" and "flawless" in sys.modules:
        for _ in range(62):
            try:
                pay(0)
            except ZeroDivisionError:
                sys.modules["flawless"].capture_exception()
    if how in ("often", "thread"):
        thread = threading.Thread(target=pay, args=(0,))
        thread.start()
        thread.join()
    if how == "ends":
        sys.exit(3)
    if how != "thread":
        pay(0)
"""

PROGRAMS = {
    "typer": (
        "import typer\n",
        "app = typer.Typer()\n@app.command()\ndef main(how: str):\n    work(how)\napp()\n",
    ),
    "typer without its way to print": (
        "import typer\n",
        "app = typer.Typer(pretty_exceptions_enable=False)\n@app.command()\n"
        "def main(how: str):\n    work(how)\napp()\n",
    ),
    "rich before": (
        "import rich.traceback\nrich.traceback.install()\n",
        "work(sys.argv[1])\n",
    ),
    "rich after": (
        "",
        "import rich.traceback\nrich.traceback.install()\nwork(sys.argv[1])\n",
    ),
    "click": (
        "import click\n",
        "@click.command()\n@click.argument('how')\ndef main(how):\n"
        "    if how == 'usage':\n        raise click.UsageError('no')\n"
        "    if how == 'abort':\n        raise click.Abort\n"
        "    work(how)\nmain()\n",
    ),
}


@pytest.fixture(params=PROGRAMS)
def program(request):
    before, after = PROGRAMS[request.param]
    return before + SET_UP + PAY + after


@pytest.fixture
def row(request, typer_row, rich_row, click_row):
    name = request.node.callspec.params["program"].split()[0]
    return {"typer": typer_row, "rich": rich_row, "click": click_row}[name]


@pytest.mark.parametrize("how", ["fails", "thread"])
def test_what_nobody_catches_is_reported_once(sink, tmp_path, row, program, how):
    done = run(program, tmp_path, how, server=sink)
    (report,) = sink.rest()
    row["arrives"] = True
    assert innermost(report) == "price = 1 / amount"
    row["right_line"] = True
    assert values(report)["amount"] == "0"
    row["locals"] = True
    without = run(program, tmp_path, how)
    assert outcome(done) == outcome(without)
    assert "ZeroDivisionError" in done.stderr
    row["unharmed"] = True


def test_each_failure_counts(sink, tmp_path, row, program):
    run(program, tmp_path, "often", server=sink)
    assert count(sink.rest()) == 64
    row["counts"] = True


@pytest.mark.parametrize("how", [["ends"], []])
def test_the_end_of_a_command_is_no_error(sink, tmp_path, row, program, how):
    if not how and "sys.argv" in program:
        pytest.skip("it has no arguments of its own")
    done = run(program, tmp_path, *how, server=sink)
    assert done.returncode == (3 if how else 2)
    assert sink.rest() == []


@pytest.mark.parametrize("program", ["click"], indirect=True)
@pytest.mark.parametrize("how", ["usage", "abort"])
def test_what_click_says_is_no_error(sink, tmp_path, program, how):
    run(program, tmp_path, how, server=sink)
    assert sink.rest() == []
