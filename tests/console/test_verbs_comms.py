"""Beginning, editing, merging and readying drafts; nothing typed is ever lost."""

import pytest

from tests.console.fake_ctx import Editing, FakeCtx
from warroom_console.actions import Registry, Scope
from warroom_console.context import Ctx
from warroom_console.verbs.filling import flowing, phase_for, values
from warroom_console.views.comms import CommsView
from warroom_incident.event import Event
from warroom_incident.parts import Draft
from warroom_incident.practice.audience import audience_of
from warroom_incident.vocabulary import (
    DraftOpened,
    DraftReadied,
    DraftSaved,
    ImpactSet,
    RoleAssigned,
    SeveritySet,
    StatusSet,
)


@pytest.fixture
def ctx() -> FakeCtx:
    ctx = FakeCtx(CommsView(), Scope.COMMS)
    ctx.cursor = "d1"
    return ctx


def begin(ctx: FakeCtx, text: str = "Paying fails.") -> Event:
    ctx.says("bo", DraftOpened(draft="d1", audience="customers", title="First notice"))
    return ctx.says("bo", DraftSaved(draft="d1", text=text))


def draft(ctx: FakeCtx) -> Draft:
    return ctx.state.drafts()[0]


def texts(ctx: FakeCtx) -> list[str]:
    return [version.text for version in draft(ctx).versions]


def opened(ctx: FakeCtx) -> Editing:
    assert ctx.editor is not None
    return ctx.editor


# Beginning ---------------------------------------------------------------------------------


