"""What `/metrics` says of a running server is what happened in it."""

from pathlib import Path

import httpx

from tests.e2e.houses import desk_at
from tests.server.running import ServerProcess, server_process
from tests.waiting import wait_for


def figure(text: str, name: str) -> float:
    """The value of a sample by its name and labels, 0 while it is not there."""
    found = [line.rsplit(" ", 1)[1] for line in text.splitlines() if line.startswith(f"{name} ")]
    return float(found[0]) if found else 0.0


async def scrape(server: ServerProcess) -> str:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(f"http://{server.ready.http}/metrics")).text


async def test_incidents_consoles_commits_and_files_are_counted(home: Path) -> None:
    async with server_process(home) as server, desk_at(server, home, "ana") as ana:
        await ana.ready()
        ana.declare("checkout answers 5xx", "SEV2")
        ana.declare("a drill", "SEV3", drill=True)
        await wait_for(lambda: not ana.model.pending, "both acked")
        await wait_for(
            lambda: sorted(line.id for line in ana.model.summaries.values()) == ["INC-1", "INC-2"],
            "the server's own lines",
        )
        text = await scrape(server)
    assert figure(text, 'warroom_incidents_open{phase="started",severity="SEV2"}') == 1
    assert "SEV3" not in text, "a drill is no incident in the figures"
    assert figure(text, 'warroom_incidents_declared_total{severity="SEV2"}') == 1
    assert figure(text, 'warroom_ws_connections{role="console"}') == 1
    assert figure(text, "warroom_ws_deliveries_total") > 0
    assert figure(text, 'warroom_ws_dropped_total{reason="stalled"}') == 0
    assert figure(text, 'warroom_db_write_seconds_count{db="log"}') > 0
    assert figure(text, 'warroom_db_size_bytes{db="log"}') > 0
