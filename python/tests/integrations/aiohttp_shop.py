"""A program with aiohttp's server, for the tests."""

import asyncio
import logging

import serving
from aiohttp import web

import flawless

flawless.init()
routes = web.RouteTableDef()


@routes.get("/")
async def home(request):
    return web.Response(text="welcome")


@routes.get("/pay/{amount}")
async def pay(request):
    amount = int(request.match_info["amount"])
    return web.Response(text=str(1 / amount))  # fails


@routes.post("/form")
async def form(request):
    form = await request.post()
    return web.Response(text=str(1 / int(form["amount"])))


@routes.get("/who")
async def who(request):
    flawless.set_user("7")
    flawless.set_tag("shop", "north")
    raise PermissionError("not yours")


@routes.get("/absent")
async def absent(request):
    raise web.HTTPNotFound


@routes.get("/busy")
async def busy(request):
    raise web.HTTPServiceUnavailable


@routes.get("/moved")
async def moved(request):
    raise web.HTTPFound("/")


@routes.get("/caught")
async def caught(request):
    try:
        return [][0]
    except IndexError:
        logging.exception("no books")
        raise


@routes.get("/late")
async def late(request):
    raise asyncio.TimeoutError




@routes.get("/hook")
async def hook(request):
    return web.Response()


@routes.get("/stream")
async def stream(request):
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    await response.prepare(request)
    await response.write(b"a")
    raise ValueError("while streaming")


@routes.get("/endless")
async def endless(request):
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"a" * 1_000)
        await asyncio.sleep(0.01)


@routes.get("/page")
async def page(request):
    raise NotImplementedError


@routes.get("/talk")
async def talk(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    raise RuntimeError(await socket.receive_str())


@web.middleware
async def check(request, handler):
    if request.path == "/hook":
        raise LookupError("in a middleware")
    try:
        return await handler(request)
    except NotImplementedError as error:
        raise web.HTTPInternalServerError(text="sorry") from error


app = web.Application(middlewares=[check])
app.add_routes(routes)
web.run_app(app, sock=serving.given_socket(), print=None)
