import os

from shop.rates import rate


class PaymentError(Exception):
    pass


def pay(form):
    password = form["password"]
    card = form["number"]
    gateway = "https://shop:%s@pay.example.com/" % os.environ["GATEWAY_PASSWORD"]
    try:
        return 12 * rate(form["currency"])
    except KeyError as error:
        raise PaymentError("no rate at %s" % gateway) from error
