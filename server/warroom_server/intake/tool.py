"""What `warroom intake` does: lists kinds, checks mappings, lists what is unreadable, replays.

It works on the server's files, so whoever may read those may use it.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from warroom_incident.clean import clean_line

from ..alerting.heartbeats import Heartbeats
from ..alerting.settings import AlertSettings
from ..board import Board
from ..metrics import Metrics
from .replay import Wish
from .saying import Problem, out, out_json
from .senders import Senders
from .store import IntakeStore, IntakeUnavailable
from .worker import IntakeWorker

WAIT_SECONDS = 600.0
"""How long a running server may take to read bodies again."""


# Kinds and mappings --------------------------------------------------------------------------


def kinds(senders: Senders, *, as_json: bool) -> int:
    """List the kinds that are read."""
    rows = [(name, kind.sender, kind.max_bytes) for name, kind in sorted(senders.kinds.items())]
    if as_json:
        out_json([{"kind": n, "sender": s, "max_bytes": m} for n, s, m in rows])
    else:
        width = max(len(name) for name, _, _ in rows)
        for name, sender, _ in rows:
            out(f"{name:{width}}  {sender}")
    return 0


def check(senders: Senders, *, as_json: bool) -> int:
    """Say what is wrong with an operator's mappings; 1 if anything is."""
    if as_json:
        out_json(list(senders.complaints))
    else:
        for complaint in senders.complaints:
            out(complaint)
    return 1 if senders.complaints else 0


# Kept bodies ---------------------------------------------------------------------------------


def listed(data: Path, source: str | None, *, as_json: bool) -> int:
    """List the kept bodies that could not be read."""
    query = "SELECT id, received, kind, source, size, error FROM raw WHERE error IS NOT NULL"
    if source is not None:
        query += " AND source = ?"
    with _database(data) as db:
        rows = db.execute(
            query + " ORDER BY id DESC LIMIT 1000", () if source is None else (source,)
        ).fetchall()
    if as_json:
        names = ("id", "received", "kind", "source", "size", "reason")
        out_json([dict(zip(names, row, strict=True)) for row in rows])
        return 0
    for raw_id, received, kind, name, size, error in rows:
        at = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(received / 1000))
        out(f"{raw_id:>8}  {at}  {kind}  {clean_line(name)}  {size:,} bytes  {clean_line(error)}")
    if not rows:
        out("Every kept body could be read.")
    return 0


def replayed(
    data: Path, wish: Wish, senders: Senders, alerts: AlertSettings, *, as_json: bool
) -> int:
    """Read kept bodies again, by the running server if there is one."""
    if not (data / "intake.db").exists():
        raise Problem(f"There are no kept bodies in {data}: name the data directory with --data.")
    lock = os.open(data / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        done = asyncio.run(_replay_here(data, wish, senders, alerts))
    except BlockingIOError:
        done = _ask_server(data, wish)
    except IntakeUnavailable as error:
        raise Problem(f"The kept bodies cannot be read again: {error}.") from None
    finally:
        os.close(lock)
    if as_json:
        out_json({"said": done})
    else:
        out(done)
    return 0


async def _replay_here(data: Path, wish: Wish, senders: Senders, alerts: AlertSettings) -> str:
    store = await IntakeStore.open(data / "intake.db")
    try:
        board = Board(await store.load_board())
        board.sift = Heartbeats(board, alerts).take
        board.stale_after = alerts.patience
        worker = IntakeWorker(
            store,
            board,
            Metrics("replay"),
            find_source=senders.source,
            kinds=lambda: senders.kinds,
        )
        return str(await worker.replay(wish))
    finally:
        await store.close()


def _ask_server(data: Path, wish: Wish) -> str:
    """Write the wish down beside the running server, and wait until it was granted."""
    with _database(data, writing=True) as db:
        wish_id = db.execute(
            "INSERT INTO replays(source, since) VALUES (?, ?)", (wish.source, wish.since)
        ).lastrowid
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until:
            row = db.execute(
                "SELECT said FROM replays WHERE id = ? AND done IS NOT NULL", (wish_id,)
            ).fetchone()
            if row is not None:
                return str(row[0])
            time.sleep(0.1)
    raise Problem("The server has not read them again yet: it goes on, look at the board later.")


@contextmanager
def _database(data: Path, *, writing: bool = False) -> Iterator[sqlite3.Connection]:
    path = data / "intake.db"
    if not path.exists():
        raise Problem(f"There are no kept bodies in {data}: name the data directory with --data.")
    try:
        db = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={'rw' if writing else 'ro'}",
            uri=True,
            isolation_level=None,
            timeout=10,
        )
        try:
            yield db
        finally:
            db.close()
    except sqlite3.Error as error:
        raise Problem(f"{path} cannot be used: {error}.") from None
