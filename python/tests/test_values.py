"""How values are printed: never more than is good for the program."""

import collections
import dataclasses
import datetime
import decimal
import enum
import ipaddress
import itertools
import os
import pathlib
import re
import sys
import time
import types
import uuid
import weakref

import numpy
import pandas
import pydantic
import pytest

import flawless


@pytest.fixture
def printed(sink):
    def print_one(value):
        try:
            # Not a parameter: it is the only local of this name.
            printed_value = value  # noqa: F841
            raise ValueError("x")
        except ValueError:
            flawless.capture_exception()
        return sink.next()["traceback"][-1]["frame_locals"]["printed_value"]

    return print_one


class Color(enum.Enum):
    RED = 1


@dataclasses.dataclass
class User:
    name: str
    password: str = dataclasses.field(default="hunter2")
    hidden: int = dataclasses.field(default=1, repr=False)


class DerivedSet(set):
    pass


class DerivedFrozenSet(frozenset):
    pass


class DerivedDeque(collections.deque):
    pass


class DerivedDict(dict):
    pass


class DerivedTuple(tuple):
    pass


class DerivedPath(pathlib.PurePosixPath):
    pass


class Derived:
    pass


Point = collections.namedtuple("Point", "x y")

SAME_AS_REPR = [
    None, True, 0, -7, 2**70, -(2**63), -(10**40) - 7, 2**500 - 1, 10**36, 1.5, 1.0, -0.0, float("-inf"), float("nan"), 1e100, 3j, "it's", 'a "b" \'c\'', "\n\t\\",
    "h\u00e9llo", "\U0001f600", "", b"a'b\x00", b"", bytearray(b"x\n"), (), (1,), (1, "a"), [], [1, [2]],
    {}, {"a": {"b": (1,)}}, {1: 2, None: 3}, set(), {1}, frozenset(), frozenset([1]), range(3), ...,
    Point(1, 2), Color.RED, datetime.date(2026, 1, 2), decimal.Decimal("1.20"), int, len,
    pathlib.PurePosixPath("/srv"), types.SimpleNamespace(a=1), {"a": 1}.keys(), KeyError("k"), slice(1, 2),
    OSError(2, "No such file"), ValueError(), collections.deque([1]), collections.deque([1, 2], maxlen=3),
    collections.defaultdict(list, a=[1]), DerivedSet([1]), DerivedSet(), DerivedFrozenSet([1]),
    DerivedDeque([1]), DerivedDict(a=1), DerivedTuple((1,)), DerivedPath("/srv/./a//b"),
    pathlib.PurePosixPath("a", "/b", "c"), pathlib.PurePosixPath(), pathlib.PurePosixPath("//a"),
    pathlib.PureWindowsPath("C:/a", "b"), uuid.UUID(int=5), ipaddress.ip_address("10.0.0.1"),
    ipaddress.ip_address("2001:db8::1"), ipaddress.ip_address("::ffff:1.2.3.4"),
    ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_interface("10.0.0.1/8"), time.gmtime(0),
    os.stat("/"), sys.version_info, list[int], itertools.count(5), numpy.dtype("int32"),
    numpy.dtype("<U3"), numpy.dtype("O"), numpy.dtype("M8[s]"), pandas.NA, collections.Counter("a"),
    weakref.ref(Derived), weakref.ref(DerivedSet([1])),
]  # fmt: skip


@pytest.mark.parametrize("value", SAME_AS_REPR, ids=repr)
def test_ordinary_values_look_as_python_prints_them(printed, value):
    assert printed(value) == repr(value)


def test_an_ordered_dictionary_is_shown_in_its_own_order(printed):
    ordered = collections.OrderedDict(a=1, b=2)
    ordered.move_to_end("a")
    assert printed(ordered) == "OrderedDict({'b': 2, 'a': 1})"
    assert printed(ordered.keys()) == "odict_keys(['b', 'a'])"
    assert printed(ordered.items()) == "odict_items([('b', 2), ('a', 1)])"
    assert printed(collections.OrderedDict()) == "OrderedDict()"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="flags of `re` print themselves before")
def test_flags_of_a_module_are_shown_by_its_name(printed):
    assert printed(re.I) == repr(re.I)
    assert printed(re.I | re.M) == repr(re.I | re.M)


def test_an_error_of_pydantic_is_told_without_the_values(sink):
    class Order(pydantic.BaseModel):
        number: int

    try:
        Order(number="hunter2")
    except pydantic.ValidationError:
        flawless.capture_exception()
    assert sink.next()["exception_message"] == "ValidationError('1 validation error for Order')"


def test_half_of_a_surrogate_pair_is_printed_as_python_does(printed):
    assert printed("\ud800") == repr("\ud800")


def test_long_values_are_cut_and_say_how_long_they_are(printed):
    text = printed("x" * 1_000)
    assert text == "'" + "x" * 249 + "... (1000 characters)"
    assert printed(list(range(10_000_000))).endswith("... (10000000 elements)")
    assert printed("\u00e9" * 100_000_000).endswith("(100000000 characters)")
    assert printed({n: n for n in range(100_000)}).endswith("(100000 elements)")
    assert printed(10**100_000) == f"<int of {(10**100_000).bit_length()} bits>"
    assert printed(b"x" * 1_000).endswith("(1000 bytes)")


