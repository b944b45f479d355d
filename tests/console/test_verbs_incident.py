"""Driving the incident from `i`: severity, status, title, command, impact, conflicts."""

from __future__ import annotations

import pytest

from tests.console.fake_ctx import FakeCtx
from tests.incident.making import NOW
from warroom_console.actions import Args, Registry, Scope
from warroom_console.context import Ctx
from warroom_console.verbs import closing, impact, incident, settling
from warroom_console.verbs.impact import read_fact
from warroom_console.views.facts import IMPACT_NAMES
from warroom_console.views.timeline import TimelineView
from warroom_incident.incident import IMPACT_FIELDS
from warroom_incident.reducers import Right
from warroom_incident.vocabulary import (
    ImpactField,
    NoteAdded,
    RoleAssigned,
    SeveritySet,
    StatusSet,
    TitleSet,
)


@pytest.fixture
def registry() -> Registry[Ctx]:
    registry: Registry[Ctx] = Registry()
    for module in (incident, impact, settling, closing):
        module.register(registry)
    return registry


@pytest.fixture
def ctx() -> FakeCtx:
    ctx = FakeCtx(TimelineView(), Scope.TIMELINE)
    ctx.names = ("ana", "bo", "cy")
    return ctx


def lead(ctx: FakeCtx, registry: Registry[Ctx], key: str) -> str | None:
    """Press `i` and a key."""
    action = registry.find(Scope.TIMELINE, key, "i")
    assert action is not None
    reason = action.when(ctx.ctx)
    if reason is None:
        action.do(ctx.ctx, Args())
    return reason


# Severity and status -----------------------------------------------------------------------


