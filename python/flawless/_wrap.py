"""Wrappers of functions.

A wrapper has exactly the parameters of its function and passes them one by one, which costs a
fraction of packing and unpacking them. Its code is generated from a text, once for all functions
with the same parameters.
"""

from __future__ import annotations

import copy
import functools
import inspect
import types
from typing import Any, Callable, Tuple

from flawless import _flawless

# error_threshold, reraise_exception, save_current_stack_trace
Options = Tuple[Any, bool, bool]

# The name by which the native half knows the wrappers' frames.
_FILE = "<flawless>"

_HANDLER = """
    except BaseException as _flawless_error:
        if _flawless_caught(_flawless_error, _flawless_threshold, _flawless_stack):
            raise
        if _flawless_reraise:
            raise
"""

_BODIES = {
    "function": """
def wrapper({parameters}):
    try:
        return _flawless_function({arguments})"""
    + _HANDLER,
    "coroutine": """
async def wrapper({parameters}):
    try:
        return await _flawless_function({arguments})"""
    + _HANDLER,
    "generator": """
def wrapper({parameters}):
    try:
        return (yield from _flawless_function({arguments}))"""
    + _HANDLER,
    "async generator": """
async def wrapper({parameters}):
    try:
        _flawless_inner = _flawless_function({arguments})
        try:
            _flawless_value = await _flawless_inner.__anext__()
            while True:
                try:
                    _flawless_sent = yield _flawless_value
                except GeneratorExit:
                    await _flawless_inner.aclose()
                    raise
                except BaseException as _flawless_thrown:
                    _flawless_value = await _flawless_inner.athrow(_flawless_thrown)
                else:
                    _flawless_value = await _flawless_inner.asend(_flawless_sent)
        except StopAsyncIteration:
            return"""
    + _HANDLER,
}

_MAKER = """
def make(_flawless_function, _flawless_caught, _flawless_threshold, _flawless_reraise,
         _flawless_stack):
    {body}
    return wrapper
"""

# Methods whose exceptions are part of a protocol, such as for a missing attribute: no errors.
_UNWRAPPED = frozenset(
    ["__class_getitem__", "__del__", "__getattr__", "__getattribute__", "__getitem__",
     "__init_subclass__", "__missing__", "__new__", "__set_name__", "__subclasshook__"]
)


def wrap(function: Any, options: Options) -> Any:
    """Return a wrapper that behaves like the function and reports what it raises."""
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(wrap(function.__func__, options))
    if isinstance(function, property):
        get, change, delete = (
            accessor and wrap(accessor, options)
            for accessor in (function.fget, function.fset, function.fdel)
        )
        return property(get, change, delete, function.__doc__)
    if not callable(function):
        raise TypeError(f"wrap_function wraps functions, not {type(function).__name__} objects")
    parameters, arguments = _parameters(function) or ("*args, **kwargs", "*args, **kwargs")
    make = _maker(_kind(function), parameters, arguments)
    threshold, reraise, stack = options
    wrapper = make(function, _flawless.caught, threshold, reraise, stack)
    if type(function) is types.FunctionType:
        wrapper.__defaults__ = function.__defaults__
        wrapper.__kwdefaults__ = function.__kwdefaults__
        wrapper.__code__ = wrapper.__code__.replace(co_name=function.__code__.co_name)
        if function.__code__.co_flags & inspect.CO_ITERABLE_COROUTINE:
            wrapper = types.coroutine(wrapper)
    return functools.update_wrapper(wrapper, function)


def wrap_class(cls: Any, options: Options) -> Any:
    """Wrap everything that a class and its bases define."""
    members: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        # Classes in C have no lines to blame.
        if base.__flags__ & (1 << 9):
            members.update(vars(base))
    for name, member in members.items():
        if name in _UNWRAPPED or _is_wrapped(member):
            continue
        if isinstance(member, (types.FunctionType, staticmethod, classmethod, property)):
            try:
                setattr(cls, name, wrap(member, options))
            except (AttributeError, TypeError):
                # A static method that is not callable, or a class that forbids changes.
                continue
        elif isinstance(member, functools.cached_property):
            wrapped = copy.copy(member)
            wrapped.func = wrap(member.func, options)
            try:
                setattr(cls, name, wrapped)
            except (AttributeError, TypeError):
                continue
    return cls


def _is_wrapped(member: Any) -> bool:
    for name in ("__func__", "fget", "func"):
        member = getattr(member, name, None) or member
    code = getattr(member, "__code__", None)
    return getattr(code, "co_filename", None) == _FILE


def _kind(function: Any) -> str:
    if inspect.isasyncgenfunction(function):
        return "async generator"
    if inspect.iscoroutinefunction(function):
        return "coroutine"
    if inspect.isgeneratorfunction(function):
        return "generator"
    return "function"


def _parameters(function: Any) -> tuple[str, str] | None:
    """The parameters of a Python function as written, and how they are passed on."""
    if type(function) is not types.FunctionType:
        return None
    code = function.__code__
    names = code.co_varnames
    positional, keywords = code.co_argcount, code.co_kwonlyargcount
    total = positional + keywords
    rest = names[total : total + bool(code.co_flags & inspect.CO_VARARGS)]
    rest_keywords = names[total + len(rest) :][: bool(code.co_flags & inspect.CO_VARKEYWORDS)]
    used = names[:total] + rest + rest_keywords
    if not all(name.isidentifier() and not name.startswith("_flawless_") for name in used):
        return None
    parameters = list(names[:positional])
    if code.co_posonlyargcount:
        parameters.insert(code.co_posonlyargcount, "/")
    if rest:
        parameters.append("*" + rest[0])
    elif keywords:
        parameters.append("*")
    parameters += names[positional:total]
    parameters += ["**" + name for name in rest_keywords]
    arguments = list(names[:positional])
    arguments += ["*" + name for name in rest]
    arguments += [f"{name}={name}" for name in names[positional:total]]
    arguments += ["**" + name for name in rest_keywords]
    return ", ".join(parameters), ", ".join(arguments)


@functools.lru_cache(maxsize=256)
def _maker(kind: str, parameters: str, arguments: str) -> Callable[..., Any]:
    body = _BODIES[kind].strip().format(parameters=parameters, arguments=arguments)
    namespace: dict[str, Any] = {}
    source = _MAKER.format(body=body.replace("\n", "\n    "))
    exec(compile(source, _FILE, "exec"), namespace)
    make: Callable[..., Any] = namespace["make"]
    return make
