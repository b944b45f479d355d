"""`Row`: one entry of a list, and the strips that it is drawn as."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct
from textual.cache import LRUCache
from textual.message import Message

from warroom_console.theme import Look, Surface, Tone
from warroom_console.widgets.spans import Line, paint

if TYPE_CHECKING:
    from textual.strip import Strip

Draw: TypeAlias = Callable[[int], Sequence[Line]]


class Row(Struct, frozen=True):
    """One entry of a list.

    `draw(width)` gives one line or more and must depend on nothing that `version` does not name.
    The cursor passes over a `heading`; a row that no verb on many means is not `markable`.
    """

    id: str
    version: Hashable
    draw: Draw
    heading: bool = False
    markable: bool = True


Flags: TypeAlias = tuple[bool, bool, bool]
"""Cursor here, marked, cursor here in the active panel."""


NAVIGATION: tuple[tuple[str, str], ...] = (
    ("j k", "Next and previous row"),
    ("g G", "First and last row; in the timeline G follows the tail"),
    ("PgUp PgDn", "A page up and down"),
    ("Enter", "Open the row"),
)
"""The list's own keys, for the help."""


class RowNews(Message):
    """News of a list's row."""

    def __init__(self, row_id: str | None) -> None:
        super().__init__()
        self.row_id = row_id


def neighbour(
    before: Sequence[Row], place: int, rows: Sequence[Row], index: Mapping[str, int]
) -> str | None:
    """Return the nearest row that outlived the one at `place`: below first, then above."""
    for row in (*before[place + 1 :], *reversed(before[:place])):
        found = index.get(row.id)
        if found is not None and not rows[found].heading:
            return row.id
    return None


def told_position(rows: int, headings: Sequence[int], place: int | None, tail: str) -> str:
    """Where the reader is, for the panel's title: `2/12`, or `▼ 47` at the tail.

    The `headings` among so many rows are given by their places, in order.
    """
    total = rows - len(headings)
    if tail and total:
        return f"{tail} {total}"
    if place is None:
        return str(total) if total else ""
    return f"{place + 1 - bisect_right(headings, place)}/{total}"


class RowStrips:
    """Draws rows and remembers the strips of a row's last version by (row id, width, flags)."""

    def __init__(self, most: int = 256) -> None:
        self._cache: LRUCache[tuple[str, int, Flags], tuple[Hashable, Look, tuple[Strip, ...]]] = (
            LRUCache(most)
        )

    def of(self, row: Row, width: int, flags: Flags, look: Look) -> tuple[Strip, ...]:
        """Return the row as one strip or more of `width` cells."""
        key = (row.id, width, flags)
        known = self._cache.get(key)
        # Comparing a version with itself costs nothing; to hash it means to read all of it.
        if known is not None and known[1] is look and known[0] == row.version:
            return known[2]
        strips = tuple(_draw(row, width, flags, look))
        self._cache[key] = (row.version, look, strips)
        return strips


def _draw(row: Row, width: int, flags: Flags, look: Look) -> Iterable[Strip]:
    here, marked, active = flags
    surface = Surface.CURSOR if active else Surface.BASE
    gutter = look.glyphs.mark if marked else look.glyphs.cursor if here else " "
    tone = Tone.ACCENT if active or marked else Tone.FAINT
    for number, line in enumerate(row.draw(max(1, width - 1)) or ((),)):
        edge = gutter if number == 0 or (here and not marked) else " "
        yield paint(((edge, tone), *line), width, look.palette, surface, look.glyphs.more)
