"""Every incident in one line, in frames that every console can take."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.console_client import Console, leave_all, new_author
from tests.server.running import server_in_process
from tests.waiting import wait_for
from warroom_incident.author import new_stream
from warroom_incident.incident import IncidentState
from warroom_incident.showing import summarize
from warroom_incident.sync.wire import MAX_FRAME, Summaries, Summary, encode
from warroom_incident.vocabulary import IncidentDeclared, RoleAssigned, SeveritySet
from warroom_server.summaries import in_frames


def test_an_incident_in_one_line() -> None:
    author, stream = new_author(), new_stream(bytes)
    state = IncidentState(stream)
    for body in (
        IncidentDeclared(title="down", drill=True),
        SeveritySet(severity="SEV1"),
        RoleAssigned(role="commander", person="ana"),
    ):
        state.add(author.write(stream, "ana", body)[0])
    line = summarize(state)
    assert (line.title, line.severity, line.status) == ("down", "SEV1", "started")
    assert (line.drill, line.commander, line.events) == (True, "ana", 3)
    assert line.changed_at >= (line.started_at or 0) > 0


def test_an_incident_of_which_nothing_is_known_has_a_line_too() -> None:
    line = summarize(IncidentState(new_stream(bytes)))
    assert (line.title, line.events, line.changed_at) == ("untitled", 0, 0)


def test_lines_are_cut_into_frames_and_none_is_lost() -> None:
    lines = [Summary(str(i), f"INC-{i}", "李" * 240, "SEV1", "started") for i in range(2000)]
    frames = in_frames(lines)
    assert [line for frame in frames for line in frame] == lines
    assert all(len(encode(Summaries(frame))) < MAX_FRAME for frame in frames)
    assert in_frames([]) == [[]]


async def test_a_lobby_larger_than_a_frame_reaches_a_console(home: Path) -> None:
    async with server_in_process(home) as house:
        ana = await Console(user="ana").join(house.socket)
        streams = set()
        for number in range(300):
            stream = new_stream(number.to_bytes)
            streams.add(stream)
            ana.write(stream, IncidentDeclared(title="李" * 240))
        ids = list(ana.outbox)
        await ana.flush()
        await ana.settled(*ids)
        await wait_for(lambda: len(house.server.hub.summaries) == 300, "all lines")
        assert len(encode(Summaries(list(house.server.hub.summaries.values())))) > MAX_FRAME
        bo = await Console(user="bo").join(house.socket)
        await wait_for(lambda: bo.summaries.keys() == streams, "the whole lobby")
        assert [message.whole for message in bo.of(Summaries)].count(True) == 1
        await leave_all([ana, bo])
