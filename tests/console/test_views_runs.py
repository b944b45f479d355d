"""Alerts that were linked in one go are one line of the timeline."""

from __future__ import annotations

from tests.console.fake_ctx import drawn
from tests.console.still_desk import MINUTE, Reader, StillDesk, alert, tell_story
from tests.incident.making import STREAM
from warroom_console.views.timeline import TimelineView
from warroom_incident.linking import copy_of
from warroom_incident.vocabulary import AlertLinked, NoteAdded


def lines(desk: StillDesk, view: TimelineView) -> list[str]:
    view.changed(Reader(desk), desk.model.take())
    return [" ".join(" ".join(drawn(row, 100)).split()) for row in view.rows(Reader(desk))]


def link(desk: StillDesk, count: int, who: str = "ana") -> None:
    for number in range(count):
        record = alert(f"r{who}{number}", f"host {number} is down")
        desk.says(who, AlertLinked(uid=record.uid, alert=copy_of(record)))


def test_many_links_in_a_row_are_one_line() -> None:
    desk = StillDesk()
    tell_story(desk)
    view = TimelineView()
    before = lines(desk, view)
    link(desk, 3)
    desk.clock.now += 2 * MINUTE
    link(desk, 12)
    link(desk, 3, "bo")
    desk.says("bo", NoteAdded(text="all of one rack"))
    found = lines(desk, view)[len(before) :]
    assert [line.partition(" linked ")[2] for line in found if "linked" in line] == [
        "the alert host 0 is down",
        "the alert host 1 is down",
        "the alert host 2 is down",
        "12 alerts: host 0 is down, host 1 is down and 10 more",
        "the alert host 0 is down",
        "the alert host 1 is down",
        "the alert host 2 is down",
    ]
    assert "all of one rack" in found[-1]


def test_an_unlinked_alert_ends_the_run() -> None:
    desk = StillDesk()
    tell_story(desk)
    link(desk, 4)
    desk.says("ana", AlertLinked(uid="rana0"))
    link(desk, 1, "ana")
    found = [line for line in lines(desk, TimelineView()) if "linked" in line]
    assert found[-3].endswith("linked 4 alerts: host 0 is down, host 1 is down and 2 more")
    assert "unlinked the alert" in found[-2]
    assert desk.model.incident(STREAM).links()
