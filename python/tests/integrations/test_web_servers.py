"""Flask, Django, Starlette and FastAPI as programs of their own, found by `flawless.init` alone."""

import web


class TestFlask(web.Checks):
    framework = "Flask"
    distribution = "flask"
    shop = "flask_shop.py"
    transactions = ("/pay/<amount>",)
    paths = {"/busy": "ServiceUnavailable", "/known": None, "/broken": "NotImplementedError"}


class TestFlaskInGunicorn(TestFlask):
    framework = "Flask in gunicorn"
    command = ("-m", "gunicorn", "--bind", "fd://FD", "flask_shop:app")


class TestDjango(web.Checks):
    framework = "Django (WSGI)"
    distribution = "django"
    shop = "django_site.py"
    transactions = ("pay/<amount>",)
    paths = {"/known": None, "/broken": "NotImplementedError", "/later": "KeyError"}


class TestDjangoOfASGI(TestDjango):
    framework = "Django (ASGI)"
    command = ("django_site.py", "asgi")


class TestStarlette(web.Checks):
    framework = "Starlette"
    distribution = "starlette"
    shop = "starlette_shop.py"
    transactions = ("/pay/{amount}", "__main__.pay", "starlette_shop.pay")
    mechanism = "asgi"
    paths = {"/known": None, "/later": "OSError", "/talk": "RuntimeError"}

    @staticmethod
    def more(program):
        return web.talk(program, "boo")


class TestFastAPI(TestStarlette):
    framework = "FastAPI"
    distribution = "fastapi"
    command = ("starlette_shop.py", "fastapi")


class TestStarletteInGunicorn(TestStarlette):
    framework = "Starlette in gunicorn"
    command = (
        "-m", "gunicorn", "--bind", "fd://FD", "--worker-class", "uvicorn.workers.UvicornWorker",
        "starlette_shop:app",
    )  # fmt: skip
