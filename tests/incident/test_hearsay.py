"""What a server only heard of has a place under its own name, so that its seal says so; and what
older logs, older servers and older consoles make of that."""

from hashlib import sha256
from pathlib import Path

import msgspec

from tests.incident.making import NOW, STREAM, Writer, incident, new_log, sign, verify
from tests.incident.talking import Console, Server, join, rest
from warroom_incident.event import Event, Packet, read_packet
from warroom_incident.log import Entry, Log
from warroom_incident.log_copy import copy_log
from warroom_incident.repair import Broken, broken, mend
from warroom_incident.seal import BLURRED, PROVING, ZERO, heard_entry, link, sealed_text
from warroom_incident.sync.wire import Events, encode, read_from_server
from warroom_incident.vocabulary import SeveritySet


def heard(packet: Packet, via: str = "cy") -> Entry:
    hearsay = packet._replace(via=via)
    return Entry(read_packet(hearsay), hearsay)


def kind_of_seal(log: Log) -> int:
    end = log.end(STREAM)
    assert end.signature is not None
    about = (log.log_id, STREAM, end.iseq, end.chain, end.admitted)
    kinds = [k for k in (BLURRED, PROVING) if verify(sealed_text(*about, kind=k), end.signature)]
    (kind,) = kinds
    return kind


def age(log: Log) -> None:
    """Make a log of one event look as those from before hearsay had a name of its own."""
    id_ = sha256(log.read(STREAM, 0, 1)[0].packet.head).digest()
    chain = link(ZERO, id_)
    db = log._db
    db.execute("UPDATE events SET id = ?, chain = ?", (id_, chain))
    db.execute("UPDATE hearsay SET id = ?", (id_,))
    old = sealed_text(log.log_id, STREAM, 1, chain, NOW, kind=BLURRED)
    db.execute("UPDATE seals SET signature = ?", (sign(old),))
    db.execute("DELETE FROM meta WHERE name = 'seals'")


# On disk -----------------------------------------------------------------------------------


def test_the_seal_on_hearsay_proves_that_it_was_heard_and_never_the_event(log: Log) -> None:
    writer = Writer()
    event = writer.write(SeveritySet(severity="SEV1"))
    log.append([heard(writer.packets[event.id])], NOW)
    name = heard_entry(bytes.fromhex(event.id))
    assert log.entries(STREAM, 0, 1) == [name]
    assert log.end(STREAM).chain == link(ZERO, name) != link(ZERO, bytes.fromhex(event.id))
    assert kind_of_seal(log) == PROVING
    (row,) = log.read(STREAM, 0, 10)
    assert (row.apart, row.packet.via) == (True, "cy")
    assert list(log.damages(verify)) == []


def test_hearsay_that_somebody_vouches_for_gets_a_place_of_its_own(log: Log) -> None:
    writer = Writer()
    event = writer.write(SeveritySet(severity="SEV1"))
    log.append([heard(writer.packets[event.id])], NOW)
    (again,) = log.append([heard(writer.packets[event.id], "mo")], NOW + 1)
    assert (again.iseq, again.fresh, again.clash) == (1, False, "")
    (receipt,) = log.append(writer.entries([event]), NOW + 2)
    assert (receipt.iseq, receipt.fresh, receipt.clash) == (2, True, "")
    assert [(row.apart, row.packet.via) for row in log.read(STREAM, 0, 10)] == [
        (True, "cy"),
        (False, None),
    ]
    rows = [read_packet(row.packet, row.admitted) for row in log.read(STREAM, 0, 10)]
    assert incident(rows).severity == "SEV1"
    assert list(log.damages(verify)) == []


def test_a_mark_of_hearsay_that_was_wiped_from_the_file_is_found(log: Log) -> None:
    writer = Writer()
    log.append([heard(writer.packets[writer.write(SeveritySet(severity="SEV1")).id])], NOW)
    log._db.execute("DELETE FROM hearsay")
    assert list(log.damages(verify)) == [f"{STREAM}: the head of event 1 is damaged."]


def test_damaged_hearsay_is_put_back_from_a_copy(home: Path) -> None:
    writer = Writer()
    log = new_log(home / "warroom.db", sign=sign)
    event = writer.write(SeveritySet(severity="SEV1"))
    log.append([heard(writer.packets[event.id])], NOW)
    copy_log(home / "warroom.db", home / "copy.db")
    log._db.execute("UPDATE events SET body = replace(body, 'SEV1', 'SEV2')")
    places = list(broken(log))
    assert places == [Broken(STREAM, 1, heard_entry(bytes.fromhex(event.id)), "cy")]
    log.close()
    assert mend(home / "warroom.db", places, [home / "copy.db"]) == []
    log = new_log(home / "warroom.db", sign=sign)
    assert list(log.damages(verify)) == []
    log.close()


