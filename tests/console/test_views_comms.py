"""The Comms panel: drafts, versions side by side, who is editing, what is ready."""

import pytest

from tests.console.fake_ctx import FakeCtx, detail, drawn, panel, status
from tests.incident.making import STREAM
from warroom_console.actions import Scope
from warroom_console.theme import ASCII
from warroom_console.views.comms import CommsView, gaps
from warroom_console.widgets.spans import width_of
from warroom_incident.event import Event
from warroom_incident.sync.wire import Person
from warroom_incident.vocabulary import DraftOpened, DraftReadied, DraftSaved


@pytest.fixture
def ctx() -> FakeCtx:
    return FakeCtx(CommsView(), Scope.COMMS)


def begin(ctx: FakeCtx, text: str = "Paying fails.\n\nWe are on it.", draft: str = "d1") -> Event:
    ctx.says("ana", DraftOpened(draft=draft, audience="customers", title="First notice"))
    return ctx.says("ana", DraftSaved(draft=draft, text=text))


def test_without_drafts_the_panel_says_which_key_begins(ctx: FakeCtx) -> None:
    assert ctx.view.rows(ctx) == []
    assert ctx.view.empty(ctx) == "Nothing was drafted yet. t begins a draft from a template."
    assert status(ctx.view, ctx) == " | "


def test_a_draft_shows_its_audience_version_author_and_beginning(ctx: FakeCtx) -> None:
    begin(ctx)
    first, *text = panel(ctx.view, ctx)
    assert first.startswith("Customers  First notice")
    assert first.endswith("v1 ana 22:16  draft")
    assert text == ["  Paying fails.", "  We are on it."]
    assert status(ctx.view, ctx) == "1 | Customers v1 draft"


def test_versions_saved_unseen_of_each_other_stand_side_by_side(ctx: FakeCtx) -> None:
    first = begin(ctx)
    ctx.says("bo", DraftSaved(draft="d1", text="Cards fail."), base=(first.id,))
    ctx.says("cy", DraftSaved(draft="d1", text="Wallets fail."), base=(first.id,))
    rows = ctx.view.rows(ctx)
    assert [row.id.partition("/")[0] for row in rows] == ["d1", "d1", "d1"]
    assert "saved unseen of each other: e merges them" in drawn(rows[0])[0]
    shown = "\n".join(panel(ctx.view, ctx))
    assert "◆ bo 22:17" in shown
    assert "Cards fail." in shown
    assert "◆ cy 22:18" in shown
    assert "Wallets fail." in shown
    assert status(ctx.view, ctx).startswith("1 1 to merge | ")
    assert ctx.view.text(ctx, rows[1].id) in ("Cards fail.", "Wallets fail.")
    both = ctx.view.text(ctx, "d1")
    assert "--- bo, 22:17Z ---\nCards fail." in both
    assert "--- cy, 22:18Z ---\nWallets fail." in both


def test_a_ready_draft_says_so_until_it_is_edited(ctx: FakeCtx) -> None:
    saved = begin(ctx)
    ctx.says("bo", DraftReadied(draft="d1", version=saved.id))
    assert panel(ctx.view, ctx)[0].endswith("ready")
    assert "ready since 22:17Z, says bo" in detail(ctx.view, ctx, "d1")
    ctx.says("cy", DraftSaved(draft="d1", text="Cards fail."))
    assert "edited since it was ready" in panel(ctx.view, ctx)[0]
    ctx.says("cy", DraftReadied(draft="d1"))
    assert status(ctx.view, ctx) == "1 | Customers v2 draft"


def test_the_others_see_who_is_editing(ctx: FakeCtx) -> None:
    begin(ctx)
    before = ctx.view.rows(ctx)[0].version
    ctx.arrive(Person("bo", STREAM, "editing draft d1"), Person("cy", STREAM, "editing draft d2"))
    assert panel(ctx.view, ctx)[1].strip() == "bo is editing"
    assert ctx.view.rows(ctx)[0].version != before
    assert status(ctx.view, ctx) == "1 | Customers v1 bo is editing"


