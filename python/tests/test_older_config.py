"""Programs that 0.4.5 configured by a file start unchanged."""

import pytest

from test_delivery import run

PROGRAM = """
import sys
import flawless.client
import flawless.lib.config
from flawless.client.decorators import wrap_function
config = flawless.lib.config.get()
assert (config.port, config.flawless_hostports, config.smtp_use_tls) == (9028, None, False)
{how}
@wrap_function
def work():
    1 / 0
try:
    work()
except ZeroDivisionError:
    print(config.flawless_hostports, config.port, config.report_error_threshold)
"""
FILE = """
[flawless]
flawless_hostports = 127.0.0.1:{port}, 127.0.0.1:{port}
port = 9029
only_blame_filepaths_matching = .*shop.*, .*lib.*
hostname = flawless.example.com
"""


@pytest.mark.parametrize(
    "how",
    [
        "flawless.lib.config.init_config(sys.argv[1])",
        "config.port = 9029\nconfig.flawless_hostports = ['127.0.0.1:' + sys.argv[2]] * 2",
    ],
)
def test_the_servers_of_the_file_are_reported_to(sink, tmp_path, how):
    path = tmp_path / "flawless.cfg"
    path.write_text(FILE.format(port=sink.port))
    done = run(PROGRAM.format(how=how), path, sink.port)
    servers = [f"127.0.0.1:{sink.port}"] * 2
    assert (done.stdout, done.stderr) == (f"{servers} 9029 3\n", "")
    assert len(sink.rest()) == 1


def test_servers_that_the_program_sets_count_more(sink, tmp_path):
    path = tmp_path / "flawless.cfg"
    path.write_text(FILE.format(port=9))
    how = "flawless.client.set_hostports(['127.0.0.1:' + sys.argv[2]])\n"
    done = run(PROGRAM.format(how=how + "flawless.lib.config.init_config(sys.argv[1])"), path, sink.port)
    assert done.stderr == ""
    assert len(sink.rest()) == 1


def test_a_file_that_is_not_there_changes_nothing(sink):
    done = run(PROGRAM.format(how="flawless.lib.config.init_config('/nowhere.cfg')"), "", "")
    assert done.stdout == "None 9028 3\n"
    assert "no server is known" in done.stderr
