"""Told when a module has been imported, now or later."""

from __future__ import annotations

import sys

# As `typing` has it, which is slow to import.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


def when_imported(name: str, told: Callable[[], None]) -> None:
    """Call `told` once the module is there: at once, or when the program imports it."""
    if is_there(name):
        told()
        return
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    _finder.waiting[name] = told


def is_there(name: str) -> bool:
    """Whether the module is imported, to its end."""
    module = sys.modules.get(name)
    # One that is loaded when it is first asked for is not asked.
    if module is None or type(module).__name__ == "_LazyModule":
        return False
    return not getattr(getattr(module, "__spec__", None), "_initializing", False)


class _Finder:
    """Asks the other finders, and has itself told when what they have found was executed."""

    def __init__(self) -> None:
        self.waiting: dict[str, Callable[[], None]] = {}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in self.waiting:
            return None
        for finder in list(sys.meta_path):
            find = getattr(finder, "find_spec", None)
            if finder is self or find is None:
                continue
            spec = find(name, path, target)
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = _Loader(spec.loader)
                return spec
        return None


class _Loader:
    """Behaves like the loader in it, and is gone once the module is there."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        if name == "_loader":
            raise AttributeError(name)
        return getattr(self._loader, name)

    def create_module(self, spec: Any) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        told = _finder.waiting.pop(module.__spec__.name, None)
        if told is not None:
            told()


_finder = _Finder()
