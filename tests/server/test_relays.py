"""What may be handed on: proofs by seals, wherever they begin, and hearsay that stays hearsay."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from tests.e2e.console_client import Console, leave_all, new_author
from tests.server.running import InProcess, server_in_process
from warroom_incident.author import new_stream
from warroom_incident.event import Event, Packet
from warroom_incident.log import Entry, Log
from warroom_incident.sync.handing import relays, vouches
from warroom_incident.vocabulary import NoteAdded, ServerListed
from warroom_server.keys import ServerKey, load_or_create
from warroom_server.server import now_ms

STREAM = new_stream(secrets.token_bytes)


class Elsewhere:
    """Another server's log of one stream, with a note for each place."""

    def __init__(self, directory: Path, count: int = 6) -> None:
        self.key: ServerKey = load_or_create(directory / "other.key", secrets.token_bytes)
        self.log = Log.create_or_open(
            directory / "other.db", new_id="other-log", sign=self.key.sign
        )
        author = new_author()
        written = [author.write(STREAM, "zoe", NoteAdded(text=f"{n}")) for n in range(count)]
        self.events: list[Event] = [event for event, _ in written]
        self.packets: list[Packet] = [packet for _, packet in written]
        # Admitted elsewhere before: the seal is younger than what it covers.
        entries = [Entry(event, packet, now_ms() - 120_000) for event, packet in written]
        self.log.append(entries, now_ms() - 60_000)

    def proof(self, first: int, *, chain: str | None = None) -> list[bytes]:
        """The frames that prove the places from `first` on."""
        end = self.log.end(STREAM)
        before = self.log.chain_at(STREAM, first - 1)
        assert before is not None
        assert end.signature is not None
        return vouches(
            STREAM,
            self.log.log_id,
            self.key.name,
            [bytes.fromhex(event.id) for event in self.events[first - 1 :]],
            sealed=end.admitted,
            signature=end.signature.hex(),
            first=first,
            chain=before.hex() if chain is None and first > 1 else chain or "",
        )


@pytest.fixture
def elsewhere(home: Path) -> Elsewhere:
    """Another server's log."""
    return Elsewhere(home)


@pytest.fixture
async def house(home: Path, elsewhere: Elsewhere) -> AsyncIterator[InProcess]:
    """A server that trusts the other one's key."""
    async with server_in_process(home) as running:
        key = elsewhere.key
        body = ServerListed(server=key.name, key_hex=key.public_hex)
        await running.server.room.write("room", body)
        yield running


@pytest.fixture
async def ana(house: InProcess) -> AsyncIterator[Console]:
    """Somebody who hands on what others wrote."""
    console = await Console(user="ana").join(house.socket)
    yield console
    await leave_all([console])


async def hand_on(ana: Console, frames: Iterable[bytes], packets: list[Packet]) -> None:
    """Prove, relay, and wait for the answers."""
    for frame in frames:
        await ana.ws.send(frame, text=True)
    for frame in relays((1, packet) for packet in packets):
        await ana.ws.send(frame, text=True)
    await ana.note(new_stream(secrets.token_bytes), "answered in order")


def held(house: InProcess) -> dict[str, Event]:
    """What the server holds of the stream."""
    return house.server.room.incidents[STREAM].events


async def test_a_proof_that_begins_in_the_middle_proves_the_rest(
    house: InProcess, ana: Console, elsewhere: Elsewhere
) -> None:
    await hand_on(ana, elsewhere.proof(4), elsewhere.packets)
    assert [held(house)[event.id].via is None for event in elsewhere.events] == [False] * 3 + [
        True
    ] * 3


async def test_a_proof_with_another_chain_before_it_proves_nothing(
    house: InProcess, ana: Console, elsewhere: Elsewhere
) -> None:
    await hand_on(ana, elsewhere.proof(4, chain="ab" * 32), elsewhere.packets)
    assert all(event.via for event in held(house).values())


async def test_hearsay_is_handed_on_as_hearsay_even_where_a_seal_covers_it(
    house: InProcess, ana: Console, elsewhere: Elsewhere
) -> None:
    doubted = elsewhere.packets[2]._replace(via="mo")
    await hand_on(ana, elsewhere.proof(1), [*elsewhere.packets[:2], doubted])
    assert [held(house)[event.id].via for event in elsewhere.events[:3]] == [None, None, "mo"]


async def test_nobody_vouches_for_an_event_by_saying_that_somebody_else_brought_it(
    house: InProcess, ana: Console, elsewhere: Elsewhere
) -> None:
    await hand_on(ana, [], [elsewhere.packets[0]._replace(via="mo")])
    assert held(house)[elsewhere.events[0].id].via == ana.you
