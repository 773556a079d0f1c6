"""Quart applications."""

import web


class TestQuart(web.Checks):
    framework = "Quart"
    distribution = "quart"
    shop = "quart_shop.py"
    transactions = ("/pay/<amount>",)
    paths = {
        "/busy": "ServiceUnavailable",
        "/known": None,
        "/broken": "NotImplementedError",
        "/thread": "KeyError",
        "/later": "OSError",
        "/talk": "RuntimeError",
    }

    @staticmethod
    def more(program):
        web.leave(program, "/endless")
        return web.talk(program, "boo")
