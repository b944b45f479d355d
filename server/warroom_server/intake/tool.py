"""What `warroom intake` does: lists kinds, tries a body, lists what is unreadable, replays.

Owns what is printed: cleaned lines, or JSON for other programs. It works on the server's files, so
whoever may read those may use it.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import sqlite3
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from warroom_incident.alerts import Signal
from warroom_incident.clean import clean, clean_line

from ..alerting.heartbeats import Heartbeats
from ..alerting.settings import AlertSettings
from ..board import Board
from ..metrics import Metrics
from .kinds import Kind
from .mappings.examples import mistakes
from .mappings.file import BadMapping
from .mappings.shelf import load
from .post import Post
from .replay import Wish
from .senders import Senders
from .store import IntakeStore, IntakeUnavailable
from .unreadable import Unreadable
from .worker import IntakeWorker

WAIT_SECONDS = 600.0
"""How long a running server may take to read bodies again."""

_LARGEST = 4 << 20


class Problem(Exception):
    """It cannot be done; the message is one sentence that says what to do."""


def now_ms() -> int:
    """The wall clock in milliseconds."""
    return time.time_ns() // 1_000_000


def out(text: str) -> None:
    """Print cleaned text."""
    sys.stdout.write(clean(text) + "\n")


def out_json(value: object) -> None:
    """Print data; everything outside ASCII is escaped, so that no terminal obeys it."""
    sys.stdout.write(json.dumps(value, indent=2).replace("\x7f", "\\u007f") + "\n")


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


def tried(kind: str, file: str, headers: Iterable[str], senders: Senders, *, as_json: bool) -> int:
    """Show what a body becomes; 1 where it cannot be read, or not all of it.

    `kind` is one of those that are read, or a mapping file.
    """
    reader, name = _reader(kind, senders)
    post = Post(_content(file, reader.max_bytes), now_ms(), dict(_headers(headers)))
    signals: list[Signal] = []
    reason = ""
    try:
        for signal in reader.read(post, senders.source("try", name)):
            signals.append(signal)
    except Unreadable as error:
        reason = str(error)
    if as_json:
        told = [msgspec.to_builtins(signal) for signal in signals]
        out_json({"kind": name, "signals": told, "unreadable": reason or None})
    else:
        for signal in signals:
            out("\n".join(_lines(signal)) + "\n")
        told_of = f"{len(signals)} alert" + ("" if len(signals) == 1 else "s")
        out(f"{told_of}; the rest cannot be read: {reason}." if reason else f"{told_of}.")
    return 1 if reason else 0


def _reader(kind: str, senders: Senders) -> tuple[Kind, str]:
    path = Path(kind).expanduser()
    if not kind.endswith(".toml") and "/" not in kind:
        if kind not in senders.kinds:
            known = ", ".join(sorted(senders.kinds))
            raise Problem(f"There is no kind {clean_line(kind, 40)}; there are {known}.")
        return senders.kinds[kind], kind
    try:
        file, mapping = load(path)
    except BadMapping as error:
        raise Problem(f"{path} cannot be used: {error}.") from None
    for wrong in mistakes(file, mapping):
        sys.stderr.write(clean_line(f"{path}: {wrong}") + "\n")
    return Kind(mapping.parse, file.max_bytes, file.sender), file.kind


def _content(file: str, limit: int) -> bytes:
    try:
        if file == "-":
            body = sys.stdin.buffer.read(_LARGEST + 1)
        else:
            with Path(file).expanduser().open("rb") as opened:
                body = opened.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise Problem(f"{clean_line(file, 100)} cannot be read: {why}.") from None
    if len(body) > limit:
        raise Problem(f"The body is larger than {limit:,} bytes, which this kind may have.")
    return body


def _headers(given: Iterable[str]) -> Iterator[tuple[str, str]]:
    for header in given:
        # A name of ours begins with a colon, as in `:path:/v2/alerts/a/close`.
        name, colon, value = header[1:].partition(":")
        if not colon:
            raise Problem("A header is written NAME:VALUE.")
        yield (header[:1] + name).strip().casefold(), value.strip()


def _lines(signal: Signal) -> Iterator[str]:
    yield f"title        {clean_line(signal.title)}"
    told: Mapping[str, object] = msgspec.to_builtins(signal)
    for field, value in told.items():
        if field in ("title", "source", "kind", "received"):
            continue
        if isinstance(value, dict):
            for name, text in value.items():
                yield f"{field:12} {clean_line(name)}={clean_line(str(text))}"
        elif field == "links":
            for title, address in signal.links:
                yield f"{'link':12} {clean_line(title)} {clean_line(address)}"
        else:
            yield f"{field:12} {clean_line(str(value))}"


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
