"""What a replica goes on proving when a server comes back from an old copy of its log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from warroom_incident.proofs import Placed, Sealed
from warroom_incident.replica import Replica

LOG, STREAM, SERVER = "log-1", "i-" + "a" * 16, "war1"


@pytest.fixture
def replica(home: Path) -> Iterator[Replica]:
    (home / "slot-0").mkdir(mode=0o700)
    found = Replica.open(home / "slot-0")
    yield found
    found.close()


def order(names: str, first: int = 1, log: str = LOG) -> list[Placed]:
    """Events with one letter each, at the places from `first` on."""
    return [Placed(log, STREAM, first + n, name.encode()) for n, name in enumerate(names)]


def seal(iseq: int, *, log: str = LOG, server: str = SERVER) -> Sealed:
    return Sealed(log, STREAM, iseq, 1000 + iseq, server, f"{iseq:02x}")


def proven(replica: Replica) -> set[tuple[str, str, str]]:
    """The log, the seal and the order of everything that can be proven."""
    return {
        (proof.seal.log, proof.seal.signature, b"".join(proof.ids).decode())
        for proof in replica.proofs(STREAM)
    }


def test_what_the_old_order_proved_is_proven_beside_the_new_one(replica: Replica) -> None:
    replica.save(places=order("abcd"), seals=[seal(4)])
    replica.save(places=order("x", 3))
    assert proven(replica) == {(LOG, "04", "abcd")}
    replica.save(places=order("y", 4), seals=[seal(3)])
    assert proven(replica) == {(LOG, "04", "abcd"), (LOG, "03", "abx")}, "a shorter one counts"
    replica.save(places=order("z", 5), seals=[seal(5)])
    assert proven(replica) == {(LOG, "04", "abcd"), (LOG, "05", "abxyz")}


def test_a_log_that_only_grows_has_one_order(replica: Replica) -> None:
    replica.save(places=order("ab"), seals=[seal(2)])
    replica.save(places=order("abc"), seals=[seal(3)])
    replica.save(places=order("d", 4))
    replica.save(seals=[seal(4), seal(1)])
    assert proven(replica) == {(LOG, "04", "abcd")}
    assert len(replica.proofs(STREAM)) == 1


def test_a_log_may_come_back_from_a_copy_again_and_again(replica: Replica) -> None:
    replica.save(places=order("abcd"), seals=[seal(4)])
    for name in "xyz":
        replica.save(places=order(name, 2), seals=[seal(2)])
    assert proven(replica) == {
        (LOG, "04", "abcd"),
        *((LOG, "02", f"a{name}") for name in "xyz"),
    }
    replica.save(places=order("x", 2), seals=[seal(2)])
    assert len(replica.proofs(STREAM)) == 5, "the same twice is kept once"
    replica.save(places=order("y", 2), seals=[seal(2)])
    assert len(replica.proofs(STREAM)) == 5


def test_an_order_that_is_not_known_whole_proves_nothing_and_is_not_kept(replica: Replica) -> None:
    replica.save(places=order("cd", 3), seals=[seal(4)])
    replica.save(places=order("xyz", 1), seals=[seal(3)])
    assert proven(replica) == {(LOG, "03", "xyz")}


def test_another_log_and_another_server_are_left_alone(replica: Replica) -> None:
    replica.save(places=order("ab"), seals=[seal(2), seal(2, server="war2")])
    replica.save(places=order("pq", log="log-2"), seals=[seal(2, log="log-2")])
    replica.save(places=order("x", 2))
    found = sorted((p.seal.log, p.seal.server, b"".join(p.ids)) for p in replica.proofs(STREAM))
    assert found == [(LOG, SERVER, b"ab"), (LOG, "war2", b"ab"), ("log-2", SERVER, b"pq")]
