"""Bottle applications."""

import web
from test_delivery import run


class TestBottle(web.Checks):
    framework = "Bottle"
    distribution = "bottle"
    shop = "bottle_shop.py"
    transactions = ("/pay/<amount>",)
    paths = {
        "/busy": "HTTPError",
        "/first": "OSError",
        "/page": ["NotImplementedError", "ZeroDivisionError"],
        "/kind": "TypeError",
    }


OTHER_VERSION = """
import sys
sys.path.insert(0, sys.argv[2])
import flawless
flawless.init(hostports=["127.0.0.1:" + sys.argv[1]])
import bottle
from flawless.client.middleware import FlawlessMiddleware
FlawlessMiddleware(print)
print(bottle.Bottle)
raise LookupError("the program runs")
"""


def test_a_version_that_is_not_known_is_told_once_and_runs(sink, tmp_path):
    (tmp_path / "bottle.py").write_text("Bottle = 'of another version'")
    done = run(OTHER_VERSION, sink.port, tmp_path)
    assert done.stdout == "of another version\n"
    assert done.stderr.count("flawless: bottle is not watched") == 1
    assert "flawless.capture_exception()" in done.stderr
    (report,) = sink.rest()
    assert report["exception_type"].endswith("LookupError")
