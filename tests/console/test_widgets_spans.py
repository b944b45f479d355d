"""Texts and lines before they are drawn."""

from __future__ import annotations

from rich import cells as rich_cells

from warroom_console.widgets.spans import cell_len


def test_a_text_takes_as_many_cells_as_rich_says() -> None:
    planes = (chr(code) for code in range(0x30000) if not 0xD800 <= code < 0xE000)
    assert [each for each in planes if cell_len(each) != rich_cells.cell_len(each)] == []
    for text in ("opening …", "a → b “c” ★ ✕", "東京 is down", "e\u0301", "👩\u200d🚒 x"):
        assert cell_len(text) == rich_cells.cell_len(text)
