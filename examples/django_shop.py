"""A Django shop in one file: exceptions of views are reported with the web request.

    pip install "flawless>=0.5" django
    FLAWLESS_DSN=... python django_shop.py runserver
    curl "http://127.0.0.1:8000/sale?percent=ten"

Arrives: ValueError in `sale`, with percent = 'ten'.
"""

import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpRequest, JsonResponse
from django.urls import path

import flawless

PRICES = {"book": 12.0, "pen": 2.5}

# In a project of many files this belongs in the settings, which every command and server reads.
flawless.init()

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="for this example alone",
)


def sale(request: HttpRequest) -> JsonResponse:
    percent = request.GET.get("percent", "10")
    factor = 1 - int(percent) / 100
    return JsonResponse({thing: price * factor for thing, price in PRICES.items()})


def sorry(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"error": "Sorry, that did not work."}, status=500)


urlpatterns = [path("sale", sale)]
handler500 = sorry

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
