"""What nobody foresaw becomes a sentence for people and a private file for whoever mends it."""

from pathlib import Path

import pytest

from warroom_console import mishap
from warroom_console.cli import main
from warroom_console.commands import warroom


def test_the_details_go_to_a_private_file(home: Path) -> None:
    sentence = mishap.record(RuntimeError("odd \x1b[31m thing"))
    path = home / "state/warroom/mishaps.log"
    assert str(path) in sentence
    assert "\x1b" not in sentence + path.read_text()
    assert "RuntimeError" in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


def test_a_long_file_makes_room_and_keeps_the_one_before(home: Path) -> None:
    path = home / "state/warroom/mishaps.log"
    path.parent.mkdir()
    path.write_bytes(b"x" * (mishap.MOST_BYTES + 1))
    mishap.record(RuntimeError("new"))
    assert path.stat().st_size < mishap.MOST_BYTES
    assert path.with_suffix(".old").stat().st_size > mishap.MOST_BYTES


def test_where_nothing_can_be_written_the_sentence_says_so(home: Path) -> None:
    (home / "state/warroom").write_text("a file")
    assert "could not be written" in mishap.record(RuntimeError("odd"))


def test_a_crash_in_a_command_is_one_sentence_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def crash(*_arguments: object, **_more: object) -> None:
        raise RuntimeError("odd\nthing")

    monkeypatch.setattr(warroom, "main", crash)
    with pytest.raises(SystemExit) as caught:
        main(["list"])
    assert caught.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert "Traceback" not in said.err
