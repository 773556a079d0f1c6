"""Describes jobs and tasks of frameworks: which one, and its arguments."""

from __future__ import annotations

import functools
import types
from typing import Any

_CHARACTERS = 1_000
_ITEMS = 20
_DEPTH = 3

# Printing these runs no code of the program.
_PLAIN = frozenset([bool, bytes, complex, float, int, str, type(None)])


def describe(kind: str, name: Any, identity: Any, args: Any = (), kwargs: Any = None) -> str:
    """Return lines that name the job and its arguments."""
    lines = [f"{kind}: {name}"]
    if type(identity) in (str, int):
        lines.append(f"id: {identity}")
    lines.append(f"args: {printed(args)}")
    lines.append(f"kwargs: {printed({} if kwargs is None else kwargs)}")
    return "\n".join(lines)


def printed(value: Any) -> str:
    """Print a value like Python, without running code of the program: objects of its classes are
    shown as their type."""
    return _printed(value, _DEPTH)[:_CHARACTERS]


def _printed(value: Any, depth: int) -> str:
    kind = type(value)
    if kind is str or kind is bytes:
        return repr(value[:_CHARACTERS])
    if kind in _PLAIN:
        return repr(value)
    if depth > 0:
        if kind is dict:
            pairs = list(value.items())[:_ITEMS]
            inner = [f"{_printed(key, 0)}: {_printed(of, depth - 1)}" for key, of in pairs]
            return "{" + ", ".join(inner + _rest(value)) + "}"
        if kind is list or kind is tuple:
            inner = [_printed(of, depth - 1) for of in value[:_ITEMS]] + _rest(value)
            if kind is list:
                return "[" + ", ".join(inner) + "]"
            return "(" + ", ".join(inner) + ("," if len(value) == 1 else "") + ")"
    return f"<{kind.__qualname__}>"


def _rest(values: Any) -> list[str]:
    return ["..."] if len(values) > _ITEMS else []


def name_of(function: Any) -> str:
    """The full name of a callable, such as ``shop.jobs.charge``."""
    for _ in range(_DEPTH):
        if type(function) is functools.partial:
            function = function.func
    if type(function) is types.MethodType:
        function = function.__func__
    if type(function) not in (types.FunctionType, types.BuiltinFunctionType):
        # A callable object may return anything for its attributes.
        function = type(function)
    # A process started by the program knows the main module under another name.
    module = function.__module__
    return f"{'__main__' if module == '__mp_main__' else module}.{function.__qualname__}"
