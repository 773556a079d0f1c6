"""Functions and classes whose exceptions are reported."""

from __future__ import annotations

import functools
from typing import Any, Callable, TypeVar, overload

from flawless import _wrap

__all__ = ["WrapClassMetaclass", "wrap_class", "wrap_function"]

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)


@overload
def wrap_function(
    func: F,
    error_threshold: int | None = None,
    reraise_exception: bool = True,
    save_current_stack_trace: bool = True,
) -> F: ...


@overload
def wrap_function(
    func: None = None,
    error_threshold: int | None = None,
    reraise_exception: bool = True,
    save_current_stack_trace: bool = True,
) -> Callable[[F], F]: ...


def wrap_function(
    func: Any = None,
    error_threshold: int | None = None,
    reraise_exception: bool = True,
    save_current_stack_trace: bool = True,
) -> Any:
    """Report what the function `func` raises. As a decorator it is used with or without arguments.

    `error_threshold` is the number of occurrences at which the developer is notified, overriding
    the server's; `reraise_exception=False` swallows the exception and returns None;
    `save_current_stack_trace=False` leaves out the callers of the function.
    """
    options = (error_threshold, bool(reraise_exception), bool(save_current_stack_trace))
    if func is None:
        return functools.partial(_wrap.wrap, options=options)
    return _wrap.wrap(func, options=options)


def wrap_class(cls: C, error_threshold: int | None = None) -> C:
    """Report what the methods and properties of the class `cls` raise, including static, class and
    inherited ones. The class itself is changed and returned. `error_threshold` is as for
    `wrap_function`."""
    _wrap.wrap_class(cls, options=(error_threshold, True, True))
    return cls


class WrapClassMetaclass(type):
    """Wraps the classes of this metaclass and those derived from them."""

    def __init__(cls, name: str, bases: tuple[type, ...], dct: dict[str, Any]) -> None:
        wrap_class(cls)
        super().__init__(name, bases, dct)
