"""A command: the exception that ends it is reported, and then printed as usual.

    pip install "flawless>=0.5"
    FLAWLESS_DSN=... python command_line.py 60

Arrives: StopIteration in `parcel_for`, with books = 60.
"""

import argparse

import flawless

PARCELS = {"letter": 1, "box": 10, "crate": 50}

flawless.init()


def parcel_for(books: int) -> str:
    """The smallest parcel that holds this many books."""
    return next(name for name, holds in PARCELS.items() if holds >= books)


def main() -> None:
    parser = argparse.ArgumentParser(description="Says which parcel to take.")
    parser.add_argument("books", type=int)
    print(parcel_for(parser.parse_args().books))


if __name__ == "__main__":
    main()
