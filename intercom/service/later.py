"""Imports a library and lets what it imports for others wait until somebody asks for it.

Python's own `importlib.util.LazyLoader` is no choice for a process of many threads: until 3.12 it has no lock, and a
second thread that asks sees half a module.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any


class _Later(ModuleType):
    """Stands for a module in the library that imported it, and imports it when it is asked for a name."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)  # for all threads but one it waits for its lock


def import_without(library: str, *unused: str) -> None:
    """Import a library; these modules, which it imports, wait. Call this before there are threads that import it."""
    waiting = {name: _Later(name) for name in unused if library not in sys.modules and name not in sys.modules}
    sys.modules.update(waiting)
    try:
        importlib.import_module(library)
    finally:
        for name in waiting:
            del sys.modules[name]  # whoever imports it from now on gets the module itself
    for name, later in waiting.items():
        package, _, last = name.rpartition(".")
        if not hasattr(sys.modules[package], last):
            setattr(sys.modules[package], last, later)
