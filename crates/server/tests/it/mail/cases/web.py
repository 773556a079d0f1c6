"""The shop's pages."""
import os

import flask
import flawless
import flawless.integrations.flask
from shop.payments import pay

flawless.init(environment="production", hostname="web-03")
app = flask.Flask(__name__)
app.config["GATEWAY_KEY"] = os.environ.get("GATEWAY_KEY")
flawless.integrations.flask.init_app(app)


@app.route("/pay", methods=["POST"])
def pay_order():
    amount, _ = pay(flask.request.form, app.config["GATEWAY_KEY"])
    return "paid %.2f" % amount


def main():
    form = {"currency": "CHF", "customer": "Zoë Müller", "card": "4111 1111 1111 1111"}
    headers = {"Authorization": "Bearer abcdefghijklmnop", "Accept-Language": "de-CH"}
    with app.test_client() as client:
        client.post("/pay?from=cart", data=form, headers=headers)
    flawless.flush(10)
