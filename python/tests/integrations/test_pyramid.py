"""Pyramid applications."""

import web


class TestPyramid(web.Checks):
    framework = "Pyramid"
    distribution = "pyramid"
    shop = "pyramid_shop.py"
    transactions = ("/pay/{amount}",)
    paths = {
        "/busy": "HTTPServiceUnavailable",
        "/known": None,
        "/broken": "NotImplementedError",
    }
