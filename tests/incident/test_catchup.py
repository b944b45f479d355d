"""What happened while somebody was away, in a few lines."""

from __future__ import annotations

from hypothesis import given, strategies as st

from tests.incident.making import (
    NOW,
    Writer,
    admitted,
    alert,
    alert_record,
    histories,
    incident,
)
from warroom_incident.catchup import (
    Digest,
    News,
    catch_up,
    catch_up_alerts,
    catch_up_lobby,
    glimpse,
)
from warroom_incident.event import Event, Packet
from warroom_incident.incident import IncidentState
from warroom_incident.reducers import Body
from warroom_incident.sync.sights import Summary
from warroom_incident.vocabulary import (
    AlertChanged,
    EntryStarred,
    ImpactSet,
    IncidentDeclared,
    IncidentNumbered,
    NoteAdded,
    NoteEdited,
    RoleAssigned,
    SeveritySet,
    StatusSet,
    TitleSet,
)

MINUTE = 60_000


class Away:
    """An incident that ana commands, and ana's absence from it."""

    def __init__(self, *before: Body) -> None:
        self.state = incident()
        self.ana, self.bo, self.cy = (
            Writer(name, seed=seed) for seed, name in enumerate(("ana", "bo", "cy"), 1)
        )
        self.clock = NOW
        for body in (IncidentDeclared(title="Checkout is down"), *before):
            self.says(self.ana, body)
        self.before = glimpse(self.state)
        self.known = set(self.state.events)
        self.offline = incident(list(self.state.events.values()))
        self.refused: list[tuple[Event, str]] = []

    def says(self, writer: Writer, body: Body) -> Event:
        """Somebody writes, and a server admits it at once."""
        self.clock += 1000
        writer.clock.now = self.clock
        event = admitted(writer.act(self.state, body), self.clock)
        self.state.add(event)
        return event

    def wrote(self, body: Body, late: int = 42 * MINUTE) -> Event:
        """Ana writes while away; a server admits it so much later."""
        self.ana.clock.now = self.clock
        event = admitted(self.ana.act(self.offline, body), self.clock + late)
        self.state.add(event)
        return event

    @property
    def news(self) -> list[News]:
        new = self.state.events.keys() - self.known
        return catch_up(self.before, self.state, new, "ana", self.refused)

    @property
    def lines(self) -> list[str]:
        return [one.text for one in self.news]


def test_where_nothing_happened_nothing_is_said() -> None:
    away = Away(SeveritySet(severity="SEV2"))
    assert away.news == []
    assert not Digest(NOW, NOW + 1, ()).urgent


def test_it_says_who_commands_how_bad_it_is_and_where_it_stands() -> None:
    away = Away(
        SeveritySet(severity="SEV2"),
        StatusSet(status="started"),
        RoleAssigned(role="commander", person="ana"),
    )
    away.says(away.bo, RoleAssigned(role="commander", person="bo"))
    away.says(away.bo, SeveritySet(severity="SEV1"))
    away.says(away.bo, StatusSet(status="mitigated"))
    assert away.lines[:3] == [
        "bo commands now (you did)",
        "severity SEV1 (was SEV2)",
        "status mitigated (was started)",
    ]
    assert all(one.urgent for one in away.news[:3])


def test_a_vacancy_is_told_too() -> None:
    away = Away(RoleAssigned(role="commander", person="bo"))
    away.says(away.bo, RoleAssigned(role="commander"))
    assert away.lines[0] == "nobody commands now (bo did)"


def test_it_counts_what_others_wrote_and_leaves_machinery_out() -> None:
    away = Away()
    notes = [away.says(away.bo, NoteAdded(text=f"note {n}")) for n in range(3)]
    away.says(away.bo, NoteEdited(target=notes[0].id, text="better"))
    away.says(Writer("warroom", seed=9), IncidentNumbered(number="INC-7"))
    away.says(Writer("warroom", seed=9), AlertChanged(uid="a1", alert=alert(state="resolved")))
    away.says(away.cy, NoteAdded(text="another"))
    assert away.lines == ["4 entries by bo (3), cy (1)"]
    assert not away.news[0].urgent


def test_it_tells_decisions_and_key_events_but_no_more_than_a_few() -> None:
    away = Away()
    away.says(away.bo, TitleSet(title="Checkout fails in the EU"))
    for place in range(3):
        away.says(away.bo, ImpactSet(field="users", text=f"{place} of them"))
    away.says(away.bo, RoleAssigned(role="scribe", person="cy"))
    note = away.says(away.bo, NoteAdded(text="the pool was cut to 8"))
    away.says(away.cy, EntryStarred(target=note.id))
    assert away.lines[:5] == [
        "it is called “Checkout fails in the EU” now",
        "2 more decisions and key events before",
        "bo stated the users affected: 2 of them",
        "bo made cy scribe",
        "bo: the pool was cut to 8",
    ]


