"""Starts Flawless 0.4.5 with the two smallest mends without which nothing can be compared.

On Python 3 its blame splits the bytes that git prints as if they were text, and raises. Here the
output of git is decoded before blame sees it; nothing else of the server is changed.

The server saves what it counted when it gets SIGINT. A program that was started in the
background may have inherited that this signal is ignored, so it is switched on again.

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
