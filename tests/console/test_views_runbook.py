"""The Runbook panel: sections, steps, owners, commands, progress."""

import pytest

from tests.console.fake_ctx import FakeCtx, detail, drawn, panel, status
from warroom_console.actions import Scope
from warroom_console.theme import ASCII
from warroom_console.views.runbook import RunbookView
from warroom_console.widgets.spans import width_of
from warroom_incident.fields import StepCopy
from warroom_incident.vocabulary import ChecklistAttached, StepNoted, StepOwned, StepSet

STEPS = (
    StepCopy(id="a", text="Look at the last deploy\nExpect: none", section="Diagnosis"),
    StepCopy(id="b", text="Roll back", section="Mitigation", command="kubectl undo\nkubectl get"),
    StepCopy(id="c", text="Place a real order", section="Mitigation"),
)


@pytest.fixture
def ctx() -> FakeCtx:
    ctx = FakeCtx(RunbookView(), Scope.RUNBOOK)
    ctx.says("ana", ChecklistAttached(checklist="one", title="Checkout errors", steps=STEPS))
    return ctx


def test_without_a_checklist_the_panel_says_which_key_begins() -> None:
    ctx = FakeCtx(RunbookView(), Scope.RUNBOOK)
    assert ctx.view.rows(ctx) == []
    assert ctx.view.empty(ctx) == "No runbook yet. A attaches one."


def test_steps_stand_under_the_headings_of_their_sections(ctx: FakeCtx) -> None:
    assert panel(ctx.view, ctx) == [
        "Diagnosis  0/1",
        "[ ] Look at the last deploy",
        "Mitigation  0/2",
        "[ ] Roll back",
        "    $ kubectl undo  (and 1 more lines)",
        "[ ] Place a real order",
    ]
    assert [row.id for row in ctx.view.rows(ctx) if not row.heading] == ["one/a", "one/b", "one/c"]


def test_a_step_shows_its_state_and_who_settled_it_when(ctx: FakeCtx) -> None:
    ctx.says("bo", StepSet(checklist="one", step="a", state="done"))
    ctx.says("bo", StepSet(checklist="one", step="b", state="doing"))
    ctx.says("bo", StepSet(checklist="one", step="c", state="skipped"))
    lines = panel(ctx.view, ctx)
    assert lines[1].startswith("[x] Look at the last deploy")
    assert lines[1].endswith("bo 22:16")
    assert lines[3].startswith("[>] Roll back")
    assert lines[3].endswith("bo")
    assert lines[5].startswith("[-] Place a real order")
    assert status(ctx.view, ctx) == "2/3 | now: Roll back (bo)"


def test_the_collapsed_title_names_a_person_without_the_account(ctx: FakeCtx) -> None:
    ctx.says("bo (ops)", StepSet(checklist="one", step="b", state="doing"))
    assert status(ctx.view, ctx).endswith("now: Roll back (bo)")


def test_a_row_changes_its_version_with_everything_that_it_shows(ctx: FakeCtx) -> None:
    def version() -> object:
        return ctx.view.rows(ctx)[1].version

    seen = [version()]
    ctx.says("bo", StepOwned(checklist="one", step="a", owner="bo"))
    seen.append(version())
    ctx.says("bo", StepNoted(checklist="one", step="a", text="3f2c"))
    seen.append(version())
    ctx.says("bo", StepSet(checklist="one", step="a", state="done"))
    seen.append(version())
    assert len(set(seen)) == 4


def test_an_owner_and_the_number_of_notes_stand_beside_the_step(ctx: FakeCtx) -> None:
    ctx.says("bo", StepOwned(checklist="one", step="a", owner="bo"))
    ctx.says("bo", StepNoted(checklist="one", step="a", text="3f2c"))
    assert panel(ctx.view, ctx)[1].endswith("1 note bo")


def test_the_collapsed_panel_says_what_is_next_and_when_all_is_done(ctx: FakeCtx) -> None:
    assert status(ctx.view, ctx) == "0/3 | next: Look at the last deploy"
    for step in STEPS:
        ctx.says("bo", StepSet(checklist="one", step=step.id, state="done"))
    assert status(ctx.view, ctx) == "3/3 | all done"


