"""The core alone: appending to the log, and building a state, against the least they could cost."""

from __future__ import annotations

import gc
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from warroom_incident import vocabulary as v
from warroom_incident.author import Author, Counters
from warroom_incident.clock import HybridClock
from warroom_incident.event import Event, Head, Packet, check_packet, read_packet
from warroom_incident.incident import IncidentState
from warroom_incident.log import Entry, Log, LogReader
from warroom_incident.reducers import Body, Write
from warroom_incident.schema import LOG_TABLES, connect

from .measure import Result, alternate, table

EVENTS = 10_000
BATCH = 100
RUNS = 7
STREAM = "i-benchbenchbenchb"
NOW = 1_790_000_000_000


def _bodies() -> Iterator[Body]:
    """What an incident consists of: mostly notes, steps and changed alerts."""
    random = Random(1)
    yield v.IncidentDeclared(title="Checkout is down")
    while True:
        number = random.randrange(40)
        words = " ".join(["restarted the queue worker"] * random.randint(1, 8))
        yield random.choice(
            [
                v.NoteAdded(text=words),
                v.NoteAdded(text=words),
                v.NoteAdded(text=words, at=NOW - number),
                v.StepSet(checklist="ic", step=f"s{number}", state="done"),
                v.RoleAssigned(role=f"role-{number % 6}", person=f"person-{number}"),
                v.SeveritySet(severity=random.choice(["SEV1", "SEV2", "SEV3"])),
                v.StatusSet(status=random.choice(["investigating", "identified", "mitigated"])),
                v.ImpactSet(field="users", text=words),
                v.StepNoted(checklist="ic", step=f"s{number}", text=words),
                v.DraftSaved(draft=f"d{number % 4}", text=words),
            ]
        )


def history(events: int = EVENTS) -> list[Entry]:
    """The events of one long incident, written by one replica that saw all of them."""
    random = Random(2)
    tick = count(NOW)
    author = Author(Counters("benchbenchbenchb"), HybridClock(lambda: next(tick)), random.randbytes)
    state = IncidentState(STREAM)
    entries = []
    for body, _ in zip(_bodies(), range(events), strict=False):
        base = state.base_for(body.key) if isinstance(body, Write) else ()
        event, packet = author.write(STREAM, "ana", body, base)
        state.add(event)
        entries.append(Entry(event, packet))
    return entries


