"""Checking a whole log, against a loop that hashes, chains and verifies and does nothing else."""

from __future__ import annotations

import gc
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from time import perf_counter

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from warroom_incident.log import Log, LogReader
from warroom_incident.seal import ZERO, sealed_text

from .bench_core import BATCH, NOW, STREAM, history
from .measure import Result, alternate
from .rig import scratch

EVENTS = 20_000
RUNS = 7
LOG = "bench"


def prepared(path: Path) -> Ed25519PublicKey:
    """Fill a log in batches, each with its seal; the key that fits them."""
    key = Ed25519PrivateKey.generate()
    entries = history(EVENTS)
    log = Log.create_or_open(path, new_id=LOG, sign=key.sign)
    for start in range(0, EVENTS, BATCH):
        log.append(entries[start : start + BATCH], NOW)
    log.close()
    return key.public_key()


def checked(path: Path, key: Ed25519PublicKey) -> float:
    """Events a second that `warroom fsck` checks."""

    def verify(text: bytes, signature: bytes) -> bool:
        try:
            key.verify(signature, text)
        except InvalidSignature:
            return False
        return True

    gc.collect()
    begun = perf_counter()
    reader = LogReader.open(path)
    damages = list(reader.damages(verify))
    reader.close()
    seconds = perf_counter() - begun
    assert damages == []
    return EVENTS / seconds


def looped(path: Path, key: Ed25519PublicKey) -> float:
    """Events a second of reading the same rows, hashing, chaining and verifying them."""
    gc.collect()
    begun = perf_counter()
    with closing(sqlite3.connect(path)) as connection:
        chain, chains = ZERO, [ZERO]
        for id_, head, body in connection.execute(
            "SELECT id, CAST(head AS BLOB), CAST(body AS BLOB) FROM events ORDER BY iseq"
        ):
            assert sha256(head).digest() == id_
            assert sha256(body).hexdigest().encode() in head
            chain = sha256(chain + id_).digest()
            chains.append(chain)
        for iseq, at, seal in connection.execute("SELECT iseq, admitted, signature FROM seals"):
            key.verify(seal, sealed_text(LOG, STREAM, iseq, chains[iseq], at))
    seconds = perf_counter() - begun
    assert len(chains) == EVENTS + 1
    return EVENTS / seconds


def main() -> list[Result]:
    """Run the benchmark."""
    with scratch() as place:
        path = place / "log.db"
        key = prepared(path)
        ours, floor = alternate(lambda: checked(path, key), lambda: looped(path, key), RUNS)
    return [Result("fsck", ours, "events/s", floor, 0.5, more=True)]
