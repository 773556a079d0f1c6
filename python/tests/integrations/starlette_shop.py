"""A program with Starlette, or with FastAPI when it is told so, for the tests."""

import logging
import sys

import serving

import flawless

flawless.init()
from fastapi import FastAPI  # noqa: E402
from starlette.applications import Starlette  # noqa: E402
from starlette.background import BackgroundTask  # noqa: E402
from starlette.exceptions import HTTPException  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import (  # noqa: E402
    PlainTextResponse,
    RedirectResponse,
    StreamingResponse,
)


class Known(Exception):
    pass


app = FastAPI() if sys.argv[1:] == ["fastapi"] else Starlette()


async def home(request: Request):
    return PlainTextResponse("welcome")


async def pay(request: Request):
    amount = int(request.path_params["amount"])
    return PlainTextResponse(str(1 / amount))  # fails


async def form(request: Request):
    form = await request.form()
    return PlainTextResponse(str(1 / int(form["amount"])))


def who(request: Request):
    flawless.set_user("7")
    flawless.set_tag("shop", "north")
    raise PermissionError("not yours")


async def absent(request: Request):
    raise HTTPException(404)


async def moved(request: Request):
    return RedirectResponse("/")


async def caught(request: Request):
    try:
        return [][0]
    except IndexError:
        logging.exception("no books")
        raise


async def known(request: Request):
    raise Known


async def hook(request: Request):
    return PlainTextResponse("never")


async def stream(request: Request):
    async def parts():
        yield b"a"
        raise ValueError("while streaming")

    return StreamingResponse(parts())


async def later(request: Request):
    async def work():
        raise OSError("in the background")

    return PlainTextResponse("ok", background=BackgroundTask(work))


async def talk(socket):
    await socket.accept()
    raise RuntimeError(await socket.receive_text())


class Check:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope.get("path") == "/hook":
            raise LookupError("in a middleware")
        await self.app(scope, receive, send)


async def answer_known(request, error):
    return PlainTextResponse("known", 409)


async def answer_all(request, error):
    return PlainTextResponse("sorry", 500)


add_route = app.add_api_route if isinstance(app, FastAPI) else app.router.add_route
for view in (home, who, absent, moved, caught, known, hook, stream, later):
    add_route("/" + view.__name__.replace("home", ""), view)
add_route("/pay/{amount}", pay)
add_route("/form", form, methods=["POST"])
app.router.add_websocket_route("/talk", talk)
app.add_middleware(Check)
app.add_exception_handler(Known, answer_known)
app.add_exception_handler(Exception, answer_all)

if __name__ == "__main__":
    serving.asgi(app)
