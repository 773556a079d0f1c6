"""What stands for an object whose class has a `__repr__` of its own: what it would say, worked out
without running it, else its type and public attributes."""

import collections
import concurrent.futures
import contextlib
import datetime
import enum
import functools
import gc
import logging
import operator
import sys
import threading
import time

import pytest

import flawless

HERE = __name__
RAN = []


@pytest.fixture
def printed(sink):
    def print_one(value):
        RAN.clear()
        try:
            # Not a parameter: it is the only local of this name.
            printed_value = value  # noqa: F841
            raise ValueError("x")
        except ValueError:
            flawless.capture_exception()
        assert RAN == [], "code of the program was run"
        return sink.next()["traceback"][-1]["frame_locals"]["printed_value"]

    return print_one


class State(enum.Enum):
    OPEN = "open"


class Text:
    def __str__(self):
        return "text of " + self.__class__.__name__


UNIT = "EUR"


class Order:
    kind = "order"

    def __init__(self, number, **more):
        self.number = number
        self.__secret = "s"
        self.__dict__.update(more)

    @property
    def label(self):
        return f"no. {self.number:03d}"

    def price(self, unit=UNIT):
        return "%.2f %s" % (self.number / 3, unit)

    def named(self, prefix):
        return prefix + self.kind


def helper(order):
    return "helped " + str(order.number)


def plain(self):
    return f"<Order number {self.number}>"


def with_percent(self):
    return "<%s %r: %5.1f%% of %s>" % (self.__class__.__name__, self.kind, self.number, self)


def with_mapping(self):
    return "%(number)d/%(kind)s" % {"number": self.number, "kind": self.kind}


def with_format(self):
    return "{}({!r}, {1}, {name.kind}, {n:>5})".format(self.kind, self.kind, name=self, n=self.number)


def with_numbered_format(self):
    return "{1}{0!r:>6}".format(self.kind, type(self).__name__)


def with_property_and_methods(self):
    return f"{self.label}, {self.price()}, {self.named('an ')}, {helper(self)}"


def with_branches(self):
    """It has a docstring."""
    if self.number is None:
        return "no number"
    elif self.number > 10 and not self.kind == "cart":
        size = "large"
    else:
        size = "small"
    return size + (" even" if self.number % 2 == 0 else " odd")


def with_attributes_of_others(self):
    return f"{self.state.name}={self.state.value!r} {self.text} {self.when.isoformat()} {self.tags[0]}"


def with_containers(self):
    return f"{self.tags!r} {self.rates['de']} {len(self.tags)} {self.tags[:1]} {'b' in self.tags}"


def with_mangled_name(self):
    return f"{self._Order__secret}" + repr(self.__dict__.get("number"))


def with_getattr(self):
    return str(getattr(self, "nothing", None) or getattr(self, "kind"))


def with_join(self):
    return ", ".join(("a", self.kind.upper()))


MORE = {
    "state": State.OPEN, "text": Text(), "when": datetime.date(2026, 1, 2),
    "tags": ["a", "b"], "rates": {"de": 19},
}  # fmt: skip


@pytest.mark.parametrize(
    "own",
    [plain, with_percent, with_mapping, with_numbered_format, with_property_and_methods,
     with_branches, with_attributes_of_others, with_containers, with_mangled_name, with_getattr,
     with_join],
    ids=lambda own: own.__name__,
)  # fmt: skip
@pytest.mark.parametrize("number", [7, 12])
def test_what_only_reads_and_formats_is_said_as_it_would_be(printed, own, number):
    kind = type("Order", (Order,), {"__repr__": own, "__str__": lambda self: "never"})
    kind.__str__ = plain
    order = kind(number, **MORE)
    assert printed(order) == repr(order)
    assert printed([order, {"a": order}]) == repr([order, {"a": order}])


class Base:
    def __repr__(self):
        return f"Base {self.__name}"

    def __init__(self):
        self.__name = "of its own"


class Derived(Base):
    def __repr__(self):
        return "derived from " + super().__repr__()


class Slotted:
    __slots__ = ("name", "unset")

    def __repr__(self):
        return f"Slotted({self.name!r})"


class Wrong(Exception):
    def __repr__(self):
        return f"Wrong because {self}"


def closure(shown):
    class Closed:
        def __repr__(self):
            return shown

    return Closed()


