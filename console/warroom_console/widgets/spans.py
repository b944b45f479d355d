"""Text with a meaning, before it is drawn: spans, lines, and their painting into strips.

A `Span` is `(text, tone)`, a `Line` a tuple of spans. Views build lines; widgets paint them. All
text is cleaned where it is painted, so a line may carry what came from outside. Widths are cells.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from rich import cells as rich_cells
from rich.cells import set_cell_size
from rich.segment import Segment
from textual.strip import Strip

from warroom_console.theme import Palette, Surface, Tone
from warroom_incident.clean import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Span: TypeAlias = tuple[str, Tone]
Line: TypeAlias = tuple[Span, ...]


_NARROW = (
    "\u00a1-\u00ac\u00ae-\u02ff\u2013\u2014\u2018\u2019\u201c\u201d\u2026\u2192\u2500-\u25fc★✕"
)
_WIDE = re.compile(f"[^ -~{_NARROW}]")
"""What may take another place than one cell: all but Latin, and what the console itself draws."""

_LEAST_NAME = 8
"""Cells that a quoted name keeps; a sentence with less room for it is cut at its end."""


def cell_len(text: str) -> int:
    """How many cells a text takes; rich's own tables are read only for what may be wide."""
    return len(text) if _WIDE.search(text) is None else rich_cells.cell_len(text)


def plain(line: Line) -> str:
    """Return a line's text, cleaned, on one line."""
    return "".join(clean(text, newlines=False) for text, _ in line)


def width_of(line: Line) -> int:
    """Return how many cells the line takes once cleaned."""
    return sum(cell_len(clean(text, newlines=False)) for text, _ in line)


def cut(text: str, width: int, more: str = "…") -> str:
    """Shorten one line of text to `width` cells, showing with `more` that there was more."""
    text = clean(text, newlines=False)
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text
    room = width - cell_len(more)
    if room < 0:
        return set_cell_size(text, width)
    return set_cell_size(text, room).rstrip() + more


def abridge(text: str, width: int, more: str = "…") -> str:
    """Shorten a sentence to `width` cells: the name that it quotes first, so that its end stays."""
    text = clean(text, newlines=False)
    if cell_len(text) > width and (quoted := _quoted(text)):
        begin, end = quoted
        head, tail = text[:begin], text[end:]
        room = width - cell_len(head) - cell_len(tail)
        if room >= _LEAST_NAME:
            return f"{head}{cut(text[begin:end], room, more)}{tail}"
    return cut(text, width, more)


def _quoted(text: str) -> tuple[int, int] | None:
    """Where the first name in “” lies, without its marks; it may quote something itself."""
    begin = text.find("“") + 1
    depth = 1 if begin else 0
    for at in range(begin, len(text)):
        depth += {"“": 1, "”": -1}.get(text[at], 0)
        if not depth:
            return (begin, at) if begin else None
    return None


def column(text: str, width: int, more: str = "…") -> str:
    """Return text cut or padded to exactly `width` cells, for the columns of a table."""
    return set_cell_size(cut(text, width, more), max(0, width))


def fit(line: Line, width: int, more: str = "…") -> Line:
    """Cut a line to at most `width` cells."""
    kept: list[Span] = []
    room = width
    for index, (text, tone) in enumerate(line):
        text = clean(text, newlines=False)
        cells = cell_len(text)
        if cells > room or (cells == room and any(part for part, _ in line[index + 1 :])):
            kept.append((cut(text + " " * (room + 1), room, more), tone))
            return tuple(kept)
        kept.append((text, tone))
        room -= cells
    return tuple(kept)


def wrap(text: str, width: int, rest: int | None = None) -> list[str]:
    """Break cleaned text at blanks into lines of `width` cells, those after the first of `rest`.

    A word longer than a line is broken where the line ends. Newlines in the text are kept.
    """
    limits = (max(1, width), max(1, width if rest is None else rest))
    lines: list[str] = []
    for paragraph in clean(text).replace("\t", " ").split("\n"):
        _wrap_paragraph(paragraph, limits, lines)
    return lines


def _wrap_paragraph(paragraph: str, limits: tuple[int, int], lines: list[str]) -> None:
    limit = limits[bool(lines)]
    current, used = "", 0
    for word in paragraph.split(" "):
        cells = cell_len(word)
        if used + cells + bool(current) <= limit:
            current = f"{current} {word}" if current else word
            used += cells + (used > 0)
            continue
        if current:
            lines.append(current)
            limit = limits[1]
        while cell_len(word) > limit:
            head = _head(word, limit)
            lines.append(head)
            word, limit = word[len(head) :], limits[1]
        current, used = word, cell_len(word)
    lines.append(current)


def _head(word: str, limit: int) -> str:
    """Return the longest beginning of `word` in `limit` cells, one character at least."""
    used = 0
    for index, character in enumerate(word):
        used += cell_len(character)
        if used > limit:
            return word[: max(1, index)]
    return word


def paint(
    line: Line,
    width: int,
    palette: Palette,
    surface: Surface = Surface.BASE,
    more: str = "…",
) -> Strip:
    """Draw a line as a strip of exactly `width` cells."""
    segments: list[Segment] = []
    used = 0
    for text, tone in fit(line, width, more):
        if text:
            segments.append(Segment(text, palette.style(tone, surface)))
            used += cell_len(text)
    if used < width:
        segments.append(Segment(" " * (width - used), palette.style(Tone.TEXT, surface)))
    return Strip(_joined(segments), width)


def _joined(segments: Sequence[Segment]) -> Iterable[Segment]:
    """Join neighbours of one style: every style change costs some twenty bytes on the wire."""
    return Segment.simplify(segments)


@lru_cache(maxsize=256)
def blank(width: int, palette: Palette, surface: Surface = Surface.BASE) -> Strip:
    """Return an empty strip of `width` cells."""
    return Strip([Segment(" " * width, palette.style(Tone.TEXT, surface))], width)


def spread(left: Line, right: Line, width: int, fill: Span = (" ", Tone.TEXT)) -> Line:
    """Put `left` and `right` at the ends of `width` cells: `left` is cut first, `fill` between."""
    tail = fit(right, width)
    room = width - width_of(tail)
    head = fit(left, room)
    gap = room - width_of(head)
    return (*head, (fill[0] * gap, fill[1]), *tail)


def joined(lines: Iterable[Line], separator: Span) -> Line:
    """Join lines into one with a separator between those that are not empty."""
    kept = [line for line in lines if any(text for text, _ in line)]
    if not kept:
        return ()
    first: list[Span] = list(kept[0])
    for _, line in pairwise(kept):
        first.append(separator)
        first.extend(line)
    return tuple(first)
