"""A job that fails a thousand times, with a server as older clients name it."""
import os

import flawless.client
from flawless.client.decorators import wrap_function
from shop.rates import rate

flawless.client.set_hostports([os.environ["HOSTPORT"]])


@wrap_function(reraise_exception=False)
def convert(currency):
    return rate(currency)


for _ in range(1000):
    convert("CHF")
print("alive")