def test_bases_slots_exceptions_and_captured_names_are_followed(printed):
    assert printed(Derived()) == "derived from Base of its own"
    slotted = Slotted()
    slotted.name = "n"
    assert printed(slotted) == "Slotted('n')"
    assert printed(Wrong("no stock")) == "Wrong because no stock"
    assert printed(closure("shown")) == "shown"
    assert printed(functools.partial(print, slotted)) == (
        "functools.partial(<built-in function print>, Slotted('n'))"
    )
    assert printed(slotted.__repr__) == (
        "<bound method Slotted.__repr__ of Slotted('n')>"
    )
    logger = logging.getLogger("shop.orders")
    assert printed(logger) == repr(logger) == "<Logger shop.orders (WARNING)>"
    future = concurrent.futures.Future()
    assert printed(future) == "<concurrent.futures._base.Future state=PENDING>"
    future.set_exception(Wrong("no stock"))
    assert printed(future) == (
        f"<concurrent.futures._base.Future state=FINISHED, raised {HERE}.Wrong>"
    )
    assert printed(slice(slotted, None)) == "slice(Slotted('n'), None, None)"


def counted(self):
    global calls
    RAN.append("counted")
    return "counted"


def sleeps(self):
    time.sleep(600)
    return f"<{self.number}>"


def loops(self):
    while True:
        pass


def locked(self):
    with LOCK:
        return "locked"


def starts_a_thread(self):
    threading.Thread(target=RAN.append, args=(1,)).start()
    return "x"


def calls_what_it_holds(self):
    return f"{self.callback()}"


def calls_what_was_given(self, given=operator.length_hint):
    return f"{given(self)}"


def reads_lazily(self):
    return f"<Order of {self.lazy}>"


def reads_what_is_made(self):
    return f"<Order of {self.made}>"


def raises(self):
    raise LookupError("never")


def interrupts(self):
    raise KeyboardInterrupt


def exits(self):
    raise SystemExit


def prints_itself(self):
    return repr(self)


def sets_a_tracer(self):
    sys.settrace(lambda *_: RAN.append(1))
    return "traced"


def reports(self):
    flawless.capture_exception(ValueError("of a repr"))
    return "reported"


def changes(self):
    self.number = 0
    return "changed"


def answers_a_number(self):
    return 7


def asks_for_much(self):
    return f"{'x' * 1000000:>99999999}"


LOCK = threading.Lock()


class Lazy:
    """As an attribute that a database loads."""

    def __get__(self, instance, owner):
        RAN.append("lazy")

    def __set__(self, instance, value):
        RAN.append("set")


@pytest.mark.parametrize(
    "own",
    [counted, sleeps, loops, locked, starts_a_thread, calls_what_it_holds, calls_what_was_given,
     reads_lazily, reads_what_is_made, raises, interrupts, exits, prints_itself, sets_a_tracer,
     reports, changes, answers_a_number, asks_for_much],
    ids=lambda own: own.__name__,
)  # fmt: skip
def test_whatever_may_do_more_is_not_run_and_its_attributes_stand_for_it(printed, own):
    def made(self, name):
        RAN.append(name)
        raise AttributeError(name)

    members = {"__repr__": own, "lazy": Lazy(), "__getattr__": made}
    order = type("Order", (Order,), members)(7, callback=lambda: RAN.append(1), password="p")
    with LOCK:
        text = printed([order])
    assert text.startswith("[<" + __name__ + ".Order number=7, callback=<function ")
    assert "password=**scrubbed**" in text


class Prints:
    def __init__(self):
        self.password = "hunter2"

    def __repr__(self):
        return f"Prints(user='ann', password={self.password!r}, token='abcdef')"


def test_secrets_within_what_a_repr_would_say_are_scrubbed_by_their_names(printed):
    assert printed(Prints()) == "Prints(user='ann', password=**scrubbed**, token=**scrubbed**)"


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


def test_flags_are_shown_one_by_one_and_together(printed):
    assert printed(Rights.READ) == "<Rights.READ: 1>"
    both = printed(Rights.READ | Rights.WRITE)
    assert both == ("<Rights.READ|WRITE: 3>" if sys.version_info >= (3, 11) else "<Rights: 3>")


class Account:
    def __init__(self):
        self.name, self._pin, self.loop = "ann", "1234", self

    def __repr__(self):
        return ", ".join(f"{name}={value}" for name, value in vars(self).items())


def test_only_public_attributes_stand_for_an_object(printed):
    assert printed(Account()) == f"<{HERE}.Account name='ann', loop=<{HERE}.Account ...>>"


