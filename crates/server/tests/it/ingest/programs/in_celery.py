"""A task of Celery fails."""
import os

import sentry_sdk
from celery import Celery

from shop.cart import total

sentry_sdk.init(os.environ["DSN"])
app = Celery("shop")


@app.task(name="shop.price")
def price(number):
    return total([])


price.apply(args=[7])
sentry_sdk.flush()
