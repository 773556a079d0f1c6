"""Whether pytest runs the program: failures in tests are usually intended."""

from __future__ import annotations

import os
import sys

# Who sets the client up: a test, or the program under test.
TEST, PROGRAM = "test", "program"
_TEST_FILE = r"(^|[/\\])(conftest|test_[^/\\]*|[^/\\]*_test)\.py$|[/\\]tests?[/\\]"


def of_caller() -> str | None:
    """Who calls us; None when pytest is not running in this process."""
    if "PYTEST_CURRENT_TEST" not in os.environ and "PYTEST_VERSION" not in os.environ:
        return None
    if "_pytest.runner" not in sys.modules:
        return None
    frame = sys._getframe(1)
    package = os.path.dirname(os.path.abspath(__file__)) + os.sep
    while frame.f_back is not None and _is_between(frame.f_code.co_filename, package):
        frame = frame.f_back
    # Imported here, because only tests need it.
    import re

    return TEST if re.search(_TEST_FILE, frame.f_code.co_filename) else PROGRAM


def _is_between(file: str, package: str) -> bool:
    # Django loads our middleware, so its frames do not show whether a test calls.
    return file.startswith(package) or "/django/" in file.replace(os.sep, "/")
