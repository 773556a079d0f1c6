"""Bottle applications."""

import web


class TestBottle(web.Checks):
    framework = "Bottle"
    distribution = "bottle"
    shop = "bottle_shop.py"
    transactions = ("/pay/<amount>",)
    paths = {
        "/busy": "HTTPError",
        "/first": "OSError",
        "/page": ["NotImplementedError", "ZeroDivisionError"],
        "/kind": "TypeError",
    }
