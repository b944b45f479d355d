"""An alert of which people say that it is over ends, unless its source has spoken since."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.console_client import Console, wall
from tests.server.fake_alertmanager import newest, signal_of
from tests.server.running import InProcess, server_in_process
from tests.waiting import wait_for
from warroom_incident.alerts import ECHO_MS, FLAP_MS, AlertRecord, episode_uid
from warroom_incident.event import BOARD
from warroom_incident.vocabulary import AlertEnded


def fires(house: InProcess, at: int, key: str = "disk") -> AlertRecord:
    """The sender speaks, and says no start."""
    house.server.board.apply([signal_of(key, at, starts_at=None)])
    return newest(house.server.board, key)


async def become(house: InProcess, state: str, key: str = "disk") -> AlertRecord:
    await wait_for(lambda: newest(house.server.board, key).state == state, f"a {state} alert")
    return newest(house.server.board, key)


async def test_an_alert_ends_when_a_person_says_so_and_fires_again_when_that_is_taken_back(
    house: InProcess, ana: Console
) -> None:
    record = fires(house, wall())
    said = await ana.put(BOARD, AlertEnded(uid=record.uid, heard=record.last_seen))
    over = await become(house, "resolved")
    assert (over.uid, over.resolved_by) == (record.uid, "manual")
    await ana.put(BOARD, AlertEnded(uid=record.uid, ended=False), (said.id,))
    again = await become(house, "firing")
    assert (again.ends_at, again.resolved_by) == (None, "")


async def test_what_its_source_says_later_counts_more(house: InProcess, ana: Console) -> None:
    now = wall()
    record = fires(house, now - FLAP_MS)
    fires(house, now)
    other = fires(house, now, "other")
    await ana.put(BOARD, AlertEnded(uid=record.uid, heard=record.last_seen))
    await ana.put(BOARD, AlertEnded(uid=other.uid, heard=other.last_seen))
    await become(house, "resolved", "other")
    assert newest(house.server.board, "disk").state == "firing"
    fires(house, now + 1, "other")
    assert newest(house.server.board, "other").state == "firing", "it is not over for its source"


async def test_a_repeat_that_was_on_its_way_does_not_keep_it_open(
    house: InProcess, ana: Console
) -> None:
    record = fires(house, wall())
    heard = record.last_seen - ECHO_MS
    await ana.put(BOARD, AlertEnded(uid=record.uid, heard=heard))
    await become(house, "resolved")


async def test_an_end_that_an_earlier_run_left_undone_is_made_up_for(home: Path) -> None:
    began = wall()
    uid = episode_uid("prom", "disk", began)
    async with server_in_process(home) as house:
        console = await Console(user="ana").join(house.socket)
        await console.put(BOARD, AlertEnded(uid=uid, heard=began))
        await console.leave()
        house.server.board.apply([signal_of("disk", began, starts_at=began)])
        assert newest(house.server.board, "disk").uid == uid
        assert newest(house.server.board, "disk").is_open
        house.server.worker.save()
        await house.server.worker.idle()
    async with server_in_process(home) as house:
        assert newest(house.server.board, "disk").resolved_by == "manual"


async def test_words_about_what_is_not_there_change_nothing(house: InProcess, ana: Console) -> None:
    record = fires(house, wall())
    await ana.put(BOARD, AlertEnded(uid="nobody", heard=wall()))
    denied = await ana.put(BOARD, AlertEnded(uid=record.uid, ended=False))
    assert newest(house.server.board, "disk") == record
    await ana.put(BOARD, AlertEnded(uid=record.uid, heard=record.last_seen), (denied.id,))
    await become(house, "resolved")
