"""An endpoint of FastAPI fails."""
import os

import sentry_sdk
from fastapi import FastAPI
from fastapi.testclient import TestClient

from shop.cart import total

sentry_sdk.init(os.environ["DSN"])
app = FastAPI()


@app.get("/carts/{number}")
async def cart(number: int):
    return total([])


TestClient(app, raise_server_exceptions=False).get("/carts/7")
sentry_sdk.flush()
