"""The command ``flawless``, which runs the server's program if that is installed.

The program comes in a package of its own, ``flawless-server``, under that name, or from cargo as
``flawless``. This package has only the command, so that it remains after an upgrade from 0.4.5,
which had client and server in one.
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
flawless: the server program is not installed here. The Python package `flawless` has only the
client, which reports to a server. To get the program:

    pip install flawless-server                     # if your index has it
    cargo install --locked --path crates/server     # in a checkout of Flawless; needs Rust

Then `flawless` runs it. See docs/install.md in the checkout for the setup."""


def main() -> int:
    """Run the server's program with the arguments of this process, in its place.

    Returns an exit status only if that fails: 127 when the program is not installed, as in shells,
    and 126 when the system refuses to run it. On Windows, where a process cannot replace another,
    it returns the program's own status.
    """
    program = find()
    if program is None:
        print(_MISSING, file=sys.stderr)
        return 127
    arguments = ["flawless", *sys.argv[1:]]
    try:
        if os.name == "nt":
            return subprocess.call(arguments, executable=program)
        # Python ignores these signals, and the program would inherit that.
        for name in ("SIGPIPE", "SIGXFSZ"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), signal.SIG_DFL)
        os.execv(program, arguments)
    except OSError as error:
        print(f"flawless: {program} cannot be run: {error.strerror}", file=sys.stderr)
        return 126


def find() -> str | None:
    """Return the path of the server's program, or None when it is not installed.

    It looks in this Python's package first, then on the path, then where cargo installs.
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
    """Whether this is a program rather than a script.

    Scripts of this name are this command, in this environment or another, pyenv's shim for it, and
    0.4.5's. None of them is the program, and most would end up here again.
    """
    if not os.path.isfile(path) or not os.access(path, os.X_OK):
        return False
    if os.name == "nt":
        # There pip turns scripts into programs that end with the script in a zip file.
        return not zipfile.is_zipfile(path)
    try:
        with open(path, "rb") as file:
            return file.read(2) != b"#!"
    except OSError:
        return False
