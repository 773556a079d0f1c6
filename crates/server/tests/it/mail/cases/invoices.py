"""Invoices of the shop."""
from dataclasses import dataclass


@dataclass
class Item:
    name: str
    quantity: int
    price: float


def average_price(items, currency="EUR"):
    total = 0.0
    for item in items:
        total += item.price * item.quantity
    count = sum(item.quantity for item in items)
    return "%.2f %s" % (total / count, currency)


def print_invoice(customer, items):
    title = "Invoice for %s" % customer
    return title + "\n" + average_price(items)
