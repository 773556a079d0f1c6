"""A WSGI application, here with Pyramid: exceptions handled by an exception view are reported too.

    pip install "flawless>=0.5" pyramid
    FLAWLESS_DSN=... python wsgi_pyramid.py
    curl http://127.0.0.1:6543/orders/8

Arrives: AttributeError in `discount`, with the order, and the web request.
"""

import os
from wsgiref.simple_server import make_server

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.view import exception_view_config, view_config

import flawless
from flawless.client.middleware import FlawlessMiddleware

ORDERS = {"7": {"thing": "book", "coupon": "SPRING-10"}, "8": {"thing": "pen", "coupon": None}}

flawless.init()


@view_config(route_name="order", renderer="json")
def discount(request: Request) -> dict[str, str]:
    order = ORDERS.get(request.matchdict["number"])
    if order is None:
        raise HTTPNotFound()
    name, percent = order["coupon"].split("-")
    return {"coupon": name, "percent": percent}


@exception_view_config(Exception, renderer="json")
def sorry(error: Exception, request: Request) -> dict[str, str]:
    request.response.status_int = 500
    return {"error": "Sorry, that did not work."}


def main() -> None:
    with Configurator() as config:
        config.add_route("order", "/orders/{number}")
        config.scan()
        application = FlawlessMiddleware(config.make_wsgi_app())
    make_server("127.0.0.1", int(os.environ.get("PORT", 6543)), application).serve_forever()


if __name__ == "__main__":
    main()
