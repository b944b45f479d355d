"""Sending again, copying and putting away what the server did not admit."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.console.at_console import at_console
from tests.console.fake_ctx import FakeCtx
from tests.console.still_desk import StillDesk
from tests.incident.making import NOW, STREAM
from warroom_console.actions import Args, Registry, Scope
from warroom_console.context import Ctx
from warroom_console.link import LinkState
from warroom_console.model import Refusal
from warroom_console.verbs import refusals
from warroom_console.views.due import due_list
from warroom_console.views.heading import lobby_idle
from warroom_console.views.timeline import TimelineView
from warroom_console.widgets.spans import plain
from warroom_incident.event import Event
from warroom_incident.vocabulary import IncidentDeclared, NoteAdded, SeveritySet


class Refused(FakeCtx):
    """A context with entries that were refused."""

    def __init__(self) -> None:
        super().__init__(TimelineView(), Scope.TIMELINE)
        self.refused_directory = Path("/home/ana/refused")
        self.resent: list[str] = []
        self.dismissed: list[str] = []
        self.keeps = True

    def refuse(self, event: Event, reason: str = "you may only read here") -> Event:
        self.state.events.pop(event.id, None)
        self.model.refusals[event.id] = Refusal(event, reason, NOW)
        return event

    def load(self, stream: str) -> object:
        return SimpleNamespace(declared=None) if stream != STREAM else self.state

    def resend(self, event_id: str) -> bool:
        self.resent.append(event_id)
        return self.keeps

    def dismiss(self, event_id: str) -> bool:
        self.dismissed.append(event_id)
        return True

    def sees_to(self, what: str) -> None:
        """Press F and choose."""
        assert self.press(registry(), "F") is None
        self.picks(what)

    def picks(self, what: str) -> None:
        """Choose in the menu that is open."""
        assert self.menu is not None
        self.menu.pick(what)


def registry() -> Registry[Ctx]:
    found: Registry[Ctx] = Registry()
    refusals.register(found)
    return found


@pytest.fixture
def ctx() -> Refused:
    return Refused()


def test_without_a_refusal_the_key_says_so(ctx: Refused) -> None:
    assert ctx.press(registry(), "F") == "the server has refused nothing of yours"


def test_the_refused_entry_under_the_cursor_is_meant(ctx: Refused) -> None:
    one = ctx.refuse(ctx.says("ana", NoteAdded(text="one")))
    ctx.refuse(ctx.says("ana", NoteAdded(text="two")))
    ctx.cursor = one.id
    ctx.sees_to("Send it again")
    assert ctx.resent == [one.id]
    assert ctx.flashed == ["Sent again."]
    assert ctx.menu is not None
    assert ctx.menu.title == "Refused: you may only read here"


def test_elsewhere_one_is_chosen_where_there_are_several(ctx: Refused) -> None:
    one = ctx.refuse(ctx.says("ana", NoteAdded(text="one\nmore")))
    ctx.refuse(ctx.says("ana", SeveritySet(severity="SEV1")))
    ctx.sees_to("one")
    ctx.picks("Copy its text")
    assert ctx.copied == [("one\nmore", "The text")]
    assert ctx.resent == []
    ctx.sees_to("ana set severity SEV1")
    ctx.picks("Put it away")
    assert len(ctx.dismissed) == 1
    assert ctx.flashed == ["Put away; its text stays in /home/ana/refused."]
    assert one.id not in ctx.dismissed


def test_it_says_when_a_text_is_gone_or_has_to_wait(ctx: Refused) -> None:
    ctx.refuse(ctx.says("ana", NoteAdded(text="one")))
    ctx.keeps = False
    ctx.sees_to("Send it again")
    ctx.keeps = True
    ctx.model.link = LinkState("retrying")
    ctx.sees_to("Send it again")
    assert ctx.flashed == [
        "Its text is not kept on this machine any more.",
        "It is sent when a server is back.",
    ]


def test_a_refused_declaration_is_sent_again_as_a_whole(ctx: Refused) -> None:
    other = "i-" + "z" * 16
    writer = ctx.writers["ana"]
    bodies = (IncidentDeclared(title="Search"), SeveritySet(severity="SEV2"))
    written = [ctx.refuse(writer.write(body, stream=other)) for body in bodies]
    ctx.stream = None
    ctx.sees_to("ana declared the incident: Search")
    ctx.picks("Send it again")
    assert ctx.resent == [event.id for event in written]


def test_each_is_due_with_its_words_and_the_lobby_tells_of_them(ctx: Refused) -> None:
    events = [ctx.refuse(ctx.says("ana", NoteAdded(text=f"entry {n}"))) for n in range(7)]
    due = due_list(ctx.ctx)[:6]
    assert due[0].text == "the server refused “entry 6”: you may only read here"
    assert (due[0].act, due[0].key, due[0].row) == ("refused", "F", events[6].id)
    assert due[5].text == "the server refused 2 more of your entries"
    ctx.stream = None
    assert plain(lobby_idle(ctx.ctx)).startswith("The server refused “entry 6”: you may")


def test_the_command_does_the_same(ctx: Refused) -> None:
    ctx.refuse(ctx.says("ana", NoteAdded(text="one")))
    action, _ = registry().find_command("refused")
    action.do(ctx.ctx, Args())
    assert ctx.menu is not None


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def test_a_refused_entry_is_copied_with_three_keys(size: tuple[int, int]) -> None:
    desk = StillDesk()
    desk.says("ana", IncidentDeclared(title="Checkout is down"))
    async with at_console(desk, size, stream=STREAM) as console:
        await console.press("n")
        await console.type("lost words", "enter")
        event = next(e for e in desk.model.incident(STREAM).events.values() if not e.admitted)
        desk.refuse(event, "you are a viewer now")
        await console.sees("not admitted: you are a")
        await console.press("F")
        assert "Send it again" in console.text
        assert "Put it away" in console.text
        await console.press("escape")
        assert "Send it again" not in console.text
        await console.press("0", "enter")
        assert "Send it again" in console.text
        assert console.screen.pane.rows.cursor == event.id