class HiddenDict(dict):
    def __repr__(self):
        return str(RAN.append(1))


class HiddenText(str):
    def __repr__(self):
        return str(RAN.append(1))


class HiddenTuple(tuple):
    def __repr__(self):
        return str(RAN.append(1))


class FixedDict(dict):
    def __repr__(self):
        return "<fixed>"


def test_a_container_that_prints_itself_otherwise_does_not_show_what_it_holds(printed):
    assert printed(HiddenDict(a="s3cret")) == f"<{HERE}.HiddenDict of 1 elements>"
    assert printed(HiddenText("s3cret")) == f"<{HERE}.HiddenText of 6 characters>"
    assert printed(HiddenTuple(("s3cret", 2))) == f"<{HERE}.HiddenTuple of 2 elements>"
    assert printed(FixedDict(a=1)) == "<fixed>"


class Proxy:
    """It pretends to be what it stands for, and fails when it stands for nothing."""

    @property
    def __class__(self):
        RAN.append("class")

    @property
    def __dict__(self):
        RAN.append("dict")

    def __getattribute__(self, name):
        RAN.append(name)

    def __repr__(self):
        return f"<proxy of {self.name}>"


def test_a_proxy_is_not_resolved(printed):
    assert printed(Proxy()).startswith(f"<{HERE}.Proxy object at 0x")


class Zone(datetime.tzinfo):
    def utcoffset(self, when):
        RAN.append("offset")

    def __repr__(self):
        return str(RAN.append("zone"))


class Whole(int):
    def bit_length(self):
        RAN.append("bits")

    def __str__(self):
        return str(RAN.append("str"))


def test_what_types_of_python_hold_is_not_run_either(printed):
    aware = datetime.datetime(2026, 1, 2, tzinfo=Zone())
    assert printed(aware).endswith("its time zone comes from the program>")
    utc = datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)
    assert printed(utc) == repr(utc)
    assert printed(Whole(2**70)) == str(2**70)
    member = enum.Enum("Level", {"LOW": Account()}).LOW
    assert printed(member).startswith("<Level.LOW: <")
    assert printed(collections.Counter(a=2)) == "Counter({'a': 2})"


def test_a_huge_object_is_cut(printed):
    assert printed(Order(list(range(1_000_000)))).startswith(f"<{HERE}.Order object at")
    kind = type("Order", (Order,), {"__repr__": plain})
    assert printed(kind(list(range(1_000_000)))).startswith("<Order number [0, 1, 2, ")


class Wide:
    """Each prints six others, in a repr that can be followed."""

    def __init__(self, depth):
        self.others = [Wide(depth - 1) for _ in range(6)] if depth else []

    def __repr__(self):
        return f"{self.others!r}{self.others!r}{self.others!r}{self.others!r}"


def test_reprs_within_reprs_end(printed):
    began = time.thread_time()
    assert printed(Wide(5))
    assert time.thread_time() - began < 0.5


def hostile_values(depth):
    """Values that are slow to print, each in its own way."""
    slow = type("Slow", (Order,), {"__repr__": sleeps})
    return [
        slow(depth), [slow(n) for n in range(100)], {n: slow(n) for n in range(100)},
        type("Loop", (Order,), {"__repr__": loops})(1), Wide(4), list(range(1_000_000)),
        "x" * 10_000_000, HiddenDict(dict.fromkeys(range(100_000))), set(range(100_000)),
        10**30_000, datetime.datetime(2026, 1, 2, tzinfo=Zone()), b"x" * 1_000_000, Account(),
    ]  # fmt: skip


@contextlib.contextmanager
def without_collections():
    """A collection would walk the twenty million values of the test, which no capture touches."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def test_twenty_frames_of_hostile_values_are_captured_in_a_tenth_of_a_second_the_blamed_first(sink):
    def down(depth):
        a = b = c = d = e = f = hostile_values(depth)  # noqa: F841
        v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13 = a  # noqa: F841
        return down(depth - 1) if depth else blamed({"id": 7})

    def blamed(order):
        return order["price"]

    times = []
    for _ in range(3):
        try:
            down(20)
        except KeyError:
            with without_collections():
                began = time.thread_time()
                flawless.capture_exception()
                times.append(time.thread_time() - began)
        report = sink.next()
        assert report["traceback"][-1]["frame_locals"] == {"order": "{'id': 7}"}
        assert "v1" in report["traceback"][-2]["frame_locals"]
    # The best of three: a busy machine may stop for a moment.
    assert min(times) < 0.1
