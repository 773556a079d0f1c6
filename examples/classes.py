"""A class whose methods and properties report what they raise, even if the caller catches it.

    pip install "flawless>=0.5"
    FLAWLESS_DSN=... python classes.py book undo undo pen

Arrives: IndexError in `Cart.undo`, with the attributes of the cart (self.things = []).
"""

import sys

import flawless
from flawless.client.decorators import wrap_class

PRICES = {"book": 12.0, "pen": 2.5}

flawless.init()


# For a whole family of classes: `class Base(metaclass=WrapClassMetaclass)`.
@wrap_class
class Cart:
    def __init__(self) -> None:
        self.things: list[str] = []

    def add(self, thing: str) -> None:
        self.things.append(thing)

    def undo(self) -> None:
        self.things.pop()

    @property
    def total(self) -> float:
        return sum(PRICES.get(thing, 0.0) for thing in self.things)


def main() -> None:
    cart = Cart()
    for word in sys.argv[1:]:
        try:
            cart.undo() if word == "undo" else cart.add(word)
        except Exception:
            print("Sorry, that did not work.")
    print(f"{len(cart.things)} things, {cart.total:.2f}")


if __name__ == "__main__":
    main()
