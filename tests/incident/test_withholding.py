"""A body that is withheld: that is an entry of its own, it goes from every disk and comes back to
none, and nobody withholds anything by handing on a head alone."""

from itertools import combinations, permutations
from pathlib import Path

import pytest

from tests.incident.making import NOW, STREAM, Writer, incident, new_log, sign, verify, withheld
from tests.incident.talking import Console, Server, join
from warroom_incident.event import ROOM, Packet, read_packet, void_of
from warroom_incident.log import Entry, Log
from warroom_incident.replica import FILE, Kept, Replica
from warroom_incident.seal import heard_entry, link, withheld_entry
from warroom_incident.vocabulary import NoteAdded, SeveritySet, TokenCreated, TokenRevoked

SECRET = "hunter2 is the password"
REASON = "it held a password"


def gone(packet: Packet) -> Entry:
    event = withheld(packet)
    return Entry(event, Packet(packet.head, None, REASON))


def heard(packet: Packet) -> Entry:
    hearsay = packet._replace(via="cy")
    return Entry(read_packet(hearsay), hearsay)


def bytes_on_disk(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())


# Forms of an event -------------------------------------------------------------------------


def test_whichever_form_of_an_event_comes_first_the_same_one_counts() -> None:
    writer = Writer()
    packet = writer.packets[writer.write(NoteAdded(text=SECRET)).id]
    gone_too = Packet(packet.head, None, REASON, "cy")
    weakest_first = [
        read_packet(gone_too),
        read_packet(packet._replace(via="cy")),
        read_packet(void_of(packet, "not now")),
        read_packet(packet, NOW),
        withheld(packet, NOW + 1),
    ]
    for weak, strong in combinations(weakest_first, 2):
        for forms in ([weak, strong], [strong, weak]):
            (found,) = incident(forms).events.values()
            assert (found.withheld, found.via) == (strong.withheld, strong.via)


# On a server's disk ------------------------------------------------------------------------


def test_the_seal_on_a_withheld_body_says_so_and_the_chain_stays_as_it_was(log: Log) -> None:
    writer = Writer()
    event = writer.write(NoteAdded(text=SECRET))
    log.append(writer.entries([event]), NOW)
    before = log.end(STREAM).chain
    (receipt,) = log.append([gone(writer.packets[event.id])], NOW + 1)
    assert (receipt.id, receipt.iseq, receipt.fresh, receipt.clash) == (event.id, 2, True, "")
    name = withheld_entry(bytes.fromhex(event.id))
    assert log.entries(STREAM, 0, 2) == [bytes.fromhex(event.id), name]
    assert log.end(STREAM).chain == link(before, name)
    rows = log.read(STREAM, 0, 10)
    assert [(row.packet.body, row.packet.reason, row.apart) for row in rows] == [
        (None, REASON, False),
        (None, REASON, True),
    ]
    assert list(log.damages(verify)) == []


def test_a_body_that_is_withheld_leaves_the_file(home: Path) -> None:
    writer = Writer()
    log = new_log(home / "warroom.db", sign=sign)
    event = writer.write(NoteAdded(text=SECRET))
    log.append([heard(writer.packets[event.id])], NOW)
    log.append([*writer.entries([event]), *writer.notes(3)], NOW)
    log.append([gone(writer.packets[event.id])], NOW + 1)
    log.close()
    assert SECRET.encode() not in bytes_on_disk(home)


@pytest.mark.parametrize("reopened", [False, True])
def test_a_body_that_was_withheld_is_not_written_again_whoever_brings_it(
    home: Path, reopened: bool
) -> None:
    writer = Writer()
    log = new_log(home / "warroom.db", sign=sign)
    event = writer.write(NoteAdded(text=SECRET))
    log.append([gone(writer.packets[event.id])], NOW)
    if reopened:
        log.close()
        log = new_log(home / "warroom.db", sign=sign)
    for again in (*writer.entries([event]), heard(writer.packets[event.id])):
        (receipt,) = log.append([again], NOW + 1)
        assert (receipt.id, receipt.iseq, receipt.fresh) == (event.id, 1, False)
    assert list(log.damages(verify)) == []
    log.close()
    assert SECRET.encode() not in bytes_on_disk(home)


