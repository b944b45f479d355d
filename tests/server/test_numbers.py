"""Numbers that were heard of are never given to another incident."""

from __future__ import annotations

import secrets
from pathlib import Path

from tests.e2e.console_client import Console, leave_all, new_author
from tests.server.duties_house import hand_on, wait_numbered
from tests.server.running import server_in_process
from warroom_incident.author import new_stream
from warroom_incident.sync.wire import Summary
from warroom_incident.vocabulary import IncidentDeclared
from warroom_server.numbers import FILE, Numbers


def line(stream: str, number: str) -> Summary:
    """What a lobby says of an incident."""
    return Summary(stream, number, "x", "SEV2", "started")


def test_numbers_outlive_the_process_and_the_highest_counts(home: Path) -> None:
    numbers = Numbers(home)
    numbers.learn([line("i-a", "INC-2"), line("i-b", "INC-4-2"), line("i-c", "draft")])
    for known in (numbers, Numbers(home)):
        assert [known.of(s) for s in ("i-a", "i-b", "i-c")] == ["INC-2", "INC-4-2", ""]
        assert known.highest == 4
        assert known.stream_of("INC-2") == "i-a"


def test_a_number_that_is_held_is_not_kept_but_counts_for_nothing_less(home: Path) -> None:
    numbers = Numbers(home)
    numbers.learn([line("i-a", "INC-7")], held={"i-a"})
    assert numbers.of("i-a") == ""
    assert not (home / FILE).exists()


def test_a_damaged_file_says_nothing(home: Path) -> None:
    (home / FILE).write_bytes(b'{"i-a": 1}')
    assert Numbers(home).highest == 0


async def test_an_incident_gets_the_number_it_was_heard_to_have_and_no_other_does(
    home: Path,
) -> None:
    author = new_author()
    known, unknown = (new_stream(secrets.token_bytes) for _ in range(2))
    (home / "room").mkdir()
    Numbers(home / "room").learn([line(known, "INC-2"), line(unknown, "INC-4")])
    async with server_in_process(home) as house:
        ana = await Console(user="ana").join(house.socket)
        await wait_numbered(house, await ana.declare(), "INC-5")
        await hand_on(house, author.write(known, "zoe", IncidentDeclared(title="there")))
        await wait_numbered(house, known, "INC-2")
        await wait_numbered(house, await ana.declare(), "INC-6")
        await leave_all([ana])


async def test_numbers_of_another_servers_lobby_count_before_its_events_are_here(
    home: Path,
) -> None:
    async with server_in_process(home) as house:
        ana = await Console(user="ana").join(house.socket)
        stream = await ana.declare()
        await wait_numbered(house, stream, "INC-1")
        house.server.duties.learn([line(stream, "INC-1"), line("i-elsewhere", "INC-8")])
        await wait_numbered(house, await ana.declare(), "INC-9")
        await leave_all([ana])
    assert Numbers(home / "room").of("i-elsewhere") == "INC-8"
    assert Numbers(home / "room").of(stream) == "", "its events tell it"
