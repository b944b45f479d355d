"""Ticking, skipping, beginning, owning and noting steps; attaching and turning checklists."""

from pathlib import Path

import pytest

from tests.console.fake_ctx import FakeCtx
from warroom_console.actions import Registry, Scope
from warroom_console.context import Ctx
from warroom_console.views.runbook import RunbookView
from warroom_console.widgets.keybar import hints
from warroom_incident.fields import StepCopy
from warroom_incident.parts import Step
from warroom_incident.vocabulary import ChecklistAttached, StepNoted, StepOwned, StepSet

STEPS = (StepCopy(id="a", text="Look at the last deploy"), StepCopy(id="b", text="Roll back"))


@pytest.fixture
def ctx() -> FakeCtx:
    ctx = FakeCtx(RunbookView(), Scope.RUNBOOK)
    ctx.says("ana", ChecklistAttached(checklist="one", title="Checkout", steps=STEPS))
    ctx.cursor = "one/a"
    ctx.names = ("ana", "bo")
    return ctx


def step(ctx: FakeCtx, place: int = 0) -> Step:
    return ctx.state.checklists()[0].steps[place]


@pytest.mark.parametrize(
    ("key", "state", "said"),
    [
        ("space", "done", "Ticked “Look at the last deploy”"),
        ("b", "doing", "Began “Look at the last deploy”"),
        ("-", "skipped", "Skipped “Look at the last deploy”"),
        ("S", "skipped", "Skipped “Look at the last deploy”"),
    ],
)
def test_a_key_sets_the_step_and_the_same_key_opens_it_again(
    ctx: FakeCtx, registry: Registry[Ctx], key: str, state: str, said: str
) -> None:
    ctx.press(registry, key)
    assert step(ctx).state == state
    assert step(ctx).by == "ana"
    assert ctx.flashed == [said]
    ctx.press(registry, key)
    assert step(ctx).state == "open"


@pytest.mark.parametrize("key", ["-", "o", "O"])
def test_a_done_step_is_neither_skipped_nor_owned_and_its_key_is_dimmed(
    ctx: FakeCtx, registry: Registry[Ctx], key: str
) -> None:
    ctx.says("bo", StepSet(checklist="one", step="a", state="done"))
    assert ctx.press(registry, key) == "it is done: bo ticked it. Space opens it again"
    dimmed = {
        hint.key for hint in hints(registry.offers(ctx.ctx, Scope.RUNBOOK)) if not hint.enabled
    }
    assert {"-", "o", "O"} <= dimmed


@pytest.mark.parametrize(("key", "twice"), [("-", "skipped"), ("space", "done")])
def test_a_key_pressed_again_puts_a_step_under_way_back_under_way(
    ctx: FakeCtx, registry: Registry[Ctx], key: str, twice: str
) -> None:
    ctx.press(registry, "b")
    ctx.press(registry, key)
    assert step(ctx).state == twice
    ctx.press(registry, key)
    assert step(ctx).state == "doing"
    assert ctx.flashed[-1] == "Under way again: “Look at the last deploy”"


