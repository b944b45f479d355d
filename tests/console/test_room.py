"""An incident's screen: layouts, panels, finding what is urgent, acting from the keyboard."""

from __future__ import annotations

import pytest

from tests.console.at_console import at_console
from tests.console.drive import check_golden
from tests.console.still_desk import MINUTE, StillDesk, alert, tell_story
from tests.incident.making import STREAM
from warroom_console.actions import LEADERS, PANELS, Scope, reach
from warroom_console.theme import ASCII, DARK, MONO, Look
from warroom_console.verbs.all import registry
from warroom_incident.reducers import Right
from warroom_incident.sync.wire import Person
from warroom_incident.vocabulary import (
    NoteAdded,
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
    async with at_console(desk, size, stream=STREAM) as console:
        check_golden(console.app, f"incident-{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40), (200, 60)])
@pytest.mark.parametrize(
    ("name", "keys"),
    [("help", ["?"]), ("question", ["1", "j", "i", "x"]), ("zoomed", ["4", "z"])],
)
async def test_what_opens_above_it_looks_as_it_did(
    desk: StillDesk, size: tuple[int, int], name: str, keys: list[str]
) -> None:
    async with at_console(desk, size, stream=STREAM) as console:
        await console.press(*keys)
        check_golden(console.app, f"incident-{name}-{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", [(120, 40), (200, 60)])
async def test_a_terminal_that_grows_looks_as_if_it_had_been_so_large(
    desk: StillDesk, size: tuple[int, int]
) -> None:
    async with at_console(desk, (50, 10), stream=STREAM) as console:
        for width, height in ((80, 24), size):
            await console.pilot.resize_terminal(width, height)
            await console.settle()
        check_golden(console.app, f"incident-{size[0]}x{size[1]}")


async def test_plain_ascii_has_nothing_but_ascii_of_our_own(desk: StillDesk) -> None:
    desk.says("ana", TitleSet(title="plain"))
    async with at_console(desk, stream=STREAM, look=Look(MONO, ASCII)) as console:
        await console.press("1")
        check_golden(console.app, "incident-ascii-80x24")


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40), (200, 60)])
async def test_in_plain_ascii_no_sentence_of_ours_has_anything_else(
    desk: StillDesk, size: tuple[int, int]
) -> None:
    async with at_console(desk, size, stream=STREAM, look=Look(MONO, ASCII)) as console:
        for keys in (
            ("1", "a"),
            ("4", "space"),
            ("3",),
            ("5", "e", "escape"),
            ("2", "i"),
            ("escape", "?"),
        ):
            await console.press(*keys)
            found = [row for row in console.rows if not row.isascii()]
            assert not found, found


@pytest.mark.parametrize("panel", [1, 3, 4, 5])
async def test_every_panel_opens_with_its_digit(desk: StillDesk, panel: int) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press(str(panel))
        check_golden(console.app, f"incident-panel-{panel}-80x24")


