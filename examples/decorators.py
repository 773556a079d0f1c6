"""Functions whose exceptions are reported although the program catches them and continues.

    pip install "flawless>=0.5"
    FLAWLESS_DSN=... python decorators.py 3 0 2

Arrives: ZeroDivisionError in `price_each`, with books = 0; once, though two functions pass it on.
"""

import argparse

import flawless
from flawless.client.decorators import wrap_function

BOOK = 12.0
POSTAGE = 6.0

flawless.init()


@wrap_function
def price_each(books: int) -> float:
    """The price of a book with its share of the postage."""
    return BOOK + POSTAGE / books


# Its exceptions end here, and the call returns None.
@wrap_function(reraise_exception=False)
def offer(books: int) -> None:
    print(f"{books} books: {price_each(books):.2f} each")


def main() -> None:
    parser = argparse.ArgumentParser(description="Prices of parcels with so many books each.")
    parser.add_argument("books", type=int, nargs="+")
    for books in parser.parse_args().books:
        offer(books)


if __name__ == "__main__":
    main()
