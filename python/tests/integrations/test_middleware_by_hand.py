"""`FlawlessMiddleware` around the applications of frameworks that answer errors themselves, in
programs that only say which servers there are, as those written for 0.4.5 do."""

import pytest
from test_delivery import run

SET_UP = """
import sys
import flawless.client
from flawless.client.middleware import FlawlessMiddleware
flawless.client.set_hostports(["127.0.0.1:" + sys.argv[1]])
"""
BOTTLE = """
import bottle
app = bottle.Bottle()
@app.get("/pay")
def pay():
    return 1 / 0
"""
FALCON = """
import falcon
class Pay:
    def on_get(self, request, response):
        1 / 0
app = falcon.App()
app.add_route("/pay", Pay())
"""
FLASK = """
import flask
app = flask.Flask("shop")
@app.get("/pay")
def pay():
    return 1 / 0
"""
PYRAMID = """
from pyramid.config import Configurator
from pyramid.response import Response
def pay(request):
    return 1 / 0
with Configurator() as config:
    config.add_route("pay", "/pay")
    config.add_view(pay, route_name="pay")
    config.add_exception_view(lambda error, request: Response(status=500), context=Exception)
    app = config.make_wsgi_app()
"""
DJANGO = """
import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
def pay(request):
    return HttpResponse(1 / 0)
urlpatterns = [path("pay", pay)]
settings.configure(
    ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], LOGGING_CONFIG=None, SECRET_KEY="x",
    MIDDLEWARE=MIDDLEWARE,
)
django.setup()
app = get_wsgi_application()
"""
CALL = """
from wsgiref.util import setup_testing_defaults
environ = {"PATH_INFO": "/pay", "QUERY_STRING": "page=2"}
setup_testing_defaults(environ)
statuses = []
answer = watched(environ, lambda status, *_: statuses.append(status))
list(answer)
getattr(answer, "close", int)()
print(statuses[0][:3])
"""
APPLICATIONS = {
    "Bottle": BOTTLE,
    "Django": "MIDDLEWARE = []" + DJANGO,
    "Falcon": FALCON,
    "Flask": FLASK,
    "Pyramid": PYRAMID,
}


def assert_reported(sink, program):
    done = run(program, sink.port)
    assert done.stdout == "500\n", done.stderr
    assert "flawless:" not in done.stderr
    (report,) = sink.rest()
    assert report["traceback"][-1]["function_name"] in ("pay", "on_get")
    assert report["additional_info"].startswith("GET /pay?page=2 ")


@pytest.mark.parametrize("framework", APPLICATIONS)
def test_an_application_that_was_made_before_the_middleware_is_watched(sink, framework):
    app = APPLICATIONS[framework]
    assert_reported(sink, app + SET_UP + "watched = FlawlessMiddleware(app)" + CALL)


@pytest.mark.parametrize("framework", APPLICATIONS)
def test_an_application_that_is_made_after_the_middleware_is_watched(sink, framework):
    watch = "watched = FlawlessMiddleware(lambda *of: app(*of))\n"
    assert_reported(sink, SET_UP + watch + APPLICATIONS[framework] + CALL)


LISTED = 'MIDDLEWARE = ["flawless.client.middleware.FlawlessMiddleware"]'


def test_among_the_middleware_of_django_it_reports(sink):
    assert_reported(sink, SET_UP + LISTED + DJANGO + "watched = app" + CALL)


ASGI = """
import asyncio
from django.core.asgi import get_asgi_application
messages = [{"type": "http.request", "body": b""}]
async def receive():
    return messages.pop(0) if messages else await asyncio.sleep(60)
async def send(message):
    if "status" in message:
        print(message["status"])
scope = {
    "type": "http", "method": "GET", "path": "/pay", "query_string": b"page=2", "headers": [],
    "http_version": "1.1",
}
asyncio.run(get_asgi_application()(scope, receive, send))
"""


def test_among_the_middleware_of_django_it_reports_under_asgi(sink):
    assert_reported(sink, SET_UP + LISTED + DJANGO + ASGI)


def test_it_hides_no_answer_of_django(sink):
    program = SET_UP + LISTED + DJANGO.replace("1 / 0", '"fine"') + "watched = app" + CALL
    done = run(program, sink.port)
    assert done.stdout == "200\n", done.stderr
    assert sink.rest() == []
