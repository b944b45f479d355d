"""Debian's own Prometheus and Alertmanager, from a fault to the board and back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.houses import desk_at, make_token
from tests.e2e.prometheus import Faults, alertmanager, free_address, prometheus
from tests.server.running import server_process
from tests.waiting import wait_for
from warroom_console.desk import Desk
from warroom_console.link import wall_ms
from warroom_incident.alerts import AlertRecord
from warroom_incident.event import BOARD
from warroom_incident.fields import Matcher
from warroom_incident.sync.asking import FIRED_BEFORE, SILENCE_PREVIEW
from warroom_incident.sync.wire import Ask
from warroom_incident.vocabulary import NoteAdded, SilenceAsked, SilenceEnded

WITHIN = 30.0

CONFIG = """
[alerts]
heartbeats = {{ Watchdog = "30s" }}
[[alertmanager]]
name = "am1"
url = "http://{alertmanager}"
source = "alertmanager"
every = "1s"
settle = "0s"
"""


def alert(desk: Desk, service: str, name: str = "Broken") -> AlertRecord | None:
    """The newest episode of a service's alert on a console's board."""
    found = [
        record
        for record in desk.model.records.values()
        if record.service == service and record.labels["alertname"] == name
    ]
    return max(found, key=lambda record: record.first_seen, default=None)


async def is_so(desk: Desk, service: str, what: str, name: str = "Broken", **facts: Any) -> None:
    """Wait until an alert is as it should be."""

    def right() -> bool:
        record = alert(desk, service, name)
        return record is not None and all(getattr(record, f) == v for f, v in facts.items())

    await wait_for(right, what, WITHIN)


async def outcomes(http: str) -> dict[str, float]:
    """How many signals came to what, by the server's own count."""
    async with httpx.AsyncClient(trust_env=False) as client:
        text = (await client.get(f"http://{http}/metrics")).text
    found: dict[str, float] = {}
    for line in text.splitlines():
        if line.startswith("warroom_alerts_received_total{"):
            outcome = line.partition('outcome="')[2].partition('"')[0]
            found[outcome] = found.get(outcome, 0) + float(line.rpartition(" ")[2])
    return found


async def test_a_fault_goes_from_prometheus_to_the_board_and_back(home: Path) -> None:
    """Fire, group, partial end, repeat, silence, end under it, expire, inhibit, cut short."""
    there = free_address()
    config = Path(os.environ["XDG_CONFIG_HOME"]) / "warroom"
    config.mkdir()
    (config / "warroom.toml").write_text(CONFIG.format(alertmanager=there))
    faults = Faults()
    async with (
        server_process(home) as server,
        desk_at(server, home, "ana") as ana,
        faults.served(),
    ):
        await ana.ready()
        await wait_for(lambda: ana.model.beats, "the sentence that nobody answers", WITHIN)
        assert "no connection" in ana.model.beats["am1/API"].trouble
        hook = f"http://{server.ready.http}/in/alertmanager/{await make_token(ana, 'alertmanager')}"
        async with alertmanager(home, there, hook), prometheus(home, faults, there):
            await _fires_in_groups_and_ends_in_parts(ana, faults)
            await _repeats_are_copies(server.ready.http)
            await _the_path_proves_itself(ana)
            await _ends_under_a_silence(ana, faults)
            await _inhibited_alerts_are_counted(ana, faults)
            await _what_was_cut_off_is_completed(ana, faults)


async def _fires_in_groups_and_ends_in_parts(ana: Desk, faults: Faults) -> None:
    faults.breaks("broken", "web", "db")
    await is_so(ana, "web", "the first alert", state="firing", severity="SEV1")
    await is_so(ana, "db", "the second alert", state="firing")
    web, db = alert(ana, "web"), alert(ana, "db")
    assert web is not None
    assert db is not None
    assert web.group == db.group == '{}:{alertname="Broken"}'
    assert (web.title, web.key != db.key) == ("web is broken", True)
    faults.mended("db")
    await is_so(ana, "db", "the end of one of two", state="resolved", resolved_by="source")
    await is_so(ana, "web", "the other one", state="firing", count=1)


async def _repeats_are_copies(http: str) -> None:
    before = (await outcomes(http)).get("duplicate", 0)
    for _ in range(200):
        if (await outcomes(http)).get("duplicate", 0) > before:
            return
    raise AssertionError("the Alertmanager did not repeat itself")


async def _the_path_proves_itself(ana: Desk) -> None:
    await wait_for(lambda: "alertmanager/Watchdog" in ana.model.beats, "the heartbeat", WITHIN)
    await wait_for(lambda: not ana.model.beats["am1/API"].trouble, "an answer", WITHIN)
    names = {record.labels.get("alertname") for record in ana.model.records.values()}
    assert "Watchdog" not in names


async def _ends_under_a_silence(ana: Desk, faults: Faults) -> None:
    stream = ana.declare("web is broken", "SEV2")
    await wait_for(lambda: ana.model.incident(stream).number, "a number")
    matchers = (Matcher("alertname", "Broken"), Matcher("service", "we.", "=~"))
    ask = Ask(0, SILENCE_PREVIEW, alertmanager="am1", matchers=list(matchers))
    preview = await ana.ask(ask)
    assert (preview.error, preview.count, preview.titles) == ("", 1, ["web is broken"])
    ana.write(
        BOARD,
        SilenceAsked(
            silence="quiet",
            alertmanager="am1",
            matchers=matchers,
            ends_at=wall_ms() + 1_800_000,
            comment="known",
            incident=stream,
        ),
    )

    def silence() -> str:
        return ana.model.board.silences()[0].state

    await wait_for(lambda: silence() == "active", "the silence", WITHIN)
    await is_so(ana, "web", "silenced", state="suppressed", silenced=1, told_by="am1")
    faults.mended("web")
    await is_so(ana, "web", "its end, which nobody sends", state="resolved", told_by="am1")
    record = alert(ana, "web")
    assert record is not None
    assert record.resolved_by == "reconcile"
    faults.breaks("broken", "web")
    await is_so(ana, "web", "the next one, silent from its start", state="suppressed")
    ana.write(BOARD, SilenceEnded(silence="quiet"))
    await wait_for(lambda: silence() == "expired", "the silence's end", WITHIN)
    await is_so(ana, "web", "no longer silenced", state="firing", silenced=0)
    told = [e.body.text for e in ana.model.incident(stream).events.values()
            if isinstance(e.body, NoteAdded)]  # fmt: skip
    assert [text.split(" service")[0] for text in told] == [
        "am1 silences alertname=Broken,",
        "am1 no longer silences alertname=Broken,",
    ]
    past = await ana.ask(Ask(0, FIRED_BEFORE, source=record.source, key=record.key))
    assert past.count >= 1


async def _inhibited_alerts_are_counted(ana: Desk, faults: Faults) -> None:
    faults.breaks("site", "north", zone="n")
    await is_so(ana, "north", "the site", "Site", state="firing")
    faults.breaks("broken", "mail", zone="n")
    await is_so(ana, "mail", "the inhibited alert", state="suppressed", inhibited=1, told_by="am1")


async def _what_was_cut_off_is_completed(ana: Desk, faults: Faults) -> None:
    services = ("m1", "m2", "m3", "m4", "m5")
    faults.breaks("many", *services)
    for service in services:
        await is_so(ana, service, f"{service} of a cut notification", "Many", state="firing")
    found = [alert(ana, service, "Many") for service in services]
    assert sorted(record.told_by for record in found if record) == ["", "", "am1", "am1", "am1"]
    assert max(record.missing for record in found if record) == 3
    assert len({record.group for record in found if record}) == 1
