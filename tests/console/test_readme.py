"""The README's key table is the registry's."""

from pathlib import Path

import pytest

from warroom_console.readme import main, rewritten

OLD = "# x\n<!-- keys -->\nold\n<!-- end of keys -->\ny\n"


def test_the_table_is_written_between_the_markers(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text(OLD)
    assert main(["--check", str(file)]) == 1
    assert file.read_text() == OLD
    assert main([str(file)]) == 0
    text = file.read_text()
    assert text.startswith("# x\n<!-- keys -->\n\n| Key |")
    assert text.endswith("<!-- end of keys -->\ny\n")
    assert "| `a` | alerts | Ack (`:ack`) |" in text
    assert main(["--check", str(file)]) == 0


def test_missing_markers_are_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "README.md"
    file.write_text("nothing")
    assert main([str(file)]) == 2
    assert main([str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.count("\n") == 2


def test_our_own_readme_is_up_to_date() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    assert rewritten(text) == text
