"""Callbacks for when a module has been imported, now or later."""

from __future__ import annotations

import sys

# Like `typing.TYPE_CHECKING`, without the slow import.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


def when_imported(name: str, told: Callable[[], None]) -> None:
    """Call `told` once the module is imported: now, or when the program imports it."""
    if is_there(name):
        told()
        return
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    _finder.waiting[name] = told


def is_there(name: str) -> bool:
    """Whether the module is completely imported."""
    module = sys.modules.get(name)
    # Reading attributes of a lazily loaded module would load it.
    if module is None or type(module).__name__ == "_LazyModule":
        return False
    return not getattr(getattr(module, "__spec__", None), "_initializing", False)


class _Finder:
    """Asks the other finders, and wraps the loader they find to learn when the module has run."""

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
    """Behaves like the wrapped loader, and is replaced by it once the module is imported."""

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
