"""A refused event leaves a void: everybody sees the refusal, it counts for nothing, and a body
that another log admitted comes back, while a redacted one never does."""

from itertools import permutations
from pathlib import Path

import msgspec

from tests.incident.making import NOW, STREAM, Writer, incident, picture, verify, void, withheld
from warroom_incident.event import read_packet
from warroom_incident.log import Log
from warroom_incident.outbox import Outbox
from warroom_incident.replica import Kept, Replica
from warroom_incident.seal import ZERO, link, void_entry
from warroom_incident.telling import tell
from warroom_incident.vocabulary import SeveritySet, StatusSet

# State -------------------------------------------------------------------------------------


def test_a_void_tells_who_when_and_why_and_counts_for_nothing() -> None:
    writer = Writer("bo")
    first = writer.write(SeveritySet(severity="SEV3"))
    refused = writer.write(SeveritySet(severity="SEV1"), first)
    seen = void(writer, refused).event
    assert (seen.head.by, seen.head.type, seen.withheld) == (
        "bo",
        "severity.set",
        "refused: not now",
    )
    state = incident([first, seen])
    assert state.severity == "SEV3"
    assert state.ordered == [first.id, refused.id]
    assert "SEV1" not in str(state.events[refused.id])
    assert tell(seen, state).text == "bo was refused severity.set: not now"


def test_a_void_moves_no_count_that_a_closing_would_take_for_seen() -> None:
    writer = Writer("bo")
    for _ in range(5):
        refused = writer.write(SeveritySet(severity="SEV1"))
    assert incident([void(writer, refused).event]).vector == {}


def test_what_builds_on_a_void_builds_on_what_that_had_replaced() -> None:
    writer = Writer()
    first = writer.write(SeveritySet(severity="SEV3"))
    refused = writer.write(SeveritySet(severity="SEV1"), first)
    after = writer.write(SeveritySet(severity="SEV2"), refused)
    for events in permutations([first, void(writer, refused).event, after]):
        assert incident(events).severity == "SEV2"
        assert not incident(events).conflicts()


def test_an_admission_outweighs_a_refusal_and_a_redaction_outweighs_both() -> None:
    writer = Writer()
    first = writer.write(SeveritySet(severity="SEV3"))
    event = writer.write(SeveritySet(severity="SEV1"), first)
    packet = writer.packets[event.id]
    hearsay = read_packet(packet._replace(via="cy"), NOW + 3)
    forms = {
        "hearsay": hearsay,
        "void": msgspec.structs.replace(void(writer, event).event, admitted=NOW + 2),
        "admitted": read_packet(packet, NOW + 1),
        "redacted": withheld(packet, NOW + 4),
    }
    strongest = ["hearsay", "void", "admitted", "redacted"]
    for count in range(2, 5):
        for names in permutations(strongest, count):
            state = incident([first, *(forms[name] for name in names)])
            winner = max(names, key=strongest.index)
            held = state.events[event.id]
            assert (held.withheld, held.via) == (forms[winner].withheld, forms[winner].via), names
            assert state.severity == ("SEV1" if winner == "admitted" else "SEV3"), names
            again = incident([*(forms[name] for name in sorted(names)), first])
            assert picture(state) == picture(again), names


def test_when_an_event_was_refused_or_heard_says_nothing_of_when_it_was_admitted() -> None:
    writer = Writer()
    event = writer.write(SeveritySet(severity="SEV1"))
    packet = writer.packets[event.id]
    forms = [
        read_packet(packet._replace(via="cy"), NOW + 1),
        msgspec.structs.replace(void(writer, event).event, admitted=NOW + 2),
        read_packet(packet, NOW + 5),
        read_packet(packet, NOW + 4),
    ]
    for order in permutations(forms):
        assert incident(order).events[event.id].admitted == NOW + 4
    for order in permutations([event, *forms[:2]]):
        assert incident(order).events[event.id].admitted is None, "no server has it"