def test_a_value_that_holds_itself_is_printed_once(printed):
    loop = [1]
    loop.append(loop)
    assert printed(loop) == "[1, [...]]"
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert len(printed(deep)) < 100
    sys.setrecursionlimit(sys.getrecursionlimit())


class QuerySet:
    """As Django's: to print it is to ask the database."""

    def __repr__(self):
        raise AssertionError("the database was asked")

    __len__ = __iter__ = __repr__


def test_a_query_is_not_run(printed):
    class Derived(QuerySet):
        pass

    assert "not evaluated" in printed(QuerySet())
    assert "not evaluated" in printed([Derived()])


def class_of(module, name, shown):
    def its_repr(self):
        if shown is None:
            raise AssertionError("the database was asked")
        return shown

    return type(name, (), {"__module__": module, "__repr__": its_repr})


@pytest.mark.parametrize("name", ["Query", "Cursor"])
def test_a_query_is_known_by_its_library_where_programs_use_its_name_too(printed, name):
    own = class_of("shop.search", name, f"{name}(of the program)")
    assert printed(own()) == f"{name}(of the program)"
    for module in ("sqlalchemy.orm.query", "peewee", "pony.orm.core", "pymongo.cursor"):
        derived = type("Derived", (class_of(module, name, None),), {"__module__": "shop.models"})
        assert printed(derived()) == "<shop.models.Derived, not evaluated>"


class Meta(type):
    def __getattribute__(cls, name):
        raise RuntimeError(name)

    def __repr__(cls):
        raise RuntimeError("class")


class OfMeta(metaclass=Meta):
    pass


def test_a_hostile_metaclass_harms_nobody(printed):
    assert printed(OfMeta()).startswith("<test_values.OfMeta object at 0x")
    assert printed(OfMeta).startswith("<test_values.Meta object at 0x")


def test_a_generator_is_not_run(printed):
    ran = []

    def numbers():
        ran.append(1)
        yield 1

    assert printed(numbers()).startswith("<generator object")
    assert ran == []


def test_secrets_within_values_are_scrubbed_by_their_names(printed):
    assert printed({"user": "ann", "password": "hunter2"}) == "{'user': 'ann', 'password': **scrubbed**}"
    assert printed(User("ann")) == "User(name='ann', password=**scrubbed**)"
    assert printed([{"a": {"api_key": "k3"}}]) == "[{'a': {'api_key': **scrubbed**}}]"
    assert printed(types.SimpleNamespace(token="t3")) == "namespace(token=**scrubbed**)"


class Session:
    def login(self):
        pass


class Cookie:
    def __repr__(self):
        raise AssertionError("it may print a secret")


def test_a_secret_that_is_missing_or_is_no_text_is_shown_for_that_is_what_one_looks_for(sink):
    def refresh():
        pass

    try:
        gift_token, facebook_access_token, api_key, secrets, credentials = "", None, b"", [], {}  # noqa: F841
        otp, password_hash, auth, token_func, csrf = 0, False, Session, refresh, len  # noqa: F841
        session, cookie, pin, pwd, sid, jwt = Session(), Cookie(), 7, " ", ("x",), [].append  # noqa: F841
        nested = {"password": None, "token": "x", "session": session}  # noqa: F841
        user, passwd = User("ann", password=""), session.login  # noqa: F841
        raise ValueError("x")
    except ValueError:
        flawless.capture_exception()
    shown = sink.next()["traceback"][-1]["frame_locals"]
    here = f"{__name__}."
    assert shown["gift_token"] == "''"
    assert shown["facebook_access_token"] == "None"
    assert (shown["api_key"], shown["secrets"], shown["credentials"]) == ("b''", "[]", "{}")
    assert (shown["otp"], shown["password_hash"]) == ("0", "False")
    assert shown["auth"] == f"<class '{here}Session'>"
    assert shown["token_func"] == repr(refresh)
    assert shown["csrf"] == "<built-in function len>"
    assert shown["jwt"].startswith("<built-in method append of list object at 0x")
    assert shown["session"] == f"<{here}Session object at {id(session):#x}>"
    assert shown["passwd"] == "<bound method Session.login>"
    assert shown["nested"] == (
        "{'password': None, 'token': **scrubbed**, 'session': " + shown["session"] + "}"
    )
    assert shown["user"] == "User(name='ann', password='')"
    for name in ("cookie", "pin", "pwd", "sid"):
        assert shown[name] == "**scrubbed**", name


def test_a_thousand_names_are_cut_at_a_hundred(sink):
    namespace = {}
    exec("def many():\n" + "".join(f"    v{n} = {n}\n" for n in range(500)) + "    1 / 0", namespace)
    try:
        namespace["many"]()
    except ZeroDivisionError:
        flawless.capture_exception()
    assert len(sink.next()["traceback"][-1]["frame_locals"]) == 100


class Vector(numpy.ndarray):
    pass


def test_arrays_are_told_by_shape(printed):
    text = printed(numpy.zeros((1_000, 1_000)))
    assert text == "<numpy.ndarray shape=(1000, 1000) dtype=float64>"
    assert printed(numpy.float64(1.5)) == repr(numpy.float64(1.5))
    assert printed(numpy.array(["x"]).view(Vector)) == "<test_values.Vector shape=(1,) dtype=<U1>"
