"""What `help()` says of the public names."""

import importlib
import inspect
import pkgutil

import flawless


def public():
    """Name and object of all that modules say they have, but for what needs a framework that is not
    here."""
    for module in pkgutil.walk_packages(flawless.__path__, "flawless."):
        if any(part.startswith("_") for part in module.name.split(".")):
            continue
        try:
            loaded = importlib.import_module(module.name)
        except ImportError:
            continue
        for name in getattr(loaded, "__all__", ()):
            yield f"{module.name}.{name}", getattr(loaded, name)
    for name in flawless.__all__:
        yield f"flawless.{name}", getattr(flawless, name)


def test_every_public_name_explains_itself_and_each_of_its_arguments():
    missing = []
    for name, thing in public():
        if not callable(thing) or getattr(thing, "__module__", "").split(".")[0] != "flawless":
            continue
        said = inspect.getdoc(thing) or ""
        # Those of a metaclass are Python's.
        arguments = [] if isinstance(thing, type) and issubclass(thing, type) else parameters(thing)
        missing += [name for _ in [0] if not said]
        missing += [f"{name}: {one}" for one in arguments if one not in said]
    assert missing == []


def parameters(thing):
    try:
        return [name for name in inspect.signature(thing).parameters if name != "self"]
    except ValueError:
        return []
