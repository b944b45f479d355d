"""What must hold of whatever comes out of a reader, however hostile its input was."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from time import process_time

import msgspec

from warroom_incident.alerts import RECORD_BYTES, AlertRecord, Signal, fold_signal
from warroom_incident.changes import Change
from warroom_incident.clean import cells, clean, clean_line
from warroom_incident.grouping import fold_alerts
from warroom_incident.suggesting import suggest
from warroom_server.board import Board, SavedBoard
from warroom_server.intake.changes import MAX_CHANGES
from warroom_server.intake.post import Post
from warroom_server.intake.reading.fit import NAME_CHARS, SIGNAL_BYTES

NOON = 1_795_262_400_000
MOST_SECONDS = 1.0
"""How long one input may hold the processor."""

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_HUGE = 1 << 53


class TooSlow(AssertionError):
    """An input held the processor for too long."""


def in_time(work: Callable[[], None]) -> None:
    """Do some work. Raises TooSlow."""
    began = process_time()
    work()
    if (took := process_time() - began) > MOST_SECONDS:
        raise TooSlow(f"it took {took:.2f} s of the processor")


def text_is_drawable(text: str) -> None:
    """See that a cleaned text draws characters, and nothing else happens on a terminal."""
    whole = clean(text)
    assert clean(whole) == whole
    whole.encode()
    for cleaned, allowed in ((whole, "\n\t"), (clean_line(text), "")):
        for character in cleaned:
            if character not in allowed:
                assert unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")
                assert character not in _BIDI
    for width in (1, 7, 40):
        assert cells(clean_line(text, width)) <= width


def signals_are_bounded(signals: list[Signal], received: int) -> None:
    """See that each signal fits, can be stored and shown, and makes a record of a board."""
    for signal in signals:
        encoded = msgspec.json.encode(signal)
        assert len(encoded) <= SIGNAL_BYTES, f"{len(encoded)} bytes"
        assert msgspec.json.decode(encoded, type=Signal) == signal
        assert signal.title or signal.says == "words"
        assert 0 < len(signal.key) <= NAME_CHARS
        assert len(signal.group) <= NAME_CHARS
        assert all(url.startswith(("http://", "https://")) for _, url in signal.links)
        texts = (signal.title, signal.key, signal.service, *signal.labels, *signal.labels.values())
        for text in texts:
            assert "\0" not in text
            text_is_drawable(text)
        folded = fold_signal(None, msgspec.structs.replace(signal, state="firing"), received)
        for record in folded.changed:
            _record_is_bounded(record)
    _board_takes(signals, received)


def _record_is_bounded(record: AlertRecord) -> None:
    largest = msgspec.structs.replace(
        record, rev=_HUGE, count=_HUGE, flaps=_HUGE, ends_at=_HUGE, resolved_by="superseded"
    )
    encoded = msgspec.json.encode(largest)
    assert len(encoded) <= RECORD_BYTES, f"{len(encoded)} bytes"
    assert msgspec.json.decode(encoded, type=AlertRecord) == largest


def _board_takes(signals: list[Signal], received: int) -> None:
    board = Board(SavedBoard("board", 0))
    board.apply(signals)
    board.apply(msgspec.structs.replace(s, received=received + 60_000) for s in signals)
    records = board.ordered()
    for record in records:
        assert len(msgspec.json.encode(record)) <= RECORD_BYTES
        assert record.starts_at <= record.first_seen
    _views_hold(records, received)


def _views_hold(records: Sequence[AlertRecord], now: int) -> None:
    groups = fold_alerts(records, now)
    assert sum(group.count for group in groups) == sum(record.is_open for record in records)
    suggest(records, {}, now)


def changes_are_bounded(changes: list[Change], post: Post) -> None:
    """See that each change fits and has happened."""
    assert len(changes) <= MAX_CHANGES
    for change in changes:
        assert change.title
        assert change.at <= post.received
        encoded = msgspec.json.encode(change)
        assert msgspec.json.decode(encoded, type=Change) == change
        for text in (change.title, change.service, change.by, change.kind, change.state):
            assert len(text) <= 300
            text_is_drawable(text)


def is_sentence(reason: Exception) -> None:
    """See that a refusal says something, and can be shown."""
    said = str(reason)
    assert said
    text_is_drawable(said[:2000])
