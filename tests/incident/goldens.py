"""A small log and replica as each version wrote them, kept as text, with what they add up to.

`python -m tests.incident.goldens NAME` writes those of today's code beside the older ones, and
nobody writes the older ones again: what they say must stay readable.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from tests.incident.making import NOW, OTHER_STREAM, STREAM, Writer, alert, new_log
from tests.incident.talking import Console, Server
from warroom_incident import vocabulary
from warroom_incident.board import BoardState
from warroom_incident.event import BOARD, ROOM, Event, Packet, read_packet, void_of
from warroom_incident.fields import StepCopy
from warroom_incident.fold import Fold
from warroom_incident.incident import IncidentState
from warroom_incident.log import Entry, Log
from warroom_incident.proofs import Placed, Sealed
from warroom_incident.reducers import Append
from warroom_incident.replica import FILE, Kept, Replica
from warroom_incident.room import RoomState
from warroom_incident.vocabulary import NoteAdded, SeveritySet, StatusSet, TokenRevoked

GOLDEN = Path(__file__).parent / "golden"
STREAMS = (STREAM, OTHER_STREAM, BOARD, ROOM)

SAMPLES: list[tuple[str, str, dict[str, Any]]] = [
    (STREAM, "IncidentDeclared", {"title": "Checkout is down"}),
    (STREAM, "IncidentNumbered", {"number": "INC-7"}),
    (STREAM, "TitleSet", {"title": "Checkout answers 5xx"}),
    (STREAM, "SeveritySet", {"severity": "SEV2"}),
    (STREAM, "StatusSet", {"status": "started"}),
    (STREAM, "StatusSet", {"status": "identified"}),
    (STREAM, "ImpactSet", {"field": "users", "text": "everybody in the EU"}),
    (STREAM, "RoleAssigned", {"role": "commander", "person": "ana"}),
    (STREAM, "RoleAssigned", {"role": "scribe", "person": "bo"}),
    (STREAM, "RoleAssigned", {"role": "scribe"}),
    (STREAM, "AlertLinked", {"uid": "a1", "alert": alert()}),
    (STREAM, "AlertChanged", {"uid": "a1", "alert": alert(state="resolved", last_seen=NOW)}),
    (STREAM, "StepSet", {"checklist": "c1", "step": "s1", "state": "done"}),
    (STREAM, "StepOwned", {"checklist": "c1", "step": "s2", "owner": "bo"}),
    (STREAM, "StepNoted", {"checklist": "c1", "step": "s2", "text": "waits for the vendor"}),
    (STREAM, "DraftOpened", {"draft": "d1", "audience": "customers", "title": "Checkout"}),
    (STREAM, "DraftSaved", {"draft": "d1", "text": "We are looking into it."}),
    (BOARD, "AlertAcknowledged", {"uid": "a1"}),
    (BOARD, "AlertAcknowledged", {"uid": "a2", "acknowledged": False}),
    (BOARD, "AlertAssigned", {"uid": "a1", "person": "bo"}),
    (BOARD, "AlertMarked", {"uid": "a1", "noise": "not_actionable"}),
    (ROOM, "MemberGranted", {"account": "ana", "right": "admin"}),
    (ROOM, "MemberGranted", {"account": "bo", "right": "viewer"}),
    (ROOM, "ServerListed", {"server": "war1", "key_hex": "ab" * 32}),
    (
        ROOM,
        "StandbyListed",
        {"server": "war2", "name": "war2", "key_hex": "cd" * 32, "urls": ("unix:///run/w",)},
    ),
]
"""One event of each type: stream, type, fields. A version leaves out what it does not know."""


class Newer(Append, frozen=True):
    """An event of a type that no version knows."""

    text: str
    type = "pager.paged"


class Said(msgspec.Struct, frozen=True):
    """What a stream adds up to: how many events, both digests, and what is shown."""

    events: int
    set_digest: str
    state_digest: str
    shown: dict[str, Any]


class Golden(msgspec.Struct, frozen=True):
    """What a version read of its own files."""

    log_id: str
    streams: dict[str, Said]
    ends: dict[str, tuple[int, str]]
    from_server: list[str]
    from_console: list[str]


def sign(message: bytes) -> bytes:
    """A signature that needs no key file."""
    return sha256(b"key" + message).digest() * 2


def verify(message: bytes, signature: bytes) -> bool:
    """Whether it fits."""
    return signature == sign(message)


def state_of(stream: str) -> Fold:
    """An empty state of a stream."""
    match stream:
        case "board":
            return BoardState()
        case "room":
            return RoomState()
        case _:
            return IncidentState(stream)


def said(stream: str, events: list[Event]) -> Said:
    """What events add up to."""
    state = state_of(stream)
    state.extend(events)
    return Said(len(state.events), state.set_digest(), state.state_digest(), shown(state))


def shown(state: Fold) -> dict[str, Any]:
    """What people see of a state, in plain values."""
    if isinstance(state, IncidentState):
        found: dict[str, Any] = {
            "title": state.title,
            "severity": state.severity,
            "status": state.status,
            "number": state.number,
            "ended_at": state.ended_at,
            "holders": {role: state.holder(role) for role in ("commander", "scribe")},
            "conflicts": len(state.conflicts()),
            "late": sum(state.is_late(event) for event in state.events.values()),
            "notes": [
                note.text
                for id_ in state.ordered
                if (note := state.note(state.events[id_])) is not None
            ],
        }
        return found
    if isinstance(state, RoomState):
        rights = {account: state.right(account) for account in ("ana", "bo", "cy")}
        return {
            "rights": {
                account: right.value if right else None for account, right in rights.items()
            },
            "servers": state.servers(),
            "tokens": [token.name for token in state.tokens()],
        }
    assert isinstance(state, BoardState)
    return {"acknowledged": [bool(state.acknowledged(uid)) for uid in ("a1", "a2", "a3")]}


# Writing -----------------------------------------------------------------------------------


def history() -> list[Entry]:
    """What three people, a forger and a server did."""
    ana, bo = Writer("ana", seed=1), Writer("bo", seed=2)
    states = {stream: state_of(stream) for stream in STREAMS}
    entries: list[Entry] = []

    def did(writer: Writer, event: Event) -> Event:
        entries.append(Entry(event, writer.packets[event.id]))
        return event

    for number, (stream, name, fields) in enumerate(SAMPLES):
        kind = getattr(vocabulary, name, None)
        if kind is not None:
            ana.clock.now = NOW + number
            did(ana, ana.act(states[stream], kind(**fields), stream))
    steps = (StepCopy(id="s1", text="Take command"), StepCopy(id="s2", text="Call the vendor"))
    attached = vocabulary.ChecklistAttached(checklist="c1", title="First minutes", steps=steps)
    did(ana, ana.act(states[STREAM], attached))
    note = did(ana, ana.act(states[STREAM], NoteAdded(text="The queue is empty.", at=NOW - 60_000)))
    did(ana, ana.act(states[STREAM], vocabulary.NoteEdited(target=note.id, text="It was full.")))
    struck = did(bo, bo.act(states[STREAM], NoteAdded(text="Never mind.")))
    did(bo, bo.act(states[STREAM], vocabulary.NoteStruck(target=struck.id)))
    did(ana, ana.act(states[STREAM], vocabulary.EntryStarred(target=note.id)))
    did(ana, ana.act(states[STREAM], Newer(text="somebody was paged")))
    made = did(ana, ana.write(vocabulary.TokenCreated(name="am", hash="ef" * 32), stream=ROOM))
    did(ana, ana.write(vocabulary.TokenCreated(name="bot", hash="01" * 32), stream=ROOM))
    did(ana, ana.write(TokenRevoked(name="am"), made, stream=ROOM))
    unseen = bo.write(SeveritySet(severity="SEV1"))
    did(ana, ana.act(states[STREAM], StatusSet(status="closed")))
    did(bo, unseen)

    other = states[OTHER_STREAM]
    declared = vocabulary.IncidentDeclared(title="Search is slow")
    did(bo, bo.act(other, declared, OTHER_STREAM))
    heard = [
        bo.write(SeveritySet(severity="SEV1"), stream=OTHER_STREAM),
        bo.write(NoteAdded(text="somebody said so"), stream=OTHER_STREAM),
        bo.write(NoteAdded(text="and then bo came"), stream=OTHER_STREAM),
    ]
    for event in heard:
        packet = bo.packets[event.id]._replace(via="cy")
        entries.append(Entry(read_packet(packet), packet))
    did(bo, heard[2])
    refused = bo.write(StatusSet(status="closed"), stream=OTHER_STREAM)
    packet = void_of(bo.packets[refused.id], "only the incident commander closes the incident")
    entries.append(Entry(read_packet(packet), packet))
    if hasattr(Event, "may_be_withheld"):
        secret = did(bo, bo.write(NoteAdded(text="the password"), stream=OTHER_STREAM))
        packet = Packet(bo.packets[secret.id].head, None, "it held a password")
        entries.append(Entry(read_packet(packet), packet))
    return entries


def write(directory: Path) -> Golden:
    """Write a log and a replica into a directory, and tell what they say."""
    server = Server(directory / "unused.db")
    log = server.log = new_log(directory / "warroom.db", sign=sign)
    for number, entry in enumerate(history()):
        log.append([entry], NOW + 1000 + number)
    streams = {
        stream: said(stream, [read_packet(r.packet, r.admitted) for r in log.read(stream, 0, 999)])
        for stream in STREAMS
    }
    ends = {stream: (log.end(stream).iseq, log.end(stream).chain.hex()) for stream in STREAMS}
    console = Console(*STREAMS)
    from_server, from_console = talk(server, console)
    save(directory, console, log)
    found = Golden(log.log_id, streams, ends, from_server, from_console)
    log.close()
    return found


def talk(server: Server, console: Console) -> tuple[list[str], list[str]]:
    """Every frame of a first connection, in both directions."""
    hello = console.end.hello(STREAMS)
    end, frames = server.accept(hello)
    told, said_ = [], [hello.decode()]
    for frame in frames:
        told.append(frame.decode())
        console.receive(frame)
    while True:
        if (sent := server.next_frame(end)) is not None:
            told.append(sent.decode())
            console.receive(sent)
        if (seen := console.end.seen(now=sent is None)) is not None:
            said_.append(seen.decode())
            end.receive(seen)
        elif sent is None:
            break
    writer = Writer("ana", seed=9)
    event = writer.write(NoteAdded(text="one more"))
    said_ += [frame.decode() for frame in console.end.push([writer.packets[event.id]])]
    return told, said_


def save(directory: Path, console: Console, log: Log) -> None:
    """Write what a console read into a replica."""
    (directory / "slot-0").mkdir(mode=0o700)
    replica = Replica.open(directory / "slot-0")
    arrivals = [
        (stream, arrival) for stream, found in console.events.items() for arrival in found.values()
    ]
    replica.save(
        events=[
            Kept(entry_of(a), stream, a.event.admitted or 0, a.packet) for stream, a in arrivals
        ],
        places=[
            Placed(log.log_id, stream, a.iseq, bytes.fromhex(entry_of(a))) for stream, a in arrivals
        ],
        cursors=list(console.cursors.values()),
        seals=[
            Sealed(log.log_id, s, end.iseq, end.admitted, "war1", (end.signature or b"").hex())
            for s in STREAMS
            if (end := log.end(s)).iseq
        ],
        meta={"room": "r", "you": "ana", "account": "ana", "heard_at": str(NOW)},
    )
    replica.close()


def entry_of(arrival: Any) -> str:
    """Under which name an event stands in the server's order."""
    return str(getattr(arrival, "entry", arrival.event.entry))


def dump(path: Path) -> str:
    """A database as text."""
    connection = sqlite3.connect(path)
    try:
        return "\n".join(connection.iterdump()) + "\n"
    finally:
        connection.close()


def restore(text: str, path: Path) -> None:
    """A database from its text, with the mode that it had."""
    connection = sqlite3.connect(path)
    try:
        connection.executescript(text)
    finally:
        connection.close()
    path.chmod(0o600)


def main(name: str) -> None:
    """Write today's files under a name."""
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        found = write(directory)
        (GOLDEN / f"{name}.log.sql").write_text(dump(directory / "warroom.db"), encoding="utf-8")
        replica = dump(directory / "slot-0" / FILE)
        (GOLDEN / f"{name}.replica.sql").write_text(replica, encoding="utf-8")
        pretty = msgspec.json.format(msgspec.json.encode(found), indent=1)
        (GOLDEN / f"{name}.json").write_bytes(pretty + b"\n")


if __name__ == "__main__":
    main(sys.argv[1])
