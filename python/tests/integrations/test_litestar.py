"""Litestar applications."""

import web


class TestLitestar(web.Checks):
    framework = "Litestar"
    distribution = "litestar"
    shop = "litestar_shop.py"
    transactions = ("/pay/{amount}",)
    paths = {
        "/busy": "HTTPException",
        "/known": None,
        "/broken": "NotImplementedError",
        "/later": "OSError",
        "/talk": "RuntimeError",
    }

    @staticmethod
    def more(program):
        web.leave(program, "/endless")
        return web.talk(program, "boo")
