"""What a `__repr__` would say is told only where it is certain: else the object is described."""

import collections
import dataclasses
import datetime
import decimal
import enum
import linecache
import reprlib
import threading
import warnings

import attr
import pytest

import flawless
from test_own_reprs import RAN, Lazy, Order, printed  # noqa: F401

HERE = __name__


class Meta(type):
    def __getattribute__(cls, name):
        RAN.append(name)
        return super().__getattribute__(name)

    @property
    def __name__(cls):
        RAN.append("name")

    def __repr__(cls):
        return str(RAN.append("repr"))


class Nameless(metaclass=Meta):
    def __repr__(self):
        return f"<{type(self).__name__}>"


def test_nothing_of_a_metaclass_is_run(printed):
    assert printed(Nameless()).startswith(f"<{HERE}.Nameless object at 0x")


@dataclasses.dataclass
class Field:
    name: str
    hidden: str = dataclasses.field(repr=False, default="h")


@dataclasses.dataclass
class Loaded:
    name: str
    lazy: str = "l"


Loaded.lazy = Lazy()


def test_a_field_that_is_loaded_when_it_is_asked_for_is_not(printed):
    assert printed(Field("n")) == "Field(name='n')"
    assert printed(Loaded("n")) == "Loaded(name='n', lazy=?)"


class Holds:
    def __init__(self, value):
        self.value = value


def own(text, **names):
    """A class whose `__repr__` returns this expression."""
    name = f"own {len(linecache.cache)}.py"
    source = f"class Own(Holds):\n    def __repr__(self):\n        return {text}\n"
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    names["Holds"] = Holds
    names["__name__"] = HERE
    exec(compile(source, name, "exec"), names)
    return names["Own"]


class Money(decimal.Decimal):
    def __str__(self):
        RAN.append("str")
        return "EUR"


class Truth(float):
    def __bool__(self):
        RAN.append("bool")

    def __format__(self, spec):
        RAN.append("format")


class Day(datetime.date):
    def isoformat(self):
        RAN.append("isoformat")

    def strftime(self, form):
        RAN.append("strftime")


class Span(datetime.timedelta):
    def total_seconds(self):
        RAN.append("seconds")


class Folded(str):
    def __hash__(self):
        return hash(self.lower())

    def __eq__(self, other):
        RAN.append("eq")


class Formatted(enum.Enum):
    ONE = 1

    def __format__(self, spec):
        return "formatted"


Pair = collections.namedtuple("Pair", "a b")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("f'{self.value}'", Money(9)), ("f'{self.value:>9}'", Money(9)), ("str(self.value)", Money(9)),
        ("'y' if self.value else 'n'", Truth(1)), ("f'{self.value}'", Truth(1)),
        ("self.value.isoformat()", Day(2026, 1, 2)), ("f'{self.value:%Y}'", Day(2026, 1, 2)),
        ("str(self.value)", Day(2026, 1, 2)), ("f'{self.value.total_seconds()}'", Span(1)),
        ("f\"{self.value['host']}\"", {Folded("HOST"): 1}),
        ("f\"{self.value.get('host')}\"", {Folded("HOST"): 1}),
        ("f\"{'host' in self.value}\"", {Folded("HOST")}),
        ("f\"{'host' in self.value}\"", {Folded("HOST"): 1}),
        ("str(self.value)", KeyError("a")), ("str(self.value)", OSError(2, "x", "y")),
        ("f'{self.value}'", Formatted.ONE), ("'%s' % self.value", Pair(1, 2)),
        ("f'{len(str(self.value))}'", "x" * 9000), ("str(self.value)[-3:]", "x" * 9000 + "end"),
        ("f'{len(repr(self.value))}'", list(range(3000))), ("repr(self.value)[-5:]", list(range(3000))),
        ("'long' if str(self.value) == 'x' else 'short'", list(range(3000))),
        ("f'{str(self.value)[:6]}'", 10**900), ("f'{self.value!r:>9}'", [[[[[[[1]]]]]]]),
        ("'a' + self.value", "x" * 1_000_000), ("f\"{'zz' in self.value}\"", "x" * 1_000_000),
        ("', '.join(self.value)", ("x",) * 1_000_000), ("'%s %s' % (self.value,)", 1),
    ],
)  # fmt: skip
def test_what_would_not_be_said_so_is_not_said(printed, text, value):
    kind = own(text)
    assert printed(kind(value)).startswith(f"<{HERE}.Own value=")


class Masked:
    def __get__(self, instance, owner):
        return "***"

    def __set__(self, instance, value):
        instance.__dict__["iban"] = value


class Shown:
    iban = Masked()

    def __init__(self):
        self.iban = "DE123"

    def __repr__(self):
        return f"Shown({self.iban})"

    def fail(self):
        raise ValueError("x")


