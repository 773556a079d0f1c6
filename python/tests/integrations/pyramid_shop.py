"""A program with Pyramid, for the tests."""

import logging

import serving
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPFound, HTTPNotFound, HTTPServiceUnavailable
from pyramid.response import Response

import flawless


class Known(Exception):
    pass


def home(request):
    return Response("welcome")


def pay(request):
    amount = int(request.matchdict["amount"])
    return Response(str(1 / amount))  # fails


def form(request):
    return Response(str(1 / int(request.POST["amount"])))


def who(request):
    flawless.set_user("7")
    flawless.set_tag("shop", "north")
    raise PermissionError("not yours")


def absent(request):
    raise HTTPNotFound()


def busy(request):
    raise HTTPServiceUnavailable()


def moved(request):
    raise HTTPFound("/")


def caught(request):
    try:
        return [][0]
    except IndexError:
        logging.exception("no books")
        raise


def known(request):
    raise Known


def broken(request):
    raise NotImplementedError


def stream(request):
    def parts():
        yield b"a"
        raise ValueError("while streaming")

    return Response(app_iter=parts(), content_type="text/plain")


def tween_factory(handler, registry):
    def tween(request):
        if request.path == "/hook":
            raise LookupError("in a tween")
        return handler(request)

    return tween


def answer_known(error, request):
    return Response("known", status=409)


def answer_broken(error, request):
    return Response("broken", status=502)


def answer_all(error, request):
    return Response("sorry", status=200)


with Configurator() as config:
    for view in (home, form, who, absent, busy, moved, caught, known, broken, stream):
        config.add_route(view.__name__, "/" + view.__name__.replace("home", ""))
        config.add_view(view, route_name=view.__name__)
    config.add_route("pay", "/pay/{amount}")
    config.add_view(pay, route_name="pay")
    config.add_tween("__main__.tween_factory")
    config.add_exception_view(answer_known, context=Known)
    config.add_exception_view(answer_broken, context=NotImplementedError)
    config.add_exception_view(answer_all, context=Exception)
    app = config.make_wsgi_app()

flawless.init()
serving.wsgi(app)
