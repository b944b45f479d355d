"""What a responder hands on in other people's names: it is marked, and moves nothing."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.console_client import Console, leave_all, new_author
from tests.server.lines import relays
from tests.server.running import ME, InProcess, server_in_process
from tests.waiting import wait_for
from warroom_incident.event import BOARD, Packet
from warroom_incident.fields import AlertCopy, Matcher
from warroom_incident.reducers import Body
from warroom_incident.vocabulary import (
    AlertAcknowledged,
    AlertChanged,
    AlertLinked,
    IncidentNumbered,
    NoteAdded,
    NoteEdited,
    NoteStruck,
    SilenceAnswered,
    SilenceAsked,
    SilenceEnded,
    WindowOpened,
)

FOR_EVER = 2**52
EVERYTHING = (Matcher("alertname", ".*", "=~"),)


@pytest.fixture
async def mallory(house: InProcess) -> AsyncIterator[Console]:
    """Somebody who may write, and forges."""
    console = await Console(user="mallory").join(house.socket)
    yield console
    await leave_all([console])


async def hand_on(mallory: Console, stream: str, *packets: Packet) -> None:
    """Hand events on without any proof, and wait until the server has them."""
    for frame in relays((0, packet) for packet in packets):
        await mallory.ws.send(frame, text=True)
    await mallory.note(stream, "answered in order")


def forged(stream: str, by: str, body: Body, base: tuple[str, ...] = ()) -> Packet:
    """An event that its author never wrote."""
    return new_author().write(stream, by, body, base)[1]


async def test_hearsay_neither_silences_nor_hides_nor_takes_on_an_alert(
    house: InProcess, ana: Console, mallory: Console
) -> None:
    stream, you, board = await ana.declare(), ana.you, house.server.room.board
    asked = SilenceAsked(
        silence="s", alertmanager="am", matchers=EVERYTHING, ends_at=FOR_EVER, comment="c"
    )
    window = WindowOpened(
        window="w",
        kind="suppression",
        why="x",
        matchers=EVERYTHING,
        starts_at=0,
        ends_at=FOR_EVER,
    )
    packets = [
        forged(BOARD, you, asked),
        forged(BOARD, you, window),
        forged(BOARD, you, AlertAcknowledged(uid="u")),
    ]
    await hand_on(mallory, stream, *packets)
    assert len(board.events) == 3, "they are in the record"
    assert board.silences() == []
    assert board.windows(1) == []
    assert board.acknowledged("u") is None


async def test_hearsay_never_says_what_became_of_a_silence(
    house: InProcess, ana: Console, mallory: Console
) -> None:
    room = house.server.room
    matchers = (Matcher("alertname", "HighErrors"),)
    asked = SilenceAsked(
        silence="s", alertmanager="am", matchers=matchers, ends_at=FOR_EVER, comment="c"
    )
    await ana.put(BOARD, asked)
    answered = SilenceAnswered(silence="s", state="active", source_id="../../../-/quit")
    ended = SilenceEnded(silence="s")
    stream = await ana.declare()
    await hand_on(mallory, stream, forged(BOARD, "warroom", answered), forged(BOARD, "bo", ended))
    (silence,) = room.board.silences()
    assert (silence.state, silence.source_id) == ("asked", "")


async def test_hearsay_gives_no_number_and_ends_no_alert(
    house: InProcess, ana: Console, mallory: Console
) -> None:
    stream, incidents = await ana.declare(), house.server.room.incidents
    await wait_for(lambda: incidents[stream].heads(("number",)), "its number")
    state = incidents[stream]
    number, (given,) = state.number, state.heads(("number",))
    alert = AlertCopy(uid="u", key="k", source="am", title="t", severity="SEV2", state="firing")
    await ana.put(stream, AlertLinked(uid="u", alert=alert))
    over = AlertCopy(uid="u", key="k", source="am", title="t", severity="SEV2", state="resolved")
    await hand_on(
        mallory,
        stream,
        forged(stream, "warroom", IncidentNumbered(number="INC-666"), (given.id,)),
        forged(stream, "warroom", AlertChanged(uid="u", alert=over)),
    )
    assert incidents[stream].number == number
    assert [link.alert.state for link in incidents[stream].links()] == ["firing"]


async def test_hearsay_puts_no_words_into_an_authors_note(
    house: InProcess, ana: Console, mallory: Console
) -> None:
    stream = await ana.declare()
    note = await ana.note(stream, "do NOT restart db1")
    await hand_on(
        mallory,
        stream,
        forged(stream, ana.you, NoteEdited(target=note.id, text="restart db1")),
        forged(stream, ana.you, NoteStruck(target=note.id)),
    )
    state = house.server.room.incidents[stream]
    assert state.note(state.events[note.id]) == note.body
    assert not state.is_struck(note.id)


async def test_a_forged_count_does_not_pass_for_a_copy_of_somebodys_replica(
    ana: Console, mallory: Console
) -> None:
    stream = await ana.declare()
    twin = copy.deepcopy(ana.author)
    packets = [twin.write(stream, "bo", NoteAdded(text=f"{n}"), ())[1] for n in range(3)]
    await hand_on(mallory, stream, *packets)
    await ana.note(stream, "first")
    await ana.note(stream, "second")
    assert ana.closed is None


async def test_who_forged_with_a_replicas_name_does_not_own_it_after_a_restart(
    home: Path,
) -> None:
    async with server_in_process(home) as house:
        ana = await Console(user="ana").join(house.socket)
        mallory = await Console(user="mallory").join(house.socket)
        await mallory.put(BOARD, AlertAcknowledged(uid="u"))
        stream = await ana.declare()
        acknowledged = AlertAcknowledged(uid="v")
        _, packet = copy.deepcopy(ana.author).write(BOARD, "ana (elsewhere)", acknowledged, ())
        await hand_on(mallory, stream, packet)
        await leave_all([ana, mallory])
    assert ME != "elsewhere"
    async with server_in_process(home) as house:
        await ana.join(house.socket)
        await ana.note(stream, "still mine")
        await leave_all([ana])
