"""What a signal and a record may hold at most, and bodies of any shape."""

from __future__ import annotations

import json

import msgspec
from hypothesis import given, strategies as st

from tests.server.bodies import NOON, only, payload, read
from warroom_incident.alerts import RECORD_BYTES, AlertRecord, Signal, fold_signal
from warroom_server.intake.kinds import KINDS
from warroom_server.intake.reading.fit import NAME_CHARS, cut, fit, storable
from warroom_server.intake.unreadable import Unreadable

# --- limits ---


def as_record(signal: Signal) -> AlertRecord:
    """The largest record that a signal can grow into."""
    (record,) = fold_signal(None, msgspec.structs.replace(signal, state="firing"), NOON).changed
    huge = 1 << 53
    return msgspec.structs.replace(
        record, rev=huge, count=huge, flaps=huge, ends_at=huge, resolved_by="superseded"
    )


@given(
    st.text("x\x01\0é\ud83d🚨"),
    st.dictionaries(st.text(max_size=9), st.sampled_from(("\x01" * 3000, "é" * 3000, "v"))),
    st.integers(1, 9000),
)
def test_a_record_is_never_larger_than_the_promise(
    word: str, texts: dict[str, str], times: int
) -> None:
    long = (word or "w") * times
    signal = Signal(
        source="s" * 64,
        kind="generic",
        key=long,
        state="firing",
        title=long,
        received=NOON,
        service=long,
        env=long,
        summary=long,
        description=long,
        labels=texts | {long: long},
        annotations=texts | {long: long},
        links=((long, "https://x.invalid/" + "é" * 500),) * 9,
        group=long,
    )
    encoded = msgspec.json.encode(as_record(fit(signal)))
    assert len(encoded) <= RECORD_BYTES
    assert msgspec.json.decode(encoded, type=AlertRecord)


def test_a_signal_that_fits_is_not_touched() -> None:
    signal = only("alertmanager", payload("01-fire-single"))
    assert fit(signal) == signal


def test_cut_names_stay_different() -> None:
    one, other = (fit(only("generic", {"id": "k" * 500 + tail})) for tail in ("a", "b"))
    assert one.key != other.key
    assert len(one.key) <= NAME_CHARS


def test_an_address_that_is_too_long_is_left_out_rather_than_broken() -> None:
    signal = only("generic", {"title": "x", "url": "https://x.invalid/" + "a" * 1000})
    assert signal.links == ()
    assert signal.truncated


@given(st.text())
def test_a_storable_text_can_be_encoded_and_is_otherwise_the_same(text: str) -> None:
    kept = storable(text)
    kept.encode()
    assert "\0" not in kept
    assert kept == text or "\ufffd" in kept


@given(st.text("a\0\ud83d", max_size=50), st.integers(1, 40))
def test_a_cut_text_says_how_long_it_was(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert short == storable(text) or f"{len(text)} characters" in short


# --- fuzz ---

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
_FIELDS = (
    ("title", "status", "severity", "labels", "tags", "links", "url", "annotations", "alerts"),
    ("events", "key", "startsAt", "endsAt", "fingerprint", "groupKey", "resolved", "starts_at"),
)
FIELDS = st.sampled_from([name for names in _FIELDS for name in names])
SHAPED = st.dictionaries(FIELDS, JSON, max_size=6)
NOTIFIED = st.fixed_dictionaries({"alerts": st.lists(SHAPED | JSON, max_size=3)}) | SHAPED


def assert_survives(kind: str, body: bytes) -> None:
    try:
        signals = read(kind, body)
    except Unreadable:
        return
    for signal in signals:
        encoded = msgspec.json.encode(as_record(signal))
        assert len(encoded) <= RECORD_BYTES
        assert msgspec.json.decode(encoded, type=AlertRecord).title


@given(st.sampled_from(sorted(KINDS)), JSON | SHAPED | NOTIFIED, st.booleans())
def test_any_json_is_read_or_refused_with_a_reason(kind: str, value: object, ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii)
    assert_survives(kind, text.encode("utf-8", "surrogatepass"))


@given(st.sampled_from(sorted(KINDS)), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_with_a_reason(kind: str, body: bytes) -> None:
    assert_survives(kind, body)


@given(st.sampled_from(sorted(KINDS)), st.data())
def test_a_damaged_real_body_is_read_or_refused_with_a_reason(
    kind: str, data: st.DataObject
) -> None:
    body = bytearray(payload("02-fire-group-of-3"))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=10))
    assert_survives(kind, bytes(body))
