"""Episodes, severities and the limits of an alert record."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given, strategies as st

from warroom_incident.alerts import (
    ECHO_MS,
    FLAP_MS,
    RECORD_BYTES,
    AlertRecord,
    Folded,
    Says,
    Severity,
    Signal,
    State,
    close_record,
    episode_uid,
    fold_signal,
)

MINUTE = 60_000
HOUR = 60 * MINUTE
NOON = 1_795_262_400_000


def signal(
    state: State = "firing",
    *,
    starts_at: int | None = None,
    ends_at: int | None = None,
    severity: Severity | None = "SEV2",
    title: str = "disk is filling",
) -> Signal:
    return Signal(
        source="am",
        kind="alertmanager",
        key="k1",
        state=state,
        title=title,
        received=NOON,
        severity=None if state in ("resolved", "acknowledged") else severity,
        starts_at=starts_at,
        ends_at=ends_at,
    )


def fold(*steps: tuple[int, Signal]) -> AlertRecord:
    """Fold signals that arrive at the given times; returns the newest episode shown."""
    record: AlertRecord | None = None
    unseen: AlertRecord | None = None
    for now, said in steps:
        folded = fold_signal(record or unseen, said, now)
        unseen = folded.unseen or unseen
        record = folded.changed[-1] if folded.changed else record
    assert record is not None
    return record


# --- episodes ---


def test_an_episode_is_named_by_source_key_and_start_on_every_server() -> None:
    record = fold((NOON, signal(starts_at=NOON - MINUTE)))
    assert record.uid == episode_uid("am", "k1", NOON - MINUTE) == "f338d0cbfd2abdd844ab"
    assert record.episode == NOON - MINUTE


def test_without_a_start_the_episode_begins_at_our_receipt() -> None:
    record = fold((NOON, signal()))
    assert (record.episode, record.starts_at, record.told_start) == (NOON, NOON, None)


def test_a_start_in_the_future_is_clamped_but_still_names_the_episode() -> None:
    ahead = NOON + 10 * MINUTE
    record = fold((NOON, signal(starts_at=ahead)), (NOON + HOUR, signal(starts_at=ahead)))
    assert record.starts_at == NOON
    assert record.uid == episode_uid("am", "k1", ahead)
    assert record.count == 2


def test_an_alert_that_started_in_the_future_can_end() -> None:
    ahead = NOON + 10 * MINUTE
    record = fold(
        (NOON, signal(starts_at=ahead)),
        (NOON + MINUTE, signal("resolved", starts_at=ahead, ends_at=NOON + 50_000)),
    )
    assert (record.state, record.ends_at) == ("resolved", NOON + 50_000)


def test_a_repeat_is_counted_and_opens_nothing() -> None:
    first = fold((NOON, signal(starts_at=NOON)))
    again = fold_signal(first, signal(starts_at=NOON), NOON + HOUR)
    assert again.outcome == "repeat"
    assert [(r.uid, r.count, r.last_seen) for r in again.changed] == [(first.uid, 2, NOON + HOUR)]


def test_a_generic_sender_without_start_times_is_counted_every_time() -> None:
    record = fold((NOON, signal()), (NOON + 1, signal()), (NOON + 2, signal()))
    assert record.count == 3


def test_the_second_half_of_a_pair_changes_nothing() -> None:
    first = fold((NOON, signal(starts_at=NOON)))
    assert fold_signal(first, signal(starts_at=NOON), NOON + ECHO_MS) == Folded("duplicate")


def test_a_pairs_copy_that_says_something_new_is_heard() -> None:
    record = fold(
        (NOON, signal(starts_at=NOON)), (NOON + 1000, signal(starts_at=NOON, severity="SEV1"))
    )
    assert (record.severity, record.count) == ("SEV1", 1)


def test_severity_follows_the_sender_up_and_down_and_the_peak_stays() -> None:
    record = fold(
        (NOON, signal(starts_at=NOON, severity="SEV3")),
        (NOON + HOUR, signal(starts_at=NOON, severity="SEV1")),
        (NOON + 2 * HOUR, signal(starts_at=NOON, severity="SEV4")),
    )
    assert (record.severity, record.peak) == ("SEV4", "SEV1")


def test_an_end_never_changes_the_severity() -> None:
    record = fold((NOON, signal(severity="SEV1")), (NOON + 1, signal("resolved")))
    assert (record.state, record.severity, record.resolved_by) == ("resolved", "SEV1", "source")


def test_an_end_without_a_beginning_opens_nothing() -> None:
    folded = fold_signal(None, signal("resolved", starts_at=NOON), NOON)
    assert (folded.outcome, folded.changed) == ("orphan", ())


def test_an_acknowledgement_without_an_open_episode_opens_nothing() -> None:
    assert fold_signal(None, signal("acknowledged"), NOON) == Folded("orphan")
    over = fold((NOON, signal()), (NOON + 1, signal("resolved")))
    assert fold_signal(over, signal("acknowledged"), NOON + 2) == Folded("orphan")


def test_an_acknowledgement_keeps_the_words_of_the_alert() -> None:
    record = fold((NOON, signal()), (NOON + HOUR, signal("acknowledged", title="")))
    assert (record.state, record.title, record.count) == ("acknowledged", "disk is filling", 1)


@pytest.mark.parametrize("start", [None, NOON])
@pytest.mark.parametrize("after", [MINUTE // 4, HOUR])
def test_a_repeat_does_not_take_an_acknowledgement_back(start: int | None, after: int) -> None:
    record = fold(
        (NOON, signal(starts_at=start)),
        (NOON + 1, signal("acknowledged")),
        (NOON + after, signal(starts_at=start, severity="SEV1", title="disk is full")),
    )
    assert (record.state, record.severity, record.title) == ("acknowledged", "SEV1", "disk is full")


def test_who_acknowledged_an_alert_has_not_acknowledged_it_when_it_begins_again() -> None:
    acked = ((NOON, signal(starts_at=NOON)), (NOON + 1, signal("acknowledged")))
    again = fold(*acked, (NOON + MINUTE, signal(starts_at=NOON + MINUTE)))
    assert (again.state, again.flaps) == ("firing", 1)
    back = fold(*acked, (NOON + 2, signal("resolved")), (NOON + MINUTE, signal()))
    assert back.state == "firing"


def test_a_sender_may_say_that_an_acknowledgement_counts_no_longer() -> None:
    said = msgspec.structs.replace(signal(), unacks=True)
    record = fold((NOON, signal()), (NOON + 1, signal("acknowledged")), (NOON + MINUTE, said))
    assert record.state == "firing"


def test_an_end_that_speaks_of_an_earlier_life_is_ignored() -> None:
    record = fold((NOON, signal(starts_at=NOON)))
    early = signal("resolved", starts_at=NOON - 2 * HOUR, ends_at=NOON - HOUR)
    assert fold_signal(record, early, NOON + 1) == Folded("orphan")
    unnamed = signal("resolved", ends_at=NOON - HOUR)
    assert fold_signal(record, unnamed, NOON + 1) == Folded("orphan")


def test_an_end_by_a_clock_that_is_slow_still_ends_an_alert_without_a_told_start() -> None:
    record = fold((NOON, signal()), (NOON + 1, signal("resolved", ends_at=NOON - HOUR)))
    assert (record.state, record.ends_at) == ("resolved", NOON)


def test_an_end_in_the_future_is_clamped_to_now() -> None:
    record = fold((NOON, signal()), (NOON + 1, signal("resolved", ends_at=NOON + HOUR)))
    assert record.ends_at == NOON + 1


def test_firing_again_within_five_minutes_is_the_same_episode_flapping() -> None:
    end = NOON + HOUR
    record = fold(
        (NOON, signal(starts_at=NOON)),
        (end, signal("resolved", starts_at=NOON, ends_at=end)),
        (end + FLAP_MS + MINUTE, signal(starts_at=end + FLAP_MS)),
    )
    assert (record.state, record.flaps, record.episode) == ("firing", 1, NOON)
    assert (record.ends_at, record.resolved_by) == (None, "")


def test_firing_again_after_more_than_five_minutes_is_a_new_episode() -> None:
    end = NOON + HOUR
    record = fold(
        (NOON, signal(starts_at=NOON)),
        (end, signal("resolved", starts_at=NOON, ends_at=end)),
        (end + HOUR, signal(starts_at=end + FLAP_MS + 1)),
    )
    assert (record.state, record.flaps, record.episode) == ("firing", 0, end + FLAP_MS + 1)


def test_a_sender_without_times_flaps_by_our_own_clock() -> None:
    over = (NOON, signal()), (NOON + 1, signal("resolved"))
    assert fold(*over, (NOON + 1 + FLAP_MS, signal())).flaps == 1
    assert fold(*over, (NOON + 2 + FLAP_MS, signal())).flaps == 0


def test_a_late_copy_of_the_beginning_does_not_reopen() -> None:
    over = fold((NOON, signal(starts_at=NOON)), (NOON + 1, signal("resolved", starts_at=NOON)))
    assert fold_signal(over, signal(starts_at=NOON), NOON + 1 + ECHO_MS) == Folded("duplicate")


def test_a_sender_that_goes_on_saying_firing_is_believed_over_its_own_end() -> None:
    record = fold(
        (NOON, signal(starts_at=NOON)),
        (NOON + 1, signal("resolved", starts_at=NOON)),
        (NOON + 2 + ECHO_MS, signal(starts_at=NOON)),
    )
    assert (record.state, record.flaps) == ("firing", 1)


def test_a_newer_start_after_long_silence_closes_the_old_episode_as_superseded() -> None:
    first = fold((NOON, signal(starts_at=NOON)))
    folded = fold_signal(first, signal(starts_at=NOON + 2 * HOUR), NOON + 2 * HOUR)
    old, new = folded.changed
    assert (old.uid, old.state, old.resolved_by) == (first.uid, "resolved", "superseded")
    assert (new.episode, new.state) == (NOON + 2 * HOUR, "firing")


def test_a_newer_start_soon_after_the_last_word_is_a_flap_whose_end_was_not_heard() -> None:
    record = fold(
        (NOON, signal(starts_at=NOON)), (NOON + 5 * MINUTE, signal(starts_at=NOON + 4 * MINUTE))
    )
    assert (record.episode, record.flaps, record.count) == (NOON, 1, 2)


def test_a_blind_source_keeps_the_alert_open_under_another_mark() -> None:
    record = fold((NOON, signal()), (NOON + HOUR, signal("nodata")))
    assert record.is_open
    assert record.state == "nodata"


def test_an_episode_never_ends_before_it_began() -> None:
    record = fold((NOON, signal(starts_at=NOON)))
    assert close_record(record, "manual", NOON - HOUR, NOON + 1).ends_at == NOON


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[tuple[int, int | None]], list[Signal]]:
    """Lives of one alert in order, and every notification about them, copied and shuffled."""
    lives: list[tuple[int, int | None]] = []
    said: list[Signal] = []
    clock = NOON - 10 * HOUR
    for i in range(count := draw(st.integers(1, 4))):
        start = clock + draw(st.integers(0, HOUR))
        end: int | None = start + draw(st.integers(1, HOUR))
        if i == count - 1 and draw(st.booleans()):
            end = None
        lives.append((start, end))
        said += [signal(starts_at=start)] * draw(st.integers(1, 3))
        if end is not None:
            clock = end
            said += [signal("resolved", starts_at=start, ends_at=end)] * draw(st.integers(1, 3))
    return lives, draw(st.permutations(said))


@given(histories())
def test_any_order_of_copies_gives_the_same_answer_about_what_is_open(
    history: tuple[list[tuple[int, int | None]], list[Signal]],
) -> None:
    lives, said = history
    record: AlertRecord | None = None
    unseen: AlertRecord | None = None
    shown: dict[str, AlertRecord] = {}
    for i, one in enumerate(said):
        folded = fold_signal(record or unseen, one, NOON + i)
        unseen = folded.unseen or unseen
        for changed in folded.changed:
            shown[changed.uid] = record = changed
    assert any(r.is_open for r in shown.values()) == (lives[-1][1] is None)


def states(record: AlertRecord | None) -> tuple[str, str] | None:
    return None if record is None else (record.uid, record.state)


@given(st.lists(st.sampled_from(("firing", "resolved", "nodata"))))
def test_saying_everything_twice_in_a_row_changes_no_state(story: list[State]) -> None:
    once: AlertRecord | None = None
    twice: AlertRecord | None = None
    for i, state in enumerate(story):
        said, now = signal(state, starts_at=NOON), NOON + i * HOUR
        once = ([once, *fold_signal(once, said, now).changed])[-1]
        for _copy in range(2):
            twice = ([twice, *fold_signal(twice, said, now).changed])[-1]
    assert states(once) == states(twice)


@given(st.randoms(use_true_random=False), st.lists(st.integers(0, 3), max_size=30))
def test_times_of_an_episode_are_always_in_order(dice: random.Random, story: list[int]) -> None:
    record: AlertRecord | None = None
    words: tuple[State, ...] = ("firing", "resolved", "acknowledged", "suppressed")
    now = NOON
    for word in story:
        now += dice.choice((1, MINUTE, HOUR))
        told = dice.choice((None, NOON - HOUR, now - MINUTE, now + HOUR))
        said = signal(words[word], starts_at=told, ends_at=dice.choice((None, now, NOON)))
        for changed in fold_signal(record, said, now).changed:
            record = changed
            assert record.starts_at <= record.first_seen <= record.last_seen
            assert record.ends_at is None or record.starts_at <= record.ends_at <= now
            assert (record.ends_at is None) == record.is_open


@given(st.text(), st.text(), st.integers())
def test_any_name_has_a_uid_of_twenty_hex_characters(source: str, key: str, episode: int) -> None:
    assert len(bytes.fromhex(episode_uid(source, key, episode))) == 10


def test_a_record_survives_the_wire_and_its_defaults_take_no_space() -> None:
    record = fold((NOON, signal(starts_at=NOON)))
    encoded = msgspec.json.encode(record)
    assert msgspec.json.decode(encoded, type=AlertRecord) == record
    assert b"annotations" not in encoded


def test_a_newer_servers_words_do_not_lose_the_record() -> None:
    record = fold((NOON, signal()))
    newer = msgspec.to_builtins(record) | {"state": "paused", "severity": "SEV0", "shiny": 1}
    assert msgspec.convert(newer, AlertRecord).state == "paused"


# --- what tells only a part ---


def amend(says: Says, state: State = "firing", **fields: object) -> Signal:
    return msgspec.structs.replace(signal(state, title=""), says=says, severity=None, **fields)


def test_a_word_of_state_changes_nothing_but_the_state() -> None:
    record = fold((NOON, signal()), (NOON + 1, signal("acknowledged")))
    folded = fold_signal(record, amend("state", unacks=True), NOON + MINUTE)
    (changed,) = folded.changed
    expected = msgspec.structs.replace(record, state="firing", last_seen=NOON + MINUTE)
    assert (folded.outcome, changed) == ("repeat", expected)
    muted = fold_signal(changed, amend("state", "suppressed"), NOON + HOUR).changed[0]
    assert (muted.state, muted.count, muted.title) == ("suppressed", 1, "disk is filling")
    back = fold_signal(muted, amend("state", "firing"), NOON + HOUR).changed[0]
    assert (back.state, back.count) == ("firing", 1)
    had = fold_signal(muted, signal("acknowledged", starts_at=None), NOON + HOUR).changed[0]
    assert fold_signal(had, amend("state", "firing"), NOON + HOUR).changed == ()
    lost = fold_signal(had, amend("state", "firing", unacks=True), NOON + HOUR).changed[0]
    assert lost.state == "firing"


def test_new_words_change_nothing_but_what_they_fill() -> None:
    record = fold((NOON, signal()), (NOON + 1, signal("acknowledged")))
    said = amend("words", summary="97 %", labels={"team": "db"}, annotations={"note": "looking"})
    (changed,) = fold_signal(record, said, NOON + MINUTE).changed
    assert (changed.state, changed.title, changed.severity, changed.count) == (
        "acknowledged",
        "disk is filling",
        "SEV2",
        1,
    )
    assert (changed.summary, changed.labels) == ("97 %", {"team": "db"})
    assert fold_signal(changed, said, NOON + HOUR).outcome == "duplicate"
    graver = msgspec.structs.replace(said, severity="SEV1")
    worse = fold_signal(changed, graver, NOON + HOUR).changed[0]
    assert (worse.severity, worse.peak) == ("SEV1", "SEV1")


def test_words_without_an_open_alert_open_none() -> None:
    over = fold((NOON, signal()), (NOON + MINUTE, signal("resolved")))
    for says in ("state", "words"):
        for record in (None, over):
            folded = fold_signal(record, amend(says), NOON + HOUR)
            assert (folded.outcome, folded.changed, folded.unseen) == ("orphan", (), None)


def test_words_never_make_a_record_larger_than_the_promise() -> None:
    record = fold((NOON, signal()))
    for number in range(200):
        said = amend("words", annotations={f"note {number}": "x" * 400})
        for changed in fold_signal(record, said, NOON + number).changed:
            record = changed
    assert len(msgspec.json.encode(record)) <= RECORD_BYTES
    assert len(record.annotations) > 10
