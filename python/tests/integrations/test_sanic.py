"""Sanic applications."""

import web


class TestSanic(web.Checks):
    framework = "Sanic"
    distribution = "sanic"
    shop = "sanic_shop.py"
    transactions = ("/pay/<amount:int>",)
    paths = {
        "/busy": "ServiceUnavailable",
        "/known": None,
        "/broken": "NotImplementedError",
        "/later": "OSError",
        "/talk": "RuntimeError",
    }

    @staticmethod
    def more(program):
        web.leave(program, "/endless")
        return web.talk(program, "boo")
