"""What a replica can prove: the order of a log, as far as its server sealed it.

A server that goes on from an old copy of its log gives places to other events than before, under
the same name of the log. What proved the order before that is set aside under another name, for it
is all that proves what the copy lacks.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_ASIDE = "~"
"""Parts the name of a log from the number of an order that was set aside; no log's has it."""

_PUT_SEAL = (
    "INSERT INTO seals VALUES (?,?,?,?,?,?) ON CONFLICT (log, stream, server)"
    " DO UPDATE SET iseq = excluded.iseq, sealed = excluded.sealed,"
    " signature = excluded.signature WHERE excluded.iseq > iseq"
)


class Placed(NamedTuple):
    """The place of an event in a log's order."""

    log: str
    stream: str
    iseq: int
    event_id: bytes


class Sealed(NamedTuple):
    """The newest seal of a server on a stream of its log. `sealed` in milliseconds."""

    log: str
    stream: str
    iseq: int
    sealed: int
    server: str
    signature: str


class Proof(NamedTuple):
    """A seal, and the ids of all events up to it in the log's order."""

    seal: Sealed
    ids: list[bytes]


def keep(db: sqlite3.Connection, places: Sequence[Placed], seals: Iterable[Sealed]) -> None:
    """Keep places and seals, in a transaction of the caller's."""
    for log, stream in _contradicted(db, places):
        _set_aside(db, log, stream)
    db.executemany("REPLACE INTO places VALUES (?,?,?,?)", places)
    db.executemany(_PUT_SEAL, seals)


def read(db: sqlite3.Connection, stream: str) -> list[Proof]:
    """All that can be proven of a stream: for each log the ids up to its newest seal."""
    found = []
    for row in db.execute("SELECT * FROM seals WHERE stream = ?", (stream,)).fetchall():
        seal = Sealed(*row)
        ids = _upto(db, seal)
        if len(ids) == seal.iseq:  # no place is there twice, so none is missing
            found.append(Proof(seal._replace(log=seal.log.partition(_ASIDE)[0]), ids))
    return found


def _upto(db: sqlite3.Connection, seal: Sealed) -> list[bytes]:
    rows = db.execute(
        "SELECT id FROM places WHERE log = ? AND stream = ? AND iseq BETWEEN 1 AND ? ORDER BY iseq",
        (seal.log, seal.stream, seal.iseq),
    )
    return [event_id for (event_id,) in rows]


def _contradicted(db: sqlite3.Connection, places: Sequence[Placed]) -> set[tuple[str, str]]:
    """Where places say otherwise than those that a seal is kept for."""
    tops: dict[tuple[str, str], int] = {}
    for log, stream, iseq in db.execute("SELECT log, stream, iseq FROM seals") if places else ():
        tops[log, stream] = max(iseq, tops.get((log, stream), 0))
    sealed = [place for place in places if place.iseq <= tops.get((place.log, place.stream), 0)]
    found = set()
    for log, stream in {(place.log, place.stream) for place in sealed}:
        told = {p.iseq: p.event_id for p in sealed if (p.log, p.stream) == (log, stream)}
        rows = db.execute(
            "SELECT iseq, id FROM places WHERE log = ? AND stream = ? AND iseq BETWEEN ? AND ?",
            (log, stream, min(told), max(told)),
        )
        if any(told.get(iseq, event_id) != event_id for iseq, event_id in rows):
            found.add((log, stream))
    return found


def _set_aside(db: sqlite3.Connection, log: str, stream: str) -> None:
    """Keep what is proven of a stream of a log under another name, but for what proves no more."""
    of_it = "log = ? AND stream = ?"
    rows = db.execute(f"SELECT * FROM seals WHERE {of_it}", (log, stream)).fetchall()
    db.execute(f"DELETE FROM seals WHERE {of_it}", (log, stream))
    for seal in (Sealed(*row) for row in rows):
        ids = _upto(db, seal)
        others = [proof for proof in read(db, stream) if proof.seal.server == seal.server]
        if len(ids) < seal.iseq or any(set(ids) <= set(proof.ids) for proof in others):
            continue
        name = f"{log}{_ASIDE}{_count_aside(db, log, stream)}"
        db.execute("INSERT INTO seals VALUES (?,?,?,?,?,?)", seal._replace(log=name))
        db.executemany(
            "INSERT INTO places VALUES (?,?,?,?)",
            [(name, stream, iseq, event_id) for iseq, event_id in enumerate(ids, start=1)],
        )


def _count_aside(db: sqlite3.Connection, log: str, stream: str) -> int:
    named = "SELECT count(*) FROM seals WHERE stream = ? AND instr(log, ?) = 1"
    (count,) = db.execute(named, (stream, f"{log}{_ASIDE}")).fetchone()
    return int(count)
