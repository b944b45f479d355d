"""A standby remembers when it last held everything."""

from __future__ import annotations

from pathlib import Path

from warroom_server.in_step import EVERY_MS, FILE, InStep

NOW = 1_790_000_000_000


def test_the_time_outlives_the_process_and_belongs_to_its_owner(home: Path) -> None:
    note = InStep(home, 5)
    assert note.at == 0
    note.note(NOW, 5)
    assert InStep(home, 5).at == NOW
    assert InStep(home, 9).at == NOW
    assert (home / FILE).stat().st_mode & 0o777 == 0o600


def test_it_is_written_now_and_then(home: Path) -> None:
    note = InStep(home, 5)
    note.note(NOW, 5)
    note.note(NOW + EVERY_MS - 1, 6)
    assert InStep(home, 6).at == NOW
    note.note(NOW + EVERY_MS, 7)
    assert InStep(home, 7).at == NOW + EVERY_MS


def test_an_older_copy_of_the_log_is_not_taken_for_what_it_was(home: Path) -> None:
    InStep(home, 0).note(NOW, 100)
    assert InStep(home, 99).at == 0


def test_a_damaged_file_or_a_full_disk_says_nothing(home: Path) -> None:
    for text in ("", "x y", "1", "1 2 3", "\0"):
        (home / FILE).write_text(text)
        assert InStep(home, 10**9).at == 0
    note = InStep(home / "nowhere", 0)
    note.note(NOW, 1)
    assert note.at == NOW