def test_what_is_heard_and_what_is_admitted_are_told_apart_by_the_digest_of_a_set() -> None:
    writer = Writer()
    event = writer.write(SeveritySet(severity="SEV1"))
    hearsay = heard(writer.packets[event.id]).event
    digests = {incident(some).set_digest() for some in ([], [hearsay], [event])}
    assert len(digests) == 3
    assert incident([hearsay, event]).set_digest() == incident([event]).set_digest()
    assert incident([event, hearsay]).set_digest() == incident([event]).set_digest()


# Older logs --------------------------------------------------------------------------------


def old_log(home: Path) -> tuple[Writer, Event]:
    writer = Writer()
    log = new_log(home / "warroom.db", sign=sign)
    event = writer.write(SeveritySet(severity="SEV1"))
    log.append([heard(writer.packets[event.id])], NOW)
    age(log)
    log.close()
    return writer, event


def test_an_older_log_is_read_and_its_seals_never_say_more_than_they_did(home: Path) -> None:
    writer, event = old_log(home)
    log = new_log(home / "warroom.db", sign=sign)
    assert list(log.damages(verify)) == []
    assert list(broken(log)) == []
    (row,) = log.read(STREAM, 0, 10)
    assert (row.apart, row.packet.via) == (False, "cy")
    assert kind_of_seal(log) == BLURRED
    log.append(writer.notes(1), NOW + 1)
    assert kind_of_seal(log) == BLURRED
    (receipt,) = log.append(writer.entries([event]), NOW + 2)
    assert (receipt.iseq, receipt.fresh, receipt.changed) == (1, False, True)
    assert log.read(STREAM, 0, 1)[0].packet.via is None
    assert list(log.damages(verify)) == []
    log.close()


def test_an_older_log_that_heard_nothing_is_sealed_anew(home: Path) -> None:
    writer = Writer()
    log = new_log(home / "warroom.db", sign=sign)
    log.append(writer.notes(1), NOW)
    age(log)
    assert kind_of_seal(log) == BLURRED
    log.close()
    log = new_log(home / "warroom.db", sign=sign)
    assert kind_of_seal(log) == PROVING
    assert list(log.damages(verify)) == []
    log.close()


# On the wire -------------------------------------------------------------------------------


def test_a_console_follows_the_chain_over_hearsay_and_goes_on_from_there(server: Server) -> None:
    console = Console()
    server.add("one")
    other = Writer("bo", seed=5)
    event = other.write(SeveritySet(severity="SEV1"))
    server.log.append([heard(other.packets[event.id])], NOW)
    end = join(server, console)
    server.log.append(other.entries([event]), NOW)
    rest(server, console, end)
    assert console.events[STREAM][2].entry == heard_entry(bytes.fromhex(event.id)).hex()
    assert console.events[STREAM][3].entry == event.id
    assert console.cursors[STREAM].chain == server.log.end(STREAM).chain.hex()
    console.batches.clear()
    join(server, console)
    assert console.batches == []


def test_a_console_reads_a_server_that_names_hearsay_by_its_event(server: Server) -> None:
    other = Writer("bo", seed=5)
    event = other.write(SeveritySet(severity="SEV1"))
    server.log.append([heard(other.packets[event.id])], NOW)
    age_without_seals(server.log)
    console = Console()
    join(server, console)
    assert console.events[STREAM][1].event.via == "cy"
    assert console.events[STREAM][1].entry == event.id
    assert console.cursors[STREAM].chain == server.log.end(STREAM).chain.hex()


def age_without_seals(log: Log) -> None:
    id_ = sha256(log.read(STREAM, 0, 1)[0].packet.head).digest()
    log._db.execute("UPDATE events SET id = ?, chain = ?", (id_, link(ZERO, id_)))
    log._db.execute("UPDATE hearsay SET id = ?", (id_,))


def test_an_older_console_is_told_no_chains_and_is_not_cut_for_them(server: Server) -> None:
    server.add("one", "two")
    console = Console()
    hello = console.connect().hello([STREAM])
    older = msgspec.json.decode(hello)
    assert older.pop("apart") is True
    end, frames = server.accept(msgspec.json.encode(older))
    for frame in frames:
        console.receive(frame)
    told = []
    while (sent := server.next_frame(end)) is not None:
        told.append(read_from_server(sent))
        console.receive(sent)
    events = [message for message in told if isinstance(message, Events)]
    assert events
    assert all(not message.chain and not message.seal for message in events)
    assert not end.pass_live(STREAM, 3, 3, 100)
    assert len(console.events[STREAM]) == 2


def test_where_hearsay_stands_in_a_frame_is_told_beside_who_brought_it(server: Server) -> None:
    other = Writer("bo", seed=5)
    server.add("one")
    server.log.append([heard(other.packets[other.write(SeveritySet(severity="SEV1")).id])], NOW)
    console = Console()
    end, frames = server.accept(console.connect().hello([STREAM]))
    console.receive(frames[0])
    frame = server.next_frame(end)
    assert frame is not None
    message = read_from_server(frame)
    assert isinstance(message, Events)
    assert (message.via, message.apart) == ({"1": "cy"}, [1])
    assert encode(message) == frame
