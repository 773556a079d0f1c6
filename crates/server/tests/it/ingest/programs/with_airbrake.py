"""Fails, and Airbrake's notifier says so."""
import os

import pybrake
from shop.cart import total

notifier = pybrake.Notifier(
    project_id=1, project_key=os.environ["KEY"], host="http://" + os.environ["HOST"],
    environment="production", remote_config=False, performance_stats=False, query_stats=False,
)
try:
    total([])
except ZeroDivisionError as error:
    notice = notifier.build_notice(error)
    notice["context"]["version"] = os.environ["REVISION"]
    print(notifier.send_notice_sync(notice))
notifier.close()
