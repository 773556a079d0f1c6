"""Fails, and Rollbar's notifier says so."""
import os

import rollbar
from shop.cart import total

endpoint = "http://" + os.environ["HOST"] + "/api/1/"
rollbar.init(os.environ["KEY"], "production", endpoint=endpoint, handler="blocking", code_version=os.environ["REVISION"])
try:
    total([])
except ZeroDivisionError:
    rollbar.report_exc_info()
