"""However a program was started, what ends it is reported, also when another has the hook by then;
and nothing else that the interpreter keeps as the last exception."""

import subprocess
import sys
import zipapp

import pytest
from programs import SET_UP, environment, innermost

# As those do that print an exception in a way of their own.
ANOTHER = "import sys\nsys.excepthook = lambda *_: print('another')\n"
FAILS = "price = 0\n1 / price\n"


def python(folder, *arguments, typed="", server=None):
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment(server), input=typed,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def start(kind, folder, text, server):
    """Runs a program that was written to a folder in a way of many."""
    (folder / "shop").mkdir()
    (folder / "shop" / "__init__.py").touch()
    (folder / "shop" / "__main__.py").write_text(text)
    main = str(folder / "shop" / "__main__.py")
    if kind == "zipapp":
        zipapp.create_archive(folder / "shop", folder / "shop.pyz")
    ways = {
        "file": [main],
        "module": ["-m", "shop"],
        "folder": ["shop"],
        "zipapp": ["shop.pyz"],
        "text": ["-c", text],
        "stdin": ["-"],
        "inspect": ["-i", main],
        "runpy": ["-c", f"import runpy; runpy.run_path({main!r}, run_name='__main__')"],
        "exec": ["-c", f"exec(compile(open({main!r}).read(), {main!r}, 'exec'))"],
        "async": ["-c", f"import asyncio\nasync def main():\n    import shop.__main__\n"
                        f"asyncio.run(main())"],
        "profile": ["-m", "cProfile", "-o", "times", main],
    }  # fmt: skip
    return python(folder, *ways[kind], typed=text if kind == "stdin" else "", server=server)


KINDS = ["file", "module", "folder", "zipapp", "text", "stdin", "inspect", "runpy", "exec",
         "async", "profile"]  # fmt: skip


@pytest.mark.parametrize("hook", ["ours", "another"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_ends_a_program_is_reported_once(sink, tmp_path, kind, hook):
    text = SET_UP + (ANOTHER if hook == "another" else "") + FAILS
    done = start(kind, tmp_path, text, sink)
    assert ("another\n" in done.stdout) == (hook == "another")
    (report,) = sink.rest()
    if kind not in ("text", "stdin"):
        assert innermost(report) == "1 / price"
    assert report["error_count"] == 1


TESTS = """
import unittest
import shop

class Test(unittest.TestCase):
    def test_fails(self):
        self.assertEqual(1, 2)

    def test_errs(self):
        shop.divide(0)

    def test_ends(self):
        raise SystemExit(3)
"""
SHOP = SET_UP + """
def divide(amount):
    '''
    >>> divide(0)
    1
    '''
    return 1 / amount
"""


@pytest.mark.parametrize("hook", ["ours", "another"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["-m", "unittest", "test_shop"],
        ["-m", "unittest", "-b", "-f", "test_shop"],
        ["-c", "import unittest; unittest.main('test_shop')"],
        ["-m", "doctest", "shop.py"],
        ["-m", "pdb", "-c", "continue", "-c", "quit", "fails.py"],
        ["-m", "timeit", "-s", "import shop", "shop.divide(1)"],
    ],
    ids=["unittest", "fail fast", "main", "doctest", "pdb", "timeit"],
)
def test_what_tools_show_is_not_reported(sink, tmp_path, arguments, hook):
    (tmp_path / "shop.py").write_text(SHOP + (ANOTHER if hook == "another" else ""))
    (tmp_path / "test_shop.py").write_text(TESTS)
    (tmp_path / "fails.py").write_text("import shop\nshop.divide(0)\n")
    python(tmp_path, *arguments, typed="q\n" * 5, server=sink)
    assert sink.rest() == []


PROMPTS = {
    "code": "import code\ncode.interact(local=globals())\n",
    "pdb": "import pdb\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    pdb.post_mortem()\n",
    "breakpoint": "breakpoint()\n",
}


@pytest.mark.parametrize("kind", PROMPTS)
def test_what_is_typed_at_a_prompt_of_the_program_is_not_reported(sink, tmp_path, kind):
    (tmp_path / "program.py").write_text(SET_UP + PROMPTS[kind])
    typed = "1 / 0\nc\n" if kind in ("breakpoint", "pdb") else "1 / 0\n"
    python(tmp_path, "program.py", typed=typed, server=sink)
    assert sink.rest() == []


def test_what_ends_a_program_after_a_prompt_is_reported(sink, tmp_path):
    program = SET_UP + "import code\ncode.interact(local=globals())\n" + FAILS
    (tmp_path / "program.py").write_text(program)
    python(tmp_path, "program.py", typed="{}['typed']\n", server=sink)
    assert [innermost(report) for report in sink.rest()] == ["1 / price"]
