"""What one console hands on of others' events, and what proves that a server admitted them.

A seal of a server that this room trusts is proof enough from anybody. An event without one is taken
from its author; from anybody else it is kept with the name of who brought it, and never says who
commands or how bad things are.
"""

from __future__ import annotations

import asyncio
import binascii
from base64 import b64decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import msgspec

from warroom_incident.door import MAX_EVENT_BYTES, DoorError, check_json
from warroom_incident.event import ROOM, Event, Packet, check_packet, read_packet
from warroom_incident.log import Entry, Receipt
from warroom_incident.reducers import Right
from warroom_incident.seal import BLURRED, PROVING, ZERO, link, sealed_text
from warroom_incident.sync.server_end import ServerEnd
from warroom_incident.sync.wire import Close, ProtocolError, Relay, Taken, Vouch, packets

from .admission import Refusal, Unshown
from .commits import Ends
from .identity import Who
from .keys import verify
from .room import Refused, Room
from .voids import Voids

MAX_VOUCHED = 200_000
"""How many events the unfinished proofs of one connection may hold; each counts as one more."""


@dataclass
class _Proof:
    """The ids of a stream in a log's order from `first` on, and the chain before them."""

    log: str
    server: str
    first: int
    chain: bytes
    ids: list[bytes] = field(default_factory=list)


