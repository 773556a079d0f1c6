"""A Flask shop: exceptions of views are reported with the web request.

    pip install "flawless>=0.5" flask
    FLAWLESS_DSN=... flask --app flask_shop run
    curl http://127.0.0.1:5000/prices/lamp

Arrives: KeyError in `price`, with thing = 'lamp'. The custom page for error 500 does not prevent
that.
"""

from flask import Flask

import flawless

PRICES = {"book": 12.0, "pen": 2.5}

flawless.init()

app = Flask(__name__)


@app.get("/prices/<thing>")
def price(thing: str) -> dict[str, float]:
    return {thing: PRICES[thing]}


@app.errorhandler(500)
def sorry(error: Exception) -> tuple[dict[str, str], int]:
    return {"error": "Sorry, that did not work."}, 500
