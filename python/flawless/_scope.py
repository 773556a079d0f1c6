"""What a program has said about its current work: for whom, on what, and what happened before.

The process has one scope, and each request and task has its own.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Mapping
from contextvars import ContextVar
from itertools import islice

# Like `typing.TYPE_CHECKING`, without the slow import.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

__all__ = ["add_breadcrumb", "scope", "set_context", "set_tag", "set_transaction", "set_user"]

# Most breadcrumbs of a scope; the oldest are dropped.
_BREADCRUMBS = 100
# Further ones are not reported.
_TAGS = 50
_CONTEXTS = 20
_MESSAGE = 2_000
_TEXT = 250
_DATA = 20
_PLAIN = frozenset([int, float, bool, type(None)])
_now = time.time


class Scope:
    """The facts about one piece of work. The scope of the process fills in missing ones."""

    # Class attributes, so that a scope for each request costs next to nothing.
    breadcrumbs: deque[tuple[float, str, str, Any, Any]] | None = None
    contexts: Mapping[str, Mapping[str, object]] = {}
    # Also kept in the request, which must not hold the scope, because the scope holds the request.
    key: object | None = None
    request: tuple[Callable[..., Any], tuple[Any, ...]] | None = None
    tags: Mapping[str, object] = {}
    transaction: str | Callable[[], str | None] | None = None
    user: Mapping[str, object] | None = None


_of_process = Scope()
# Read and set directly where a request must cost next to nothing.
CURRENT: ContextVar[Scope | None] = ContextVar("flawless", default=None)


def current() -> Scope:
    """The scope of the current work."""
    return CURRENT.get() or _of_process


def enter(make_request: Callable[..., Any] | None = None, *request_of: Any) -> Scope | None:
    """Begin work with a scope of its own, for the request that `make_request(*request_of)` returns.
    Pass the result to `leave`."""
    begun = Scope()
    if make_request is not None:
        begun.request = (make_request, request_of)
    return resume(begun)


def resume(at: Scope | None) -> Scope | None:
    """Continue work that was begun before. Pass the result to `leave`."""
    former = CURRENT.get()
    CURRENT.set(at)
    return former


def leave(former: Scope | None) -> None:
    """End the work that `enter` began."""
    CURRENT.set(former)


class scope:
    """A separate piece of work, as in ``with flawless.scope():``. The user, tags, contexts and
    breadcrumbs set within are not reported with failures outside. A thread started within uses the
    scope of the process: set in the thread what its failures should show."""

    def __init__(self) -> None:
        # Each scope with the one before it; a `scope` may be entered again within itself.
        self._begun: list[tuple[Scope | None, Scope | None]] = []

    def __enter__(self) -> None:
        former = enter()
        self._begun.append((CURRENT.get(), former))

    def __exit__(self, *_: object) -> None:
        begun, former = self._begun.pop()
        # A generator may end in another context, whose scope must not be left.
        if CURRENT.get() is begun:
            leave(former)


def set_user(user: Mapping[str, object] | str | int | None) -> None:
    """Set the user the program works for: `user` is an id, or facts by name such as ``id``,
    ``username`` and ``email``; None for no user."""
    if user is not None:
        user = dict(user) if isinstance(user, Mapping) else {"id": user}
    current().user = user


def set_tag(name: str, value: object) -> None:
    """Set a short fact, such as ``set_tag("region", "eu-1")``: its `name` and its `value`; None
    removes it."""
    at = current()
    # A copy, because another thread may be reading the old one.
    tags = dict(at.tags)
    if value is None:
        tags.pop(name, None)
    elif name in tags or len(tags) < _TAGS:
        tags[name] = value
    at.tags = tags


def set_context(name: str, values: Mapping[str, object] | None) -> None:
    """Set facts that belong together, such as ``set_context("order", {"number": 7})``: the `name`
    of the group, and its `values` by name; None removes them. They are printed when something
    fails."""
    at = current()
    contexts = dict(at.contexts)
    if values is None:
        contexts.pop(name, None)
    elif name in contexts or len(contexts) < _CONTEXTS:
        contexts[name] = dict(values) if isinstance(values, Mapping) else values
    at.contexts = contexts


def set_transaction(name: str | None) -> None:
    """Set the `name` of the running endpoint, task or command; integrations do so themselves."""
    current().transaction = name


def add_breadcrumb(
    message: str,
    *,
    category: str = "",
    level: str = "info",
    data: Mapping[str, object] | None = None,
) -> None:
    """Note an event. The last 100 of each request, task or process are reported with a failure
    there. `message` describes it, `category` is its kind, such as ``query``, `level` one like
    ``info`` or ``error``, and `data` holds facts by name. Values in it other than texts and numbers
    are shown as their type, so that a breadcrumb keeps no object of the program alive."""
    at = CURRENT.get() or _of_process
    breadcrumbs = at.breadcrumbs
    if breadcrumbs is None:
        breadcrumbs = at.breadcrumbs = deque(maxlen=_BREADCRUMBS)
    if type(message) is str and len(message) > _MESSAGE:
        message = message[:_MESSAGE]
    told = None if data is None else _plain(data)
    breadcrumbs.append((_now(), category, level, message, told))


def _plain(data: Mapping[str, object]) -> dict[str, object]:
    # Checking for a mapping costs more than all the rest.
    if type(data) is not dict and not isinstance(data, Mapping):
        data = {"value": data}
    told: dict[str, object] = {}
    for name, value in islice(data.items(), _DATA):
        if type(value) is str:
            value = value[:_TEXT]
        elif type(value) not in _PLAIN:
            value = f"<{type(value).__qualname__}>"
        told[name] = value
    return told


def snapshot() -> tuple[Any, ...]:
    """The details reported with an exception that occurs here: user, tags, contexts, breadcrumbs,
    transaction, request, names of the thread and the task, trace.

    It only raises what a signal handler of the program raises meanwhile."""
    at = current()
    return (
        at.user if at.user is not None else _of_process.user,
        {**_of_process.tags, **at.tags},
        {**_of_process.contexts, **at.contexts},
        list(at.breadcrumbs or ()),
        quietly(_transaction, at),
        quietly(_request, at),
        quietly(_thread),
        quietly(_task),
        quietly(_trace),
    )


def quietly(read: Callable[..., Any], *of: Any) -> Any:
    """Return `read(*of)`, or None when it fails."""
    try:
        return read(*of)
    except Exception as error:
        if is_of_signal_handler(error):
            raise
        # The exception is still reported, without this detail.
        return None


def is_of_signal_handler(error: BaseException) -> bool:
    """Whether a signal handler of the program raised it, which may run at any line of ours."""
    signal = sys.modules.get("signal")
    if signal is None:
        return False
    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    codes = {
        getattr(getattr(handler, "__func__", handler), "__code__", None)
        or getattr(getattr(type(handler), "__call__", None), "__code__", None)
        for handler in handlers
    }
    at = error.__traceback__
    while at is not None:
        if at.tb_frame.f_code in codes:
            return True
        at = at.tb_next
    return False


def _transaction(at: Scope) -> str | None:
    name = at.transaction
    return name() if callable(name) else name


def _request(at: Scope) -> Any:
    if at.request is None:
        return None
    make, of = at.request
    return make(*of)


def _thread() -> str | None:
    threading = sys.modules.get("threading")
    if threading is None:
        return None
    # `current_thread` would create an object for a thread that is not Python's.
    thread = threading._active.get(threading.get_ident())
    return getattr(thread, "_name", None)


def _task() -> str | None:
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or asyncio._get_running_loop() is None:
        return None
    task = asyncio.current_task()
    return None if task is None else task.get_name()


def _trace() -> str | None:
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    number = trace.get_current_span().get_span_context().trace_id
    return f"{number:032x}" if number else None
