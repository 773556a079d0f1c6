"""Fails as often as it is told on its standard input, each time with another stack."""
import os
import sys

import flawless
from shop.rates import rate

flawless.init(os.environ["DSN"], hostname="web-01", queue_reports=5)
depth = 0


def convert(depth):
    return convert(depth - 1) if depth else rate("CHF")


for line in sys.stdin:
    word, _, count = line.strip().partition(" ")
    if word == "flush":
        print(flawless.flush(20), flush=True)
        continue
    for _ in range(int(count)):
        depth += 1
        try:
            convert(depth)
        except KeyError:
            flawless.capture_exception()
    print("failed", count, flush=True)
