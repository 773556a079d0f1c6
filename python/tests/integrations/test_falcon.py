"""Falcon applications, of WSGI and of ASGI."""

import web


class TestWSGI(web.Checks):
    framework = "Falcon (WSGI)"
    distribution = "falcon"
    shop = "falcon_shop.py"
    transactions = ("/pay/{amount}",)
    paths = {
        "/busy": "HTTPServiceUnavailable",
        "/known": None,
        "/broken": "NotImplementedError",
    }


class TestASGI(TestWSGI):
    framework = "Falcon (ASGI)"
    command = ("falcon_shop.py", "asgi")
    paths = {**TestWSGI.paths, "/later": "OSError", "/talk": "RuntimeError"}

    @staticmethod
    def more(program):
        return web.talk(program, "boo")
