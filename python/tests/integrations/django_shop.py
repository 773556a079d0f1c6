"""A Django project of one file, for the tests."""

import asyncio

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import FileResponse, Http404, HttpResponse, StreamingHttpResponse
from django.urls import path

SETTINGS = {
    "DEBUG": False,
    "ALLOWED_HOSTS": ["*"],
    "SECRET_KEY": "not much of one",
    "ROOT_URLCONF": __name__,
    "LOGGING_CONFIG": None,
    "MIDDLEWARE": [
        "flawless.integrations.django.FlawlessMiddleware",
        __name__ + ".FailingMiddleware",
    ],
}


class FailingMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if "middleware" in request.GET:
            raise LookupError("in the middleware")
        return self.get_response(request)


def pay(request):
    amount = request.POST.get("amount", 0)
    return HttpResponse(1 / int(amount))


def read_json(request):
    request.read(6)
    return HttpResponse(1 / 0)


def unread(request):
    return HttpResponse(1 / 0)


async def pay_async(request):
    await asyncio.sleep(0)
    return HttpResponse(1 / int(request.POST.get("amount", 0)))


def answer(request, kind):
    raise {"404": Http404, "403": PermissionDenied, "400": SuspiciousOperation}[kind]


def stream(request):
    def parts():
        yield b"a"
        raise ValueError("while streaming")

    return StreamingHttpResponse(parts())


async def stream_async(request):
    async def parts():
        yield b"a"
        raise ValueError("while streaming")

    return StreamingHttpResponse(parts())


def file(request):
    return FileResponse(open(__file__, "rb"))


urlpatterns = [
    path("pay/", pay),
    path("json/", read_json),
    path("unread/", unread),
    path("async/", pay_async),
    path("answer/<str:kind>/", answer),
    path("stream/", stream),
    path("stream-async/", stream_async),
    path("file/", file),
]