def test_several_checklists_are_named_in_the_first_line_and_shown_in_turn(ctx: FakeCtx) -> None:
    ctx.says("bo", ChecklistAttached(checklist="two", title="Database", steps=STEPS[:1]))
    view = ctx.view
    assert isinstance(view, RunbookView)
    assert drawn(view.rows(ctx)[0])[0].startswith("Checkout errors 0/3 │ Database 0/1")
    found = view.turn(ctx.state, 1)
    assert found is not None
    assert found.title == "Database"
    assert [row.id for row in view.rows(ctx) if not row.heading] == ["two/a"]
    assert status(view, ctx) == "0/1 · list 2 of 2 | next: Look at the last deploy"
    view.turn(ctx.state, 1)
    assert view.checklist(ctx.state) == ctx.state.checklists()[0]


def test_long_steps_wrap_under_their_own_text() -> None:
    ctx = FakeCtx(RunbookView(), Scope.RUNBOOK)
    steps = (StepCopy(id="a", text="word " * 40),)
    ctx.says("ana", ChecklistAttached(checklist="one", title="Long", steps=steps))
    lines = panel(ctx.view, ctx, width=40)
    assert len(lines) > 4
    assert all(len(line) <= 40 for line in lines)
    assert all(line.startswith("    word") for line in lines[1:])


def test_the_detail_has_the_whole_text_the_command_and_the_notes(ctx: FakeCtx) -> None:
    ctx.says("bo", StepNoted(checklist="one", step="b", text="waiting for ana's word"))
    ctx.says("bo", StepSet(checklist="one", step="b", state="doing"))
    ctx.says("bo", StepSet(checklist="one", step="b", state="done"))
    told = detail(ctx.view, ctx, "one/b")
    assert "kubectl undo\nkubectl get" in told
    assert "waiting for ana's word" in told
    assert "done since 22:18Z, by bo" in told
    assert "under way  by bo" in told
    assert "Expect: none" in detail(ctx.view, ctx, "one/a")


def test_a_row_that_is_no_step_has_no_detail(ctx: FakeCtx) -> None:
    assert ctx.view.detail(ctx, "tabs") is None
    assert ctx.view.detail(ctx, "one/gone") is None


def test_copying_a_step_gives_its_command_or_else_its_text(ctx: FakeCtx) -> None:
    assert ctx.view.text(ctx, "one/b") == "kubectl undo\nkubectl get"
    assert ctx.view.text(ctx, "one/c") == "Place a real order"
    ctx.says("bo", StepSet(checklist="one", step="c", state="skipped"))
    assert ctx.view.text(ctx, None).splitlines() == [
        "## Checkout errors",
        "",
        "### Diagnosis",
        "",
        "- [ ] Look at the last deploy",
        "",
        "### Mitigation",
        "",
        "- [ ] Roll back",
        "- [x] Place a real order (skipped)",
    ]


def test_the_filter_keeps_steps_and_the_headings_above_them(ctx: FakeCtx) -> None:
    ctx.view.filter = "order"
    assert panel(ctx.view, ctx) == ["Mitigation  0/2", "[ ] Place a real order"]
    ctx.view.filter = "nothing like it"
    assert ctx.view.rows(ctx) == []
    assert ctx.view.empty(ctx) == "No step fits the filter. Esc shows them all."


def test_hostile_text_and_narrow_panels_stay_in_their_lines() -> None:
    ctx = FakeCtx(RunbookView(), Scope.RUNBOOK)
    steps = (StepCopy(id="a", text="\x1b[2Jx[prod] y[/b]", command="\n\x07rm", section="s" * 120),)
    for number in range(9):
        ctx.says("ana", ChecklistAttached(checklist=f"c{number}", title="t" * 240, steps=steps))
    ctx.says("b" * 80, StepOwned(checklist="c0", step="a", owner="b" * 80))
    for glyphs in (ctx.glyphs, ASCII):
        ctx.glyphs = glyphs
        for width in (30, 46, 78, 118):
            for row in ctx.view.rows(ctx):
                assert all(width_of(line) <= width for line in row.draw(width)), (row.id, width)