def test_marked_steps_are_set_given_and_noted_on_together(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    ctx.marks = ("one/a", "one/b")
    ctx.press(registry, "b")
    assert ctx.flashed[-1] == "Began 2 steps"
    ctx.press(registry, "O")
    assert ctx.menu is not None
    ctx.menu.pick("bo")
    ctx.press(registry, "w")
    ctx.answer("both at once")
    assert [(step(ctx, n).state, step(ctx, n).owner) for n in (0, 1)] == [("doing", "bo")] * 2
    assert [len(step(ctx, n).notes) for n in (0, 1)] == [1, 1]


def test_what_is_done_among_marked_steps_stays_done(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.says("bo", StepSet(checklist="one", step="a", state="done"))
    ctx.marks = ("one/a", "one/b")
    assert ctx.press(registry, "-") is None
    assert [step(ctx, n).state for n in (0, 1)] == ["done", "skipped"]


def test_opening_a_step_again_holds_against_the_rank_of_done(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    ctx.says("bo", StepSet(checklist="one", step="a", state="done"))
    ctx.says("cy", StepSet(checklist="one", step="a", state="done"), base=())
    ctx.press(registry, "space")
    assert step(ctx).state == "open"


def test_a_tick_can_be_undone(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.press(registry, "b")
    ctx.press(registry, "space")
    ctx.undo()
    assert step(ctx).state == "doing"


def test_one_key_takes_a_step_on_and_gives_it_back(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.press(registry, "o")
    assert step(ctx).owner == "ana"
    ctx.press(registry, "o")
    assert step(ctx).owner is None


def test_taking_a_step_from_somebody_says_whose_it_was(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    ctx.says("bo", StepOwned(checklist="one", step="a", owner="bo"))
    ctx.press(registry, "o")
    assert step(ctx).owner == "ana"
    assert ctx.flashed[-1] == "You own “Look at the last deploy”, which was bo's"


def test_a_step_is_given_to_somebody_from_a_menu(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.press(registry, "O")
    ctx.cursor = "one/b"
    assert ctx.menu is not None
    ctx.menu.pick("bo")
    assert (step(ctx).owner, step(ctx, 1).owner) == ("bo", None)
    ctx.cursor = "one/a"
    ctx.press(registry, "O")
    ctx.menu.pick("nobody")
    assert step(ctx).owner is None


def test_a_note_goes_to_the_step_that_was_under_the_cursor(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    ctx.press(registry, "w")
    ctx.cursor = "one/b"
    ctx.answer("  3f2c, 20 minutes ago ")
    (note,) = step(ctx).notes
    assert isinstance(note.body, StepNoted)
    assert note.body.text == "3f2c, 20 minutes ago"
    assert step(ctx, 1).notes == ()


def test_an_empty_note_writes_nothing_and_a_huge_one_is_not_taken(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    ctx.press(registry, "w")
    ctx.answer("  ")
    assert ctx.written == []
    assert ctx.asked is not None
    assert ctx.asked.check("x" * 12_003) == "3 characters too long"


def test_without_a_step_under_the_cursor_nothing_happens(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    for cursor in (None, "tabs", "one/gone"):
        ctx.cursor = cursor
        assert ctx.press(registry, "space") == "no step under the cursor"
    assert ctx.written == []


def test_a_runbook_is_attached_from_a_menu_and_shown(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.press(registry, "A")
    assert ctx.menu is not None
    assert [choice.id for choice in ctx.menu.choices] == ["checkout-errors", "ic-checklist"]
    assert ctx.menu.choices[0].note == "Checkout errors above 5 %"
    ctx.menu.pick("checkout-errors")
    lists = ctx.state.checklists()
    assert [one.title for one in lists] == ["Checkout", "Checkout errors above 5 %"]
    view = ctx.view
    assert isinstance(view, RunbookView)
    assert view.checklist(ctx.state) == lists[1]


def test_the_teams_own_runbooks_are_offered_and_read_when_asked(
    ctx: FakeCtx, registry: Registry[Ctx], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "mail.md").write_text("# Mail\n- [ ] Look at the queue\n")
    (tmp_path / "runbooks" / "prose.md").write_text("# Prose\nOnly words.\n")
    monkeypatch.setenv("WARROOM_DATA", str(tmp_path))
    ctx.command(registry, "attach mail")
    assert ctx.state.checklists()[1].title == "Mail"
    ctx.command(registry, "attach prose")
    assert ctx.flashed[-1] == "“Prose” has no steps: it is only to be read."
    ctx.command(registry, "attach ../../etc/passwd")
    assert ctx.flashed[-1].startswith("There is nothing called “../../etc/passwd”")
    assert len(ctx.state.checklists()) == 2
    assert registry.complete(ctx.ctx, "attach m") == ["attach mail"]


def test_the_arrows_turn_to_the_other_checklists(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    assert ctx.press(registry, ">") == "only one checklist is attached"
    ctx.says("bo", ChecklistAttached(checklist="two", title="Database", steps=STEPS))
    view = ctx.view
    assert isinstance(view, RunbookView)
    ctx.press(registry, ">")
    assert view.chosen == "two"
    assert ctx.redrawn == 1
    ctx.press(registry, "<")
    assert view.chosen == "one"


def test_the_runbooks_of_the_server_are_offered_too(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.model.runbooks = {"mail": "Mail is stuck", "ic-checklist": "Our way"}
    ctx.press(registry, "A")
    assert ctx.menu is not None
    offered = {choice.id: choice.note for choice in ctx.menu.choices}
    assert offered["mail"] == "Mail is stuck"
    assert offered["ic-checklist"] == "Our way"
    assert registry.complaint(ctx.ctx, "attach Mail") is None
    assert registry.complaint(ctx.ctx, "attach post") is not None
