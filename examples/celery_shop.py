"""Celery tasks: a failed task is reported with its arguments.

    pip install "flawless>=0.5" celery
    FLAWLESS_DSN=... celery --app celery_shop worker     # and in another terminal:
    python celery_shop.py 2026-12-03

Arrives: ValueError in `invoice`, with bought = datetime.date(2026, 12, 3).
"""

import sys
from datetime import date
from pathlib import Path

from celery import Celery

import flawless

flawless.init()

# Here a folder carries the messages, so that no broker needs to be installed; not for production.
queue = Path("queue")
queue.mkdir(exist_ok=True)
app = Celery("celery_shop", broker="filesystem://localhost")
app.conf.broker_transport_options = {
    "data_folder_in": queue,
    "data_folder_out": queue,
    "control_folder": queue,
}


@app.task
def invoice(day: str) -> str:
    """Compute the due date: the first of the next month."""
    bought = date.fromisoformat(day)
    due = date(bought.year, bought.month + 1, 1)
    return f"to pay until {due}"


if __name__ == "__main__":
    for day in sys.argv[1:]:
        invoice.delay(day)
