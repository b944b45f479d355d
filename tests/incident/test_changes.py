"""Changes are kept for a day, and each service's last for ever; beats are late or not."""

from warroom_incident.beats import Beat
from warroom_incident.changes import (
    BEFORE_MS,
    KEPT_MS,
    MAX_KEPT,
    Change,
    change_uid,
    changes_before,
    last_changes,
    worth_keeping,
)

NOW = 1_790_000_000_000


def change(uid: str, service: str = "web", at: int = NOW) -> Change:
    return Change(uid=uid, service=service, kind="deploy", title=f"deploy {uid}", at=at)


def uids(changes: list[Change]) -> list[str]:
    return [each.uid for each in changes]


def test_the_last_day_is_kept_and_each_services_last_change_however_old() -> None:
    old = NOW - 30 * KEPT_MS
    changes = [
        change("a", at=NOW - KEPT_MS),
        change("b", at=NOW - KEPT_MS - 1),
        change("c", "db", old),
        change("d", "db", old - 1),
        change("e"),
    ]
    assert uids(worth_keeping(changes, NOW)) == ["e", "a", "c"]


def test_there_is_an_end_to_what_is_kept() -> None:
    many = [change(f"{n:05}", f"s{n}") for n in range(MAX_KEPT + 5)]
    assert len(worth_keeping(many, NOW)) == MAX_KEPT


def test_an_alert_names_what_changed_in_the_half_hour_before_it() -> None:
    changes = [
        change("early", at=NOW - BEFORE_MS - 1),
        change("first", at=NOW - BEFORE_MS),
        change("last", at=NOW),
        change("after", at=NOW + 1),
    ]
    assert uids(changes_before(changes, NOW)) == ["last", "first"]


def test_a_service_names_its_last_change() -> None:
    changes = [change("a", at=5), change("b", at=9), change("c", "db", 7)]
    found = last_changes(changes, {"web", "search"})
    assert {service: each.uid for service, each in found.items()} == {"web": "b"}


def test_a_change_is_named_the_same_each_time_it_is_told() -> None:
    assert change_uid("ci", "run-7") == change_uid("ci", "run-7") != change_uid("cd", "run-7")


def test_a_beat_is_late_when_no_sign_came_for_longer_than_it_takes() -> None:
    beat = Beat(source="am", name="Watchdog", last_seen=NOW, every=60)
    assert not beat.is_late(NOW + 60)
    assert beat.is_late(NOW + 61)
    assert beat.key == "am/Watchdog"
