"""The lobby: what a newcomer sees, declaring, joining, looking into alerts."""

from __future__ import annotations

import re

import pytest

from tests.console.at_console import at_console
from tests.console.drive import check_golden
from tests.console.still_desk import StillDesk, alert, tell_story
from tests.incident.making import OTHER_STREAM, STREAM
from warroom_console.verbs.lobby import Declaration, read_declaration
from warroom_incident.clean import cells
from warroom_incident.event import BOARD
from warroom_incident.reducers import Right
from warroom_incident.sync.wire import Person
from warroom_incident.vocabulary import (
    IncidentDeclared,
    RoleAssigned,
    SeveritySet,
    StatusSet,
    TitleSet,
)


@pytest.fixture
def desk() -> StillDesk:
    desk = StillDesk()
    tell_story(desk)
    return desk


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40), (200, 60)])
async def test_it_looks_as_it_did(desk: StillDesk, size: tuple[int, int]) -> None:
    async with at_console(desk, size) as console:
        check_golden(console.app, f"lobby-{size[0]}x{size[1]}")


async def test_an_empty_one_says_what_to_do() -> None:
    async with at_console(StillDesk()) as console:
        check_golden(console.app, "lobby-empty-80x24")


async def test_declaring_asks_a_title_and_a_severity_and_goes_there() -> None:
    desk = StillDesk()
    async with at_console(desk) as console:
        await console.press("d")
        await console.type("Search is slow", "enter")
        assert "How bad is “Search is slow”?" in console.text
        await console.press("2")
        assert "SEV2 Search is slow" in console.header
        assert "DRILL" not in console.header


async def test_a_drill_says_so_in_the_header() -> None:
    async with at_console(StillDesk()) as console:
        await console.press("D")
        await console.type("Practice", "enter")
        await console.press("?")
        assert console.header.startswith(" DRILL ")
        assert "SEV?" in console.header


async def test_leaving_the_severity_declares_nothing() -> None:
    desk = StillDesk()
    async with at_console(desk) as console:
        await console.press("d")
        await console.type("Search is slow", "enter")
        await console.press("escape")
        assert desk.model.incidents == {}
        await console.press("d", "up")
        assert "Search is slow" in console.prompt


async def test_an_empty_title_is_asked_again() -> None:
    async with at_console(StillDesk()) as console:
        await console.press("d", "enter")
        assert "type a title, or Esc to leave" in console.prompt


async def test_declaring_on_an_alert_takes_its_title_and_links_it(desk: StillDesk) -> None:
    async with at_console(desk) as console:
        await console.press("j", "d")
        assert console.prompt.startswith("Incident, title: orders: replica lags 40 s")
        await console.press("enter", "3")
        assert "SEV3 orders" in console.header
        linked = [s.linked for s in desk.model.summaries.values() if s.stream != STREAM]
        assert linked == [["a2"]]


async def test_a_declare_line_says_it_all_at_once() -> None:
    desk = StillDesk()
    async with at_console(desk) as console:
        await console.press(":")
        await console.type("declare --drill --severity sev4 Try it", "enter")
        assert console.header.startswith(" DRILL ")
        assert "SEV4 Try it" in console.header


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("Disk full", Declaration("Disk full")),
        ("--severity 1 Disk full", Declaration("Disk full", "SEV1")),
        ("--drill  Disk -- full", Declaration("Disk -- full", None, True)),
    ],
)
def test_a_declaration_is_read(line: str, meant: Declaration) -> None:
    assert read_declaration(line) == meant


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "type a title"),
        ("--drill", "type a title"),
        ("--severity SEV9 x", "There is no severity “SEV9”"),
        ("--loud x", "--loud is no option"),
        ("x" * 241, "1 characters too long"),
    ],
)
def test_a_bad_declaration_is_one_sentence(line: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("?", r"\?")):
        read_declaration(line)


async def test_a_viewer_sees_why_nothing_can_be_declared(desk: StillDesk) -> None:
    desk.right_is(Right.VIEWER)
    async with at_console(desk) as console:
        await console.press("d")
        assert console.prompt.startswith("Declare: you are a viewer here")


async def test_an_alert_is_taken_on_from_here(desk: StillDesk) -> None:
    async with at_console(desk) as console:
        await console.press("j", "a")
        acked = desk.model.board.acknowledged("a2")
        assert acked is not None
        assert acked.by == "ana"
        assert "ACKED" in console.text
        await console.press("u")
        assert desk.model.board.acknowledged("a2") is None


async def test_enter_on_an_alert_shows_all_of_it(desk: StillDesk) -> None:
    async with at_console(desk) as console:
        await console.press("j", "j", "enter")
        assert "first seen" in console.text
        await console.press("escape")
        assert "first seen" not in console.text


