"""The action registry: one list of actions for keys, commands, help and documentation."""

from __future__ import annotations

import pytest

from warroom_console.actions import Action, Args, BadCommand, Clash, Registry, Scope


class Desk:
    """A context that knows no screen."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.shut = False


def action(
    action_id: str,
    key: str = "",
    title: str = "Ack",
    *,
    scope: Scope = Scope.ALERTS,
    leader: str | None = None,
    command: str = "",
    usage: str = "",
    tier: int = 0,
) -> Action[Desk]:
    """Return an action that writes down what it was given."""
    return Action(
        action_id,
        (key,) if key else (),
        title,
        f"Do {action_id}.",
        lambda desk, args: desk.done.append(f"{action_id} {args.text}".strip()),
        tier=tier,
        scope=scope,
        leader=leader,
        command=command,
        usage=usage,
        when=lambda desk: "the desk is shut" if desk.shut else None,
        hints=lambda desk, args: ("SEV1", "SEV2"),
    )


def registry(*actions: Action[Desk]) -> Registry[Desk]:
    """Return a registry of these actions."""
    made: Registry[Desk] = Registry()
    made.register(*actions)
    return made


def test_a_key_is_looked_up_from_the_panel_outwards() -> None:
    made = registry(
        action("alerts.ack", "a"),
        action("room.note", "n", "Note", scope=Scope.ROOM),
        action("help", "?", "Help", scope=Scope.EVERYWHERE),
    )
    for key, expected in (("a", "alerts.ack"), ("n", "room.note"), ("?", "help")):
        found = made.find(Scope.ALERTS, key)
        assert found is not None
        assert found.id == expected
    assert made.find(Scope.TIMELINE, "a") is None
    assert made.find(Scope.LOBBY, "n") is None


def test_one_key_may_serve_in_two_panels_under_one_title() -> None:
    made = registry(
        action("alerts.ack", "a", "Ack"), action("comms.ack", "a", "Ack", scope=Scope.COMMS)
    )
    found = made.find(Scope.COMMS, "a")
    assert found is not None
    assert found.id == "comms.ack"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (action("one", "a"), action("two", "a")),
        (action("one", "a"), action("two", "a", "Add", scope=Scope.COMMS)),
        (action("one", "a"), action("two", "a", scope=Scope.EVERYWHERE)),
        (action("one", "a", scope=Scope.ROOM), action("two", "a", scope=Scope.ROLES)),
        (action("one", "a", scope=Scope.LOBBY), action("two", "a", "Add", scope=Scope.ROOM)),
        (action("one", "a", leader="i"), action("two", "a", leader="i")),
        (action("one", command="ack"), action("two", command="ack")),
        (action("one", "a"), action("one", "b")),
    ],
)
def test_a_key_that_would_mean_two_things_is_refused(
    first: Action[Desk], second: Action[Desk]
) -> None:
    made = registry(first)
    with pytest.raises(Clash):
        made.register(second)


def test_a_leader_keeps_its_key_and_its_followers_do_not_clash_with_plain_keys() -> None:
    made = registry(action("alerts.sort", "s", "Sort"), action("severity", "s", "Sev", leader="i"))
    found = made.find(Scope.ALERTS, "s", "i")
    assert found is not None
    assert found.id == "severity"
    with pytest.raises(Clash, match="opens a menu"):
        made.register(action("info", "i", "Info"))


def test_a_tier_or_leader_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="tier"):
        registry(action("one", tier=3))
    with pytest.raises(ValueError, match="no leader"):
        registry(action("one", "a", leader="x"))


def test_a_command_may_be_shortened_while_it_stays_clear() -> None:
    made = registry(
        action("severity", command="severity"), action("silence", "x", command="silence")
    )
    found, args = made.find_command("sev  SEV1 'data loss'")
    assert found.id == "severity"
    assert args.words == ("SEV1", "data loss")
    assert made.complaint(Desk(), "si") is None
    with pytest.raises(BadCommand, match="severity, silence"):
        made.find_command("s")
    assert made.complaint(Desk(), "nonsense") == (
        "no command nonsense: press Tab for the list or ? for help"
    )
    assert made.complaint(Desk(), "") is not None


def test_an_open_quote_on_the_command_line_is_no_error() -> None:
    assert Args("note it's broken").words == ("note", "it's", "broken")


def test_tab_completes_the_word_and_then_its_argument() -> None:
    made = registry(action("severity", command="severity"), action("n", "n", command="note"))
    assert made.complete(Desk(), "") == ["note", "severity"]
    assert made.complete(Desk(), "se") == ["severity"]
    assert made.complete(Desk(), "severity sev") == ["severity SEV1", "severity SEV2"]
    assert made.complete(Desk(), "severity SEV2") == ["severity SEV2"]
    assert made.complete(Desk(), "unknown x") == []


def test_offers_list_the_panel_first_and_say_why_something_is_disabled() -> None:
    made = registry(
        action("help", "?", "Help", scope=Scope.EVERYWHERE),
        action("alerts.ack", "a"),
        action("severity", "s", "Severity", scope=Scope.ROOM, leader="i"),
    )
    desk = Desk()
    assert [offer.action.id for offer in made.offers(desk, Scope.ALERTS)] == ["alerts.ack", "help"]
    assert [offer.action.id for offer in made.offers(desk, Scope.ALERTS, "i")] == ["severity"]
    everything = [offer.action.chord for offer in made.all_offers(desk, Scope.ALERTS)]
    assert everything == ["a", "?", "i s"]
    desk.shut = True
    assert {offer.reason for offer in made.offers(desk, Scope.ALERTS)} == {"the desk is shut"}


def test_a_key_that_does_nothing_here_is_said_to_work_elsewhere() -> None:
    made = registry(
        action("alerts.ack", "a"),
        action("comms.ack", "a", scope=Scope.COMMS),
        action("lobby.open", "L", "Look", scope=Scope.LOBBY),
    )
    assert made.elsewhere(Scope.TIMELINE, "a") == "Ack works in 1 Alerts and 5 Comms."
    assert made.elsewhere(Scope.LOBBY, "a") == "Ack works in an incident: Enter opens one."
    assert made.elsewhere(Scope.TIMELINE, "L") == "Look works in the lobby: q goes there."
    assert made.elsewhere(Scope.TIMELINE, "x") == ""


def test_the_key_table_has_a_line_for_every_action() -> None:
    made = registry(
        action("pipe", "|", "Pipe", scope=Scope.EVERYWHERE),
        action("publish", "p", "Publish", scope=Scope.ROOM, leader="!", command="publish", tier=2),
        action("join", title="Join", scope=Scope.ROOM, command="join", usage="INC-7"),
    )
    table = made.markdown_table().splitlines()
    assert len(table) == 2 + len(list(made))
    assert table[2] == "| `\\|` | everywhere | Pipe | Do pipe. |"
    assert table[3] == (
        "| `!` `p` | room | Publish (`:publish`) | Do publish. Wants its target typed. |"
    )
    assert table[4] == "|  | room | Join (`:join INC-7`) | Do join. |"
