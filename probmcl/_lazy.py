"""Doors that open when somebody knocks: a name is imported when it is first asked for (PEP 562)."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def on_demand(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """The ``__getattr__`` and ``__dir__`` of a package that imports names and modules when asked for them.

    Args:
        package: name of the package.
        homes: names that it offers, as one text per module, separated by spaces.

    >>> find, _ = on_demand("probmcl", {"loss": "SupConLoss", "model": "build_encoder"})
    >>> find("SupConLoss"), find("loss").__name__
    (<class 'probmcl.loss.supcon.SupConLoss'>, 'probmcl.loss')
    >>> find("SubConLoss")
    Traceback (most recent call last):
    ...
    AttributeError: module 'probmcl' has no attribute 'SubConLoss'
    """
    home_of = {name: home for home, names in homes.items() for name in (home, *names.split())}

    def find(name: str) -> object:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(f"{package}.{home_of[name]}")
        found = module if name == home_of[name] else getattr(module, name)
        setattr(sys.modules[package], name, found)  # the next time it is simply there
        return found

    return find, lambda: sorted({*vars(sys.modules[package]), *home_of})
