"""What is installed: the files and the metadata of the wheel, and the command `flawless`, which
runs the server's program where that is."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from importlib import metadata

import pytest

import flawless

ROOT = pathlib.Path(__file__).parent.parent.parent
COMMAND = pathlib.Path(sys.prefix, "bin/flawless")
# A program that is none of ours. It does what its arguments say.
SHELL = "/bin/sh"
# What is printed where there is no program.
TOLD = ["pip install flawless-server", "cargo install", "docs/install.md"]


def run(command, path=(), **variables):
    """Runs a command that looks for programs in these folders, and in no home of anybody."""
    variables = {"HOME": "/nonexistent", **variables, "PATH": os.pathsep.join(map(str, path))}
    return subprocess.run(
        list(map(str, command)), env=variables, capture_output=True, text=True, timeout=60
    )


def program(folder, name="flawless"):
    """A folder with a program of this name."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(SHELL, folder / name)
    return folder


def script(folder, text):
    """A folder with a script of the command's name."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "flawless").write_text(text)
    (folder / "flawless").chmod(0o755)
    return folder


def run_by_command(path, command=COMMAND, **variables):
    """The program that the command runs."""
    done = run([command, "-c", f"{shutil.which('readlink')} /proc/$$/exe"], path, **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_package_has_its_licences_and_its_types():
    files = {str(file) for file in metadata.files("flawless")}
    folder = f"flawless-{flawless.__version__}.dist-info"
    assert {f"{folder}/licenses/LICENSE-{name}" for name in ("APACHE", "MIT")} <= files
    assert "flawless/py.typed" in files
    said = metadata.metadata("flawless")
    assert said["Version"] == flawless.__version__
    assert said["License-Expression"] == "MIT OR Apache-2.0"
    assert said["Requires-Python"] == ">=3.9"
    assert "git blame" in said["Keywords"]


def test_the_classifiers_name_the_pythons_that_it_is_tested_on():
    prepare = (ROOT / "python/prepare").read_text()
    (known,) = re.findall(r"^known=\((.*)\)$", prepare, re.M)
    named = re.findall(
        r"^Programming Language :: Python :: (3\.\d+)$",
        "\n".join(metadata.metadata("flawless").get_all("Classifier")),
        re.M,
    )
    assert named == known.split()


def test_the_page_of_the_index_stands_by_itself():
    said = metadata.metadata("flawless")
    assert said["Description-Content-Type"].startswith("text/markdown")
    # Either form; another package may answer in the place of Python's own.
    page = said["Description"] or said.get_payload()
    assert page.strip() == (ROOT / "python/README.md").read_text().strip()
    # What would lead to a file of the repository leads nowhere there.
    assert not re.findall(r"\]\((?!https://)|(?:src|href)=", page)


def test_the_example_of_that_page_is_reported(wire, tmp_path):
    (code,) = re.findall(
        r"^```python\n(.*?)^```", (ROOT / "python/README.md").read_text(), re.M | re.S
    )
    example = tmp_path / "example.py"
    example.write_text(code.replace("http://KEY@flawless.example.com:8080/shop", wire.dsn))
    done = run([sys.executable, example], os.get_exec_path())
    assert done.stderr.rstrip().endswith("ZeroDivisionError: division by zero")
    (report,) = wire()
    assert "ZeroDivisionError" in str(report)


@pytest.mark.parametrize(
    "command", [[COMMAND], [sys.executable, "-m", "flawless"]], ids=["script", "module"]
)
def test_the_program_gets_the_arguments_and_takes_the_place_of_the_command(command, tmp_path):
    path = [program(tmp_path)]
    done = run([*command, "-c", 'printf "%s|" "$@"; exit 7', "-", "start", "", "a b", "--é"], path)
    assert (done.stdout, done.returncode) == ("start||a b|--é|", 7)
    assert run([*command, "-c", "echo $0"], path).stdout == "flawless\n"
    asked = ["-c", "echo $$; read line; echo $line"]
    with subprocess.Popen(
        [*command, *asked],
        env={"PATH": str(tmp_path), "HOME": "/nonexistent"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:
        assert process.communicate("typed\n")[0] == f"{process.pid}\ntyped\n"


def test_the_program_has_the_signals_as_they_were(tmp_path):
    path = [program(tmp_path)]
    for name in ("SIGPIPE", "SIGXFSZ", "SIGINT", "SIGTERM"):
        # Whoever starts the tests may ignore Ctrl-C, which what they start inherits.
        if signal.getsignal(getattr(signal, name)) is signal.SIG_IGN and name == "SIGINT":
            continue
        done = run([COMMAND, "-c", f"kill -{name[3:]} $$"], path)
        assert done.returncode == -getattr(signal, name)


@pytest.mark.parametrize(
    "command", [[COMMAND], [sys.executable, "-m", "flawless"]], ids=["script", "module"]
)
def test_without_a_program_it_is_said_how_to_get_one(command, tmp_path):
    done = run([*command, "start", "-conf", "flawless.cfg"], [tmp_path])
    assert (done.stdout, done.returncode) == ("", 127)
    for told in TOLD:
        assert told in done.stderr


def test_scripts_of_the_name_are_passed_by(tmp_path):
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    scripts = [
        COMMAND.parent,
        # Of another environment, of a tool that looks for this one, and a link to this one.
        script(tmp_path / "other", COMMAND.read_text()),
        script(tmp_path / "shims", f'#!/bin/sh\nexec {COMMAND} "$@"\n'),
        tmp_path / "links",
        # Neither a program nor a file.
        tmp_path / "data",
        tmp_path / "missing" / version,
    ]
    (tmp_path / "links").mkdir()
    (tmp_path / "links/flawless").symlink_to(COMMAND)
    (tmp_path / "data/flawless").mkdir(parents=True)
    assert run([COMMAND, "start"], scripts).returncode == 127
    real = program(tmp_path / "real")
    assert run_by_command([*scripts, real]) == str(real / "flawless")


def test_what_cargo_has_installed_is_found_off_the_path(tmp_path):
    folder = program(tmp_path / "home/.cargo/bin")
    assert run_by_command([], HOME=str(tmp_path / "home")) == str(folder / "flawless")
    folder = program(tmp_path / "cargo/bin")
    assert run_by_command([], CARGO_HOME=str(tmp_path / "cargo")) == str(folder / "flawless")


def test_the_first_on_the_path_is_run_by_either_name(tmp_path):
    first = program(tmp_path / "first", "flawless-server")
    second = program(tmp_path / "second")
    assert run_by_command([first, second]) == str(first / "flawless-server")
    assert run_by_command([second, first]) == str(second / "flawless")


def test_a_program_that_the_system_refuses_is_named(tmp_path):
    refused = tmp_path / "flawless"
    refused.write_bytes(b"\x7fELF of another machine")
    refused.chmod(0o755)
    done = run([COMMAND], [tmp_path])
    assert done.returncode == 126
    assert done.stderr == f"flawless: {refused} cannot be run: Exec format error\n"


class Environment:
    """An environment of its own, with pip from that of the tests and no network."""

    def __init__(self, folder):
        self.folder = folder
        self.command = folder / "bin/flawless"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        (self.packages,) = folder.glob("lib/python*/site-packages")

    def pip(self, *arguments):
        done = subprocess.run(
            [sys.executable, "-m", "pip", "--python", str(self.folder / "bin/python"),
             "--disable-pip-version-check", *map(str, arguments)],
            capture_output=True, text=True, timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def install(self, *wheels):
        return self.pip("install", "--no-index", "--no-deps", *wheels)

    def files(self, package):
        """What pip has noted as the files of a package."""
        (record,) = self.packages.glob(f"{package}-*.dist-info/RECORD")
        return {line.split(",")[0] for line in record.read_text().splitlines()}

    def take_over_the_older_client(self):
        """0.4.5 as pip has installed it for the tests: it comes as source, and building that
        needs the network."""
        (installed,) = (ROOT / "target/test-env").glob(
            "lib/python*/site-packages/flawless-0.4.5.dist-info"
        )
        for line in (installed / "RECORD").read_text().splitlines():
            path = line.split(",")[0]
            to = (self.packages / path).resolve()
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(installed.parent / path, to)


@pytest.fixture
def environment(tmp_path):
    return Environment(tmp_path / "environment")


@pytest.fixture
def wheel():
    (wheel,) = (ROOT / "target/python/wheels").glob("flawless-*.whl")
    return wheel


def test_an_upgrade_from_the_older_package_keeps_the_command(environment, wheel):
    environment.take_over_the_older_client()
    assert "flawless.server" in environment.command.read_text()
    assert "Successfully uninstalled flawless-0.4.5" in environment.install(wheel)
    done = run([environment.command, "start"])
    assert done.returncode == 127
    assert TOLD[0] in done.stderr
    assert not list(environment.packages.glob("flawless/server/*.py"))
    environment.pip("uninstall", "--yes", "flawless")
    assert not environment.command.exists()


def test_the_servers_package_has_no_file_of_this_one_and_its_program_is_run_first(
    environment, wheel, tmp_path
):
    environment.install(wheel, wheel_with_program(tmp_path))
    ours, theirs = map(environment.files, ("flawless", "flawless_server"))
    assert ours and theirs and not ours & theirs
    found = environment.folder / "bin/flawless-server"
    elsewhere = [program(tmp_path / "elsewhere")]
    assert run_by_command(elsewhere, environment.command) == str(found)
    environment.pip("uninstall", "--yes", "flawless-server")
    assert not found.exists()
    assert run([environment.command]).returncode == 127


def wheel_with_program(folder):
    """A wheel as maturin makes that of the server, with a small program in it."""
    settings = (ROOT / "python/server/pyproject.toml").read_text()
    (name,) = re.findall(r'^targets = \[\{ name = "(.*?)"', settings, re.M)
    stem = "flawless_server-0.5.0"
    wheel = folder / f"{stem}-py3-none-any.whl"
    files = {
        "METADATA": "Metadata-Version: 2.1\nName: flawless-server\nVersion: 0.5.0\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(SHELL, f"{stem}.data/scripts/{name}")
        for file, text in files.items():
            archive.writestr(f"{stem}.dist-info/{file}", text)
    return wheel
