"""`Marks`: which rows of a list are marked, one by one or as a range that follows the cursor."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence

from warroom_console.widgets.row import Row


class Marks:
    """The marked rows, by their ids.

    `start` is the row from which a range goes to the cursor, None while there is none.
    """

    def __init__(self) -> None:
        self.ids: frozenset[str] = frozenset()
        self.start: str | None = None
        self._before: frozenset[str] = frozenset()

    def toggle(self, row_id: str) -> None:
        """Mark or unmark a row; a range ends."""
        self.start = None
        self.ids ^= {row_id}

    def set(self, ids: Iterable[str]) -> None:
        """Mark exactly these rows; a range ends."""
        self.start = None
        self.ids = frozenset(ids)

    def begin(self, row: Row) -> None:
        """Begin a range, beside what is marked already."""
        self.start, self._before = row.id, self.ids
        self.ids |= {row.id} if row.markable else set()

    def end(self) -> None:
        """End a range; what it marked stays marked."""
        self.start = None

    def reach(self, row_id: str, rows: Sequence[Row], index: Mapping[str, int]) -> None:
        """Let a range go to a row, which may also make it shorter."""
        if self.start is None:
            return
        first, last = sorted((index[self.start], index[row_id]))
        within = rows[first : last + 1]
        between = {row.id for row in within if row.markable and not row.heading}
        self.ids = self._before | between

    def outlive(self, known: Container[str]) -> None:
        """Forget the rows that are gone; a range ends when its beginning is."""
        if self.ids:
            self.ids = frozenset(mark for mark in self.ids if mark in known)
        if self.start is not None and self.start not in known:
            self.start = None
