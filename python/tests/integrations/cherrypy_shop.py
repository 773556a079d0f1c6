"""A program with CherryPy and its own server, for the tests."""

import logging

import cherrypy
import serving

import flawless


class Shop:
    @cherrypy.expose
    def index(self):
        return "welcome"

    @cherrypy.expose
    def pay(self, amount, page):
        amount = int(amount)
        return str(1 / amount)  # fails

    @cherrypy.expose
    def form(self, name, amount):
        return str(1 / int(amount))

    @cherrypy.expose
    def who(self):
        flawless.set_user("7")
        flawless.set_tag("shop", "north")
        raise PermissionError("not yours")

    @cherrypy.expose
    def absent(self):
        raise cherrypy.NotFound()

    @cherrypy.expose
    def busy(self):
        raise cherrypy.HTTPError(503)

    @cherrypy.expose
    def moved(self):
        raise cherrypy.HTTPRedirect("/")

    @cherrypy.expose
    def caught(self):
        try:
            return [][0]
        except IndexError:
            logging.exception("no books")
            raise

    @cherrypy.expose
    def hook(self):
        return "never"

    @cherrypy.expose
    @cherrypy.config(**{"response.stream": True})
    def stream(self):
        def parts():
            yield b"a"
            raise ValueError("while streaming")

        return parts()

    @cherrypy.expose
    @cherrypy.config(**{"request.error_response": lambda: {}["page"]})
    def page(self):
        raise NotImplementedError


def check():
    if cherrypy.request.path_info == "/hook":
        raise LookupError("in a tool")


def failed(status, message, traceback, version):
    return "sorry"


cherrypy.tools.check = cherrypy.Tool("before_handler", check)
app = cherrypy.tree.mount(
    Shop(), "/", {"/": {"tools.check.on": True, "error_page.500": failed}}
)
flawless.init()
cherrypy.config.update({"environment": "production", "log.screen": False})
serving.cherrypy_server()
