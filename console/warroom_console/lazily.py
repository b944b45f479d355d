"""Modules that are loaded only when something of them is used, or not at all.

A library may import more than its caller needs, and two hundred consoles on one machine would each
hold all of it in memory.

    with lazily("urllib.request"):
        import websockets.asyncio.client
    without("textual.command")  # the command palette, with the widgets that it is made of
    import textual.app
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType


class _Postponing:
    """Finds the named modules as the path does, and has them loaded at their first use."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As the import system asks for it."""
        spec = PathFinder.find_spec(name, path, target) if name in self._names else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


@contextmanager
def lazily(*names: str) -> Iterator[None]:
    """Postpone loading these modules when they are imported in here for the first time."""
    finder = _Postponing(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Absent(ModuleType):
    """Stands for a module; whatever is imported from it is a class with nothing in it."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        empty = type(name, (), {"__module__": self.__name__})
        setattr(self, name, empty)
        return empty


def without(name: str) -> None:
    """Do not load a module that others import and nothing here comes to use."""
    sys.modules.setdefault(name, _Absent(name))