def test_one_batch_may_hold_an_event_and_that_its_body_is_withheld(log: Log) -> None:
    writer = Writer()
    for batch in permutations(["event", "gone"]):
        event = writer.write(NoteAdded(text=SECRET))
        forms = {"event": writer.entries([event])[0], "gone": gone(writer.packets[event.id])}
        log.append([forms[name] for name in batch], NOW)
    rows = log.read(STREAM, 0, 10)
    assert {row.packet.body for row in rows} == {None}
    assert list(log.damages(verify)) == []


def test_no_log_forgets_what_gave_or_took_a_right(log: Log) -> None:
    writer = Writer()
    made = writer.write(TokenCreated(name="am", hash="ab" * 32), stream=ROOM)
    revoked = writer.write(TokenRevoked(name="am"), made, stream=ROOM)
    log.append(writer.entries([made, revoked]), NOW)
    log.append([gone(writer.packets[revoked.id])], NOW)
    assert [row.packet.body is None for row in log.read(ROOM, 0, 10)] == [False, False, True]
    assert list(log.damages(verify)) == []
    (again,) = log.append(writer.entries([revoked]), NOW)
    assert (again.iseq, again.fresh) == (2, False)


# On a console's disk, and on the wire ------------------------------------------------------


def test_a_replica_forgets_a_withheld_body_under_whatever_name_it_lies(home: Path) -> None:
    writer = Writer()
    event = writer.write(NoteAdded(text=SECRET))
    packet = writer.packets[event.id]
    (home / "slot").mkdir()
    replica = Replica.open(home / "slot")
    name = heard_entry(bytes.fromhex(event.id)).hex()
    replica.save(events=[Kept(name, STREAM, NOW, packet._replace(via="cy"))])
    replica.save(events=[Kept(event.id, STREAM, NOW, packet)])
    new = gone(packet)
    replica.save(events=[Kept(new.event.entry, STREAM, NOW, new.packet)])
    replica.save(events=[Kept(event.id, STREAM, NOW, packet)])
    found = [read_packet(packet, at) for at, packet in replica.events(STREAM)]
    assert len(found) == 3
    assert incident(found).events[event.id].withheld == REASON
    replica.close()
    assert (home / "slot" / FILE).exists()
    assert SECRET.encode() not in bytes_on_disk(home)


def test_a_console_follows_the_chain_over_what_is_withheld(home: Path) -> None:
    server = Server(home / "server.db")
    writer = Writer("bo", seed=5)
    event = writer.write(NoteAdded(text=SECRET))
    server.log.append(writer.entries([event]), NOW)
    server.add("two")
    early, late = Console(), Console()
    join(server, early)
    server.log.append([gone(writer.packets[event.id])], NOW)
    for console in (early, late):
        join(server, console)
        assert console.cursors[STREAM].chain == server.log.end(STREAM).chain.hex()
        assert console.events[STREAM][3].entry == withheld_entry(bytes.fromhex(event.id)).hex()
        state = incident([arrival.event for arrival in console.events[STREAM].values()])
        assert state.events[event.id].withheld == REASON
        assert state.set_digest() == server.state(STREAM).set_digest()
        console.batches.clear()
        join(server, console)
        assert console.batches == []
    assert late.events[STREAM][1].packet.body is None
    server.log.close()


# In the state ------------------------------------------------------------------------------


def test_hearsay_says_nothing_twice_whoever_brought_it_first() -> None:
    writer = Writer()
    first = writer.write(SeveritySet(severity="SEV3"))
    event = writer.write(SeveritySet(severity="SEV1"), first)
    packet = writer.packets[event.id]
    forms = [
        read_packet(packet._replace(via="mo"), NOW + 2),
        read_packet(packet._replace(via="cy"), NOW + 1),
        read_packet(packet._replace(via="zed"), NOW + 3),
    ]
    for order in permutations(forms):
        state = incident([first, *order])
        assert (state.events[event.id].via, state.events[event.id].admitted) == ("cy", NOW + 1)
        assert state.severity == "SEV3"
