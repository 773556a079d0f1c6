"""A program with Falcon, for the tests: of WSGI, or of ASGI when it is told so."""

import inspect
import logging
import sys

import serving

import flawless

flawless.init()
import falcon  # noqa: E402
import falcon.asgi  # noqa: E402

IS_ASYNC = sys.argv[1:] == ["asgi"]


class Known(Exception):
    pass


class Page:
    """A resource whose GET is this function."""

    def __init__(self, function):
        if not IS_ASYNC or inspect.iscoroutinefunction(function):
            self.on_get = function
            return

        async def on_get(req, resp, **params):
            function(req, resp, **params)

        self.on_get = on_get


def home(req, resp):
    resp.text = "welcome"


def pay(req, resp, amount):
    amount = int(amount)
    resp.text = str(1 / amount)  # fails


class Form:
    def on_post(self, req, resp):
        resp.text = str(1 / int(req.get_media()["amount"]))


class AsyncForm:
    async def on_post(self, req, resp):
        form = await req.get_media()
        resp.text = str(1 / int(form["amount"]))


def who(req, resp):
    flawless.set_user("7")
    flawless.set_tag("shop", "north")
    raise PermissionError("not yours")


def absent(req, resp):
    raise falcon.HTTPNotFound()


def busy(req, resp):
    raise falcon.HTTPServiceUnavailable()


def moved(req, resp):
    raise falcon.HTTPFound("/")


def caught(req, resp):
    try:
        [][0]
    except IndexError:
        logging.exception("no books")
        raise


def known(req, resp):
    raise Known


def broken(req, resp):
    raise NotImplementedError


def stream(req, resp):
    def parts():
        yield b"a"
        raise ValueError("while streaming")

    async def async_parts():
        yield b"a"
        raise ValueError("while streaming")

    resp.stream = async_parts() if IS_ASYNC else parts()


async def later(req, resp):
    async def work():
        raise OSError("in the background")

    resp.schedule(work)


def hook(req, resp):
    pass


class Talk:
    async def on_websocket(self, req, ws):
        await ws.accept()
        raise RuntimeError(await ws.receive_text())


class Middleware:
    def process_resource(self, req, resp, resource, params):
        if req.path == "/hook":
            raise LookupError("in a middleware")

    async def process_resource_async(self, req, resp, resource, params):
        self.process_resource(req, resp, resource, params)


def answer_known(req, resp, ex, params):
    resp.status = 409


def answer_broken(req, resp, ex, params):
    resp.status = 502


def answer_all(req, resp, ex, params, ws=None):
    if resp is None:
        return
    resp.status, resp.text = 500, "sorry"


async def async_answer_known(*of):
    answer_known(*of)


async def async_answer_broken(*of):
    answer_broken(*of)


async def async_answer_all(req, resp, ex, params, ws=None):
    answer_all(req, resp, ex, params)
    if ws:
        await ws.close()


app = (falcon.asgi.App if IS_ASYNC else falcon.App)(middleware=[Middleware()])
for function in (home, who, absent, busy, moved, caught, known, broken, stream, hook):
    app.add_route("/" + function.__name__.replace("home", ""), Page(function))
app.add_route("/pay/{amount}", Page(pay))
app.add_route("/form", AsyncForm() if IS_ASYNC else Form())
app.add_error_handler(Known, async_answer_known if IS_ASYNC else answer_known)
app.add_error_handler(NotImplementedError, async_answer_broken if IS_ASYNC else answer_broken)
app.add_error_handler(Exception, async_answer_all if IS_ASYNC else answer_all)
if IS_ASYNC:
    app.add_route("/later", Page(later))
    app.add_route("/talk", Talk())
    serving.asgi(app)
else:
    serving.wsgi(app)
