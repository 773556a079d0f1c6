"""Runs a function of the shop as its programs do: python run.py MODULE FUNCTION [HOST]."""
import importlib
import sys

import flawless
from flawless.client.decorators import wrap_function

module, function, host = sys.argv[1], sys.argv[2], (sys.argv + ["batch-01"])[3]
flawless.init(environment="production", hostname=host)
failing = getattr(importlib.import_module(module), function)
arguments = {
    "print_invoice": ("ACME Ltd.", []),
}.get(function, ())
try:
    wrap_function(failing)(*arguments)
except BaseException as error:
    print(type(error).__name__)
flawless.flush(10)
