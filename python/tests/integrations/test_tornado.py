"""Tornado applications."""

import web


class TestTornado(web.Checks):
    framework = "Tornado"
    distribution = "tornado"
    shop = "tornado_shop.py"
    transactions = ("__main__.Pay",)
    function = "get"
    paths = {
        "/busy": "HTTPError",
        "/talk": "RuntimeError",
        "/murmur": "RecursionError",
        "/greet": "OSError",
    }

    @staticmethod
    def more(program):
        web.leave(program, "/endless")
        # Older ones do not close it when a coroutine fails.
        murmured = web.talk(program, "boo", "/murmur", timeout=0.5)
        return murmured, web.talk(program, "boo"), web.talk(program, "boo", "/greet")
