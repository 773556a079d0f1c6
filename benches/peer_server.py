"""Starts Flawless 0.4.5 with the two smallest fixes that a comparison needs.

On Python 3 its blame splits git's output, which is bytes, as text, and raises. Here the output is
decoded before blame sees it; nothing else in the server is changed.

The server saves its counts on SIGINT. A program started in the background may have inherited that
this signal is ignored, so it is enabled again.

Usage: peer_server.py PATH_OF_FLAWLESS_CFG
"""
import signal
import sys

from flawless.lib.version_control import repo
from flawless.server import server

bytes_from_git = repo.GitRepository._run_git_command


def text_from_git(self, *args, **kwargs):
    return bytes_from_git(self, *args, **kwargs).decode("utf-8", "replace")


repo.GitRepository._run_git_command = text_from_git

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    server.serve(sys.argv[1])
