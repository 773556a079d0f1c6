"""A program with Tornado, for the tests."""

import asyncio
import logging
import signal

import serving
import tornado.httpserver
import tornado.web
import tornado.websocket

import flawless

flawless.init()


class Page(tornado.web.RequestHandler):
    def prepare(self):
        if self.request.path == "/hook":
            raise LookupError("in prepare")

    def write_error(self, status, **_):
        self.finish("sorry" if status == 500 else str(status))


class Home(Page):
    def get(self):
        self.write("welcome")


class Pay(Page):
    async def get(self, amount):
        amount = int(amount)
        self.write(str(1 / amount))  # fails


class Form(Page):
    def post(self):
        self.write(str(1 / int(self.get_argument("amount"))))


class Who(Page):
    async def get(self):
        flawless.set_user("7")
        flawless.set_tag("shop", "north")
        raise PermissionError("not yours")


class Absent(Page):
    def get(self):
        raise tornado.web.HTTPError(404)


class Busy(Page):
    def get(self):
        raise tornado.web.HTTPError(503)


class Moved(Page):
    def get(self):
        self.redirect("/")
        raise tornado.web.Finish


class Caught(Page):
    def get(self):
        try:
            [][0]
        except IndexError:
            logging.exception("no books")
            raise


class Hook(Page):
    pass


class Stream(Page):
    async def get(self):
        self.write("a")
        await self.flush()
        raise ValueError("while streaming")


class Endless(Page):
    async def get(self):
        while True:
            self.write("a" * 1_000)
            await self.flush()
            await asyncio.sleep(0.01)


class Talk(tornado.websocket.WebSocketHandler):
    def on_message(self, message):
        raise RuntimeError(message)


class Murmur(tornado.websocket.WebSocketHandler):
    async def on_message(self, message):
        raise RecursionError(message)


class Greet(tornado.websocket.WebSocketHandler):
    def open(self):
        raise OSError("at the door")


app = tornado.web.Application(
    [
        ("/", Home),
        ("/pay/(.*)", Pay),
        ("/form", Form),
        ("/who", Who),
        ("/absent", Absent),
        ("/busy", Busy),
        ("/moved", Moved),
        ("/caught", Caught),
        ("/hook", Hook),
        ("/stream", Stream),
        ("/endless", Endless),
        ("/talk", Talk),
        ("/murmur", Murmur),
        ("/greet", Greet),
    ]
)


async def main():
    server = tornado.httpserver.HTTPServer(app)
    given = serving.given_socket()
    given.setblocking(False)
    server.add_socket(given)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()


asyncio.run(main())
