"""Tornado applications."""

import web


class TestTornado(web.Checks):
    framework = "Tornado"
    distribution = "tornado"
    shop = "tornado_shop.py"
    transactions = ("__main__.Pay",)
    function = "get"
    paths = {"/busy": "HTTPError", "/talk": "RuntimeError", "/greet": "OSError"}

    @staticmethod
    def more(program):
        return web.talk(program, "boo"), web.talk(program, "boo", "/greet")
