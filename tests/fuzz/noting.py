"""A plugin for pytest that notes each body that the tests have read.

`pytest -p tests.fuzz.noting` writes kind, headers and body of each to the file `FUZZ_NOTES`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from warroom_incident.alerts import Signal
from warroom_incident.changes import Change
from warroom_server.intake import changes
from warroom_server.intake.kinds import CHANGE, Kind
from warroom_server.intake.post import Post
from warroom_server.intake.source import Source

NOTES = "FUZZ_NOTES"
LARGEST = 8 << 10
"""Larger bodies, in bytes, say nothing more to a fuzzer."""


class Note(msgspec.Struct, frozen=True):
    """One body."""

    kind: str
    headers: Mapping[str, str]
    body: bytes


_noted: dict[tuple[str, bytes], Note] = {}


def pytest_configure() -> None:
    """Listen before any test has imported what it calls."""
    read, read_changes = Kind.read, changes.read_changes

    def heard(self: Kind, post: Post, source: Source) -> Iterator[Signal]:
        _note(post, source.kind)
        return read(self, post, source)

    def heard_changes(post: Post, source: Source) -> list[Change]:
        _note(post, CHANGE)
        return read_changes(post, source)

    Kind.read = heard  # type: ignore[method-assign]
    changes.read_changes = heard_changes


def pytest_unconfigure() -> None:
    """Write what was heard."""
    Path(os.environ[NOTES]).write_bytes(msgspec.msgpack.encode(list(_noted.values())))


def _note(post: Post, kind: str) -> None:
    if len(post.body) <= LARGEST:
        _noted.setdefault((kind, post.body), Note(kind, dict(post.headers), post.body))
