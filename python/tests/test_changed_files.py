"""Files that change under a running program: what they say now is not what ran."""

import os
import subprocess
import sys
import textwrap
import zipfile

import pytest

MODULE = """\
# licence
def rate_of(rows, country):
    rates = dict(rows)
    return rates[country]["rate"]


def tax(rows, country, total):
    rate = rate_of(rows, country)
    return total * rate
"""
LATER = "# more\n# lines\n# on top\n" + MODULE.replace("total * rate", "rate * total")
BEGIN = """\
import importlib, os, sys, time, zipfile
sys.path.insert(0, os.getcwd())
import flawless
flawless.init(sys.argv[1], hooks=False, revision="r1")
def fail(call, *arguments):
    try:
        call(*arguments)
    except Exception:
        flawless.capture_exception()
def write(path, text):
    with open(path, "w") as file:
        file.write(text)
LATER = {later!r}
"""


@pytest.fixture
def run(wire, tmp_path):
    """Runs a program beside the module `stale`; answers the innermost frames it reports."""
    (tmp_path / "stale.py").write_text(MODULE)

    def run(program, writes_compiled=True, before=""):
        program = before + BEGIN.format(later=LATER) + textwrap.dedent(program)
        (tmp_path / "main.py").write_text(program)
        subprocess.run(
            [sys.executable, "main.py", wire.dsn],
            cwd=tmp_path, check=True, timeout=60, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "" if writes_compiled else "1"},
        )
        return [report["traceback"] for report in wire()]

    run.folder = tmp_path
    return run


FAIL = "fail(stale.tax, [('de', {})], 'de', 10)\n"


def text_of(frame):
    return (frame["text"].strip(), frame["before"] or [], frame["after"] or [])


def test_a_file_that_has_not_changed_is_told_with_its_lines(run):
    (traceback,) = run("import stale\n" + FAIL)
    frame = traceback[-1]
    assert (frame["function_name"], frame["line_number"]) == ("rate_of", 4)
    assert text_of(frame) == (
        'return rates[country]["rate"]', MODULE.splitlines()[:3], MODULE.splitlines()[4:9],
    )


def test_text_that_did_not_run_is_not_sent_nor_what_stands_around_it(run):
    (traceback,) = run("import stale\nwrite('stale.py', LATER)\n" + FAIL)
    for frame in traceback[-2:]:
        assert os.path.basename(frame["filename"]) == "stale.py"
        assert text_of(frame) == ("", [], [])
    assert traceback[-1]["line_number"] == 4
    assert text_of(traceback[0])[0].startswith("fail(stale.tax"), "the program's own file is as it was"


@pytest.mark.parametrize(
    "change",
    [
        "os.utime('stale.py', (1, 1))",
        "os.utime('new.py', (1, 1))\nos.replace('new.py', 'stale.py')",
        "os.remove('stale.py')",
    ],
    ids=["older time", "another file", "removed"],
)
def test_it_does_not_matter_which_time_the_file_shows(run, change):
    before = "write('new.py', LATER)\n" if "new.py" in change else "write('stale.py', LATER)\n"
    (traceback,) = run("import stale\n" + before + change + "\n" + FAIL)
    assert text_of(traceback[-1]) == ("", [], [])


def test_what_was_read_before_the_change_is_what_ran(run):
    one, two = run("import stale\n" + FAIL + "write('stale.py', LATER)\n" + FAIL)
    assert text_of(one[-1]) == text_of(two[-1])
    assert two[-1]["text"].strip() == 'return rates[country]["rate"]'


def test_another_function_of_a_file_that_was_read_before_is_told_too(run):
    _, two = run(
        "import stale\nfail(stale.rate_of, [], 'de')\nwrite('stale.py', LATER)\n" + FAIL
    )
    assert two[-2]["text"].strip() == "rate = rate_of(rows, country)"


def test_what_the_program_itself_has_read_before_is_what_ran(run):
    program = """
        import linecache, stale
        linecache.getlines(stale.__file__)
        time.sleep(0.01)
        write("stale.py", LATER)
    """
    (traceback,) = run(textwrap.dedent(program) + FAIL)
    assert traceback[-1]["text"].strip() == 'return rates[country]["rate"]'