def test_it_says_what_of_ones_own_came_late_or_was_refused() -> None:
    away = Away(SeveritySet(severity="SEV2"))
    away.wrote(NoteAdded(text="from the train"), 50 * MINUTE)
    away.wrote(NoteAdded(text="still there"), 42 * MINUTE)
    away.wrote(NoteAdded(text="just now"), 1000)
    refused = away.ana.write(NoteAdded(text="what nobody may know " * 20))
    severity = away.ana.write(SeveritySet(severity="SEV1"))
    away.refused = [(refused, "you may only read here"), (severity, "you may only read here")]
    lines = away.lines
    assert lines[0].startswith("“what nobody may know what")
    assert lines[0].endswith("…” was refused: you may only read here")
    assert lines[1] == "your severity.set was refused: you may only read here"
    assert lines[2] == "2 entries of yours arrived up to 50m late"


def test_two_who_disagree_unknowing_are_told_and_so_is_what_was_not_known() -> None:
    away = Away(SeveritySet(severity="SEV2"))
    away.says(away.bo, SeveritySet(severity="SEV1"))
    away.wrote(SeveritySet(severity="SEV3"))
    assert away.lines == [
        "severity SEV1 (was SEV2)",
        "not settled: bo set severity SEV1 (was SEV2) or ana set severity SEV3 (was SEV2)",
        "ana set severity SEV3 (was SEV2), not knowing that bo set severity SEV1 (was SEV2)",
        "1 entry by bo",
        "1 entry of yours arrived up to 42m late",
    ]


def test_who_claimed_command_before_a_long_sleep_does_not_have_it_where_another_took_it() -> None:
    away = Away()
    away.says(away.bo, RoleAssigned(role="commander", person="bo"))
    away.wrote(RoleAssigned(role="commander", person="ana"), 24 * 60 * MINUTE)
    assert away.state.holder("commander") == "bo"
    news = {one.kind: one for one in away.news}
    assert news["command"].text == "bo commands now (nobody did)"
    assert news["conflict"].urgent
    assert "not knowing that bo took the role" in news["facts"].text


def test_who_claimed_command_before_a_long_sleep_is_told_when_it_counts() -> None:
    away = Away()
    away.wrote(RoleAssigned(role="commander", person="ana"), 24 * 60 * MINUTE)
    assert away.state.holder("commander") == "ana"
    urgent = [one.text for one in away.news if one.urgent]
    assert urgent == [
        "you command now (nobody did)",
        "your word that ana commands counts since it arrived, 24h 0m late",
    ]


@given(histories(), st.data())
def test_whatever_came_it_is_told_in_a_few_lines(
    history: list[tuple[Event, Packet]], data: st.DataObject
) -> None:
    events = [event for event, _ in history]
    known = data.draw(st.lists(st.sampled_from(events), unique_by=lambda event: event.id))
    before = glimpse(incident(known))
    state: IncidentState = incident([admitted(event, NOW) for event in events])
    new = {event.id for event in events} - {event.id for event in known}
    news = catch_up(before, state, new, "ana")
    assert len(news) <= 25
    assert all(one.text and "\n" not in one.text for one in news)


def test_of_alerts_it_tells_which_began_and_which_are_over() -> None:
    before = {"a1": True, "a2": True, "a3": False}
    records = [
        alert_record("a1"),
        alert_record("a2", state="resolved"),
        alert_record("a3"),
        *(alert_record(f"b{n}") for n in range(4)),
    ]
    assert [one.text for one in catch_up_alerts(before, records)] == [
        "5 alerts began: alert a3, alert b0, alert b1 and 2 more",
        "1 alert is over: alert a2",
    ]
    assert catch_up_alerts({"a1": True}, [alert_record("a1")]) == []


def test_of_the_lobby_it_tells_what_is_new_and_what_changed() -> None:
    def line(number: int, severity: str, status: str, commander: str | None = None) -> Summary:
        name = f"INC-{number}"
        return Summary(f"i-{number}", name, "Checkout", severity, status, commander=commander)

    before = {one.stream: one for one in (line(1, "SEV2", "started"), line(2, "SEV3", "started"))}
    now = [
        line(1, "SEV1", "mitigated", "bo"),
        line(2, "SEV3", "started"),
        line(3, "SEV1", "started"),
        line(4, "SEV1", "closed"),
    ]
    assert [one.text for one in catch_up_lobby(before, now)] == [
        "INC-1 “Checkout”: SEV1 (was SEV2), mitigated (was started), IC bo (was IC vacant)",
        "new: INC-3 “Checkout”, SEV1",
    ]
