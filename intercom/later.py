"""Imports a library and lets what it imports for others wait until somebody asks for it.

Python's own `importlib.util.LazyLoader` is no choice for a process of many threads: until 3.12 it has no lock, and a
second thread that asks sees half a module. Nor does it help where the library imports names from the module.
"""

from __future__ import annotations

import importlib
import sys
import threading
from types import ModuleType
from typing import Any


class _Later(ModuleType):
    """Stands for a module in the library that imported it, and imports it when it is asked for a name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._importing = threading.get_ident()

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self and threading.get_ident() != self._importing:
            sys.modules.pop(self.__name__, None)  # another thread needs the module while the library is imported
        if sys.modules.get(self.__name__) is not self:
            return getattr(importlib.import_module(self.__name__), name)  # waits for its lock, in all threads but one
        if name.startswith("__"):
            raise AttributeError(name)  # Python's import asks for these
        return _Name(self, name)


class _Name:
    """Stands for a name that the library has imported from such a module: it is called, and classes derive from it."""

    def __init__(self, module: _Later, name: str) -> None:
        self._of = module, name

    def _itself(self) -> Any:
        module, name = self._of
        if sys.modules.get(module.__name__) is module:
            sys.modules.pop(module.__name__, None)  # the library is not imported yet, and needs it for that
        return getattr(module, name)

    def __call__(self, *positional: Any, **named: Any) -> Any:
        return self._itself()(*positional, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._itself(), name)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self._itself(),)

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, self._itself())

    def __subclasscheck__(self, derived: type) -> bool:
        return issubclass(derived, self._itself())


def import_without(library: str, *unused: str) -> None:
    """Import a library; these modules, which it imports, wait. Call this before there are threads that import it."""
    waiting = {name: _Later(name) for name in unused if library not in sys.modules and name not in sys.modules}
    sys.modules.update(waiting)
    try:
        importlib.import_module(library)
    finally:
        for name, later in waiting.items():
            if sys.modules.get(name) is later:
                sys.modules.pop(name, None)  # whoever imports it from now on gets the module itself
    for name, later in waiting.items():
        package, _, last = name.rpartition(".")
        if package and not hasattr(sys.modules[package], last):
            setattr(sys.modules[package], last, later)