def test_a_module_that_was_written_and_loaded_later_is_told_by_its_functions(run):
    (traceback,) = run("write('later.py', LATER)\nimport later as stale\n" + FAIL)
    frame = traceback[-1]
    assert frame["line_number"] == 7
    assert text_of(frame) == (
        'return rates[country]["rate"]', LATER.splitlines()[4:6], [],
    ), "only the lines of the function are known to be those that run"


def test_a_module_that_is_loaded_again_is_told_as_it_is_then(run):
    one, two = run(
        "import stale\n" + FAIL + "write('stale.py', LATER)\nimportlib.reload(stale)\n" + FAIL
    )
    assert (one[-1]["line_number"], two[-1]["line_number"]) == (4, 7)
    assert one[-1]["text"] == two[-1]["text"]
    assert two[-2]["text"].strip() == "rate = rate_of(rows, country)"


def test_such_a_module_is_told_also_without_what_python_has_compiled(run):
    (traceback,) = run(
        "write('later.py', LATER)\nimport later as stale\n" + FAIL, writes_compiled=False
    )
    assert text_of(traceback[-1])[0] == 'return rates[country]["rate"]'


def test_a_module_that_was_changed_and_loaded_by_others_is_not_told_by_their_text(run):
    program = """
        import stale, subprocess
        write("stale.py", LATER.replace("rates[country]", "dict(rates)[country]"))
        subprocess.run([sys.executable, "-c", "import stale"], check=True)
    """
    (traceback,) = run(textwrap.dedent(program) + FAIL)
    assert text_of(traceback[-1]) == ("", [], [])


def test_an_archive_that_has_changed_is_not_read(run):
    with zipfile.ZipFile(run.folder / "code.zip", "w") as code:
        code.writestr("zipped.py", MODULE)
    program = """
        sys.path.insert(0, "code.zip")
        import zipped as stale
        with zipfile.ZipFile("code.zip", "w") as code:
            code.writestr("zipped.py", LATER)
    """
    (traceback,) = run(textwrap.dedent(program) + FAIL)
    assert text_of(traceback[-1]) == ("", [], [])


def test_a_child_made_by_fork_runs_what_its_parent_has_loaded(run):
    program = """
        import stale
        write("stale.py", LATER)
        child = os.fork()
        if child == 0:
            fail(stale.tax, [('de', {})], 'de', 10)
            os._exit(0 if flawless.flush(5) else 7)
        assert os.waitpid(child, 0)[1] == 0
    """
    (traceback,) = run(program)
    assert text_of(traceback[-1]) == ("", [], [])


def test_a_repr_is_not_worked_out_from_a_text_that_did_not_run(run):
    module = "class Order:\n    def __init__(self): self.n = 7\n    def __repr__(self):\n        return f'{self.n}'\n"
    (run.folder / "orders.py").write_text(module)
    program = """
        import orders
        write("orders.py", open("orders.py").read().replace("{self.n}", "never"))
        def f(order):
            1 / 0
        fail(f, orders.Order())
    """
    (traceback,) = run(program)
    assert traceback[-1]["frame_locals"] == {"order": "<orders.Order n=7>"}


@pytest.fixture
def releases(run):
    """Two releases that were put there before the program begins; `current` leads to the second."""
    for name, text in (("r1", MODULE), ("r2", LATER)):
        (run.folder / name).mkdir()
        (run.folder / name / "stale.py").write_text(text)
    (run.folder / "stale.py").unlink()
    (run.folder / "current").symlink_to("r2")
    return run


@pytest.mark.parametrize(
    ("folder", "back"),
    [
        ("current", "os.remove('current')\nos.symlink('r1', 'current')\n"),
        ("r2", "os.rename('r2', 'r3')\nos.rename('r1', 'r2')\n"),
    ],
    ids=["link", "folder"],
)
@pytest.mark.parametrize("was_read", [False, True], ids=["unread", "read"])
def test_an_older_release_that_comes_back_is_not_told_as_what_runs(releases, folder, back, was_read):
    begin = f"sys.path.insert(0, os.path.abspath({folder!r}))\nimport stale\n"
    read = "fail(stale.rate_of, [], 'de')\n" if was_read else ""
    *_, traceback = releases(begin + read + back + FAIL)
    assert traceback[-2]["line_number"] == 11
    known = ("rate = rate_of(rows, country)", LATER.splitlines()[5:10], LATER.splitlines()[11:])
    assert text_of(traceback[-2]) == (known if was_read else ("", [], []))


