"""What may be handed on: proofs by seals, wherever they begin, and hearsay that stays hearsay."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path

import pytest

from tests.e2e.console_client import Console, leave_all, new_author
from tests.server.lines import relays
from tests.server.running import InProcess, server_in_process
from tests.waiting import wait_for
from warroom_incident.author import new_stream
from warroom_incident.event import Event, Packet, read_packet
from warroom_incident.log import Entry, Log
from warroom_incident.seal import BLURRED, sealed_text
from warroom_incident.sync.client_end import Handed
from warroom_incident.sync.handing import Handing, vouches
from warroom_incident.vocabulary import NoteAdded, ServerListed, TokenCreated, TokenRevoked
from warroom_server.keys import ServerKey, load_or_create
from warroom_server.server import now_ms

STREAM = new_stream(secrets.token_bytes)


class Elsewhere:
    """Another server's log of one stream, with a note for each place.

    It has the `heard` ones, by their numbers from 0, only from mo's hearsay.
    """

    def __init__(self, directory: Path, count: int = 6, *, heard: Sequence[int] = ()) -> None:
        self.key: ServerKey = load_or_create(directory / "other.key", secrets.token_bytes)
        self.log = Log.create_or_open(
            directory / "other.db", new_id="other-log", sign=self.key.sign
        )
        author = new_author()
        written = [author.write(STREAM, "zoe", NoteAdded(text=f"{n}")) for n in range(count)]
        self.events: list[Event] = [event for event, _ in written]
        self.packets: list[Packet] = [packet for _, packet in written]
        for number in heard:
            self.packets[number] = self.packets[number]._replace(via="mo")
        # Admitted elsewhere before: the seal is younger than what it covers.
        entries = [Entry(read_packet(p), p, now_ms() - 120_000) for p in self.packets]
        self.log.append(entries, now_ms() - 60_000)

    def proof(
        self, first: int, *, chain: str | None = None, entries: Sequence[bytes] | None = None
    ) -> list[bytes]:
        """The frames that prove the places from `first` on, or claim that these are there."""
        end = self.log.end(STREAM)
        before = self.log.chain_at(STREAM, first - 1)
        assert before is not None
        assert end.signature is not None
        return vouches(
            STREAM,
            self.log.log_id,
            self.key.name,
            self.log.entries(STREAM, first - 1, end.iseq) if entries is None else entries,
            sealed=end.admitted,
            signature=end.signature.hex(),
            first=first,
            chain=before.hex() if chain is None and first > 1 else chain or "",
        )


@pytest.fixture
def elsewhere(home: Path, request: pytest.FixtureRequest) -> Elsewhere:
    """Another server's log; the parameter says what it only heard."""
    return Elsewhere(home, heard=getattr(request, "param", ()))


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


@pytest.mark.parametrize("elsewhere", [[2]], indirect=True)
async def test_hearsay_is_handed_on_as_hearsay_where_a_seal_covers_it_as_such(
    house: InProcess, ana: Console, elsewhere: Elsewhere
) -> None:
    await hand_on(ana, elsewhere.proof(1), elsewhere.packets)
    vias = [held(house)[event.id].via for event in elsewhere.events]
    assert vias == [None, None, "mo", None, None, None]


@pytest.mark.parametrize("elsewhere", [[2]], indirect=True)
async def test_the_seal_of_a_server_that_only_heard_of_an_event_does_not_prove_it(
    house: InProcess, ana: Console, elsewhere: Elsewhere
) -> None:
    """A console leaves the mark of hearsay away, with the true chain and with a false one."""
    washed = elsewhere.packets[2]._replace(via=None)
    await hand_on(ana, elsewhere.proof(1), [*elsewhere.packets[:2], washed])
    assert held(house)[elsewhere.events[2].id].via == ana.you
    false = [bytes.fromhex(event.id) for event in elsewhere.events]
    await hand_on(ana, elsewhere.proof(1, entries=false), [washed])
    assert held(house)[elsewhere.events[2].id].via == ana.you


async def test_what_a_seal_proves_is_proven_whatever_the_console_says_that_it_heard(
    house: InProcess, ana: Console, elsewhere: Elsewhere
) -> None:
    await hand_on(ana, elsewhere.proof(1), [elsewhere.packets[0]._replace(via="mo")])
    assert held(house)[elsewhere.events[0].id].via is None


