"""Texts and lines before they are drawn."""

from __future__ import annotations

from rich import cells as rich_cells

from warroom_console.widgets.spans import abridge, cell_len


def test_a_text_takes_as_many_cells_as_rich_says() -> None:
    planes = (chr(code) for code in range(0x30000) if not 0xD800 <= code < 0xE000)
    assert [each for each in planes if cell_len(each) != rich_cells.cell_len(each)] == []
    for text in ("opening …", "a → b “c” ★ ✕", "東京 is down", "e\u0301", "👩\u200d🚒 x"):
        assert cell_len(text) == rich_cells.cell_len(text)


def test_a_sentence_that_is_too_long_loses_the_middle_of_the_first_name_it_quotes() -> None:
    for text, width, shown in (
        ("Ticked “Look at all deploys” · u undo", 30, "Ticked “Look at all…” · u undo"),
        ("Ticked “Say: “I am NAME here”” · u undo", 34, "Ticked “Say: “I am NAME…” · u undo"),
        (
            "Refused “a long name of it”: no “nope”: see",
            38,
            "Refused “a long name…”: no “nope”: see",
        ),
        ("Closed “a” and nothing else was to be done", 20, "Closed “a” and noth…"),
        ("“unfinished and more than that", 12, "“unfinished…"),
        ("no name at all", 8, "no name…"),
        ("fits “well”", 11, "fits “well”"),
    ):
        assert abridge(text, width) == shown, text
