"""Dramatiq: messages that an actor fails to process, for each attempt."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from dramatiq.broker import MessageProxy
from dramatiq.errors import RateLimitExceeded, Retry
from dramatiq.middleware import Shutdown, SkipMessage
from dramatiq.worker import _WorkerThread

from flawless import _scope
from flawless.integrations._job import describe
from flawless.integrations._patch import patch
from flawless.integrations._report import report

__all__ = ["switch_on"]

# Exceptions that steer Dramatiq's handling of a message, or end the worker.
_NO_ERRORS = (RateLimitExceeded, Retry, Shutdown, SkipMessage)

_broker: ContextVar[Any] = ContextVar("flawless_dramatiq", default=None)


def switch_on() -> None:
    """Report what actors raise, except for the types in `throws`."""

    @patch(_WorkerThread, "process_message")
    def process_message(former: Any, self: Any, message: Any) -> Any:
        before = _scope.enter()
        _scope.current().transaction = message.actor_name
        _broker.set(self.broker)
        try:
            return former(self, message)
        finally:
            _scope.leave(before)

    # The first call the worker makes for an exception, while it handles it.
    @patch(MessageProxy, "stuff_exception")
    def stuff_exception(former: Any, self: Any, exception: Any) -> Any:
        _failed(self, exception)
        return former(self, exception)


def _failed(message: Any, error: Any) -> None:
    try:
        # From the package `dramatiq-abort`.
        is_aborted = type(error).__module__.startswith("dramatiq_abort")
        if isinstance(error, _NO_ERRORS) or is_aborted or _is_expected(message, error):
            return
        info = describe(
            "Dramatiq actor", message.actor_name, message.message_id, message.args, message.kwargs
        )
    except Exception:
        info = None
    report(error, "dramatiq", additional_info=info)


def _is_expected(message: Any, error: Any) -> bool:
    throws = message.options.get("throws")
    broker = _broker.get()
    if not throws and broker is not None and message.actor_name in broker.actors:
        throws = broker.actors[message.actor_name].options.get("throws")
    return bool(throws) and isinstance(error, throws)
