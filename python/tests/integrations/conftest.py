"""Tests of frameworks take long: CI runs those that are marked so on one Python, and `python/check`
without arguments on all."""

import pathlib

import pytest

# What every program meets, and what the client has always known.
ALWAYS = {
    "test_asgi.py", "test_asyncio.py", "test_automatic.py", "test_celery.py", "test_django.py",
    "test_flask.py", "test_hooks.py", "test_logging.py", "test_wsgi.py",
}  # fmt: skip


def pytest_collection_modifyitems(items):
    for item in items:
        path = pathlib.Path(str(item.fspath))
        if path.parent.name == "integrations" and path.name not in ALWAYS:
            item.add_marker(pytest.mark.frameworks)
