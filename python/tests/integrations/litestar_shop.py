"""A program with Litestar, for the tests."""

import asyncio
import logging
from typing import Any, AsyncIterator

import serving
from litestar import Litestar, Request, Response, WebSocket, get, post, websocket
from litestar.background_tasks import BackgroundTask
from litestar.exceptions import HTTPException, NotFoundException
from litestar.response import Redirect, Stream

import flawless


class Known(Exception):
    pass


@get("/", sync_to_thread=False)
def home() -> str:
    return "welcome"


@get("/pay/{amount:int}")
async def pay(amount: int, page: int) -> str:
    return str(1 / amount)  # fails


@post("/form")
async def form(request: Request[Any, Any, Any]) -> str:
    form = await request.form()
    return str(1 / int(form["amount"]))


@get("/who", sync_to_thread=True)
def who() -> str:
    flawless.set_user("7")
    flawless.set_tag("shop", "north")
    raise PermissionError("not yours")


@get("/absent")
async def absent() -> str:
    raise NotFoundException("no such book")


@get("/busy")
async def busy() -> str:
    raise HTTPException("come back later", status_code=503)


@get("/moved")
async def moved() -> Redirect:
    return Redirect("/")


@get("/caught")
async def caught() -> str:
    try:
        return [][0]
    except IndexError:
        logging.exception("no books")
        raise


@get("/known")
async def known() -> str:
    raise Known


@get("/broken")
async def broken() -> str:
    raise NotImplementedError


@get("/hook")
async def hook() -> str:
    return "never"


@get("/stream")
async def stream() -> Stream:
    async def parts() -> AsyncIterator[bytes]:
        yield b"a"
        raise ValueError("while streaming")

    return Stream(parts())


@get("/endless")
async def endless() -> Stream:
    async def parts() -> AsyncIterator[bytes]:
        while True:
            yield b"a" * 1_000
            await asyncio.sleep(0.01)

    return Stream(parts())


async def work() -> None:
    raise OSError("in the background")


@get("/later")
async def later() -> Response[str]:
    return Response("ok", background=BackgroundTask(work))


@websocket("/talk")
async def talk(socket: WebSocket[Any, Any, Any]) -> None:
    await socket.accept()
    raise RuntimeError(await socket.receive_text())


async def check(request: Request[Any, Any, Any]) -> None:
    if request.url.path == "/hook":
        raise LookupError("in a hook")


def answer(status, text):
    return lambda request, error: Response(text, status_code=status)


app = Litestar(
    [
        home, pay, form, who, absent, busy, moved, caught, known, broken, hook, stream, endless,
        later, talk,
    ],  # fmt: skip
    before_request=check,
    exception_handlers={
        Known: answer(409, "known"),
        NotImplementedError: answer(502, "broken"),
        500: answer(200, "sorry"),
    },
)
flawless.init()
serving.asgi(app)
