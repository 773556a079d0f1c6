"""The command ``flawless``: it runs the server's program, where that is installed.

The program comes as a package of its own, ``flawless-server``, and is called that there, or from
cargo as ``flawless``. This package has no more than the command, so that it stays where 0.4.5,
which had client and server in one, is upgraded.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import zipfile
from importlib import metadata
from typing import Iterator

_END = ".exe" if os.name == "nt" else ""
_NAMES = ("flawless" + _END, "flawless-server" + _END)
_MISSING = """\
flawless: the program of the server is not installed here. The Python package `flawless` has only
the client, which reports to a server. To get the program:

    pip install flawless-server                     # where your index has it
    cargo install --locked --path crates/server     # in a checkout of Flawless; needs Rust

and then `flawless` runs it. How it is set up: docs/install.md in the checkout."""


def main() -> int:
    """Run the server's program with the arguments of this process, in its place.

    Returns an exit status only where that cannot be: 127 when the program is not installed, as
    shells say it, and 126 when the system refuses to run it. On Windows, where no process takes
    the place of another, the program's own.
    """
    program = find()
    if program is None:
        print(_MISSING, file=sys.stderr)
        return 127
    arguments = ["flawless", *sys.argv[1:]]
    try:
        if os.name == "nt":
            return subprocess.call(arguments, executable=program)
        # Python ignores these, and what is ignored stays so in the program.
        for name in ("SIGPIPE", "SIGXFSZ"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), signal.SIG_DFL)
        os.execv(program, arguments)
    except OSError as error:
        print(f"flawless: {program} cannot be run: {error.strerror}", file=sys.stderr)
        return 126


def find() -> str | None:
    """The path of the server's program, or None when it is not installed.

    The package of this Python first, then what the path leads to, then where cargo installs.
    """
    return next(filter(_is_program, _candidates()), None)


def _candidates() -> Iterator[str]:
    try:
        files = metadata.files("flawless-server") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name in _NAMES:
            yield os.path.realpath(file.locate())
    cargo = os.environ.get("CARGO_HOME") or os.path.join(os.path.expanduser("~"), ".cargo")
    for folder in [*os.get_exec_path(), os.path.join(cargo, "bin")]:
        for name in _NAMES:
            yield os.path.join(folder, name)


def _is_program(path: str) -> bool:
    """Whether this is a program and no script.

    Scripts of the name are this one, in this environment or another, pyenv's, which looks for
    this one, and 0.4.5's. None of them is what is looked for, and most would end up here again.
    """
    if not os.path.isfile(path) or not os.access(path, os.X_OK):
        return False
    if os.name == "nt":
        # There pip makes programs of scripts: each has its script behind it, in a zip file.
        return not zipfile.is_zipfile(path)
    try:
        with open(path, "rb") as file:
            return file.read(2) != b"#!"
    except OSError:
        return False
