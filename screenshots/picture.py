"""A terminal's screen as SVG: every character on its cell, every line drawn from edge to edge.

A font's own box-drawing characters leave gaps where its line height is not the cell's, so they are
drawn as lines here. Characters get their places one by one: the picture looks the same with any
monospaced font.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

WIDTH, HEIGHT = 9, 20
"""A cell, in units of the picture."""
FONT = 14.8
BASELINE = 14.5
MARGIN = 12

_NORTH, _EAST, _SOUTH, _WEST = 1, 2, 4, 8
_LINES = {
    "─": _EAST | _WEST,
    "│": _NORTH | _SOUTH,
    "┌": _EAST | _SOUTH,
    "┐": _SOUTH | _WEST,
    "└": _NORTH | _EAST,
    "┘": _NORTH | _WEST,
    "├": _NORTH | _EAST | _SOUTH,
    "┤": _NORTH | _SOUTH | _WEST,
    "┬": _EAST | _SOUTH | _WEST,
    "┴": _NORTH | _EAST | _WEST,
    "┼": _NORTH | _EAST | _SOUTH | _WEST,
}
_FALLBACK = ("#d0d0d0", "#1c1c1c")


def picture(rows: Sequence[Iterable[Segment]], width: int) -> str:
    """Return the SVG of a screen of `width` cells."""
    ground = _ground(rows)
    wide, tall = width * WIDTH + 2 * MARGIN, len(rows) * HEIGHT + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {tall}" '
        f'width="{wide}" height="{tall}">',
        f"<style>text{{font:{FONT}px 'DejaVu Sans Mono',Menlo,Consolas,monospace;"
        "white-space:pre}.b{font-weight:bold}rect{shape-rendering:crispEdges}</style>",
        f'<rect width="{wide}" height="{tall}" rx="8" fill="{ground}"/>',
        f'<g transform="translate({MARGIN} {MARGIN})">',
    ]
    for number, row in enumerate(rows):
        parts.extend(_row(number, row, ground))
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _row(number: int, row: Iterable[Segment], ground: str) -> Iterator[str]:
    """Yield a row's backgrounds, then its lines and characters."""
    y = number * HEIGHT
    above: list[str] = []
    at = 0
    for text, style, _ in row:
        ink, paper = _colors(style)
        cells = cell_len(text)
        if paper != ground:
            yield f'<rect x="{at * WIDTH}" y="{y}" width="{cells * WIDTH}" height="{HEIGHT}" ' + (
                f'fill="{paper}"/>'
            )
        bold = style is not None and bool(style.bold)
        above += _drawn(text, at, y, ink)
        above += _written(text, at, y, ink, bold)
        at += cells
    yield from above


def _written(text: str, at: int, y: int, ink: str, bold: bool) -> Iterator[str]:
    places: list[str] = []
    shown: list[str] = []
    for character in text:
        if character not in _LINES and character not in " ━▌":
            places.append(str(at * WIDTH))
            shown.append(character)
        at += cell_len(character)
    if shown:
        weight = ' class="b"' if bold else ""
        yield (
            f'<text{weight} fill="{ink}" x="{" ".join(places)}" y="{y + BASELINE}">'
            f"{escape(''.join(shown))}</text>"
        )


def _drawn(text: str, at: int, y: int, ink: str) -> Iterator[str]:
    """Yield the box-drawing characters of a text as shapes; neighbours become one."""
    for character, first, count in _runs(text, at):
        x, wide = first * WIDTH, count * WIDTH
        middle = y + HEIGHT / 2
        if character == "▌":
            yield f'<rect x="{x}" y="{y}" width="{WIDTH / 2}" height="{HEIGHT}" fill="{ink}"/>'
        elif character == "━":
            yield f'<rect x="{x}" y="{middle - 1}" width="{wide}" height="2" fill="{ink}"/>'
        elif character == "─":
            yield f'<rect x="{x}" y="{middle - 0.5}" width="{wide}" height="1" fill="{ink}"/>'
        elif sides := _LINES.get(character):
            yield f'<path d="{_path(sides, x, y)}" stroke="{ink}" fill="none"/>'


def _runs(text: str, at: int) -> Iterator[tuple[str, int, int]]:
    """Yield each line character with its first cell and how many of it follow on each other."""
    run: tuple[str, int, int] | None = None
    for character in text:
        if run is not None and character == run[0] and character in "─━":
            run = (character, run[1], run[2] + 1)
        else:
            if run is not None:
                yield run
            run = (character, at, 1)
        at += cell_len(character)
    if run is not None:
        yield run


def _path(sides: int, x: float, y: float) -> str:
    across, down = x + WIDTH / 2, y + HEIGHT / 2
    ends = (
        (_NORTH, f"M{across} {y}V{down}"),
        (_SOUTH, f"M{across} {y + HEIGHT}V{down}"),
        (_WEST, f"M{x} {down}H{across}"),
        (_EAST, f"M{x + WIDTH} {down}H{across}"),
    )
    return "".join(path for side, path in ends if sides & side)


def _colors(style: Style | None) -> tuple[str, str]:
    if style is None:
        return _FALLBACK
    ink = style.color.get_truecolor().hex if style.color else _FALLBACK[0]
    paper = style.bgcolor.get_truecolor().hex if style.bgcolor else _FALLBACK[1]
    return (paper, ink) if style.reverse else (ink, paper)


def _ground(rows: Sequence[Iterable[Segment]]) -> str:
    """The colour that most of the screen lies on."""
    counts: dict[str, int] = {}
    for row in rows:
        for text, style, _ in row:
            paper = _colors(style)[1]
            counts[paper] = counts.get(paper, 0) + cell_len(text)
    return max(counts, key=lambda paper: counts[paper], default=_FALLBACK[1])
