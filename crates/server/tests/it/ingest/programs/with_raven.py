"""Fails, and the oldest of Sentry's clients says so."""
import os

import raven
from shop.cart import total

# It knows addresses only with a secret, which nobody looks at.
dsn = os.environ["DSN"].replace("@", ":secret@")
client = raven.Client(dsn.replace("http://", "sync+http://"), release=os.environ["REVISION"])
try:
    total([])
except ZeroDivisionError:
    client.captureException()
