"""What a disk did to a log is found and named; a backup is whole or absent."""

import stat
from pathlib import Path

import pytest

from tests.incident.making import NOW, STREAM, Writer, verify
from warroom_incident.log import Log, LogReader
from warroom_incident.log_copy import copy_log
from warroom_incident.schema import StorageError


def raw(log: Log, sql: str, *values: object) -> None:
    """Reach around the log, as a failing disk does."""
    log._db.execute(sql, values)


# Damage ------------------------------------------------------------------------------------


def spoil(log: Log, sql: str, *values: object) -> list[str]:
    writer = Writer()
    log.append(writer.notes(3), NOW)
    log.append(writer.notes(2), NOW)
    assert list(log.damages(verify)) == []
    raw(log, sql, *values)
    return list(log.damages(verify))


def test_a_log_of_nothing_has_no_damages(log: Log) -> None:
    assert list(log.damages(verify)) == []


@pytest.mark.parametrize("column", ["head", "body"])
@pytest.mark.parametrize("flip", [b"\x01", b"\x80"])
def test_a_flipped_bit_in_a_text_is_found(log: Log, column: str, flip: bytes) -> None:
    log.append(Writer().notes(3), NOW)
    (text,) = log._db.execute(f"SELECT {column} FROM events WHERE iseq = 2").fetchone()
    spoiled = bytearray(text.encode())
    spoiled[20] ^= flip[0]
    raw(log, f"UPDATE events SET {column} = CAST(? AS TEXT) WHERE iseq = 2", bytes(spoiled))
    damages = list(log.damages(verify))
    assert damages == [f"{STREAM}: the {column} of event 2 is damaged."]
    (row,) = log.read_at(STREAM, [2])
    assert bytes(spoiled) in (row.packet.head, row.packet.body), "reading gives what is there"


@pytest.mark.parametrize(
    ("sql", "sentences"),
    [
        (
            "UPDATE events SET chain = zeroblob(32) WHERE iseq = 4",
            ["the chain breaks at event 4.", "the chain breaks at event 5."],
        ),
        (
            "UPDATE events SET id = zeroblob(32) WHERE iseq = 4",
            ["the head of event 4 is damaged.", "the chain breaks at event 4."],
        ),
        (
            "DELETE FROM events WHERE iseq = 4",
            ["event 4 is missing.", "the chain breaks at event 5."],
        ),
        ("DELETE FROM events WHERE iseq = 5", ["event 5, which was sealed, is missing."]),
        ("UPDATE events SET body = NULL WHERE iseq = 2", ["the body of event 2 is missing."]),
        (
            "UPDATE seals SET signature = zeroblob(32) WHERE iseq = 3",
            ["the seal at event 3 does not fit."],
        ),
        ("UPDATE seals SET admitted = 1 WHERE iseq = 5", ["the seal at event 5 does not fit."]),
    ],
)
def test_damage_is_found_and_named(log: Log, sql: str, sentences: list[str]) -> None:
    assert spoil(log, sql) == [f"{STREAM}: {sentence}" for sentence in sentences]


def test_a_stream_that_lost_everything_is_missed(log: Log) -> None:
    damages = spoil(log, "DELETE FROM events")
    assert damages == [f"{STREAM}: event {n}, which was sealed, is missing." for n in (3, 5)]
    assert log.streams() == {STREAM: 0}


def test_without_a_key_the_hashes_are_checked_all_the_same(log: Log) -> None:
    log.append(Writer().notes(2), NOW)
    raw(log, "UPDATE seals SET signature = zeroblob(32)")
    assert list(log.damages()) == []
    raw(log, "UPDATE events SET chain = zeroblob(32) WHERE iseq = 1")
    assert len(list(log.damages())) == 2


# Backup ------------------------------------------------------------------------------------


def test_a_backup_is_whole_and_for_nobody_else(log: Log, home: Path) -> None:
    log.append(Writer().notes(5), NOW)
    copy = home / "copy.db"
    copy_log(home / "warroom.db", copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    reader = LogReader.open(copy)
    assert reader.log_id == log.log_id
    assert reader.end(STREAM) == log.end(STREAM)
    assert list(reader.damages(verify)) == []
    reader.close()


@pytest.mark.usefixtures("log")
def test_a_backup_overwrites_nothing(home: Path) -> None:
    copy = home / "copy.db"
    copy.write_text("precious")
    with pytest.raises(StorageError, match="choose another name"):
        copy_log(home / "warroom.db", copy)
    assert copy.read_text() == "precious"
    with pytest.raises(StorageError, match="could not be written"):
        copy_log(home / "warroom.db", home / "nowhere" / "copy.db")


@pytest.mark.usefixtures("log")
def test_a_backup_that_fails_leaves_no_half_copy(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("warroom_incident.log_copy.sync", fail)
    with pytest.raises(StorageError, match="No space left"):
        copy_log(home / "warroom.db", home / "copy.db")
    assert not (home / "copy.db").exists()
    monkeypatch.undo()
    copy_log(home / "warroom.db", home / "copy.db")
