"""What a server tells its consoles of the room: rights as they change, a team's own practice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.houses import command, show
from tests.server.running import ServerProcess, server_process
from tests.waiting import wait_for
from warroom_console.desk import Desk
from warroom_console.places import Places, parse_server
from warroom_incident.event import ROOM
from warroom_incident.reducers import Right
from warroom_incident.sync.settling import RUNBOOK
from warroom_incident.sync.wire import Ask
from warroom_incident.vocabulary import MemberGranted

PRACTICE = """
[practice.severity.SEV1]
meaning = "Nobody can pay."
cadence = 10
[practice.cadence]
executives = 45
"""


@pytest.fixture
async def house(home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ServerProcess]:
    """A server of a team that made the practice its own."""
    config, books = home / "config", home / "room" / "runbooks"
    config.mkdir(exist_ok=True)
    (config / "warroom.toml").write_text(PRACTICE)
    monkeypatch.setenv("WARROOM_CONFIG", str(config))
    books.mkdir(parents=True)
    (books / "mail.md").write_text("# Mail is stuck\n- [ ] Look at the queue\n")
    async with server_process(home) as process:
        yield process


def places(home: Path, process: ServerProcess) -> Places:
    """A console's settings."""
    server = parse_server(f"unix://{process.socket}")
    return Places((server,), True, home / "state", home / "console")


async def test_a_grant_counts_in_an_open_console_at_once(home: Path, house: ServerProcess) -> None:
    async with Desk(places(home, house)) as desk:
        assert await desk.ready()
        assert desk.model.right is Right.ADMIN
        met = desk.model.link
        account = desk.model.account
        await desk.open(ROOM)
        assert await desk.complete(ROOM)
        desk.write(ROOM, MemberGranted(account=account, right="viewer"))
        await wait_for(lambda: desk.model.right is Right.VIEWER, "the new right")
        assert desk.model.link.phase == met.phase == "live"
    async with Desk(places(home, house), connect=False) as offline:
        assert offline.model.right is Right.VIEWER


async def test_consoles_use_the_teams_practice_and_read_its_runbooks(
    home: Path, house: ServerProcess
) -> None:
    async with Desk(places(home, house)) as desk:
        assert await desk.ready()
        await wait_for(lambda: bool(desk.model.runbooks), "the settings")
        assert desk.model.practice.severity("SEV1").meaning == "Nobody can pay."
        assert desk.model.practice.audience("executives").cadence == 45
        assert desk.model.runbooks == {"mail": "Mail is stuck"}
        answer = await desk.ask(Ask(0, RUNBOOK, key="mail"))
        assert answer.text.startswith("# Mail is stuck")
        missing = await desk.ask(Ask(0, RUNBOOK, key="../../etc/passwd"))
        assert missing.text == ""
        assert "There is nothing called" in missing.error
    async with Desk(places(home, house), connect=False) as offline:
        assert offline.model.practice.severity("SEV1").cadence == 10
        assert (await offline.ask(Ask(0, RUNBOOK, key="mail"))).error


async def test_a_new_runbook_is_offered_in_an_open_console_and_a_removed_one_is_not(
    home: Path, house: ServerProcess
) -> None:
    async with Desk(places(home, house)) as desk:
        assert await desk.ready()
        await wait_for(lambda: desk.model.runbooks == {"mail": "Mail is stuck"}, "the first")
        books = home / "room" / "runbooks"
        (books / "dns.md").write_text("# Names do not resolve\n- [ ] Ask another server\n")
        await wait_for(
            lambda: desk.model.runbooks.get("dns") == "Names do not resolve", "a new one"
        )
        (books / "mail.md").unlink()
        await wait_for(lambda: list(desk.model.runbooks) == ["dns"], "one less")
        assert desk.model.right is Right.ADMIN
        assert desk.model.practice.severity("SEV1").meaning == "Nobody can pay."


async def test_an_incident_comes_with_the_teams_own_checklist_whoever_declares_it(
    home: Path, house: ServerProcess
) -> None:
    own = home / "room" / "runbooks" / "ic-checklist.md"
    own.write_text("# How we do it\n- [ ] Breathe\n- [ ] Call the others\n")
    async with Desk(places(home, house)) as desk:
        assert await desk.ready()
        await wait_for(lambda: desk.model.checklist, "the checklist")
        stream = desk.declare("checkout answers 5xx")
        (checklist,) = desk.model.incident(stream).checklists()
        assert checklist.title == "How we do it"
        assert [step.copy.text for step in checklist.steps] == ["Breathe", "Call the others"]
        await wait_for(lambda: not desk.model.pending, "the acks")
        own.unlink()
        await wait_for(lambda: not desk.model.checklist, "the shipped one again")
        own.write_text("# Only words\n")
        await wait_for(lambda: desk.model.checklist, "a text without a step")
        other = desk.declare("search is slow")
        (checklist,) = desk.model.incident(other).checklists()
        assert len(checklist.steps) > 10, "it is as shipped"
        own.write_text("# Offline, too\n- [ ] Look around\n")
        await wait_for(lambda: "Offline" in desk.model.checklist, "the last one")
    await house.terminate()
    async with Desk(places(home, house), connect=False) as offline:
        stream = offline.declare("nobody serves")
        (checklist,) = offline.model.incident(stream).checklists()
        assert checklist.title == "Offline, too"


async def test_the_first_command_of_a_machine_declares_with_the_teams_own_checklist(
    home: Path, house: ServerProcess
) -> None:
    own = home / "room" / "runbooks" / "ic-checklist.md"
    own.write_text("# How we do it\n- [ ] Breathe\n")
    async with Desk(places(home, house)) as desk:
        assert await desk.ready()
        await wait_for(lambda: desk.model.checklist, "the checklist")
    url = f"unix://{house.socket}"
    environ = {"WARROOM_SERVER": url, "WARROOM_REPLICA": str(home / "fresh")}
    assert await command("declare", "checkout answers 5xx", environ=environ) == "INC-1\n"
    shown = await show("INC-1", url, home / "another")
    assert "How we do it" in str(shown)