@dataclasses.dataclass
class ShownData:
    iban: str = Masked()


def test_what_a_class_answers_for_an_attribute_is_not_told_as_it_is_stored(printed, sink):
    assert "DE123" not in printed(Shown())
    assert printed(ShownData("DE123")) == "ShownData(iban=?)"
    try:
        Shown().fail()
    except ValueError:
        flawless.capture_exception()
    assert "DE123" not in str(sink.next())


@dataclasses.dataclass
class Less:
    shown: int


@dataclasses.dataclass(repr=False)
class More(Less):
    hidden: str = "h"


@dataclasses.dataclass(repr=False)
class Guarded:
    shown: int
    hidden: str = "h"

    @reprlib.recursive_repr()
    def __repr__(self):
        return RAN.append(1)


@attr.s(auto_attribs=True)
class LessOfAttrs:
    shown: int


@attr.s(auto_attribs=True, repr=False)
class MoreOfAttrs(LessOfAttrs):
    hidden: str = "h"


class OtherFields(collections.namedtuple("Fields", "a b")):
    _fields = ("x", "y")


def test_the_fields_are_those_of_the_class_whose_repr_was_made(printed):
    assert printed(More(1)) == repr(More(1)) == "More(shown=1)"
    assert printed(MoreOfAttrs(1)) == repr(MoreOfAttrs(1)) == "MoreOfAttrs(shown=1)"
    assert printed(OtherFields(1, 2)) == repr(OtherFields(1, 2)) == "OtherFields(a=1, b=2)"
    assert printed(Guarded(1)).startswith(f"<{HERE}.Guarded ")


class Made:
    __slots__ = ("unset",)

    def __getattr__(self, name):
        RAN.append(name)

    def __repr__(self):
        return f"<{getattr(self, 'unset', 'nothing')}>"


class Liar:
    __class__ = property(lambda self: RAN.append("class"))

    def __repr__(self):
        return f"<{self.__class__.__name__}>"


class Labels(type):
    @property
    def label(cls):
        RAN.append("label")


class Labelled(metaclass=Labels):
    label = "of the class"

    def __repr__(self):
        return f"<{type(self).label}>"


class Answers:
    def __getattribute__(self, name):
        RAN.append(name)
        return object.__getattribute__(self, name)

    def name(self):
        return "n"

    def __repr__(self):
        return f"<{self.name()}>"


@pytest.mark.parametrize("kind", [Made, Liar, Labelled, Answers])
def test_what_a_class_answers_in_its_own_way_is_not_guessed(printed, kind):
    assert printed(kind()).startswith(f"<{HERE}.{kind.__name__} object at 0x")


class Lowest:
    def __repr__(self):
        return "lowest"


class Middle(Lowest):
    def __init__(self):
        self.__name = "of the middle"

    def __repr__(self):
        return f"{self.__name} over {super().__repr__()}"


class Taken(Middle):
    def __init__(self):
        super().__init__()
        self.__name = "of the taker"

    __repr__ = Middle.__repr__


def over_lines(self):
    return f"""first {self.kind}
      second"""


def test_a_method_of_another_class_and_texts_over_lines_are_followed_as_they_are(printed):
    assert printed(Taken()) == repr(Taken()) == "of the middle over lowest"
    order = type("Order", (Order,), {"__repr__": over_lines})(1)
    assert printed(order) == repr(order) == "first order\n      second"


@pytest.mark.parametrize("text", ["'\\777' + self.value", "f'{1if self.value else 2}'"])
def test_nothing_is_warned_of_when_a_repr_is_read(printed, text):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        kind = own(text)
        warned.clear()
        assert printed(kind("v")) == f"<{HERE}.Own value='v'>"
    assert warned == []


class Nested:
    """Each is printed by seven functions that call one another."""

    def __init__(self, depth):
        self.inner = Nested(depth - 1) if depth else None

    def one(self):
        return f"{self.two()!r:>5}"

    def two(self):
        return str(self.three())

    def three(self):
        return "x" + self.four()

    def four(self):
        return "%s" % (self.five(),)

    def five(self):
        return "{}".format(self.six())

    def six(self):
        return f"{self.inner!r}"

    def __repr__(self):
        return f"<{self.one()}>"


def test_reprs_within_reprs_fit_on_a_small_stack(sink):
    def fails():
        nested = Nested(10)  # noqa: F841
        try:
            raise ValueError("x")
        except ValueError:
            flawless.capture_exception()

    former = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=fails)
        thread.start()
    finally:
        threading.stack_size(former)
    thread.join()
    assert "nested" in sink.next()["traceback"][-1]["frame_locals"]