def test_my_own_editing_is_no_news_to_me(ctx: FakeCtx) -> None:
    begin(ctx)
    ctx.arrive(Person("ana", STREAM, "editing draft d1"))
    assert "editing" not in "\n".join(panel(ctx.view, ctx))


def test_who_writes_a_first_version_is_seen_before_it_is_saved(ctx: FakeCtx) -> None:
    ctx.arrive(Person("bo", STREAM, "writing to customers"), Person("cy", "", "writing to you"))
    (row,) = ctx.view.rows(ctx)
    assert row.heading
    assert drawn(row) == ["Customers  bo is writing a first version"]
    assert status(ctx.view, ctx) == " | bo is writing to customers"


def test_questions_that_are_still_open_are_counted(ctx: FakeCtx) -> None:
    begin(ctx, "[what is affected] fails since 13:20. [see](https://x.example) [x] [ ]")
    assert gaps("[what is affected] [see](https://x.example) [x] done [ ] open") == [
        "[what is affected]"
    ]
    assert panel(ctx.view, ctx)[1].strip() == "1 question to answer"


def test_unsaved_text_is_shown_where_it_waits(ctx: FakeCtx) -> None:
    begin(ctx)
    assert isinstance(ctx.view, CommsView)
    ctx.view.unsaved = frozenset({"d1", "new:executives"})
    lines = panel(ctx.view, ctx)
    assert lines[1].strip() == "your unsaved text waits: e"
    assert lines[-1] == "Executives  your unsaved first version waits: t"


def test_the_detail_has_the_text_and_every_version(ctx: FakeCtx) -> None:
    begin(ctx)
    ctx.says("bo", DraftSaved(draft="d1", text="Cards fail.\nSecond line."))
    told = detail(ctx.view, ctx, "d1")
    assert told.startswith("Customers: First notice\nEveryone outside")
    assert "Cards fail.\nSecond line." in told
    history = told[told.index("Versions") :].splitlines()
    assert history[1].split()[:4] == ["v2", "22:17", "bo", "Cards"]
    assert history[2].split()[:4] == ["v1", "22:16", "ana", "Paying"]
    assert "v1 by ana\nPaying fails." in told


def test_the_filter_looks_at_audience_state_and_text(ctx: FakeCtx) -> None:
    begin(ctx)
    for wanted, found in (("customers", 1), ("paying", 1), ("!draft", 0), ("executives", 0)):
        ctx.view.filter = wanted
        assert len(ctx.view.rows(ctx)) == found, wanted


def test_copied_text_is_the_clean_text_alone(ctx: FakeCtx) -> None:
    begin(ctx, "Paying fails.\x1b]52;c;x\x07")
    assert ctx.view.text(ctx, "d1") == "Paying fails.␛]52;c;x␇"
    assert ctx.view.text(ctx, "gone") == ""
    assert ctx.view.text(ctx, None).startswith("## Customers: First notice\n\nPaying")


def test_rows_fit_every_width_with_every_look(ctx: FakeCtx) -> None:
    ctx.says("ana", DraftOpened(draft="d1", audience="x" * 80, title="t" * 240))
    first = ctx.says("b" * 80, DraftSaved(draft="d1", text="[prod] y[/b] " * 50))
    ctx.says("c" * 80, DraftSaved(draft="d1", text="ｗｉｄｅ" * 50), base=())
    ctx.arrive(Person("d" * 80, STREAM, "editing draft d1"))
    begin(ctx, draft="d2")
    ctx.says("bo", DraftReadied(draft="d2", version=first.id))
    for glyphs in (ctx.glyphs, ASCII):
        ctx.glyphs = glyphs
        for width in (30, 46, 58, 78, 118):
            for row in ctx.view.rows(ctx):
                assert all(width_of(line) <= width for line in row.draw(width)), (row.id, width)
            assert detail(ctx.view, ctx, "d1", width)
