"""A Celery application for the tests; its worker runs with FLAWLESS_TEST_PORT and a folder."""

import os

from celery import Celery

import flawless
import flawless.integrations.celery

folder = os.environ.get("FLAWLESS_TEST_FOLDER", "")
app = Celery("shop", broker="filesystem://")
app.conf.update(
    broker_transport_options={
        "data_folder_in": folder + "/queue",
        "data_folder_out": folder + "/queue",
        "control_folder": folder + "/control",
    },
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=False,
)
flawless.integrations.celery.install()
flawless.integrations.celery.install()
if folder:
    flawless.init(
        hostports=["127.0.0.1:" + os.environ["FLAWLESS_TEST_PORT"]], hooks=False, revision="r1"
    )


class Unpickleable(ValueError):
    def __init__(self, code, lock):
        super().__init__(f"code {code}")
        self.lock = lambda: lock


@app.task
def pay(amount, password=None):
    return 1 / amount


@app.task
def lock():
    raise Unpickleable(7, 8)


@app.task(throws=(KeyError,))
def expected():
    raise KeyError("expected")


@app.task(bind=True, max_retries=2)
def again(self):
    try:
        raise OSError("not yet")
    except OSError as error:
        raise self.retry(exc=error, countdown=0)
