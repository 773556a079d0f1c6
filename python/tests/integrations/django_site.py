"""A program with Django, for the tests: of WSGI, or of ASGI when it is told so."""

import logging
import sys

import django
import serving
from django.conf import settings
from django.http import (
    Http404,
    HttpResponse,
    HttpResponseRedirect,
    HttpResponseServerError,
    StreamingHttpResponse,
)
from django.urls import path

import flawless

IS_ASYNC = "asgi" in sys.argv[1:] or __name__ != "__main__"


class Known(Exception):
    pass


class Check:
    """A middleware that knows what some exceptions mean."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path == "/hook":
            raise LookupError("in a middleware")
        return self.get_response(request)

    def process_exception(self, request, error):
        if isinstance(error, Known):
            return HttpResponse("known", status=409)
        if isinstance(error, NotImplementedError):
            return HttpResponse("broken", status=502)
        return None


def home(request):
    return HttpResponse("welcome")


def pay(request, amount):
    amount = int(amount)
    return HttpResponse(str(1 / amount))  # fails


def form(request):
    return HttpResponse(str(1 / int(request.POST["amount"])))


def who(request):
    flawless.set_user("7")
    flawless.set_tag("shop", "north")
    raise PermissionError("not yours")


def absent(request):
    raise Http404


def moved(request):
    return HttpResponseRedirect("/")


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


async def later(request):
    return {}["in a coroutine"]


def stream(request):
    def parts():
        yield b"a"
        raise ValueError("while streaming")

    async def async_parts():
        yield b"a"
        raise ValueError("while streaming")

    return StreamingHttpResponse(async_parts() if IS_ASYNC else parts())


def failed(request):
    return HttpResponseServerError("sorry")


handler500 = failed
urlpatterns = [path("pay/<amount>", pay)]
for view in (home, form, who, absent, moved, caught, known, broken, later, stream):
    urlpatterns.append(path(view.__name__.replace("home", ""), view))
if not settings.configured:
    middleware = [__name__ + ".Check"]
    if "listed" in sys.argv[1:]:
        middleware.insert(0, "flawless.client.middleware.FlawlessMiddleware")
    settings.configure(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        MIDDLEWARE=middleware,
        SECRET_KEY="not much of one",
    )
    if "listed" not in sys.argv[1:]:
        flawless.init()
    django.setup()

if IS_ASYNC:
    from django.core.asgi import get_asgi_application

    application = get_asgi_application()
    if __name__ == "__main__":
        serving.asgi(application)
else:
    from django.core.wsgi import get_wsgi_application

    serving.wsgi(get_wsgi_application())
