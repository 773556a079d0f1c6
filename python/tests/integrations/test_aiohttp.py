"""aiohttp's server."""

import web


class TestAiohttp(web.Checks):
    framework = "aiohttp"
    shop = "aiohttp_shop.py"
    transactions = ("/pay/{amount}",)
    paths = {
        "/busy": "HTTPServiceUnavailable",
        "/late": "TimeoutError",
        "/page": "HTTPInternalServerError",
        "/talk": "RuntimeError",
    }

    @staticmethod
    def more(program):
        web.leave(program, "/endless")
        return web.talk(program, "boo")
