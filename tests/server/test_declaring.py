"""Rules declare what they are written for, once, and say that it was a rule."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.console_client import new_author
from tests.server.fake_alertmanager import signal_of
from tests.server.running import InProcess, new_server, server_in_process
from tests.waiting import wait_for
from warroom_incident.event import BOARD
from warroom_incident.fields import Matcher
from warroom_incident.incident import IncidentState
from warroom_incident.log import Entry
from warroom_incident.vocabulary import NoteAdded, StatusSet, WindowOpened
from warroom_server.alerting.declaring import ELSEWHERE_MS, Declaring, Rule
from warroom_server.alerting.settings import AlertmanagerSettings, DeclareRule, duration_ms
from warroom_server.board import Board, SavedBoard
from warroom_server.config import Config, ConfigError
from warroom_server.reach import Doors
from warroom_server.server import now_ms

MINUTE = 60_000
NOON = 1_790_000_000_000 // 86_400_000 * 86_400_000 + 12 * 60 * MINUTE


class Place:
    """A server's room and board, with rules and a clock of the test's own."""

    def __init__(self, running: InProcess, **settings: Any) -> None:
        self.room = running.server.room
        self.board = running.server.board
        self.now = NOON
        plain: dict[str, Any] = {"name": "checkout", "matchers": "team=shop"}
        rule = Rule(DeclareRule(**plain | settings))
        self.declaring = Declaring(self.room, self.board, [rule], lambda: self.now)

    def fire(self, key: str, service: str = "checkout", **fields: Any) -> None:
        """An alert fires now."""
        labels = {"alertname": key, "team": "shop", "service": service}
        plain = {"labels": labels, "service": service, "starts_at": self.now}
        self.board.apply([signal_of(key, self.now, **plain | fields)])

    async def look(self) -> list[IncidentState]:
        """Let the rules look: every incident there is then."""
        await self.declaring.look()
        return list(self.room.incidents.values())


@pytest.fixture
async def running(home: Path) -> AsyncIterator[InProcess]:
    """A running server without rules of its own."""
    async with server_in_process(home) as server:
        yield server


@pytest.fixture
def place(running: InProcess) -> Place:
    """A rule for two alerts of a service within ten minutes."""
    return Place(running)


def notes(state: IncidentState) -> list[str]:
    """What stands in the timeline."""
    return [e.body.text for e in state.events.values() if isinstance(e.body, NoteAdded)]


async def test_what_began_long_before_is_no_part_of_what_a_rule_declares(place: Place) -> None:
    place.fire("old and quiet", source="other", severity="SEV1")
    place.now += 10 * MINUTE + 1
    for key in ("latency", "errors"):
        place.fire(key, severity="SEV1")
    (state,) = await place.look()
    assert state.title == "checkout: errors fires"
    assert sorted(link.alert.title for link in state.links()) == ["errors fires", "latency fires"]
    assert state.severity == "SEV2", "SEV1 needs a second source now, not one of long ago"


async def test_all_alerts_of_windows_that_overlap_are_declared_together(place: Place) -> None:
    for key in ("a", "b", "c", "d"):
        place.fire(key)
        place.now += 4 * MINUTE
    (state,) = await place.look()
    assert len(state.links()) == 3, "the first began too long ago"


async def test_enough_alerts_of_a_service_declare_and_say_that_a_rule_did(place: Place) -> None:
    place.fire("latency")
    assert await place.look() == []
    place.now += 10 * MINUTE
    place.fire("errors")
    (state,) = await place.look()
    assert (state.title, state.severity, state.status) == ("checkout: latency fires", "SEV2",
                                                           "started")  # fmt: skip
    assert len(state.links()) == 2
    assert [checklist.title for checklist in state.checklists()]
    (note,) = notes(state)
    assert note.startswith(
        "Declared by the rule checkout of warroom.toml, not by a person: 2 alert"
    )
    assert "of checkout within 10m" in note
    assert {event.head.by for event in state.events.values()} == {"warroom"}
    assert state.holder("commander") is None


async def test_a_rule_declares_with_the_teams_own_checklist(home: Path) -> None:
    books = home / "room" / "runbooks"
    books.mkdir(parents=True)
    (books / "ic-checklist.md").write_text("# How we do it\n- [ ] Breathe\n")
    rule = DeclareRule(name="checkout", matchers="team=shop", threshold=1)
    async with server_in_process(home, config=Config(declare=(rule,))) as running:
        signal = signal_of("latency", now_ms(), labels={"team": "shop"}, starts_at=now_ms())
        running.server.board.apply([signal])
        await running.server.office.declaring.look()
        (state,) = running.server.room.incidents.values()
        assert [checklist.title for checklist in state.checklists()] == ["How we do it"]


async def test_alerts_that_are_further_apart_or_of_two_services_declare_nothing(
    place: Place,
) -> None:
    place.fire("latency")
    place.fire("errors", "search")
    place.now += 10 * MINUTE + 1
    place.fire("more")
    assert await place.look() == []


async def test_more_alerts_of_the_same_do_not_declare_again_while_the_incident_goes_on(
    place: Place,
) -> None:
    for key in ("a", "b"):
        place.fire(key)
    assert len(await place.look()) == 1
    for key in ("c", "d", "e"):
        place.fire(key)
    assert len(await place.look()) == 1
    place.fire("x", "search")
    place.fire("y", "search")
    assert len(await place.look()) == 2


@pytest.mark.parametrize("status", ["resolved", "closed"])
async def test_only_alerts_that_begin_after_an_incident_was_ended_declare_the_next(
    place: Place, status: str
) -> None:
    for key in ("a", "b", "c", "d"):
        place.fire(key)
    (state,) = await place.look()
    for key in ("e", "f"):
        place.fire(key)
    place.now += MINUTE
    body = StatusSet(status=status, seen=dict(state.vector))  # type: ignore[arg-type]
    written = new_author().write(state.stream, "ana", body, state.base_for(body.key))
    await place.room.commit([Entry(*written, place.now)], handed_on=True)
    assert state.status == status
    place.now += 10_000
    assert len(await place.look()) == 1, "what went on then was known when it was ended"
    place.fire("late", starts_at=place.now - 5 * MINUTE)
    place.fire("g")
    assert len(await place.look()) == 1, "one alert that is new is not enough"
    place.fire("h")
    *_, second = await place.look()
    assert second is not state
    assert {link.alert.key for link in second.links()} == {"g", "h"}


async def test_what_came_in_at_another_server_is_declared_there_while_that_one_lives(
    place: Place,
) -> None:
    other = Board(SavedBoard("other", 0))
    here, place.board = place.board, other
    place.fire("a")
    place.fire("b")
    here.adopt(other.ordered(), place.now)
    assert await place.look() == []
    place.now += ELSEWHERE_MS
    assert len(await place.look()) == 1, "it had its time"


async def test_old_alerts_declare_nothing_after_a_restart(place: Place) -> None:
    place.fire("a")
    place.fire("b")
    place.now += 10 * MINUTE + 1
    assert await place.look() == []


async def test_what_a_window_hides_or_the_source_silences_does_not_count(place: Place) -> None:
    window = WindowOpened(
        window="w",
        kind="maintenance",
        why="new switch",
        matchers=(Matcher("alertname", "a"),),
        starts_at=NOON,
        ends_at=NOON + MINUTE,
    )
    await place.room.commit([Entry(*new_author().write(BOARD, "ana", window))])
    place.fire("a")
    place.fire("b")
    place.fire("c", state="suppressed")
    assert await place.look() == []
    place.now += MINUTE
    assert len(await place.look()) == 1


async def test_nothing_is_declared_in_quiet_hours(running: InProcess) -> None:
    place = Place(running, quiet_hours=("11:00-12:01", "23:00-06:00"))
    place.fire("a")
    place.fire("b")
    assert await place.look() == []
    place.now += MINUTE
    assert len(await place.look()) == 1


@pytest.mark.parametrize(
    ("severity", "sources", "wanted", "why"),
    [
        (None, ("prom", "prom"), "SEV2", "SEV1 needs a second source: only prom says so."),
        (None, ("prom", "zabbix"), "SEV1", ""),
        ("SEV1", ("prom", "prom"), "SEV2", "SEV1 needs alerts of a second source"),
        ("SEV1", ("prom", "zabbix"), "SEV1", ""),
        ("SEV4", ("prom", "zabbix"), "SEV4", ""),
    ],
)
async def test_sev1_without_a_person_needs_two_sources(
    running: InProcess, severity: str | None, sources: tuple[str, str], wanted: str, why: str
) -> None:
    place = Place(running, severity=severity)
    for key, source in zip("ab", sources, strict=True):
        place.fire(key, source=source, severity="SEV1")
    (state,) = await place.look()
    assert state.severity == wanted
    assert why in notes(state)[0]


async def test_a_rule_that_would_flood_stops_and_says_so(running: InProcess) -> None:
    place = Place(running, threshold=1, at_most=2)
    for n in range(5):
        place.fire(f"a{n}", f"service-{n}")
    assert len(await place.look()) == 2
    (card,) = [r for r in place.board.open() if r.source == "warroom"]
    assert card.title == "the rule checkout would declare more incidents than 2 in an hour"
    place.now += 60 * MINUTE + 1
    place.declaring.settle()
    assert not [r for r in place.board.open() if r.source == "warroom"]


async def test_only_rules_that_fit_what_has_changed_are_applied(place: Place) -> None:
    place.fire("a")
    place.fire("b")
    place.fire("other", labels={"alertname": "other", "team": "pay"})
    other = place.board.newest("prom", "other")
    fitting = place.board.newest("prom", "a")
    assert other is not None
    assert fitting is not None
    await place.declaring.look({other.uid, "gone"})
    assert not place.room.incidents
    await place.declaring.look({fitting.uid})
    assert len(place.room.incidents) == 1


async def test_an_alert_that_somebody_linked_declares_nothing(place: Place) -> None:
    place.fire("a")
    place.fire("b")
    (state,) = await place.look()
    assert {link.uid for link in state.links()} == {r.uid for r in place.board.open()}
    assert len(await place.look()) == 1


async def test_a_running_server_declares_by_the_rules_of_its_configuration(home: Path) -> None:
    rule = DeclareRule(name="any", matchers="team=shop", threshold=1)
    async with server_in_process(home, config=Config(declare=(rule,))) as running:
        now = now_ms()
        labels = {"alertname": "Disk", "team": "shop"}
        running.server.board.apply([signal_of("a", now, labels=labels, starts_at=now)])
        await wait_for(lambda: running.server.room.incidents, "an incident")
        (state,) = running.server.room.incidents.values()
        await wait_for(lambda: state.number == "INC-1", "its number")


@pytest.mark.parametrize(
    "config",
    [
        Config(declare=(DeclareRule(name="r", matchers="nonsense"),)),
        Config(declare=(DeclareRule(name="r", matchers='a=~"("'),)),
        Config(declare=(DeclareRule(name="r", matchers='a=~".*"'),)),
        Config(alertmanager=(AlertmanagerSettings(name="a", url="http://x"),) * 2),
        Config(alertmanager=(AlertmanagerSettings(name="a", url="http://x", token_file="no"),)),
    ],
)
async def test_what_cannot_be_used_is_a_sentence_at_the_start(home: Path, config: Config) -> None:
    server = new_server(home, config)
    with pytest.raises(ConfigError) as told:
        await server.start(Doors(home / "socket", None, None), "ana")
    assert str(told.value).endswith(".")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("text", "ms"), [("90s", 90_000), ("5m", 300_000), ("9h", 32_400_000), ("2d", 172_800_000)]
)
def test_a_length_of_time_is_written_as_people_do(text: str, ms: int) -> None:
    assert duration_ms(text) == ms
