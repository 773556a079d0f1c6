"""A FastAPI shop: exceptions of endpoints are reported with the web request and its body.

    pip install "flawless>=0.5" fastapi uvicorn
    FLAWLESS_DSN=... uvicorn fastapi_shop:app
    curl http://127.0.0.1:8000/orders --json '{"things": []}'

Arrives: ValueError in `place`, with prices = []. A request that FastAPI rejects with 422 is not an
error.
"""

from typing import Literal

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

import flawless

PRICES = {"book": 12.0, "pen": 2.5}

flawless.init()

app = FastAPI()


class Order(BaseModel):
    things: list[Literal["book", "pen"]]


@app.post("/orders")
def place(order: Order) -> dict[str, float]:
    prices = [PRICES[thing] for thing in order.things]
    return {"total": sum(prices), "insured": max(prices)}


@app.exception_handler(Exception)
def sorry(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": "Sorry, that did not work."}, status_code=500)