def test_a_severity_is_chosen_by_its_meaning(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    lead(ctx, registry, "s")
    assert ctx.menu is not None
    assert [choice.key for choice in ctx.menu.choices] == ["1", "2", "3", "4", "5", "?"]
    assert ctx.menu.choices[-1].note.startswith("now: Nobody has judged it yet")
    ctx.menu.pick("SEV2")
    assert ctx.state.severity == "SEV2"
    assert ctx.flashed == ["Severity SEV2"]


@pytest.mark.parametrize("word", ["SEV3", "3", "sev3", "degraded"])
def test_a_severity_can_be_typed(ctx: FakeCtx, registry: Registry[Ctx], word: str) -> None:
    ctx.command(registry, f"severity {word}")
    assert ctx.state.severity == "SEV3"


def test_an_unknown_severity_is_one_sentence(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.command(registry, "severity SEV9")
    assert ctx.flashed[0].startswith("There is no severity “SEV9”: say one of SEV1")
    assert ctx.written == []


def test_what_stands_already_is_not_written_again(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.command(registry, "severity 2")
    ctx.command(registry, "severity 2")
    ctx.command(registry, "status started")
    assert len(ctx.written) == 1
    assert ctx.flashed[1:] == ["It is SEV2 already.", "It is started already."]


def test_a_status_is_chosen_or_typed(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    lead(ctx, registry, "t")
    assert ctx.menu is not None
    ctx.menu.pick("identified")
    assert ctx.state.status == "identified"
    ctx.command(registry, "status miti")
    assert ctx.state.status == "mitigated"


# Closing -----------------------------------------------------------------------------------


def test_only_who_commands_closes_and_others_are_told_who_may(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    reason = lead(ctx, registry, "x")
    assert reason == "only a commander (i c takes it), or a “commander” account may"
    ctx.says("bo", RoleAssigned(role="commander", person="bo"))
    reason = lead(ctx, registry, "x")
    assert reason == "only bo, who commands, or a “commander” account may"
    lead(ctx, registry, "t")
    assert ctx.menu is not None
    assert ctx.menu.choices[-1].reason == reason
    ctx.command(registry, "status closed")
    assert ctx.flashed == [f"Not closed: {reason}."]


@pytest.mark.parametrize("right", [Right.COMMANDER, Right.ADMIN])
def test_an_account_with_the_right_closes_too(
    ctx: FakeCtx, registry: Registry[Ctx], right: Right
) -> None:
    ctx.model.right = right
    assert lead(ctx, registry, "x") is None
    assert ctx.confirmed is not None


def test_closing_asks_and_sweeps_away_nothing_that_it_had_not_seen(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    ctx.says("ana", RoleAssigned(role="commander", person="ana"))
    lead(ctx, registry, "x")
    assert ctx.confirmed is not None
    question, then = ctx.confirmed
    assert question.startswith("Close INC-~aaaa? What is written later counts as late.")
    ctx.model.behind[ctx.stream or ""] = 9_800
    ctx.command(registry, "close")
    assert ctx.confirmed is not None
    assert ctx.confirmed[0] == (
        "Close INC-~aaaa? 9,800 entries, unread here, and what is written later count as late."
    )
    note = ctx.says("bo", NoteAdded(text="while the question stood"))
    then()
    assert ctx.state.closed
    assert ctx.state.is_late(note)
    assert lead(ctx, registry, "x") == "it is closed already"


# Title and command -------------------------------------------------------------------------


def test_renaming_starts_from_the_title_that_stands(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    lead(ctx, registry, "r")
    assert ctx.asked is not None
    assert ctx.asked.text == "Checkout is down"
    assert ctx.asked.check(" ") == "type a title, or Esc to leave"
    ctx.says("bo", TitleSet(title="Meanwhile"))
    ctx.answer("Checkout is slow")
    assert {c.key for c in ctx.state.conflicts()} == {("title",)}


def test_command_is_taken_at_once_when_it_is_vacant(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    lead(ctx, registry, "c")
    assert ctx.state.holder("commander") == "ana"
    assert lead(ctx, registry, "c") == "you are in command"


def test_command_is_taken_from_somebody_after_a_question(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    ctx.says("bo", RoleAssigned(role="commander", person="bo"))
    lead(ctx, registry, "c")
    assert ctx.state.holder("commander") == "bo"
    assert ctx.confirmed is not None
    assert ctx.confirmed[0] == "bo is in command. Take it over?"
    ctx.confirmed[1]()
    assert ctx.state.holder("commander") == "ana"


def test_handing_over_offers_the_deputy_first(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.says("bo", RoleAssigned(role="deputy", person="cy"))
    lead(ctx, registry, "h")
    assert ctx.menu is not None
    assert [choice.label for choice in ctx.menu.choices][:3] == ["cy", "bo", "ana"]
    ctx.menu.pick("cy")
    assert ctx.state.holder("commander") == "cy"
    ctx.command(registry, "handover Dee Doe")
    assert ctx.state.holder("commander") == "Dee Doe"


# Impact ------------------------------------------------------------------------------------


def test_every_fact_of_the_impact_can_be_stated() -> None:
    assert tuple(impact.FIELDS) == tuple(IMPACT_NAMES) == IMPACT_FIELDS
    keys = [key for key, _ in impact.FIELDS.values()]
    assert len(set(keys)) == len(keys)


def test_a_fact_is_chosen_asked_and_kept(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    lead(ctx, registry, "m")
    assert ctx.menu is not None
    assert {choice.note for choice in ctx.menu.choices} == {"not stated"}
    ctx.menu.pick("Services")
    ctx.answer(" checkout,payments ,, ")
    assert ctx.state.impact("services") == "checkout, payments"
    lead(ctx, registry, "m")
    assert ctx.menu is not None
    assert ctx.menu.choices[2].note == "checkout, payments  (ana)"


def test_an_empty_answer_takes_a_fact_back(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.command(registry, "impact users a third of the EU")
    assert ctx.state.impact("users") == "a third of the EU"
    ctx.command(registry, "impact users")
    assert ctx.asked is not None
    assert ctx.asked.text == "a third of the EU"
    ctx.answer("")
    assert ctx.state.impact("users") is None
    assert ctx.flashed[-1] == "Users taken back"


@pytest.mark.parametrize(
    ("field", "text", "kept"),
    [
        ("started_at", "22:00", "2023-11-14T22:00:00Z"),
        ("started_at", "-20m", "2023-11-14T21:53:20Z"),
        ("reports", "014", "14"),
        ("regions", "eu-1, us-2", "eu-1, us-2"),
        ("workaround", "pay by card", "pay by card"),
        ("data_loss", "   ", None),
        ("services", ", ,", None),
    ],
)
def test_a_fact_is_read(field: ImpactField, text: str, kept: str | None) -> None:
    assert read_fact(field, text, NOW) == kept


@pytest.mark.parametrize(
    ("field", "text"),
    [("started_at", "soon"), ("reports", "many"), ("reports", "٣"), ("users", "x" * 2001)],
)
def test_a_bad_fact_is_one_sentence(
    ctx: FakeCtx, registry: Registry[Ctx], field: str, text: str
) -> None:
    ctx.command(registry, f"impact {field} {text}")
    assert ctx.written == []
    assert ctx.flashed[0].endswith(".")


def test_an_unknown_fact_lists_those_there_are(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.command(registry, "impact weather bad")
    assert ctx.flashed[0].startswith("There is no fact “weather”: say one of started_at")


# Conflicts ---------------------------------------------------------------------------------


def disagree(ctx: FakeCtx) -> None:
    """Two people set a severity without knowing of each other."""
    ctx.says("bo", SeveritySet(severity="SEV1"), base=())
    ctx.says("cy", SeveritySet(severity="SEV3"), base=())


def test_a_conflict_shows_both_values_and_one_key_keeps_one(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    assert lead(ctx, registry, "o") == "nobody disagrees about anything"
    disagree(ctx)
    lead(ctx, registry, "o")
    assert ctx.menu is not None
    assert ctx.menu.title == "What stays as the severity?"
    assert sorted(choice.label for choice in ctx.menu.choices) == ["SEV1", "SEV3"]
    assert sorted(choice.key for choice in ctx.menu.choices) == ["1", "2"]
    assert any("bo at" in choice.note for choice in ctx.menu.choices)
    assert "shown for now" in ctx.menu.choices[0].note
    ctx.menu.pick("SEV3")
    assert ctx.state.severity == "SEV3"
    assert ctx.state.conflicts() == []
    assert set(ctx.written[-1].head.base) >= {e.id for e in ctx.state.history(("severity",))[:2]}


def test_a_third_opinion_while_choosing_remains_a_conflict(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    disagree(ctx)
    lead(ctx, registry, "o")
    ctx.says("dee", SeveritySet(severity="SEV4"), base=())
    assert ctx.menu is not None
    ctx.menu.pick("SEV1")
    assert len(ctx.state.conflicts()) == 1


def test_who_holds_a_role_is_asked_by_its_name(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.says("bo", RoleAssigned(role="operations", person="bo"), base=())
    ctx.says("cy", RoleAssigned(role="operations", person="cy"), base=())
    lead(ctx, registry, "o")
    assert ctx.menu is not None
    assert ctx.menu.title == "Who is operations lead?"


def test_of_several_conflicts_one_is_chosen_first(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    disagree(ctx)
    ctx.says("bo", StatusSet(status="identified"), base=())
    ctx.says("cy", StatusSet(status="mitigated"), base=())
    lead(ctx, registry, "o")
    assert ctx.menu is not None
    ctx.menu.pick("the status")
    ctx.menu.pick("mitigated")
    assert ctx.state.status == "mitigated"
    assert [conflict.key for conflict in ctx.state.conflicts()] == [("severity",)]


def test_a_viewer_can_do_none_of_it(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.model.right = Right.VIEWER
    for action in registry:
        if action.id != "incident.facts":
            assert "viewer" in (action.when(ctx.ctx) or ""), action.id
