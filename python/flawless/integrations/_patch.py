"""Patches methods of frameworks."""

from __future__ import annotations

import functools
from typing import Any, Callable


def patch(owner: Any, name: str) -> Callable[[Callable[..., Any]], None]:
    """Replace `owner`'s attribute of this name by a function that gets the former one as its first
    argument. A missing name raises AttributeError: this version is not known."""
    former = owner.__dict__.get(name) or getattr(owner, name)

    def put(function: Callable[..., Any]) -> None:
        if isinstance(former, (classmethod, staticmethod)):
            raise TypeError(f"{name} is not a plain method")
        replaced = _binding(former, function)
        setattr(owner, name, functools.update_wrapper(replaced, former))

    return put


def _binding(former: Any, function: Callable[..., Any]) -> Any:
    import inspect

    if inspect.iscoroutinefunction(function):

        async def replaced_async(*args: Any, **kwargs: Any) -> Any:
            return await function(former, *args, **kwargs)

        return replaced_async

    def replaced(*args: Any, **kwargs: Any) -> Any:
        return function(former, *args, **kwargs)

    return replaced