async def test_tab_goes_round_and_zoom_gives_the_panel_everything(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("tab")
        assert "━3 Roles" in console.text
        await console.press("shift+tab", "z")
        assert "Roles" not in console.text
        await console.press("escape")
        assert "Roles" in console.text
        assert "INC-42" in console.header


async def test_dot_goes_to_what_is_due_and_then_to_what_is_unseen(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("4")
        desk.clock.now += MINUTE
        desk.says("bo", NoteAdded(text="look at this"))
        await console.sees("▲1")
        await console.press(".")
        assert "▌SEV2 FIRING   orders: replica lags" in console.text
        await console.press(".")
        assert "━2 Timeline" in console.text
        assert "▌22:54 ● bo      look at this" in console.text
        assert "▲" not in console.text


async def test_nothing_urgent_is_said(desk: StillDesk) -> None:
    desk.model.records.clear()
    async with at_console(desk, stream=STREAM) as console:
        await console.press(".")
        assert console.prompt == "Nothing is urgent, and you have seen everything."


async def test_zero_lists_what_is_due_and_choosing_sees_to_it(desk: StillDesk) -> None:
    desk.says("bo", RoleAssigned(role="commander"))
    desk.says("bo", SeveritySet(severity="SEV?"))
    async with at_console(desk, stream=STREAM) as console:
        assert console.prompt.startswith("Nobody is in command   i c takes command")
        await console.press("0")
        assert "Nobody has judged the severity" in console.text
        assert "3 alerts in no incident fire, taken on by nobody" in console.text
        await console.press("enter")
        assert "IC ana" in console.header


async def test_an_absent_commander_is_due(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        desk.says("bo", RoleAssigned(role="commander", person="zoe"))
        await console.sees("IC zoe away")
        assert console.prompt.startswith("The commander, zoe, is not here")


async def test_the_runbook_opens_at_its_tabs(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("4")
        pane = console.screen.pane
        assert pane.rows._frame[0][0] == pane.rows.rows[0].id


async def test_what_is_undone_is_told_within_the_sentence(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("k", "*", "u")
        assert console.prompt == "Undone: starred as a key event"


async def test_a_bad_argument_keeps_the_line_open_with_a_sentence(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.type(":severity sev9", "enter")
        assert console.screen.prompt.text == "severity sev9"
        assert "sev9" in console.prompt.partition("severity sev9")[2]
        await console.press("backspace", "2", "enter")
        assert "SEV2" in console.header


async def test_a_frozen_panel_stays_as_it_is(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("p")
        desk.says("bo", NoteAdded(text="unheard"))
        await console.sees("frozen: p goes on")
        assert "unheard" not in console.text
        await console.press("p")
        assert "unheard" in console.text


async def test_bare_shows_text_alone_and_any_key_returns(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("3", "B")
        assert "- Incident commander: ana since 22:14Z" in console.text
        assert "━" not in console.text
        await console.press("x")
        assert "━3 Roles" in console.text


async def test_the_cursor_goes_to_ones_own_new_draft(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("5", "t", "down", "enter", "ctrl+s")
        drafts = desk.model.incident(STREAM).drafts()
        assert console.screen.seat.cursor == drafts[-1].id
        assert len(drafts) > 1


async def test_enter_opens_the_details_where_there_is_no_pane(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("1", "enter")
        assert "runbook_url" in console.text
        await console.press("escape", "2", "k", "enter")
        assert "happened     2023-11-14 22:53:20Z" in console.text


async def test_a_wide_screen_shows_the_details_of_the_cursor(desk: StillDesk) -> None:
    async with at_console(desk, (200, 60), stream=STREAM) as console:
        assert "─Facts ─" in console.text
        await console.press("1")
        assert "─Detail ─" in console.text
        assert "runbook_url" in console.text


async def test_too_small_a_terminal_says_what_it_needs(desk: StillDesk) -> None:
    async with at_console(desk, (50, 12), stream=STREAM) as console:
        assert "needs 60x16" in console.text


async def test_other_keys_do_nothing_to_the_incident(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        before = desk.model.incident(STREAM).set_digest()
        await console.press("Q", "%", "f5", "left", "8", "g", "!", "e")
        assert "Expire silence: the server's warroom.toml names no" in console.text
        await console.press("escape")
        assert desk.model.incident(STREAM).set_digest() == before


async def test_a_command_of_a_panel_goes_there_first(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("1", "j", "2", ":")
        await console.type("ack", "enter")
        assert "━1 Alerts" in console.text
        assert desk.model.board.acknowledged("a2") is not None


async def test_a_wrong_command_says_so_and_keeps_the_line(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press(":")
        await console.type("dance", "enter")
        assert "no command dance: press Tab for the list or ? for help" in console.prompt
        assert ":dance" in console.prompt


async def test_what_the_door_refuses_is_flashed_as_it_is(desk: StillDesk) -> None:
    desk.says_no = "An event may take 48 KiB at the most; shorten it."
    async with at_console(desk, stream=STREAM) as console:
        await console.press("n")
        await console.type("x", "enter")
        assert console.prompt == desk.says_no


async def test_a_refused_entry_stays_in_sight_with_its_reason(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("n")
        await console.type("lost", "enter")
        event = next(e for e in desk.model.incident(STREAM).events.values() if not e.admitted)
        desk.refuse(event, "you are a viewer now")
        await console.sees("✕ ana     lost (not admitted: you are a viewer now)")
        await console.press("0")
        assert "The server refused “lost”: you are a viewer now" in console.text


async def test_a_closed_incident_has_nothing_due(desk: StillDesk) -> None:
    desk.says("ana", StatusSet(status="closed"))
    async with at_console(desk, stream=STREAM) as console:
        await console.press("0")
        assert console.prompt == "Nothing is due."
        assert "closed" in console.header


async def test_two_thousand_alerts_are_one_line_or_all_listed(desk: StillDesk) -> None:
    desk.fires(*(alert(f"x{n}", f"alert {n}", "SEV3") for n in range(2000)))
    async with at_console(desk, stream=STREAM) as console:
        await console.press("1")
        assert "1 Alerts 2004 open · 2003 waiting" in console.text
        assert "▸ x2000" in console.text
        assert "Look like part of INC-42, for the service checkout: l links them" in console.text
        await console.press("s", "G")
        assert "2005/2005" in console.text


async def test_undo_without_a_past_says_so(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("u")
        assert console.prompt == "There is nothing to undo."


async def test_undo_steps_aside_when_somebody_changed_it_since(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("i", "s", "2")
        desk.acknowledge_all()
        desk.says("bo", SeveritySet(severity="SEV3"))
        await console.press("u")
        assert console.prompt.startswith("Somebody has changed this since")
        assert desk.model.incident(STREAM).severity == "SEV3"


async def test_a_viewer_may_look_and_is_told_why_not_more(desk: StillDesk) -> None:
    desk.right_is(Right.VIEWER)
    async with at_console(desk, stream=STREAM) as console:
        await console.press("n")
        assert console.prompt.startswith("Note: you are a viewer here")
        await console.press("i", "s")
        assert "Severity: you are a viewer here" in console.text


async def test_who_types_what_reaches_the_screen(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        desk.arrives(Person("bo", STREAM, "editing draft d1"))
        await console.press("q")
        assert "in INC-42, editing draft d1" in console.text


def test_no_action_takes_a_key_of_the_lists() -> None:
    taken = {"j", "k", "g", "G", "up", "down", "pageup", "pagedown", "home", "end"}
    keys = {key for action in registry() for key in action.keys if action.leader is None}
    assert not keys & taken
    assert not keys & LEADERS.keys()


def test_every_action_has_a_sentence_and_a_way_to_do_it() -> None:
    for action in registry():
        assert action.help.endswith("."), action.id
        assert action.keys or action.command, action.id


def test_every_panel_reaches_the_incident_menu() -> None:
    actions = registry()
    for scope in PANELS.values():
        assert Scope.ROOM in reach(scope)
        assert actions.find(scope, "s", "i") is not None
    assert DARK.name


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("claim captain", "There is no role “captain”"),
        ("role captain bo", "There is no role “captain”"),
        ("release captain", "There is no role “captain”"),
        ("role scribe " + "x" * 81, "a name has at most 80 characters"),
        ("handover " + "x" * 81, "a name has at most 80 characters"),
        ("impact weather bad", "There is no fact “weather”"),
        ("impact reports many", "Type a number, such as 12."),
        ("draft martians", "There is no audience “martians”"),
        ("attach nothing", "There is nothing called “nothing”"),
        ("join 7", "Name an incident: INC-42."),
        ("note --at 25:99 hello", "25:99"),
        ("severity awful", "There is no severity “awful”"),
        ("declare --loud now", "--loud is no option"),
    ],
)
async def test_a_line_with_a_bad_word_stays_open_and_says_why(
    desk: StillDesk, line: str, said: str
) -> None:
    async with at_console(desk, (200, 60), stream=STREAM) as console:
        await console.press(":")
        await console.type(line, "enter")
        assert console.screen.prompt.text == line
        assert said in console.prompt


async def test_a_line_that_the_right_forbids_stays_open(desk: StillDesk) -> None:
    desk.model.right = Right.VIEWER
    async with at_console(desk, (120, 40), stream=STREAM) as console:
        await console.press(":")
        await console.type("note all is lost", "enter")
        assert console.screen.prompt.text == "note all is lost"
        assert "you are a viewer here" in console.prompt


async def test_a_time_is_told_as_people_read_it_when_it_was_stated(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press(":")
        await console.type("impact started_at 2023-11-13T13:05", "enter")
        assert console.prompt == "Since when: 2023-11-13 13:05Z · u undo"


async def test_what_was_done_fits_the_row_and_keeps_the_offer_to_undo(desk: StillDesk) -> None:
    async with at_console(desk, (60, 16), stream=STREAM) as console:
        name = "Look at the deploys of the last two hours, all zones, everywhere"
        console.screen.seat.write(NoteAdded(text="x"), said=f"Ticked “{name}”")
        await console.settle()
        assert console.prompt == "Ticked “Look at the deploys of the last two hour…” · u undo"


async def test_in_the_middle_of_an_old_timeline_the_title_tells_the_day(desk: StillDesk) -> None:
    desk.clock.now += 26 * 60 * MINUTE
    async with at_console(desk, stream=STREAM) as console:
        title = next(row for row in console.rows if "Timeline" in row)
        assert "Nov" not in title, "the newest is in sight"
        await console.press("2", "k", "k")
        title = next(row for row in console.rows if "Timeline" in row)
        assert "Tue 14 Nov 2023 " in title
        desk.says("bo", NoteAdded(text="today"))
        await console.press("G", "k", "j")
        title = next(row for row in console.rows if "Timeline" in row)
        assert "Nov" not in title
