"""The pictures: the same each time, every character on its cell, no line with a gap."""

import re

from rich.segment import Segment
from rich.style import Style

from screenshots.__main__ import SHOTS, take
from screenshots.picture import HEIGHT, WIDTH, picture


async def test_a_picture_is_the_same_whenever_it_is_taken() -> None:
    shot = SHOTS[0]
    first = await take(shot)
    assert first == await take(shot)
    assert "DRILL" in "".join(re.findall(r"<text[^>]*>([^<]*)</text>", first))


def test_every_character_has_a_place_of_its_own() -> None:
    svg = picture([[Segment("a <"), Segment("b&", Style(bold=True))]], 5)
    assert re.findall(r'<text[^>]* x="([^"]*)"[^>]*>([^<]*)</text>', svg) == [
        (f"0 {2 * WIDTH}", "a&lt;"),
        (f"{3 * WIDTH} {4 * WIDTH}", "b&amp;"),
    ]


def test_wide_characters_take_two_cells() -> None:
    svg = picture([[Segment("ｗx")]], 3)
    assert f'x="0 {2 * WIDTH}"' in svg


def test_lines_run_from_edge_to_edge() -> None:
    svg = picture([[Segment("──│")], [Segment("┌━━")]], 3)
    assert f'x="0" y="{HEIGHT / 2 - 0.5}" width="{2 * WIDTH}"' in svg
    assert f"M{2.5 * WIDTH} 0V{HEIGHT / 2}M{2.5 * WIDTH} {HEIGHT}V{HEIGHT / 2}" in svg
    assert f'x="{WIDTH}" y="{1.5 * HEIGHT - 1}" width="{2 * WIDTH}" height="2"' in svg
    assert "<text" not in svg


def test_a_cursor_row_lies_on_its_own_ground() -> None:
    marked = Style.parse("#ffffff on #444444")
    svg = picture([[Segment("ab", marked)], [Segment("cde", Style.parse("#eeeeee on #111111"))]], 3)
    assert f'<rect x="0" y="0" width="{2 * WIDTH}" height="{HEIGHT}" fill="#444444"/>' in svg
    assert 'rx="8" fill="#111111"' in svg