class Relays:
    """One connection's proofs and what they let in.

    Args:
        room: Where it goes.
        voids: Those that this connection may leave.
        end: The connection, which is not sent again what came from there.
        say: Sends an answer.
        acknowledge: Sends receipts one by one.
    """

    def __init__(
        self,
        room: Room,
        voids: Voids,
        end: ServerEnd,
        say: Callable[[Taken], None],
        acknowledge: Callable[[Sequence[Receipt]], None],
    ) -> None:
        self._room = room
        self._voids = voids
        self._end = end
        self._say = say
        self._acknowledge = acknowledge
        self._proofs: dict[str, _Proof] = {}
        self._vouched: set[str] = set()

    def vouch(self, message: Vouch) -> None:
        """Take in a part of a proof; the last one carries the seal.

        A seal that does not fit proves nothing and harms nothing.

        Raises:
            ProtocolError: The parts do not follow each other.
        """
        proof = self._proofs.get(message.stream)
        if message.first == 1 or message.chain:
            # Whatever chain it claims to begin at, only the true one leads to the sealed end.
            chain = bytes.fromhex(message.chain) if message.first > 1 else ZERO
            proof = _Proof(message.log, message.server, message.first, chain)
            self._proofs[message.stream] = proof
        try:
            raw = b64decode(message.ids, validate=True)
        except binascii.Error as error:
            raise ProtocolError(Close.BAD_MESSAGE, "a proof that is no base64") from error
        if (
            proof is None
            or (proof.log, proof.server) != (message.log, message.server)
            or message.first != proof.first + len(proof.ids)
            or len(raw) % 32
            or self._unfinished() + len(raw) // 32 > MAX_VOUCHED
        ):
            raise ProtocolError(Close.BAD_MESSAGE, "a proof out of order")
        proof.ids.extend(raw[at : at + 32] for at in range(0, len(raw), 32))
        if message.seal:
            del self._proofs[message.stream]
            if self._fits(message, proof):
                self._vouched.update(id_.hex() for id_ in proof.ids)

    def _unfinished(self) -> int:
        return sum(1 + len(proof.ids) for proof in self._proofs.values())

    def _fits(self, message: Vouch, proof: _Proof) -> bool:
        public = self._room.room.servers().get(proof.server)
        if public is None:
            return False
        chain = proof.chain
        for id_ in proof.ids:
            chain = link(chain, id_)
        last = proof.first + len(proof.ids) - 1
        # Nothing is ever heard of accounts and tokens, so there the first kind proves as much.
        kinds = (PROVING, BLURRED) if message.stream == ROOM else (PROVING,)
        try:
            seal = bytes.fromhex(message.seal)
        except ValueError:
            return False
        return any(
            verify(
                public,
                sealed_text(proof.log, message.stream, last, chain, message.admitted, kind=kind),
                seal,
            )
            for kind in kinds
        )

    def take(
        self, message: Relay, who: Who
    ) -> tuple[asyncio.Future[list[Receipt]] | None, list[Refused]]:
        """Let events in and hand them to the next commit; answers for those once it is done.

        Raises:
            ProtocolError: The stamps do not match the events.
        """
        entries, refused = self.admit(message, who)
        if not entries:
            return None, refused
        told = partial(self._answer, message, entries)
        return self._room.commit(entries, handed_on=True, told=told), refused

    def _answer(
        self, relay: Relay, entries: Sequence[Entry], receipts: Sequence[Receipt], ends: Ends
    ) -> None:
        if not _is_taken_whole(relay, entries, receipts):
            self._acknowledge(receipts)
            return
        stream, first, last = receipts[0].stream, receipts[0].iseq, receipts[-1].iseq
        self._end.brought(stream, first, last)
        taken = Taken(stream, relay.number, first, last)
        end = ends[stream]
        if end.iseq == last and end.signature is not None:
            chain, seal = end.chain.hex(), end.signature.hex()
            taken = Taken(stream, relay.number, first, last, chain, seal, end.admitted)
        self._say(taken)

    def admit(self, message: Relay, who: Who) -> tuple[list[Entry], list[Refused]]:
        """The events that are let in, with what is known of them, and why the others are not.

        Raises:
            ProtocolError: The stamps do not match the events.
        """
        found = packets(message.events, message.withheld, message.via)
        if len(found) != len(message.admitted):
            raise ProtocolError(Close.BAD_MESSAGE, "relayed events and their stamps do not match")
        entries: list[Entry] = []
        refused: list[Refused] = []
        for packet, stamp in zip(found, message.admitted, strict=True):
            try:
                entries.append(self._entry(packet, stamp, who))
            except (DoorError, Refusal) as error:
                refused.append(self._room.refuse(packet, error, self._voids))
        return entries, refused

    def _entry(self, packet: Packet, stamp: int, who: Who) -> Entry:
        event = _checked(packet)
        if event.withheld is not None and not event.refused:
            return self._withheld(event, packet, stamp)
        if event.via is not None and event.id in self._vouched:
            packet = packet._replace(via=None)
            return Entry(read_packet(packet), packet, stamp or None)
        if event.entry in self._vouched:
            return Entry(event, packet, stamp or None)
        if self._room.losses.include(event):
            return Entry(event, packet._replace(via=None))
        is_own = event.head.by == who.name and event.via is None
        packet = packet._replace(via=None)
        event = msgspec.structs.replace(event, via=None)
        if event.withheld is not None:
            raise Unshown("an event without its body needs a server's seal")
        if is_own:
            self._room.admit(event, who)
            return Entry(event, packet)
        if event.head.stream == ROOM:
            raise Unshown("accounts and tokens need a server's seal")
        if not self._room.right_of(who.caller).covers(Right.RESPONDER):
            raise Unshown("your account may only read here; ask an admin")
        known = self._room.state(event.head.stream).events.get(event.id)
        if known is not None and known.refused:
            raise Unshown("it was refused here, and no seal says that another server admitted it")
        if known is not None and known.via is None:
            return Entry(event, packet)
        hearsay = packet._replace(via=who.name)
        return Entry(read_packet(hearsay), hearsay)

    def _withheld(self, event: Event, packet: Packet, stamp: int) -> Entry:
        """A body that is missing: that its head was admitted does not say that it is withheld."""
        known = self._room.state(event.head.stream).events.get(event.id)
        if event.via is not None or event.entry not in self._vouched:
            raise Unshown("an event without its body needs a server's seal on that")
        if known is not None and known.withheld is None and not event.may_be_withheld:
            raise Unshown(f"the body of {event.head.type} is never withheld")
        return Entry(event, packet, stamp or None)


def _is_taken_whole(relay: Relay, entries: Sequence[Entry], receipts: Sequence[Receipt]) -> bool:
    """Whether all of a counted relay is new here, in places that follow each other, as it came."""
    if not relay.number or len(receipts) != len(relay.admitted):
        return False
    stream, place = receipts[0].stream, receipts[0].iseq
    for (event, _, _), receipt, stamp in zip(entries, receipts, relay.admitted, strict=True):
        if (receipt.stream, receipt.iseq, receipt.admitted) != (stream, place, stamp):
            return False
        if not receipt.fresh or receipt.clash or event.entry != event.id:
            return False
        place += 1
    return True


def _checked(packet: Packet) -> Event:
    if packet.body is not None:
        return check_packet(packet)
    if len(packet.head) > MAX_EVENT_BYTES:
        raise DoorError("The head of an event is too long.")
    check_json(packet.head)
    return read_packet(packet)
