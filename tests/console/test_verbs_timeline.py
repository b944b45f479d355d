"""Notes, edits, strokes and stars."""

from __future__ import annotations

import pytest

from tests.console.at_console import at_console
from tests.console.fake_ctx import FakeCtx
from tests.console.still_desk import MINUTE, StillDesk, tell_story
from tests.incident.making import NOW, STREAM
from warroom_console.actions import Registry, Scope
from warroom_console.context import Ctx
from warroom_console.times import clock
from warroom_console.verbs.timeline import LONGEST, read_note
from warroom_console.views.timeline import TimelineView
from warroom_incident.vocabulary import NoteAdded, NoteEdited, SeveritySet


@pytest.fixture
def ctx() -> FakeCtx:
    return FakeCtx(TimelineView(), Scope.TIMELINE)


def notes(ctx: FakeCtx) -> list[tuple[str, int | None]]:
    bodies = (event.body for event in ctx.written)
    return [(body.text, body.at) for body in bodies if isinstance(body, NoteAdded)]


def test_a_note_is_one_line(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.press(registry, "n")
    assert ctx.asked is not None
    assert ctx.asked.label == "note INC-~aaaa: "
    ctx.answer("  zone b is drained ")
    assert notes(ctx) == [("zone b is drained", None)]


def test_an_empty_note_writes_nothing(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.press(registry, "n")
    ctx.answer("   ")
    assert ctx.written == []


def test_a_note_can_be_typed_behind_its_command_and_dated_back(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    ctx.command(registry, "note restarted --at the edge")
    ctx.command(registry, "note --at -20m errors began")
    assert notes(ctx) == [
        ("restarted --at the edge", None),
        ("errors began", ctx.clock - 21 * MINUTE),
    ]


def test_a_note_dated_back_says_where_it_went(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    began = clock(ctx.clock - 20 * MINUTE)
    ctx.command(registry, "note --at -20m errors began")
    ctx.command(registry, "note --at 2021-11-01T09:30Z deployed")
    assert ctx.flashed == [f"Noted at {began}", "Noted at Mon 1 Nov 2021 09:30"]


@pytest.mark.parametrize("line", ["--at 25:99 x", "--at", "--at 2999-01-01T00:00Z x", "--at -1m"])
def test_a_bad_time_keeps_the_line_open_with_a_sentence(
    ctx: FakeCtx, registry: Registry[Ctx], line: str
) -> None:
    ctx.press(registry, "n")
    assert ctx.asked is not None
    complaint = ctx.asked.check(line)
    assert complaint is not None
    assert complaint.endswith(".")


def test_a_note_has_a_longest(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    assert read_note("x" * LONGEST, NOW) == ("x" * LONGEST, None)
    with pytest.raises(ValueError, match="1 character too long"):
        read_note("x" * (LONGEST + 1), NOW)


@pytest.mark.parametrize("key", ["E", "x"])
def test_only_own_notes_can_be_changed(ctx: FakeCtx, registry: Registry[Ctx], key: str) -> None:
    assert ctx.press(registry, key) == "no entry under the cursor: k leaves the tail"
    ctx.cursor = ctx.says("bo", NoteAdded(text="mine")).id
    assert ctx.press(registry, key) == "this is bo's note"
    ctx.cursor = ctx.says("ana", SeveritySet(severity="SEV2")).id
    assert ctx.press(registry, key) == (
        "only notes can be changed, and the record keeps all they said"
    )


def test_at_the_tail_the_last_own_note_is_meant(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.says("ana", NoteAdded(text="first"))
    last = ctx.says("ana", NoteAdded(text="second, with more words than the row has room for"))
    ctx.says("bo", NoteAdded(text="slipped in"))
    assert ctx.press(registry, "x") is None
    assert ctx.state.is_struck(last.id)
    assert ctx.flashed[-1] == "Struck out your last note “second, with more words than…”"


def test_striking_and_restoring_an_own_note(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.cursor = ctx.says("ana", NoteAdded(text="wrong")).id
    ctx.press(registry, "x")
    assert ctx.state.is_struck(ctx.cursor)
    ctx.press(registry, "x")
    assert not ctx.state.is_struck(ctx.cursor)
    assert ctx.flashed == ["Struck out", "Restored"]


def test_a_star_on_anything_and_back(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.cursor = ctx.says("bo", SeveritySet(severity="SEV2")).id
    ctx.press(registry, "*")
    assert ctx.state.is_starred(ctx.cursor)
    ctx.press(registry, "*")
    assert not ctx.state.is_starred(ctx.cursor)


def test_s_goes_round_what_is_shown(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    for _ in range(3):
        ctx.press(registry, "s")
    assert ctx.flashed == [
        "Machinery is hidden.",
        "Only notes and stars are shown.",
        "Everything is shown.",
    ]
    assert ctx.redrawn == 3


@pytest.fixture
def desk() -> StillDesk:
    desk = StillDesk()
    tell_story(desk)
    return desk


async def test_an_own_note_is_edited_in_the_editor(desk: StillDesk) -> None:
    note = desk.says("ana", NoteAdded(text="teh pool"))
    async with at_console(desk, stream=STREAM) as console:
        await console.press("k", "E")
        assert "Edit the note" in console.text
        await console.pilot.press(*["backspace"] * 8)
        await console.type("the pool", "ctrl+s")
        state = desk.model.incident(STREAM)
        standing = state.note(state.events[note.id])
        assert standing is not None
        assert standing.text == "the pool"
        assert "the pool (edited)" in console.text


async def test_an_edit_that_met_another_stands_beside_it(desk: StillDesk) -> None:
    note = desk.says("ana", NoteAdded(text="pool"))
    async with at_console(desk, stream=STREAM) as console:
        await console.press("k", "E")
        desk.says("ana", NoteEdited(target=note.id, text="on my phone"))
        await console.type(" is full", "ctrl+s")
        conflicts = desk.model.incident(STREAM).conflicts()
        assert [conflict.key for conflict in conflicts] == [("text", note.id)]


async def test_a_note_grows_into_the_editor_with_its_text(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("n")
        await console.type("first line", "ctrl+e")
        assert "Note in INC-42" in console.text
        await console.press("enter")
        await console.type("second line", "ctrl+s")
        assert "first line" in console.text
        assert "                second line" in console.text


async def test_what_was_typed_survives_escape(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("n")
        await console.type("half a thou", "escape", "n")
        assert "half a thou" in console.prompt


async def test_enter_at_the_tail_shows_the_last_entry(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        await console.press("enter")
        assert "happened     2023-11-14 22:53:20Z" in console.text


async def test_following_stops_with_k_and_goes_on_with_f(desk: StillDesk) -> None:
    async with at_console(desk, stream=STREAM) as console:
        assert "▼ 20" in console.text
        await console.press("k")
        assert "20/20" in console.text
        desk.says("bo", NoteAdded(text="below"))
        await console.sees("20/21")
        await console.press("f")
        assert "▼ 21" in console.text