@contextmanager
def _quiet() -> Iterator[None]:
    """No garbage collection in a measurement: it falls where it likes."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def appended(entries: Sequence[Entry]) -> float:
    """Rows a second that the log takes in, in batches, each a durable and signed commit."""
    sign = Ed25519PrivateKey.generate().sign
    with TemporaryDirectory() as place:
        log = Log.create_or_open(Path(place) / "log.db", new_id="bench", sign=sign)
        with _quiet():
            begun = perf_counter()
            for start in range(0, len(entries), BATCH):
                log.append(entries[start : start + BATCH], NOW)
            seconds = perf_counter() - begun
        log.close()
    return len(entries) / seconds


def inserted(entries: Sequence[Entry]) -> float:
    """Rows a second of the same rows, tables, indexes and batches with a bare `executemany`."""
    rows = [
        (
            *(1, number, bytes.fromhex(event.id), event.head.rep, event.head.n, event.head.type),
            *(packet.head.decode(), (packet.body or b"").decode(), NOW, bytes(32)),
        )
        for number, (event, packet, _) in enumerate(entries, 1)
    ]
    with TemporaryDirectory() as place:
        connection = connect(Path(place) / "log.db", synchronous="FULL")
        connection.executescript(LOG_TABLES)
        connection.execute("INSERT INTO streams VALUES (1, ?)", (STREAM,))
        with _quiet():
            begun = perf_counter()
            for start in range(0, len(rows), BATCH):
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(
                    "INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?)", rows[start : start + BATCH]
                )
                connection.execute("COMMIT")
            seconds = perf_counter() - begun
        connection.close()
    return len(rows) / seconds


def built(path: Path) -> float:
    """Milliseconds from a log on disk to the state of an incident that is ready to be shown."""
    reader = LogReader.open(path)
    with _quiet():
        begun = perf_counter()
        state = IncidentState(STREAM)
        rows = reader.read(STREAM, 0, EVENTS)
        state.extend(read_packet(row.packet, row.admitted) for row in rows)
        shown = (state.severity, state.status, state.title, state.roles(), len(state.ordered))
        seconds = perf_counter() - begun
    reader.close()
    assert shown[-1] == EVENTS
    return seconds * 1000


def read_only(path: Path, order: str = "iseq") -> float:
    """Milliseconds to read the same rows, hash both texts and decode both, and drop them."""
    decoders = {name: msgspec.json.Decoder(kind).decode for name, kind in v.TYPES.items()}
    decode_head = msgspec.json.Decoder(Head).decode
    connection = sqlite3.connect(path)
    with _quiet():
        begun = perf_counter()
        read = 0
        for text, body in connection.execute(f"SELECT head, body FROM events ORDER BY {order}"):
            raw_head, raw_body = text.encode(), body.encode()
            sha256(raw_head).hexdigest()
            head = decode_head(raw_head)
            assert sha256(raw_body).hexdigest() == head.bh
            decoders[head.type](raw_body)
            read += 1
        seconds = perf_counter() - begun
    connection.close()
    assert read >= EVENTS
    return seconds * 1000


def added(entries: Sequence[Entry]) -> float:
    """Milliseconds to add events that were read before to a state, and nothing else."""
    events: list[Event] = [entry.event for entry in entries]
    with _quiet():
        begun = perf_counter()
        state = IncidentState(STREAM)
        state.extend(events)
        seconds = perf_counter() - begun
    assert len(state.events) == EVENTS
    return seconds * 1000


def merged(entries: Sequence[Entry]) -> float:
    """Milliseconds until an event that arrives after 10,000 others is in its displayed place."""
    state = IncidentState(STREAM)
    state.extend(entry.event for entry in entries[:-1])
    assert state.ordered
    with _quiet():
        begun = perf_counter()
        state.add(entries[-1].event)
        assert state.ordered
        seconds = perf_counter() - begun
    return seconds * 1000


def checked(entries: Sequence[Entry]) -> float:
    """Microseconds that the door spends on one event."""
    packets: list[Packet] = [entry.packet for entry in entries]
    with _quiet():
        begun = perf_counter()
        for packet in packets:
            check_packet(packet)
        seconds = perf_counter() - begun
    return seconds / len(packets) * 1e6


def parsed(entries: Sequence[Entry]) -> float:
    """Microseconds that the standard library takes to parse both texts of one event."""
    packets: list[Packet] = [entry.packet for entry in entries]
    with _quiet():
        begun = perf_counter()
        for packet in packets:
            json.loads(packet.head)
            json.loads(packet.body or b"")
        seconds = perf_counter() - begun
    return seconds / len(packets) * 1e6


def main() -> list[Result]:
    """Run the benchmark."""
    entries = history()
    rows, floor_rows = alternate(lambda: appended(entries), lambda: inserted(entries), RUNS)
    with TemporaryDirectory() as place:
        path = Path(place) / "log.db"
        log = Log.create_or_open(path, new_id="bench")
        for start in range(0, EVENTS, 500):
            log.append(entries[start : start + 500], NOW)
        log.close()
        state, floor_state = alternate(lambda: built(path), lambda: read_only(path), RUNS)
    sums, late = alternate(lambda: added(entries), lambda: merged(entries), RUNS)
    door, floor_door = alternate(lambda: checked(entries), lambda: parsed(entries), RUNS)
    return [
        Result(
            "log, appended and signed in batches of 100", rows, "rows/s", floor_rows, 0.5, more=True
        ),
        Result("state of 10,000 events, from disk", state, "ms", floor_state, 2.5),
        Result("10,000 events added to a state", sums, "ms"),
        Result("one event added behind 10,000 and shown", late, "ms"),
        Result("door check of an event", door, "us", floor_door),
    ]


if __name__ == "__main__":
    import sys

    sys.stdout.write(table(main()))