async def test_a_seal_of_the_first_kind_proves_no_event_of_an_incident(
    house: InProcess, ana: Console, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = elsewhere.log.end(STREAM)
    text = sealed_text("other-log", STREAM, end.iseq, end.chain, end.admitted, kind=BLURRED)
    old = end._replace(signature=elsewhere.key.sign(text))
    monkeypatch.setattr(elsewhere.log, "end", lambda _stream: old)
    await hand_on(ana, elsewhere.proof(1), elsewhere.packets)
    assert {event.via for event in held(house).values()} == {ana.you}


@pytest.mark.parametrize("elsewhere", [[2]], indirect=True)
async def test_an_author_vouches_for_what_was_heard_but_not_where_it_was_heard_there_too(
    house: InProcess, ana: Console, elsewhere: Elsewhere
) -> None:
    await hand_on(ana, elsewhere.proof(1), elsewhere.packets)
    zoe = await Console(user="zoe").join(house.socket)
    mine = new_author()
    event, packet = mine.write(STREAM, zoe.you, NoteAdded(text="mine"))
    await hand_on(ana, [], [packet])
    assert held(house)[event.id].via == ana.you
    await hand_on(zoe, [], [packet._replace(via=ana.you)])
    assert held(house)[event.id].via == ana.you, "it may be forged in her name"
    other = await Console(user="zoe").join(house.socket)
    await other.push(packet)
    await wait_for(lambda: held(house)[event.id].via is None, "her word")
    await leave_all([zoe, other])


async def test_everybody_hears_at_once_that_somebody_vouched_for_hearsay(
    house: InProcess, ana: Console, elsewhere: Elsewhere
) -> None:
    await hand_on(ana, [], elsewhere.packets[:1])
    bo = await Console(user="bo").join(house.socket, STREAM)
    seen = elsewhere.events[0].id

    def brought_by() -> str | None:
        return bo.states[STREAM].events[seen].via

    await wait_for(lambda: STREAM in bo.states and brought_by() == ana.you, "the hearsay")
    await hand_on(bo, elsewhere.proof(1), elsewhere.packets[:1])
    await wait_for(lambda: brought_by() is None, "the word of a server")
    await leave_all([bo])


async def test_nobody_vouches_for_an_event_by_saying_that_somebody_else_brought_it(
    house: InProcess, ana: Console, elsewhere: Elsewhere
) -> None:
    await hand_on(ana, [], [elsewhere.packets[0]._replace(via="mo")])
    assert held(house)[elsewhere.events[0].id].via == ana.you


async def test_an_earlier_admission_elsewhere_is_told_to_everybody_at_once(
    house: InProcess, ana: Console, elsewhere: Elsewhere
) -> None:
    bo = await Console(user="bo").join(house.socket, STREAM)
    event, packet = bo.author.write(STREAM, bo.you, NoteAdded(text="mine"))
    await bo.push(packet)
    await bo.settled(event.id)
    first = held(house)[event.id].admitted
    assert first is not None
    elsewhere.log.append([Entry(event, packet, first - 5000)], now_ms())
    for frame in elsewhere.proof(1):
        await ana.ws.send(frame, text=True)
    for frame in relays([(first - 5000, packet)]):
        await ana.ws.send(frame, text=True)
    await wait_for(
        lambda: bo.states[STREAM].events[event.id].admitted == first - 5000, "the earlier stamp"
    )
    assert held(house)[event.id].admitted == first - 5000
    await leave_all([bo])


# Withheld bodies ---------------------------------------------------------------------------


async def test_nobody_makes_a_body_vanish_by_handing_on_the_head_that_a_seal_covers(
    house: InProcess, ana: Console, elsewhere: Elsewhere
) -> None:
    heads = [packet._replace(body=None, reason="a password") for packet in elsewhere.packets]
    await hand_on(ana, elsewhere.proof(1), [*elsewhere.packets[:2], *heads])
    assert {id_: event.withheld for id_, event in held(house).items()} == {
        event.id: None for event in elsewhere.events[:2]
    }
    assert {ana.refused[event.id] for event in elsewhere.events} == {
        "an event without its body needs a server's seal on that"
    }


async def test_a_body_is_withheld_where_a_seal_says_so_and_never_comes_back(
    house: InProcess, ana: Console, elsewhere: Elsewhere
) -> None:
    gone = elsewhere.packets[1]._replace(body=None, reason="a password")
    elsewhere.log.append([Entry(read_packet(gone), gone)], now_ms())
    await hand_on(ana, elsewhere.proof(1), elsewhere.packets)
    target = elsewhere.events[1].id
    assert held(house)[target].withheld is None
    bo = await Console(user="bo").join(house.socket, STREAM)
    await bo.has(STREAM, target)
    await hand_on(bo, elsewhere.proof(1), [gone])
    await wait_for(lambda: bo.states[STREAM].events[target].withheld, "that it is withheld")
    await hand_on(ana, elsewhere.proof(1), [elsewhere.packets[1]])
    assert held(house)[target].withheld == "a password"
    await leave_all([bo])


async def test_what_gives_and_takes_rights_is_not_withheld_even_by_a_seal(
    house: InProcess, ana: Console, elsewhere: Elsewhere
) -> None:
    room = house.server.room
    made = await room.write("room", TokenCreated(name="am", hash="ab" * 32, kind="json"))
    await room.write("room", TokenRevoked(name="am"), (made.id,))
    rows = await room.look(lambda log: log.read("room", 0, 100))
    assert room.room.tokens() == []
    heads = [row.packet._replace(body=None, reason="a password") for row in rows]
    elsewhere.log.append([Entry(read_packet(head), head) for head in heads], now_ms())
    end = elsewhere.log.end("room")
    assert end.signature is not None
    proof = vouches(
        "room",
        elsewhere.log.log_id,
        elsewhere.key.name,
        elsewhere.log.entries("room", 0, end.iseq),
        sealed=end.admitted,
        signature=end.signature.hex(),
    )
    await hand_on(ana, proof, heads)
    assert len(ana.refused) == len(heads)
    assert room.room.tokens() == []
    assert elsewhere.key.name in room.room.servers()
    assert room.room.right(ana.you.split()[-1].strip("()")) is not None


# Counted relays ----------------------------------------------------------------------------


async def counted(ana: Console, given: list[Handing]) -> None:
    """Hand on in counted relays, and wait for the answers."""
    for frame in ana.end.relaying.frames(STREAM, given):
        await ana.ws.send(frame, text=True)
    await ana.note(new_stream(secrets.token_bytes), "answered in order")


def given_by(elsewhere: Elsewhere, first: int = 1) -> list[Handing]:
    """What another server admitted, with the stamps that it gave."""
    rows = elsewhere.log.read(STREAM, first - 1, 99)
    names = [event.id for event in elsewhere.events[first - 1 :]]
    return [Handing(i, r.admitted, r.packet) for i, r in zip(names, rows, strict=True)]


async def test_what_is_proven_is_taken_in_few_words_and_not_sent_back(
    house: InProcess, ana: Console, elsewhere: Elsewhere
) -> None:
    bo = await Console(user="bo").join(house.socket, STREAM)
    await ana.follow(STREAM)
    for frame in elsewhere.proof(1):
        await ana.ws.send(frame, text=True)
    await counted(ana, given_by(elsewhere))
    await wait_for(lambda: STREAM in bo.states and len(bo.states[STREAM].events) == 6, "bo's")
    assert len(held(house)) == 6
    (taken,) = [message for message in ana.heard if isinstance(message, Handed)]
    assert (taken.first, taken.ids) == (1, [event.id for event in elsewhere.events])
    assert taken.seal is not None
    assert not set(ana.acks) & set(taken.ids)
    event, packet = bo.author.write(STREAM, bo.you, NoteAdded(text="another"))
    await bo.push(packet)
    await wait_for(lambda: STREAM in ana.states and event.id in ana.states[STREAM].events, "it")
    assert list(ana.states[STREAM].events) == [event.id], "nothing came back"
    assert ana.end.cursors()[0] == bo.end.cursors()[0], "but it counts as read"
    await leave_all([bo])


async def test_what_is_not_taken_as_it_came_is_answered_one_by_one_and_sent(
    house: InProcess, ana: Console, elsewhere: Elsewhere
) -> None:
    await ana.follow(STREAM)
    await counted(ana, given_by(elsewhere))
    assert not any(isinstance(message, Handed) for message in ana.heard)
    assert set(ana.acks) >= {event.id for event in elsewhere.events}
    await wait_for(lambda: len(ana.states[STREAM].events) == 6, "all of them, as hearsay")
    assert all(event.via for event in ana.states[STREAM].events.values())


async def test_what_the_server_has_already_is_answered_one_by_one(
    house: InProcess, ana: Console, elsewhere: Elsewhere
) -> None:
    for frame in elsewhere.proof(1):
        await ana.ws.send(frame, text=True)
    await counted(ana, given_by(elsewhere, 4))
    await counted(ana, given_by(elsewhere))
    (taken,) = [message for message in ana.heard if isinstance(message, Handed)]
    assert len(taken.ids) == 3
    assert set(ana.acks) >= {event.id for event in elsewhere.events}
    assert len(held(house)) == 6
