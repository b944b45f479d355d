"""All mappings: those that warroom brings, and those that an operator puts beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from .examples import mistakes
from .file import BadMapping, MappingFile, read_file
from .reader import Mapped, mapped

SHIPPED = Path(__file__).parent
FOLDER = "intake"
"""The directory inside the server's data or configuration where an operator's mappings lie."""

_MOST_FILES = 200


@dataclass(frozen=True, slots=True)
class Shelf:
    """The mappings that can be used, by kind, and one sentence for each file that is not right."""

    mappings: Mapping[str, tuple[MappingFile, Mapped]]
    complaints: tuple[str, ...] = ()


def load(path: Path) -> tuple[MappingFile, Mapped]:
    """Read one file. Raises BadMapping."""
    try:
        file = read_file(path.read_bytes())
    except OSError as error:
        raise BadMapping(f"it cannot be read ({error.strerror})") from None
    return file, mapped(file)


@cache
def shipped() -> Mapping[str, tuple[MappingFile, Mapped]]:
    """The mappings that warroom brings. Their tests keep them right."""
    found = (load(path) for path in sorted(SHIPPED.glob("*.toml")))
    return MappingProxyType({file.kind: (file, mapping) for file, mapping in found})


def find(directories: Iterable[Path], coded: Iterable[str]) -> Shelf:
    """Read the shipped mappings and those of `DIRECTORY/intake/*.toml`, which go before them.

    Args:
        directories: The server's configuration and its data; the last that has a kind counts.
        coded: The kinds that are no mappings, whose names are taken.
    """
    known = dict(shipped())
    complaints: list[str] = []
    taken = set(coded)
    for path in _files(directories):
        try:
            file, mapping = load(path)
            if file.kind in taken:
                raise BadMapping(f'the kind "{file.kind}" is built in: choose another name')
        except BadMapping as error:
            complaints.append(f"{path} is not used: {error}.")
            continue
        known[file.kind] = (file, mapping)
        complaints.extend(f"{path} is used, but its {wrong}." for wrong in mistakes(file, mapping))
    return Shelf(MappingProxyType(known), tuple(complaints))


def _files(directories: Iterable[Path]) -> Iterator[Path]:
    for directory in directories:
        try:
            yield from sorted((directory / FOLDER).glob("*.toml"))[:_MOST_FILES]
        except OSError:
            continue
