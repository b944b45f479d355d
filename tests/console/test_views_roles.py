"""The Roles panel: who holds what, gaps, disputes and history."""

from tests.console.fake_ctx import FakeCtx, detail, drawn, panel, status
from warroom_console.actions import Scope
from warroom_console.theme import ASCII
from warroom_console.views.roles import RolesView, standing
from warroom_console.widgets.spans import width_of
from warroom_incident.practice.roles import ROLES
from warroom_incident.sync.wire import Person
from warroom_incident.vocabulary import RoleAssigned


def room() -> FakeCtx:
    return FakeCtx(RolesView(), Scope.ROLES)


def test_every_role_is_listed_and_gaps_say_what_they_are_for() -> None:
    ctx = room()
    lines = panel(ctx.view, ctx)
    assert len(lines) == len(ROLES)
    assert all("VACANT" in line for line in lines)
    assert lines[0].split() == ["Incident", "commander", "VACANT", "decides"]
    assert lines[-1].endswith("knows the system")


def test_a_held_role_names_its_holder_and_since_when() -> None:
    ctx = room()
    ctx.says("ana", RoleAssigned(role="commander", person="ana"))
    assert panel(ctx.view, ctx)[0].split() == ["Incident", "commander", "ana", "since", "22:15"]
    assert status(ctx.view, ctx) == "1/7 | IC ana"


def test_a_vacant_command_is_said_while_the_panel_is_collapsed() -> None:
    ctx = room()
    ctx.says("ana", RoleAssigned(role="deputy", person="bo"))
    assert status(ctx.view, ctx) == "1/7 | IC VACANT · DEP bo"


def test_two_commanders_stand_side_by_side_and_one_counts_for_now() -> None:
    ctx = room()
    ctx.says("ana", RoleAssigned(role="commander", person="ana"))
    ctx.says("bo", RoleAssigned(role="commander", person="bo"), base=())
    first = ctx.state.holder("commander")
    second = "bo" if first == "ana" else "ana"
    lines = panel(ctx.view, ctx)
    assert lines[0].split()[:5] == ["Incident", "commander", first, "for", "now"]
    assert lines[1].split()[:4] == [second, "claims", "it", "too"]
    assert "2 claim IC" in status(ctx.view, ctx)
    told = detail(ctx.view, ctx, "commander")
    assert "counts for now" in told
    assert "claimed unseen" in told


def test_two_who_gave_the_role_to_the_same_person_do_not_disagree() -> None:
    ctx = room()
    ctx.says("ana", RoleAssigned(role="scribe", person="cy"))
    ctx.says("bo", RoleAssigned(role="scribe", person="cy"), base=())
    assert not any(held.disputed for held in standing(ctx.state))


def test_a_released_role_is_vacant_again() -> None:
    ctx = room()
    ctx.says("ana", RoleAssigned(role="scribe", person="cy"))
    ctx.says("cy", RoleAssigned(role="scribe"))
    assert status(ctx.view, ctx) == "0/7 | IC VACANT"


def test_a_holder_without_a_console_is_away_until_they_come() -> None:
    ctx = room()
    ctx.says("ana", RoleAssigned(role="scribe", person="cy"))
    row = ctx.view.rows(ctx)[2]
    assert drawn(row)[0].endswith("away")
    ctx.arrive(Person("cy"))
    again = ctx.view.rows(ctx)[2]
    assert not drawn(again)[0].endswith("away")
    assert again.version != row.version


def test_nobody_is_called_away_while_the_server_is_out_of_reach() -> None:
    ctx = room()
    ctx.says("ana", RoleAssigned(role="scribe", person="cy"))
    ctx.model.link = type(ctx.model.link)("retrying")
    assert "away" not in "\n".join(panel(ctx.view, ctx))


def test_further_experts_are_listed_behind_the_first() -> None:
    ctx = room()
    ctx.says("ana", RoleAssigned(role="sme", person="cy"))
    ctx.says("ana", RoleAssigned(role="sme:database", person="dee"))
    lines = panel(ctx.view, ctx)
    assert lines[-1].split()[:3] == ["SME", "database", "dee"]
    ctx.says("dee", RoleAssigned(role="sme:database"))
    assert len(panel(ctx.view, ctx)) == len(ROLES)


def test_the_detail_shows_the_duty_card_and_who_held_it_when() -> None:
    ctx = room()
    ctx.says("ana", RoleAssigned(role="commander", person="ana"))
    ctx.says("ana", RoleAssigned(role="commander", person="bo"))
    ctx.says("bo", RoleAssigned(role="commander"))
    told = detail(ctx.view, ctx, "commander")
    assert "You decide, and you do not touch keyboards" in told
    history = told[told.index("Who held it") :].splitlines()[1:]
    assert [line.split() for line in history] == [
        ["22:15", "ana"],
        ["22:16", "bo", "by", "ana"],
        ["22:17", "vacant", "by", "bo"],
    ]


def test_the_filter_hides_roles_that_do_not_fit() -> None:
    ctx = room()
    ctx.says("ana", RoleAssigned(role="deputy", person="bo"))
    ctx.view.filter = "!vacant"
    assert [row.id for row in ctx.view.rows(ctx)] == ["deputy"]
    ctx.view.filter = "liaison"
    assert [row.id for row in ctx.view.rows(ctx)] == ["liaison"]


def test_rows_fit_every_width_with_every_look() -> None:
    ctx = room()
    ctx.says("ana", RoleAssigned(role="commander", person="a very long name " * 4))
    ctx.says("bo", RoleAssigned(role="commander", person="bo"), base=())
    ctx.says("bo", RoleAssigned(role="sme:" + "x" * 40, person="bo"), base=())
    for glyphs in (ctx.glyphs, ASCII):
        ctx.glyphs = glyphs
        for width in (30, 46, 58, 78, 118):
            for row in ctx.view.rows(ctx):
                assert all(width_of(line) <= width for line in row.draw(width)), width


def test_copied_text_is_a_list_of_holders_that_holds_no_control() -> None:
    ctx = room()
    ctx.says("ana", RoleAssigned(role="deputy", person="bo\x1b[31m"))
    assert ctx.view.text(ctx, "deputy") == "- Deputy: bo␛[31m since 22:15Z"
    assert len(ctx.view.text(ctx, None).splitlines()) == len(ROLES)


def test_who_is_away_is_said_also_where_there_is_little_room() -> None:
    ctx = room()
    ctx.says("ana", RoleAssigned(role="scribe", person="cy (root)"))
    lines = panel(ctx.view, ctx, 47)
    assert lines[2].split()[-3:] == ["(root)", "22:15", "away"]
    assert panel(ctx.view, ctx, 60)[2].split()[-3:] == ["since", "22:15", "away"]