def test_another_file_of_the_same_size_and_time_is_not_told_as_what_runs(run):
    os.utime(run.folder / "stale.py", (315532800, 315532800))
    program = """
        import stale
        write("new.py", open("stale.py").read().replace("rate", "cost"))
        os.utime("new.py", (315532800, 315532800))
        os.replace("new.py", "stale.py")
    """
    (traceback,) = run(textwrap.dedent(program) + FAIL)
    assert text_of(traceback[-1]) == ("", [], [])


def test_what_changed_before_flawless_was_imported_is_no_text_of_what_runs(run):
    begin = "import os, sys\nsys.path.insert(0, os.getcwd())\nimport stale\n"
    change = "with open('stale.py', 'w') as file:\n    file.write(LATER)\n"
    (traceback,) = run(FAIL, before=begin + f"LATER = {LATER!r}\n" + change)
    assert text_of(traceback[-1]) == ("", [], [])


def test_a_child_that_imports_flawless_runs_what_its_parent_has_loaded(run):
    before = f"""
        import os, sys
        sys.path.insert(0, os.getcwd())
        import stale
        with open("stale.py", "w") as file:
            file.write({LATER!r})
        child = os.fork()
        if child:
            sys.exit(os.waitpid(child, 0)[1])
    """
    (traceback,) = run(FAIL + "flawless.flush(10)", before=textwrap.dedent(before))
    assert text_of(traceback[-1]) == ("", [], [])


def test_what_was_read_at_another_time_is_not_told_as_what_ran(run):
    program = """
        import linecache, stale
        old = os.stat("stale.py").st_mtime - 10
        write("stale.py", LATER)
        os.utime("stale.py", (old, old))
        linecache.getlines(stale.__file__)
        write("stale.py", LATER + "# more")
    """
    (traceback,) = run(textwrap.dedent(program) + FAIL)
    assert text_of(traceback[-1]) == ("", [], [])


@pytest.mark.parametrize(
    "change",
    ["os.chmod('stale.py', 0o755)", "os.link('stale.py', 'other.py')", "os.utime('stale.py', (4e9, 4e9))"],
    ids=["mode", "link", "time"],
)
def test_a_file_of_which_only_the_look_has_changed_is_told(run, change):
    (traceback,) = run("import stale\n" + change + "\n" + FAIL, writes_compiled=False)
    assert text_of(traceback[-1])[0] == 'return rates[country]["rate"]'
    assert text_of(traceback[-2])[0] == "rate = rate_of(rows, country)"


def test_a_file_with_a_time_to_come_is_told_whole(run):
    os.utime(run.folder / "stale.py", (4e9, 4e9))
    (traceback,) = run("import stale\n" + FAIL, writes_compiled=False)
    assert text_of(traceback[-1])[1] == MODULE.splitlines()[:3]


def test_to_look_whether_a_text_is_what_runs_warns_of_nothing_and_leaves_the_filters(run):
    program = """
        import warnings
        write("odd.py", "def tax(*_):\\n    return '\\\\d' is 1 / 0\\n")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import odd as stale
        warnings.simplefilter("error")
        before, filters = warnings.filters, list(warnings.filters)
    """
    after = "assert warnings.filters is before and warnings.filters == filters\n"
    (traceback,) = run(textwrap.dedent(program) + FAIL + after, writes_compiled=False)
    assert traceback[-1]["text"].strip().startswith("return")


def test_a_text_is_compiled_once_for_each_state_of_a_file(run):
    program = """
        import stale
        compiled = []
        sys.addaudithook(lambda event, _: event == "compile" and compiled.append(event))
        write("stale.py", LATER)
        for _ in range(12):
            fail(stale.tax, [('de', {})], 'de', 10)
        assert len(compiled) == 1, compiled
    """
    assert text_of(run(program)[0][-1]) == ("", [], [])


def test_of_a_large_file_that_has_changed_nothing_is_compiled(run):
    program = """
        import stale
        write("stale.py", MODULE + "# more\\n" * 100_000)
        sys.addaudithook(lambda event, _: event != "compile" or sys.exit("compiled"))
    """.replace("MODULE", repr(MODULE))
    (traceback,) = run(textwrap.dedent(program) + FAIL)
    assert text_of(traceback[-1]) == ("", [], [])
