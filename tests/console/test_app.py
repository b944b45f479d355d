"""The console as a whole: its screens, its drawing, its leaving."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.at_console import at_console
from tests.console.fake_room import fake_room
from tests.console.still_desk import MINUTE, StillDesk, tell_story
from tests.incident.making import NOW, OTHER_STREAM, STREAM
from tests.waiting import wait_for
from warroom_console.link import LinkState
from warroom_console.naming import NoIncident
from warroom_console.pace import QUICKEST, SLOWEST, Pace
from warroom_console.places import Places, parse_servers
from warroom_console.ringing import Ringing
from warroom_console.saying import UNREACHABLE
from warroom_console.start import _run, run
from warroom_console.theme import DEFAULT_LOOK
from warroom_console.widgets.row import Row
from warroom_incident.parts import Step
from warroom_incident.sync.wire import Person
from warroom_incident.vocabulary import IncidentDeclared, NoteAdded, RoleAssigned, SeveritySet


@pytest.fixture
def desk() -> StillDesk:
    desk = StillDesk()
    tell_story(desk)
    return desk


async def test_it_opens_in_the_lobby_and_enter_joins_and_q_comes_back(desk: StillDesk) -> None:
    async with at_console(desk) as console:
        assert "warroom lobby" in console.header
        await console.press("enter")
        assert console.header.startswith(" INC-42 SEV1 Checkout fails")
        assert desk.opened == [STREAM]
        await console.press("q")
        assert "warroom lobby" in console.header


async def test_escape_stays_in_the_incident_and_says_what_leaves(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("escape", "escape")
        assert "INC-42" in console.header
        assert console.prompt == "q or :lobby leaves the incident."
        await console.type(":lobby", "enter")
        assert "warroom lobby" in console.header


async def test_it_opens_in_the_incident_that_was_named(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        assert "INC-42" in console.header
        await console.press("q")
        assert "warroom lobby" in console.header


async def test_an_own_note_is_on_screen_with_the_key_that_sent_it(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("n")
        await console.type("zone b is drained", "enter")
        assert "22:53 ○ ana     zone b is drained" in console.text
        desk.acknowledge_all()
        await console.sees("22:53 ● ana     zone b is drained")


async def test_what_others_do_is_drawn_without_a_key(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        desk.says("bo", NoteAdded(text="errors are gone"))
        await console.sees("22:53 ● bo      errors are gone")


async def test_news_comes_also_to_a_screen_that_is_not_in_front(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("q")
        desk.says("bo", NoteAdded(text="written meanwhile"))
        await console.sees("warroom lobby")
        await console.press("enter")
        assert "written meanwhile" in console.text


async def test_each_incident_keeps_its_own_place(desk: StillDesk) -> None:
    desk.says("bo", IncidentDeclared(title="Search is slow"), stream=OTHER_STREAM)
    async with at_console(desk, stream=STREAM) as console:
        await console.press("4", "j", "j")
        await console.press("]")
        assert "Search is slow" in console.header
        await console.press("[")
        assert "▌[ ] Name a deputy and a scribe" in console.text


async def test_the_clock_goes_on(desk: StillDesk) -> None:
    async with at_console(desk, (120, 40), stream=STREAM) as console:
        assert "00:40:00" in console.header
        desk.clock.now += 2 * MINUTE
        console.screen.tick()
        await console.settle()
        assert "00:42:00" in console.header
        assert "22:55Z" in console.header


async def test_it_tells_the_others_where_one_is(desk: StillDesk) -> None:
    async with at_console(desk) as console:
        await console.press("enter", "q")
        assert [where for where, _ in desk.whereabouts] == ["", STREAM, ""]


# Leaving -----------------------------------------------------------------------------------


async def test_ctrl_q_leaves(desk: StillDesk) -> None:
    desk.says("bo", RoleAssigned(role="commander", person="bo"))
    async with at_console(desk) as console:
        await console.pilot.press("ctrl+q")
        await wait_for(lambda: console.app._exit, "the console to leave")


async def test_leaving_while_in_command_asks_and_says_what_happens(desk: StillDesk) -> None:
    async with at_console(desk) as console:
        await console.press("ctrl+q")
        assert console.prompt.startswith(
            "You command INC-42; i h hands over. Leave, and be shown as away? [y/N]"
        )
        await console.press("n")
        assert not console.app._exit
        await console.press("ctrl+q")
        await console.pilot.press("y")
        await wait_for(lambda: console.app._exit, "the console to leave")


async def test_leaving_with_an_unsaved_text_asks(desk: StillDesk) -> None:
    desk.says("bo", RoleAssigned(role="commander", person="bo"))
    async with at_console(desk, stream=STREAM) as console:
        await console.press("N")
        await console.type("half a", "ctrl+q")
        assert console.prompt.startswith("“half a” is kept unsaved for your next console. Leave?")
        await console.press("escape")
        await console.type(" thought", "escape", "ctrl+q")
        assert console.prompt.startswith("“half a thought” is kept unsaved for")
        await console.press("n", "N", "ctrl+s")
        assert "half a thought" in console.text
        await console.pilot.press("ctrl+q")
        await wait_for(lambda: console.app._exit, "the console to leave")


async def test_what_nobody_foresaw_is_a_sentence_and_a_private_file(
    desk: StillDesk, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_console(desk, stream=STREAM) as console:

        def fails(*_: object) -> None:
            raise RuntimeError("no such luck\x1b[2J")

        monkeypatch.setattr(console.screen.seat, "undo", fails)
        await console.press("u")
        assert console.prompt.startswith("Something went wrong that should not (RuntimeError:")
        (log,) = (home / "state").rglob("mishaps.log")
        assert log.stat().st_mode & 0o077 == 0
        assert "no such luck" in log.read_text()
        monkeypatch.setattr(console.app, "_exception", RuntimeError("in a drawing"))
        console.app._fatal_error()
        assert "in a drawing" in str(console.app._exit_renderables[-1].segments)  # type: ignore[union-attr]
        monkeypatch.undo()


async def test_ctrl_c_leaves_when_pressed_twice(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("n")
        await console.press("ctrl+c")
        assert not console.app._exit
        await console.pilot.press("ctrl+c")
        await wait_for(lambda: console.app._exit, "the console to leave")


def test_without_any_server_it_says_so_and_exits_with_three(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    servers = parse_servers(f"unix://{home}/nothing")
    assert run(Places(servers, True, home / "s", home / "c"), None, headless=True) == UNREACHABLE
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "nothing" in said


def test_an_incident_of_a_room_never_seen_is_no_unknown_incident(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    servers = parse_servers(f"unix://{home}/nothing")
    places = Places(servers, True, home / "s", home / "c", home / "replica")
    assert run(places, "INC-99", headless=True) == UNREACHABLE
    assert capsys.readouterr().err.startswith("warroom: No warroom server: ")


async def test_an_unknown_incident_is_told_after_the_server_was_asked(home: Path) -> None:
    async with fake_room(home / "room") as room:
        places = Places(parse_servers(room.url), True, home / "s", home / "c", home / "replica")
        with pytest.raises(NoIncident, match="There is no incident “INC-99”"):
            await _run(places, "INC-99", DEFAULT_LOOK, headless=True)


# The link ----------------------------------------------------------------------------------


async def test_a_lost_link_shows_the_countdown_the_age_and_the_reason(desk: StillDesk) -> None:
    now = desk.clock.now
    async with at_console(desk, stream=STREAM) as console:
        desk.link_is(
            LinkState("retrying", "unix:///x", None, now + 3400, now - 75_000, "the server is gone")
        )
        await console.sees("◌ retry 4s 1m old")
        assert console.prompt.startswith("The server is gone; go on, all is kept here  R try now")
        await console.press("R")
        assert desk.hurried == 1


async def test_a_long_address_leaves_room_for_what_is_wrong_with_it(desk: StillDesk) -> None:
    url = "unix:///run/user/1000/warroom/a-socket"
    async with at_console(desk, stream=STREAM) as console:
        desk.link_is(LinkState("retrying", url, reason=f"{url}: connection refused"))
        await console.sees("The server: connection refused; go on, all is kept here  R try now")


async def test_a_stopped_link_says_why_for_good(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        desk.link_is(LinkState("stopped", reason="The server does not know this token."))
        await console.sees("✕ stopped")
        assert console.prompt == "The server does not know this token  R try now"
        await console.press("R")
        assert desk.hurried == 1


async def test_unsent_entries_are_counted(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("n")
        await console.type("kept", "enter")
        assert "○ 1" in console.header


async def test_round_trips_alone_draw_no_panel(
    desk: StillDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_console(desk, stream=STREAM) as console:
        drawn: list[object] = []

        def rows(room: object) -> list[Row]:
            drawn.append(room)
            return []

        monkeypatch.setattr(console.screen.pane.view, "rows", rows)
        desk.link_is(LinkState("live", "unix:///x", 61))
        await console.sees("● 61ms")
        assert drawn == []


# Pace and bell -----------------------------------------------------------------------------


def test_a_slow_machine_draws_less_often_and_recovers() -> None:
    pace = Pace()
    pace.drew(0.001, 0.0)
    assert pace.wait == QUICKEST
    pace.drew(0.05, 0.04)
    assert pace.wait == pytest.approx(0.9)
    pace.drew(5, 5)
    assert pace.wait == SLOWEST
    for _ in range(20):
        pace.drew(0.001, 0.0)
    assert pace.wait == pytest.approx(QUICKEST, abs=0.01)


def test_the_bell_rings_for_a_new_sev1_of_others_once() -> None:
    desk, ringing = StillDesk(), Ringing(NOW)
    desk.says("bo", IncidentDeclared(title="All is down"))
    assert not ringing.rings(desk.model, desk.model.take(), NOW)
    desk.says("bo", SeveritySet(severity="SEV1"))
    assert ringing.rings(desk.model, desk.model.take(), NOW)
    desk.says("bo", NoteAdded(text="still down"))
    assert not ringing.rings(desk.model, desk.model.take(), NOW + MINUTE)


def test_the_bell_rings_for_a_role_that_others_hand_over() -> None:
    desk, ringing = StillDesk(), Ringing(NOW)
    desk.says("bo", IncidentDeclared(title="All is down"))
    desk.says("bo", RoleAssigned(role="scribe", person="cy"))
    assert not ringing.rings(desk.model, desk.model.take(), NOW)
    desk.says("bo", RoleAssigned(role="commander", person="ana"))
    assert ringing.rings(desk.model, desk.model.take(), NOW)


def test_the_bell_is_silent_for_own_words_and_for_the_past() -> None:
    desk = StillDesk()
    desk.says("bo", RoleAssigned(role="commander", person="ana"))
    assert not Ringing(NOW + 1).rings(desk.model, desk.model.take(), NOW)
    ringing = Ringing(NOW)
    desk.write(STREAM, SeveritySet(severity="SEV1"))
    desk.write(STREAM, RoleAssigned(role="scribe", person="ana"))
    assert not ringing.rings(desk.model, desk.model.take(), NOW)


def test_the_bell_rests_after_a_ring() -> None:
    desk, ringing = StillDesk(), Ringing(NOW)
    desk.says("bo", RoleAssigned(role="commander", person="ana"))
    assert ringing.rings(desk.model, desk.model.take(), NOW)
    desk.says("bo", RoleAssigned(role="scribe", person="ana"))
    assert not ringing.rings(desk.model, desk.model.take(), NOW + 9_000)
    desk.says("bo", RoleAssigned(role="deputy", person="ana"))
    assert ringing.rings(desk.model, desk.model.take(), NOW + 11_000)


async def test_people_elsewhere_do_not_count_as_here(desk: StillDesk) -> None:
    async with at_console(desk, (120, 40), stream=STREAM) as console:
        assert "ana bo  ●" in console.header
        desk.arrives(Person("dee", STREAM), Person("eve", STREAM))
        await console.sees("ana bo dee +1")


async def test_v_marks_all_rows_up_to_the_cursor(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("4", "v", "j", "j")
        assert len(console.screen.pane.rows.marks) == 3
        await console.press("k")
        assert len(console.screen.pane.rows.marks) == 2
        assert any("4 Runbook" in row and "◆2" in row for row in console.rows)
        await console.press("v", "j", "escape")
        assert not console.screen.pane.rows.marks


async def test_what_is_done_to_marked_rows_unmarks_them(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("4", "v", "j", "n")
        await console.type("still marked", "enter")
        assert len(console.screen.pane.rows.marks) == 2
        await console.press("b")
        assert console.prompt == "Began 2 steps · u undo"
        assert not console.screen.pane.rows.marks
        assert "◆" not in console.text
        await console.press("j")
        assert not console.screen.pane.rows.marks
        await console.press("u")
        assert not any(s.state == "doing" for s in steps(desk))


async def test_several_entries_are_starred_by_their_marks(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        state = desk.model.incident(STREAM)
        before = sum(state.is_starred(id_) for id_ in state.ordered)
        await console.press("2", "g", "space", "space", "*")
        assert sum(state.is_starred(id_) for id_ in state.ordered) == before + 2


def steps(desk: StillDesk) -> list[Step]:
    return [s for c in desk.model.incident(STREAM).checklists() for s in c.steps]
