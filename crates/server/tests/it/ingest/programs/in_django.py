"""A view of Django fails."""
import os

import django
import sentry_sdk
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from shop.cart import total

sentry_sdk.init(os.environ["DSN"])


def cart(request, number):
    return HttpResponse(total([]))


urlpatterns = [path("carts/<int:number>/", cart)]
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["testserver"], SECRET_KEY="x")
django.setup()
Client(raise_request_exception=False).get("/carts/7/?coupon=abc")
sentry_sdk.flush()