async def test_incidents_that_are_over_are_folded(desk: StillDesk) -> None:
    desk.says("bo", IncidentDeclared(title="Long gone"), stream=OTHER_STREAM)
    desk.says("bo", StatusSet(status="closed"), stream=OTHER_STREAM)
    async with at_console(desk) as console:
        assert "1 incident is over" in console.text
        assert "Long gone" not in console.text
        await console.press("G", "enter")
        assert "Long gone" in console.text


async def test_the_filter_narrows_and_escape_brings_all_back(desk: StillDesk) -> None:
    async with at_console(desk) as console:
        await console.press("/")
        await console.type("payments !sev1")
        assert "Checkout fails" not in console.text
        assert "payments: queue is deep" in console.text
        await console.press("enter", "escape")
        assert "Checkout fails" in console.text


async def test_what_others_declare_appears_and_the_cursor_stays(desk: StillDesk) -> None:
    async with at_console(desk) as console:
        await console.press("j")
        desk.says("bo", IncidentDeclared(title="All is down"), stream=OTHER_STREAM)
        desk.says("bo", SeveritySet(severity="SEV1"), stream=OTHER_STREAM)
        await console.sees("All is down")
        assert "▌SEV2 FIRING   orders: replica lags" in console.text


async def test_vacant_and_absent_commanders_show(desk: StillDesk) -> None:
    async with at_console(desk) as console:
        desk.says("bo", RoleAssigned(role="commander", person="zoe"))
        await console.sees("IC zoe away")
        desk.says("bo", RoleAssigned(role="commander"))
        await console.sees("IC VACANT")


async def test_the_lobby_cannot_be_left_by_accident(desk: StillDesk) -> None:
    async with at_console(desk) as console:
        await console.press("q", "escape")
        assert "ctrl+q leaves warroom" in console.prompt


async def test_join_goes_by_number(desk: StillDesk) -> None:
    async with at_console(desk) as console:
        await console.press(":")
        await console.type("join 42", "enter")
        assert "INC-42" in console.header
        await console.press(":")
        await console.type("join 7", "enter")
        assert console.prompt.startswith(":join 7 ")
        assert console.prompt.endswith("Name an incident: INC-42.")


async def test_hostile_titles_are_harmless(desk: StillDesk) -> None:
    title = "x[prod] y[/b]\x1b]52;c;aGk=\x07\u202egnp.exe"
    desk.says("bo", TitleSet(title=title))
    desk.fires(alert("evil", title + "\x9b31m", service="\x1b[2J", source="[/]"))
    desk.says("\x1b[31mbo\u202e", RoleAssigned(role="commander", person="\x1b[31mbo"))
    desk.says("bo", IncidentDeclared(title=title), stream=OTHER_STREAM)
    assert BOARD in desk.model.take().events
    async with at_console(desk) as console:
        for keys in ((), ("enter",), ("1",), ("3",), ("0",), ("escape", "?")):
            await console.press(*keys)
            assert "\x1b" not in console.text
            assert "\u202e" not in console.text
            assert "\x9b" not in console.text


async def test_where_people_are_stands_in_one_column(desk: StillDesk) -> None:
    desk.model.people = [Person("ana"), Person("maximilian"), Person("漢字", STREAM)]
    async with at_console(desk) as console:
        rows = [row for row in console.rows if " in the lobby" in row or " in INC-42" in row]
        where = {cells(re.split(" in (?:the lobby|INC)", row)[0]) for row in rows}
        assert len(rows) == 3
        assert where == {cells("   maximilian ")}


async def test_a_range_marks_alerts_and_nothing_else(desk: StillDesk) -> None:
    async with at_console(desk) as console:
        await console.press("g", "v", "G")
        rows = console.screen.pane.rows
        assert rows.marks
        assert {mark.partition(":")[0] for mark in rows.marks} == {"alert"}
        shown = sum("FIRING" in row for row in console.rows)
        assert len(rows.marks) == shown


async def test_several_marked_alerts_are_declared_as_one_incident(desk: StillDesk) -> None:
    desk.fires(alert("m1", "Mail is stuck", service="mailer"))
    desk.fires(alert("m2", "Queue grows", service="queue"))
    async with at_console(desk, (120, 40)) as console:
        rows = console.screen.pane.rows
        rows.move_to(next(row.id for row in rows.rows if row.id.endswith("m1")))
        await console.press("space")
        rows.move_to(next(row.id for row in rows.rows if row.id.endswith("m2")))
        await console.press("space", "d", "enter", "2")
        state = next(s for s in desk.model.incidents.values() if s.stream != STREAM)
        assert {link.uid for link in state.links()} == {"m1", "m2"}
