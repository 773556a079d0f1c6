"""A program that only logs: exceptions logged with `logger.exception` are reported.

    pip install "flawless>=0.5"
    FLAWLESS_DSN=... python logging_only.py book=12 pen=2,50

Arrives: ValueError in `read_price`, with entry = 'pen=2,50', and the log message. Earlier log
records arrive as breadcrumbs.
"""

import logging
import sys

import flawless

logger = logging.getLogger("shop")

flawless.init()


def read_price(entry: str) -> tuple[str, float]:
    thing, _, price = entry.partition("=")
    return thing, float(price)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    prices = {}
    for entry in sys.argv[1:]:
        try:
            thing, price = read_price(entry)
        except ValueError:
            logger.exception("%s is left out", entry)
        else:
            prices[thing] = price
            logger.info("%s costs %.2f", thing, price)
    print(f"{len(prices)} prices")


if __name__ == "__main__":
    main()
