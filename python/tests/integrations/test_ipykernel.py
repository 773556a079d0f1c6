"""Jupyter: notebooks that a real kernel runs, and IPython at a terminal."""

import subprocess
import sys

from programs import SET_UP, count, environment, innermost, row_of, run, values

row = row_of("Jupyter", "ipykernel")

NOTEBOOK = """
import sys
import nbclient, nbformat
from nbformat.v4 import new_code_cell, new_notebook

cells = [new_code_cell(source) for source in {sources!r}]
notebook = new_notebook(cells=cells)
client = nbclient.NotebookClient(notebook, allow_errors=True, kernel_name="python3")
client.execute()
for cell in notebook.cells:
    for output in cell.outputs:
        print(output.output_type, output.get("ename"), output.get("text"))
        for line in output.get("traceback", ()):
            print(line)
"""
PAY = "def pay(amount):\n    price = 1 / amount\n"


def cells(*sources, folder, server=None):
    return run(NOTEBOOK.format(sources=sources), folder, server=server, IPYTHONDIR=folder)


def test_what_a_cell_raises_is_reported_once(sink, tmp_path, row):
    done = cells(SET_UP, PAY, "pay(0)", "1 +", "print('goes on')", folder=tmp_path, server=sink)
    assert "stream None goes on" in done.stdout, done.stderr
    report, syntax = sink.rest()
    row["arrives"] = True
    assert innermost(report) == "price = 1 / amount"
    row["right_line"] = True
    assert values(report)["amount"] == "0"
    row["locals"] = True
    assert syntax["exception_type"].endswith("SyntaxError")
    without = cells(SET_UP, PAY, "pay(0)", "1 +", "print('goes on')", folder=tmp_path)
    assert plain(done) == plain(without)
    row["unharmed"] = True


def plain(done):
    # The number of the process is part of the names of cells.
    lines = done.stdout.splitlines()
    return [line for line in lines if "ipykernel_" not in line], done.returncode


def test_each_failure_counts(sink, tmp_path, row):
    often = (
        "from IPython import get_ipython\n"
        "for _ in range(20):\n    get_ipython().run_cell('pay(0)')\n"
    )
    cells(SET_UP, PAY, often, folder=tmp_path, server=sink)
    assert count(sink.rest()) == 20
    row["counts"] = True


def test_the_end_of_a_cell_is_no_error(sink, tmp_path):
    cells(SET_UP, "raise KeyboardInterrupt", "raise SystemExit(3)", folder=tmp_path, server=sink)
    assert sink.rest() == []


def test_what_is_typed_at_a_terminal_is_not_reported(sink, tmp_path):
    typed = SET_UP + "print('begins')\n1 / 0\n" + "import sys; print('ends')\n"
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner"], input=typed,
        cwd=tmp_path, env=environment(sink, IPYTHONDIR=tmp_path), capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert "ZeroDivisionError" in done.stdout and "ends" in done.stdout
    assert sink.rest() == []
