"""`warroom intake` beside a running server and without one, and a sender added without code."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import httpx

from tests.e2e.houses import House, desk_at, make_token
from tests.waiting import wait_for

ACME = """
kind = "acme"
sender = "Acme"
[[alert]]
title = "{title}"
key = "/id"
[[example]]
name = "one"
body = '{{"id": 7, "name": "pump"}}'
signals = [{{ key = "7" }}]
"""
WITHIN = 60.0


async def warroom(house: House, *arguments: str, given: bytes = b"") -> tuple[int, str, str]:
    """Run the command on a server's data; its exit code, output and complaints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "warroom_console", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | house.environ | {"WARROOM_DATA": str(house.data)},
    )
    async with asyncio.timeout(WITHIN):
        out, err = await process.communicate(given)
    return process.returncode or 0, out.decode(), err.decode()


def describe(house: House, title: str) -> None:
    """Write a mapping for pumps, as an operator would."""
    folder = house.data / "intake"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "acme.toml").write_text(ACME.format(title=title))


async def test_a_sender_is_added_without_code_and_mended_while_the_server_runs(home: Path) -> None:
    house = House(home / "house")
    describe(house, "/nome")
    await house.start()
    try:
        async with desk_at(house, home, "ana") as ana:
            await ana.ready()
            token = await make_token(ana, "acme")
            url = f"http://{house.ready.http}/in/acme/{token}"
            async with httpx.AsyncClient(trust_env=False) as client:
                (await client.post(url, json={"id": 7, "name": "pump"})).raise_for_status()
            await wait_for(lambda: ana.model.records, "the alert")
            (record,) = ana.model.records.values()
            assert record.title == "alert from acme"

            describe(house, "/name")
            for _ in range(2):
                code, out, err = await warroom(house, "intake", "replay", "--source", "acme")
                assert (code, err) == (0, "")
                assert "Read 1 kept bodies with 1 alerts again" in out
            await wait_for(
                lambda: [r.title for r in ana.model.records.values()] == ["pump"], "the title"
            )
            assert list(ana.model.records) == [record.uid]
    finally:
        await house.terminate()

    describe(house, "{/name} stopped")
    code, out, _ = await warroom(house, "intake", "replay", "--since", "-1h", "--json")
    assert code == 0
    assert "1 episodes changed" in json.loads(out)["said"]


async def test_a_body_is_tried_with_a_kind_and_with_a_file(home: Path) -> None:
    house = House(home / "house")
    describe(house, "/name")
    body = json.dumps({"id": 7, "name": "pump \x1b]0;x\x07"}).encode()
    for kind in ("acme", str(house.data / "intake" / "acme.toml")):
        code, out, _ = await warroom(house, "intake", "try", kind, "-", given=body)
        assert code == 0
        assert out.startswith("title        pump ")
        assert "\x1b" not in out
        assert out.endswith("1 alert.\n")
    code, out, _ = await warroom(house, "intake", "try", "acme", "-", "--json", given=body)
    (signal,) = json.loads(out)["signals"]
    assert (signal["key"], signal["state"]) == ("7", "firing")
    code, out, _ = await warroom(house, "intake", "try", "acme", "-", given=b"no JSON")
    assert (code, out[:35]) == (1, "0 alerts; the rest cannot be read: ")
    close = ":path:/v2/alerts/db1%2Fdisk/close"
    code, out, _ = await warroom(
        house, "intake", "try", "opsgenie", "-", "--json", "--header", close, given=b"{}"
    )
    assert json.loads(out)["signals"][0]["key"] == "db1/disk"
    change = b'{"title": "checkout 1.4.2", "service": "checkout", "kind": "deploy"}'
    code, out, _ = await warroom(house, "intake", "try", "change", "-", given=change)
    assert code == 0
    assert "title        checkout 1.4.2\n" in out
    assert out.endswith("1 change.\n")
    code, out, _ = await warroom(house, "intake", "try", "change", "-", given=b"[7]")
    assert (code, out[:22]) == (1, "It cannot be read: it ")
    for arguments in (("nope", "-"), ("acme", str(home / "none.json")), ("none.toml", "-")):
        code, _, err = await warroom(house, "intake", "try", *arguments)
        assert code == 2
        assert err.startswith("warroom: ")
        assert err.count("\n") == 1


async def test_kinds_and_complaints_name_an_operators_files(home: Path) -> None:
    house = House(home / "house")
    describe(house, "/name")
    code, out, _ = await warroom(house, "intake", "kinds")
    assert code == 0
    assert "\nacme " in f"\n{out}".replace("  ", " ")
    (house.data / "intake" / "bad.toml").write_text("kind = 7")
    code, out, _ = await warroom(house, "doctor", "--json")
    (finding,) = [f for f in json.loads(out) if f["check"] == "intake"]
    assert finding["state"] == "wrong"
    assert "bad.toml is not used" in finding["says"]


async def test_unreadable_bodies_are_listed_with_the_reason(home: Path) -> None:
    house = House(home / "house")
    await house.start()
    try:
        async with desk_at(house, home, "ana") as ana:
            await ana.ready()
            token = await make_token(ana, "grafana")
            url = f"http://{house.ready.http}/in/grafana/{token}"
            async with httpx.AsyncClient(trust_env=False) as client:
                (await client.post(url, content=b"[1]")).raise_for_status()
            await wait_for(lambda: ana.model.records, "the card")
            (card,) = ana.model.records.values()
            assert (card.title, card.severity) == ("unparsed from grafana", "SEV3")
    finally:
        await house.terminate()
    code, out, _ = await warroom(house, "intake", "list")
    assert code == 0
    assert "it is not a body of Grafana" in out
    _, out, _ = await warroom(house, "intake", "list", "--json", "--source", "nobody")
    assert json.loads(out) == []