def test_hearsay_of_what_nobody_else_wrote_may_come_twice() -> None:
    writer = Writer()
    packet = writer.packets[writer.write(SeveritySet(severity="SEV1")).id]
    heard = [read_packet(packet._replace(via="cy"), NOW + n) for n in (2, 1)]
    state = incident(heard)
    assert state.severity == "SEV?"
    assert [event.admitted for event in state.events.values()] == [NOW + 1]


def test_a_void_and_its_event_are_told_apart_by_the_digest_of_a_set() -> None:
    writer = Writer()
    event = writer.write(StatusSet(status="closed"))
    gone = void(writer, event).event
    digests = {incident(some).set_digest() for some in ([], [gone], [event])}
    assert len(digests) == 3
    assert incident([gone, event]).set_digest() == incident([event]).set_digest()
    assert incident([event, gone]).set_digest() == incident([event]).set_digest()


# On disk -----------------------------------------------------------------------------------


def test_the_seal_on_a_void_proves_the_refusal_and_never_the_event(log: Log) -> None:
    writer = Writer()
    event = writer.write(SeveritySet(severity="SEV1"))
    (receipt,) = log.append([void(writer, event)], NOW)
    assert receipt.id == event.id
    name = void_entry(bytes.fromhex(event.id))
    assert log.end(STREAM).chain == link(ZERO, name)
    prefixes, _ = log.prefixes(STREAM, 0, 1, 10)
    assert prefixes == name[:8] != bytes.fromhex(event.id)[:8]
    (row,) = log.read(STREAM, 0, 10)
    assert row.packet == void(writer, event).packet
    assert list(log.damages(verify)) == []


def test_an_event_that_is_admitted_after_all_gets_a_place_of_its_own(log: Log) -> None:
    writer = Writer()
    event = writer.write(SeveritySet(severity="SEV1"))
    log.append([void(writer, event)], NOW)
    (again,) = log.append([void(writer, event)], NOW + 1)
    assert (again.iseq, again.fresh) == (1, False)
    (receipt,) = log.append(writer.entries([event]), NOW + 2)
    assert (receipt.iseq, receipt.fresh) == (2, True)
    state = incident([read_packet(row.packet, row.admitted) for row in log.read(STREAM, 0, 10)])
    assert state.severity == "SEV1"
    assert log.place(STREAM, [event.id]) == {event.id: 2}
    assert list(log.damages(verify)) == []


def test_a_void_whose_head_was_damaged_is_found(log: Log) -> None:
    writer = Writer()
    log.append([void(writer, writer.write(SeveritySet(severity="SEV1")))], NOW)
    log._db.execute("UPDATE events SET head = replace(head, 'ana', 'eve')")
    assert list(log.damages(verify)) == [f"{STREAM}: the head of event 1 is damaged."]


def test_a_replica_keeps_a_void_beside_the_event(home: Path) -> None:
    writer = Writer()
    event = writer.write(SeveritySet(severity="SEV1"))
    gone = void(writer, event)
    (home / "slot").mkdir()
    replica = Replica.open(home / "slot")
    replica.save(events=[Kept(gone.event.entry, STREAM, NOW, gone.packet)])
    replica.save(events=[Kept(event.entry, STREAM, NOW, writer.packets[event.id])])
    state = incident([read_packet(packet, at) for at, packet in replica.events(STREAM)])
    assert state.severity == "SEV1"
    replica.close()


# The author's copy -------------------------------------------------------------------------


def test_the_author_keeps_the_text_of_what_was_refused(home: Path) -> None:
    writer = Writer()
    events = [writer.write(StatusSet(status="closed")) for _ in range(2)]
    box = Outbox(home)
    box.put([writer.packets[event.id] for event in events])
    for event in reversed(events):
        box.refuse(event.id, "not now")
    (box.refused_path / ("f" * 64)).write_text("somebody else's file")
    found = Outbox(home).refusals()
    assert [(r.event.id, r.reason) for r in found] == [(e.id, "not now") for e in events]
    assert found[0].event.body == events[0].body
    box.put([found[0].packet])
    assert [r.event.id for r in box.refusals()] == [events[1].id]
    box.sent([events[0].id])
    assert [r.event.id for r in box.refusals()] == [events[1].id]
    assert not (box.refused_path / events[0].id).exists()
