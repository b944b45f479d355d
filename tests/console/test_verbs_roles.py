"""Claiming, assigning, releasing and settling roles."""

import pytest

from tests.console.fake_ctx import FakeCtx
from warroom_console.actions import Registry, Scope
from warroom_console.context import Ctx
from warroom_console.views.roles import RolesView, standing
from warroom_incident.vocabulary import RoleAssigned


@pytest.fixture
def ctx() -> FakeCtx:
    ctx = FakeCtx(RolesView(), Scope.ROLES)
    ctx.cursor = "commander"
    ctx.names = ("ana", "bo", "cy")
    return ctx


def holders(ctx: FakeCtx) -> dict[str, str]:
    return {role: held.holder for role, held in ctx.state.roles().items()}


def test_one_key_claims_the_role_under_the_cursor(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    assert ctx.press(registry, "c") is None
    assert holders(ctx) == {"commander": "ana"}
    assert ctx.flashed == ["Took command"]


def test_claiming_what_one_holds_writes_nothing(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.press(registry, "c")
    ctx.press(registry, "c")
    assert len(ctx.written) == 1
    assert ctx.flashed[-1] == "You are incident commander already."


def test_a_claim_can_be_undone(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.says("bo", RoleAssigned(role="scribe", person="bo"))
    ctx.cursor = "scribe"
    ctx.press(registry, "c")
    assert holders(ctx) == {"scribe": "ana"}
    ctx.undo()
    assert holders(ctx) == {"scribe": "bo"}


def test_command_is_taken_from_its_holder_only_after_a_question(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    ctx.says("bo", RoleAssigned(role="commander", person="bo"))
    ctx.press(registry, "c")
    assert holders(ctx) == {"commander": "bo"}
    assert ctx.confirmed is not None
    question, yes = ctx.confirmed
    assert question == "bo is in command. Take it over?"
    yes()
    assert holders(ctx) == {"commander": "ana"}
    assert ctx.flashed == ["Took command"]


def test_command_that_changed_hands_under_the_question_is_not_swept_away(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    ctx.says("bo", RoleAssigned(role="commander", person="bo"))
    ctx.press(registry, "c")
    ctx.says("bo", RoleAssigned(role="commander", person="cy"))
    assert ctx.confirmed is not None
    ctx.confirmed[1]()
    assert len(standing(ctx.state)[0].claims) == 2


def test_enter_offers_people_and_shows_what_they_hold(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    ctx.says("bo", RoleAssigned(role="scribe", person="bo"))
    ctx.press(registry, "enter")
    assert ctx.menu is not None
    assert [(c.label, c.note) for c in ctx.menu.choices] == [
        ("ana", "you"),
        ("bo", "SCR"),
        ("cy", ""),
        ("somebody else…", "or type a name"),
    ]
    ctx.menu.pick("bo")
    assert holders(ctx)["commander"] == "bo"
    assert ctx.flashed[-1] == "Gave bo the role incident commander"


def test_the_role_is_the_one_that_was_under_the_cursor_when_the_menu_opened(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    ctx.press(registry, "enter")
    ctx.cursor = "scribe"
    assert ctx.menu is not None
    ctx.menu.pick("cy")
    assert holders(ctx) == {"commander": "cy"}


def test_somebody_who_is_not_listed_is_typed(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.press(registry, "enter")
    assert ctx.menu is not None
    ctx.menu.pick("somebody")
    assert ctx.asked is not None
    assert ctx.asked.check(" ") is not None
    assert ctx.asked.check("x" * 81) is not None
    ctx.answer(" Dee Ray ")
    assert holders(ctx) == {"commander": "Dee Ray"}


def test_command_is_released_only_after_a_question(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.says("bo", RoleAssigned(role="commander", person="bo"))
    ctx.press(registry, "r")
    assert holders(ctx) == {"commander": "bo"}
    assert ctx.confirmed is not None
    question, then = ctx.confirmed
    assert question == "Release bo and leave the incident without a commander?"
    then()
    assert holders(ctx) == {}
    assert ctx.flashed[-1] == "Incident commander is vacant"


def test_other_roles_are_released_at_once(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.says("bo", RoleAssigned(role="scribe", person="bo"))
    ctx.cursor = "scribe"
    ctx.press(registry, "r")
    assert ctx.confirmed is None
    assert holders(ctx) == {}
    ctx.press(registry, "r")
    assert ctx.flashed[-1] == "Scribe is vacant already."


def test_one_key_settles_a_dispute_on_who_counts_for_now(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    assert ctx.press(registry, "=") == "nobody disagrees about this role"
    ctx.says("ana", RoleAssigned(role="commander", person="ana"))
    ctx.says("bo", RoleAssigned(role="commander", person="bo"), base=())
    first = ctx.state.holder("commander")
    assert standing(ctx.state)[0].disputed
    assert ctx.press(registry, "=") is None
    assert not standing(ctx.state)[0].disputed
    assert ctx.state.holder("commander") == first
    assert ctx.state.conflicts() == []


def test_claiming_a_disputed_role_settles_it_too(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.says("bo", RoleAssigned(role="commander", person="bo"))
    ctx.says("ana", RoleAssigned(role="commander", person="ana"), base=())
    ctx.press(registry, "c")
    assert ctx.confirmed is not None
    ctx.confirmed[1]()
    assert [held.holder for held in standing(ctx.state) if held.disputed] == []
    assert holders(ctx) == {"commander": "ana"}


def test_a_second_expert_is_asked_for_a_subject(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.says("bo", RoleAssigned(role="sme", person="bo"))
    ctx.cursor = "sme"
    ctx.press(registry, "c")
    assert ctx.asked is not None
    ctx.answer("Database")
    assert holders(ctx) == {"sme": "bo", "sme:database": "ana"}
    ctx.press(registry, "c")
    ctx.answer("")
    assert holders(ctx) == {"sme": "ana", "sme:database": "ana"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("claim scribe", {"scribe": "ana"}),
        ("role ops bo", {"operations": "bo"}),
        ("role ic Dee Ray", {"commander": "Dee Ray"}),
        ("claim", {"commander": "ana"}),
    ],
)
def test_commands_name_the_role(
    ctx: FakeCtx, registry: Registry[Ctx], line: str, expected: dict[str, str]
) -> None:
    ctx.command(registry, line)
    assert holders(ctx) == expected


def test_a_command_names_further_experts_by_their_subject(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    ctx.says("bo", RoleAssigned(role="sme:database", person="bo"))
    ctx.command(registry, "release sme:database")
    assert holders(ctx) == {}


def test_an_unknown_role_gets_one_sentence(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.command(registry, "claim captain")
    assert ctx.written == []
    assert ctx.flashed[-1].startswith("There is no role “captain”: say one of commander")


def test_without_a_name_a_command_means_the_cursor_of_the_roles_panel_only(
    ctx: FakeCtx, registry: Registry[Ctx]
) -> None:
    ctx.scope = Scope.ALERTS
    ctx.command(registry, "claim")
    assert ctx.written == []
    assert ctx.flashed[-1].startswith("Name a role")


def test_completion_offers_roles_and_then_people(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    assert registry.complete(ctx.ctx, "role sc") == ["role scribe"]
    assert registry.complete(ctx.ctx, "role scribe b") == ["role scribe bo"]


def test_nothing_can_be_claimed_in_the_lobby(ctx: FakeCtx, registry: Registry[Ctx]) -> None:
    ctx.stream = None
    assert ctx.press(registry, "c") == "no incident is open: choose one in the lobby"
