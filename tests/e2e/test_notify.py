"""`warroom notify` and `warroom change` as Nagios and scripts run them, on a real server."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from tests.e2e.houses import House, desk_at, make_token
from tests.waiting import wait_for

NAGIOS = {
    "NAGIOS_HOSTNAME": "db1",
    "NAGIOS_SERVICEDESC": "Disk /",
    "NAGIOS_SERVICESTATETYPE": "HARD",
}
PROBLEM = {
    **NAGIOS,
    "NAGIOS_NOTIFICATIONTYPE": "PROBLEM",
    "NAGIOS_SERVICESTATE": "CRITICAL",
    "NAGIOS_SERVICEOUTPUT": "97 % used \x1b]0;owned\x07 'quotes' \"and\" $(more)",
}
RECOVERY = {**NAGIOS, "NAGIOS_NOTIFICATIONTYPE": "RECOVERY", "NAGIOS_SERVICESTATE": "OK"}
WITHIN = 60.0


async def warroom(environ: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Run the command; its exit code and what it complains of."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "warroom_console", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | environ,
    )
    async with asyncio.timeout(WITHIN):
        out, err = await process.communicate()
    assert out == b""
    return process.returncode or 0, err.decode()


def address(root: Path, name: str, url: str) -> str:
    """A file for nobody else's eyes that holds an address."""
    file = root / name
    file.touch(0o600)
    file.write_text(url)
    return str(file)


async def test_nagios_tells_of_a_problem_and_of_its_end_through_an_outage_of_the_server(
    home: Path,
) -> None:
    house = House(home / "house")
    await house.start()
    try:
        async with desk_at(house, home, "ana") as ana:
            await ana.ready()
            token = await make_token(ana, "generic")
            http = house.ready.http
            to = address(home, "intake.url", f"http://{http}/in/generic/{token}")
            assert await warroom(PROBLEM, "notify", "--to", to) == (0, "")
            await wait_for(lambda: ana.model.records, "the alert")
            (record,) = ana.model.records.values()
            assert (record.key, record.severity, record.state) == ("db1!Disk /", "SEV1", "firing")

            await house.kill()
            code, complaint = await warroom(RECOVERY, "notify", "--to", to)
            assert code == 0
            assert complaint.startswith("Kept, to be sent with the next (1 wait): ")
            assert token not in complaint

            house.arguments = ("--http", http)
            await house.start()
            assert await warroom({}, "notify", "--to", to, "--title", "another") == (0, "")
            await wait_for(
                lambda: (
                    sorted(r.state for r in ana.model.records.values()) == ["firing", "resolved"]
                ),
                "the end that was kept, and the next",
                within=40,
            )
        assert token.encode() not in house.output
    finally:
        await house.terminate()


async def test_a_change_is_on_every_console(home: Path) -> None:
    house = House(home / "house")
    await house.start()
    try:
        async with desk_at(house, home, "ana") as ana:
            await ana.ready()
            token = await make_token(ana, "change")
            to = address(home, "change.url", f"http://{house.ready.http}/in/change/{token}")
            code = await warroom(
                {}, "change", "checkout 1.4.2", "--to", to, "--service", "checkout"
            )
            assert code == (0, "")
            await wait_for(lambda: ana.model.changes, "the change")
    finally:
        await house.terminate()
