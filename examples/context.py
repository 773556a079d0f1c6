"""Reports with user and context, and drops errors that no developer can fix.

    pip install "flawless>=0.5"
    FLAWLESS_DSN=... python context.py ann:book eve:pen tester:lamp bob:lamp

Arrives: KeyError in `buy` for bob alone, with user, tag, order and breadcrumb. Eve's SoldOut is
ignored, and `before_send` drops what the tester does.
"""

from __future__ import annotations

import sys
from typing import Any

import flawless

PRICES = {"book": 12.0, "pen": 2.5}


class SoldOut(Exception):
    """Shown to the customer; no developer is notified."""


def before_send(report: dict[str, Any], error: BaseException) -> dict[str, Any] | None:
    return None if report["user"].get("id") == "tester" else report


flawless.init(ignore=[SoldOut], before_send=before_send)
flawless.set_tag("branch", "Berlin")


def buy(thing: str) -> float:
    flawless.add_breadcrumb(f"looks for {thing}", category="shop", data={"prices": len(PRICES)})
    if thing == "pen":
        raise SoldOut(thing)
    return PRICES[thing]


for number, order in enumerate(sys.argv[1:], 1):
    customer, _, thing = order.partition(":")
    # Context set in this block applies only to this order; web frameworks and Celery do so
    # themselves.
    with flawless.scope():
        flawless.set_user(customer)
        flawless.set_context("order", {"number": number, "thing": thing})
        try:
            print(f"{customer} pays {buy(thing):.2f}")
        except Exception:
            flawless.capture_exception()
            print(f"{customer} gets nothing")
