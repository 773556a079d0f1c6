"""CherryPy applications."""

import web


class TestCherryPy(web.Checks):
    framework = "CherryPy"
    distribution = "cherrypy"
    shop = "cherrypy_shop.py"
    transactions = ("__main__.Shop.pay",)
    paths = {"/busy": "HTTPError", "/page": ["KeyError", "NotImplementedError"]}
