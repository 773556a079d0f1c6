"""A program with Sanic and its own server, for the tests."""

import asyncio
import logging

import serving
from sanic import Sanic
from sanic.exceptions import NotFound, ServiceUnavailable
from sanic.response import redirect, text

import flawless

app = Sanic("shop", configure_logging=False)
app.config.MOTD = False


class Known(Exception):
    pass


@app.get("/")
async def home(request):
    return text("welcome")


@app.get("/pay/<amount:int>")
async def pay(request, amount):
    return text(str(1 / amount))  # fails


@app.post("/form")
async def form(request):
    return text(str(1 / int(request.form.get("amount"))))


@app.get("/who")
async def who(request):
    flawless.set_user("7")
    flawless.set_tag("shop", "north")
    raise PermissionError("not yours")


@app.get("/absent")
async def absent(request):
    raise NotFound("no such book")


@app.get("/busy")
async def busy(request):
    raise ServiceUnavailable("come back later")


@app.get("/moved")
async def moved(request):
    return redirect("/")


@app.get("/caught")
async def caught(request):
    try:
        return [][0]
    except IndexError:
        logging.exception("no books")
        raise


@app.get("/known")
async def known(request):
    raise Known


@app.get("/broken")
async def broken(request):
    raise NotImplementedError


@app.get("/hook")
async def hook(request):
    return text("never")


@app.on_request
async def check(request):
    if request.path == "/hook":
        raise LookupError("in a middleware")


@app.get("/stream")
async def stream(request):
    response = await request.respond()
    await response.send("a")
    raise ValueError("while streaming")


@app.get("/endless")
async def endless(request):
    response = await request.respond()
    while True:
        await response.send("a" * 1_000)
        await asyncio.sleep(0.01)


async def work():
    raise OSError("in the background")


@app.get("/later")
async def later(request):
    app.add_task(work())
    return text("ok")


@app.websocket("/talk")
async def talk(request, socket):
    raise RuntimeError(await socket.recv())


@app.exception(Known)
async def answer_known(request, error):
    return text("known", status=409)


@app.exception(NotImplementedError)
async def answer_broken(request, error):
    return text("broken", status=502)


@app.exception(Exception)
async def answer_all(request, error):
    return text("sorry", status=getattr(error, "status_code", 200))


flawless.init()
if __name__ == "__main__":
    app.run(sock=serving.given_socket(), single_process=True, access_log=False)