def test_a_new_draft_is_filled_from_what_the_incident_knows(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    ctx.says("ana", ImpactSet(field="services", text="checkout"))
    ctx.says("ana", SeveritySet(severity="SEV1"))
    ctx.press(registry, "t")
    assert ctx.menu is not None
    ctx.menu.pick("Customers")
    editor = opened(ctx)
    assert editor.title == "First notice to customers"
    assert editor.text.startswith("We are looking into a problem with checkout.")
    assert "It began at 22:14 UTC" in editor.text
    assert "The next update comes at 22:40 UTC." in editor.text
    assert ctx.doing == ["writing to customers"]
    assert ctx.state.drafts() == []


def test_saving_a_new_draft_begins_it_with_its_first_version(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    ctx.command(registry, "draft internal")
    opened(ctx).save("All hands on checkout.")
    assert (draft(ctx).audience, draft(ctx).title) == ("internal", "First notice")
    assert texts(ctx) == ["All hands on checkout."]
    assert ctx.cursor == draft(ctx).id
    assert ctx.doing[-1] == ""


def test_a_new_draft_that_was_left_waits_for_the_next_begin(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    ctx.command(registry, "draft customers")
    opened(ctx).left("half a sent")
    assert ctx.flashed == ["Not saved; the text is kept: t goes on with it."]
    assert isinstance(ctx.view, CommsView)
    assert ctx.view.unsaved == {"new:customers"}
    ctx.command(registry, "draft customers")
    assert opened(ctx).text == "half a sent"
    opened(ctx).save("half a sentence.")
    assert ctx.view.unsaved == frozenset()


def test_a_new_draft_that_was_left_untouched_leaves_nothing(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    ctx.command(registry, "draft customers")
    opened(ctx).left(opened(ctx).text)
    assert isinstance(ctx.view, CommsView)
    assert ctx.view.unsaved == frozenset()
    assert ctx.flashed == []


def test_an_empty_draft_is_not_saved(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.command(registry, "draft customers")
    opened(ctx).save(" \n")
    assert ctx.state.drafts() == []
    assert ctx.flashed == ["An empty draft is not saved."]


def test_an_unknown_audience_gets_one_sentence(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.command(registry, "draft martians")
    assert ctx.editor is None
    assert ctx.flashed[-1].startswith("There is no audience “martians”")


def test_from_another_panel_the_comms_panel_comes_to_the_front(
    ctx: FakeCtx, registry: Registry[Ctx], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ctx, "_view", None)
    ctx.command(registry, "draft customers")
    assert ctx.active == 5


# Editing -----------------------------------------------------------------------------------


def test_an_edit_replaces_the_version_that_was_seen(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    begin(ctx)
    ctx.press(registry, "e")
    assert opened(ctx).text == "Paying fails."
    assert ctx.doing == ["editing draft d1"]
    opened(ctx).save("Paying by card fails.")
    assert texts(ctx) == ["Paying by card fails."]
    assert ctx.flashed == ["Saved v2 to customers"]
    assert ctx.doing == ["editing draft d1", ""]


def test_what_somebody_saved_meanwhile_stands_beside_it(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    begin(ctx)
    ctx.press(registry, "e")
    ctx.says("bo", DraftSaved(draft="d1", text="Bo's text."))
    opened(ctx).save("Ana's text.")
    assert sorted(texts(ctx)) == ["Ana's text.", "Bo's text."]
    assert ctx.flashed[-1].endswith("Another version was saved meanwhile: e merges them.")


@pytest.mark.parametrize("on", ["draft", "version"])
def test_editing_one_of_two_versions_makes_them_one(
    ctx: FakeCtx, registry: Registry[Ctx], on: str
) -> None:
    first = begin(ctx)
    ctx.says("bo", DraftSaved(draft="d1", text="Bo's text."), base=(first.id,))
    ctx.says("cy", DraftSaved(draft="d1", text="Cy's text."), base=(first.id,))
    one = draft(ctx).versions[1]
    ctx.cursor = "d1" if on == "draft" else f"d1/{one.id}"
    ctx.press(registry, "e")
    if on == "draft":
        assert "Bo's text." in opened(ctx).text
        assert "Cy's text." in opened(ctx).text
    else:
        assert opened(ctx).text == one.text
    opened(ctx).save("One text.")
    assert texts(ctx) == ["One text."]


def test_choosing_one_of_two_versions_as_it_is_settles_it(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    first = begin(ctx)
    ctx.says("bo", DraftSaved(draft="d1", text="Bo's text."), base=(first.id,))
    ctx.says("cy", DraftSaved(draft="d1", text="Cy's text."), base=(first.id,))
    one = draft(ctx).versions[0]
    ctx.cursor = f"d1/{one.id}"
    ctx.press(registry, "e")
    opened(ctx).save(one.text)
    assert texts(ctx) == [one.text]


def test_saving_without_a_change_writes_nothing(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    begin(ctx)
    ctx.press(registry, "e")
    opened(ctx).save("Paying fails.")
    assert ctx.written == []
    assert ctx.flashed == ["Nothing was changed."]


def test_text_left_unsaved_comes_back_with_what_its_author_had_seen(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    begin(ctx)
    ctx.press(registry, "e")
    opened(ctx).left("Paying by c")
    assert isinstance(ctx.view, CommsView)
    assert ctx.view.unsaved == {"d1"}
    ctx.says("bo", DraftSaved(draft="d1", text="Bo's text."))
    ctx.press(registry, "e")
    assert opened(ctx).text == "Paying by c"
    assert opened(ctx).title.endswith("(your unsaved text)")
    opened(ctx).save("Paying by card fails.")
    assert sorted(texts(ctx)) == ["Bo's text.", "Paying by card fails."]
    assert ctx.view.unsaved == frozenset()


def test_text_that_the_door_refuses_is_kept(
    ctx: FakeCtx, registry: Registry[Ctx], monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(ctx)
    ctx.press(registry, "e")
    with monkeypatch.context() as patch:
        patch.setattr(ctx, "write", lambda *bodies, base, said: [])
        opened(ctx).save("Too long.")
    assert texts(ctx) == ["Paying fails."]
    ctx.press(registry, "e")
    assert opened(ctx).text == "Too long."


def test_without_a_draft_under_the_cursor_nothing_opens(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    for cursor in (None, "gone", "writing/bo/Customers"):
        ctx.cursor = cursor
        assert ctx.press(registry, "e") == "no draft under the cursor"


# Ready -------------------------------------------------------------------------------------


def test_a_draft_is_marked_ready_and_not_ready_again(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    saved = begin(ctx)
    ctx.press(registry, "m")
    assert draft(ctx).ready == saved.id
    assert ctx.flashed == ["Customers: First notice v1 is ready"]
    ctx.press(registry, "m")
    assert draft(ctx).ready is None


def test_a_later_edit_needs_marking_again(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    begin(ctx)
    ctx.press(registry, "m")
    later = ctx.says("bo", DraftSaved(draft="d1", text="Cards fail."))
    assert draft(ctx).ready is None
    ctx.press(registry, "m")
    assert draft(ctx).ready == later.id


def test_a_draft_that_still_asks_something_is_questioned_first(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    begin(ctx, "[what is affected] fails in [where].")
    ctx.press(registry, "m")
    assert draft(ctx).ready is None
    assert ctx.confirmed is not None
    question, then = ctx.confirmed
    assert question == "It still asks [what is affected] and 1 more. Ready all the same?"
    then()
    assert draft(ctx).ready is not None


def test_two_versions_cannot_be_ready(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    begin(ctx)
    ctx.says("cy", DraftSaved(draft="d1", text="Cy's text."), base=())
    assert ctx.press(registry, "m") == "two versions stand: e merges them first"


# Filling -----------------------------------------------------------------------------------


def test_the_next_message_is_an_update_once_the_first_was_ready_and_the_last_at_the_end(
    ctx: FakeCtx,
) -> None:
    assert phase_for(ctx.state, "customers") == "first"
    saved = begin(ctx)
    assert phase_for(ctx.state, "customers") == "first"
    ctx.says("bo", DraftReadied(draft="d1", version=saved.id))
    assert phase_for(ctx.state, "customers") == "update"
    assert phase_for(ctx.state, "executives") == "first"
    ctx.says("bo", StatusSet(status="resolved"))
    assert phase_for(ctx.state, "customers") == "final"


def test_what_nobody_said_yet_is_left_to_ask(ctx: FakeCtx) -> None:
    known = values(ctx.state, audience_of("customers"), ctx.now())
    assert known["services"] is None
    assert known["commander"] is None
    ctx.says("ana", RoleAssigned(role="commander", person="ana"))
    ctx.says("ana", ImpactSet(field="started_at", text="2023-11-13T23:05:00Z"))
    known = values(ctx.state, audience_of("customers"), ctx.now())
    assert known["commander"] == "ana"
    assert known["since"] == "23:05 UTC on Mon 13 Nov 2023"
    ctx.says("ana", ImpactSet(field="started_at", text="about noon"))
    assert values(ctx.state, audience_of("customers"), ctx.now())["since"] == "about noon"
    ctx.says("ana", SeveritySet(severity="SEV5"))
    assert values(ctx.state, audience_of("customers"), ctx.now())["next_update"] is None


def test_a_template_flows_where_only_its_source_was_broken() -> None:
    long = "word " * 17
    template = f"# {long}\nShort.\n\n{long}\nand on.\n{long}\nAffected: all\n- {long}\n- two\n"
    assert flowing(template).splitlines() == [
        f"# {long}",
        "Short.",
        "",
        f"{long} and on.",
        long,
        "Affected: all",
        f"- {long}",
        "- two",
    ]


def test_text_that_an_earlier_console_kept_replaces_no_version_unseen(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    begin(ctx)
    assert isinstance(ctx.view, CommsView)
    ctx.view.unsaved = frozenset({"d1"})
    ctx.press(registry, "e")
    opened(ctx).save("Paying by card fails.")
    assert sorted(texts(ctx)) == ["Paying by card fails.", "Paying fails."]
    ctx.press(registry, "e")
    opened(ctx).save("Paying by card fails for many.")
    assert texts(ctx) == ["Paying by card fails for many."]
