"""A takeover between two hosts: network namespaces with a wire between them, TLS and tokens."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.houses import House, cleared, command, promote
from tests.server.certificates import make_certificate
from tests.waiting import wait_for

PORT = 8764


@dataclass(frozen=True)
class Host:
    """A network namespace with an address and a machine's name of its own."""

    name: str
    address: str
    device: str

    @property
    def before(self) -> tuple[str, ...]:
        """What runs a program there."""
        return ("ip", "netns", "exec", self.name)

    @property
    def url(self) -> str:
        """Where a server of this host listens."""
        return f"wss://{self.address}:{PORT}"


def _ip(*arguments: str) -> None:
    done = subprocess.run(("ip", *arguments), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


@pytest.fixture
def hosts() -> Iterator[tuple[Host, Host]]:
    """Two hosts that reach each other over one wire."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.fail("run this test as root, with iproute2: it makes network namespaces")
    tag = secrets.token_hex(3)
    net = f"10.213.{secrets.randbelow(250)}"
    one = Host(f"wr-{tag}-a", f"{net}.1", f"wr{tag}a")
    two = Host(f"wr-{tag}-b", f"{net}.2", f"wr{tag}b")
    made: list[Host] = []
    places = Path("/etc/netns")
    try:
        for host in (one, two):
            _ip("netns", "add", host.name)
            made.append(host)
            (places / host.name).mkdir(parents=True)
            (places / host.name / "machine-id").write_text(f"{secrets.token_hex(16)}\n")
        _ip("link", "add", one.device, "type", "veth", "peer", "name", two.device)
        for host in (one, two):
            _ip("link", "set", host.device, "netns", host.name)
            _ip("-n", host.name, "addr", "add", f"{host.address}/24", "dev", host.device)
            _ip("-n", host.name, "link", "set", host.device, "up")
            _ip("-n", host.name, "link", "set", "lo", "up")
        yield one, two
    finally:
        for host in made:
            shutil.rmtree(places / host.name, ignore_errors=True)
            subprocess.run(("ip", "netns", "del", host.name), capture_output=True, check=False)


class Responder:
    """Somebody on a host, with a token and a replica there."""

    def __init__(self, root: Path, host: Host, url: str, token: str, trust: Path) -> None:
        self.host = host
        root.mkdir()
        self.environ = {
            "WARROOM_SERVER": url,
            "WARROOM_TOKEN": token,
            "WARROOM_REPLICA": str(root / "replica"),
            "SSL_CERT_FILE": str(trust),
        }

    async def say(self, *arguments: str) -> str:
        """Run one command."""
        return await command(*arguments, environ=self.environ, before=self.host.before)

    async def show(self) -> dict[str, Any]:
        """What the incident is."""
        found: dict[str, Any] = json.loads(await self.say("show", "INC-1", "--json"))
        return found


async def test_the_room_moves_to_another_host_and_both_halves_meet_again(
    home: Path, hosts: tuple[Host, Host]
) -> None:
    here, there = hosts
    cert, key = make_certificate(home, here.address, there.address)

    def doors(host: Host) -> list[str]:
        return ["--listen", f"{host.address}:{PORT}", "--cert", str(cert), "--key", str(key)]

    a = House(home / "a", *doors(here), before=here.before)
    b = House(home / "b", *doors(there), "--standby-of", here.url, before=there.before)
    b.environ["SSL_CERT_FILE"] = str(cert)
    async with cleared(a, b):
        await a.start()
        admin = {"WARROOM_SERVER": a.url, "WARROOM_REPLICA": str(home / "admin")}

        async def token(name: str, *what: str) -> str:
            made = await command("token", "create", name, *what, environ=admin)
            return made.strip()

        b.configure("")
        assert await b.run_to_end() == 2
        assert "There is no token at" in b.output.decode()
        kept = b.config / f"peer-{here.address}-{PORT}.token"
        kept.touch(mode=0o600)
        kept.write_text(await token("standby", "--role", "admin"))
        await b.start_standby()
        ana = Responder(
            home / "ana", there, here.url, await token("ana", "--role", "responder"), cert
        )
        zoe = Responder(
            home / "zoe", here, here.url, await token("zoe", "--role", "responder"), cert
        )
        assert (await ana.say("declare", "checkout answers 5xx")).strip() == "INC-1"
        await ana.say("note", "INC-1", "together")
        stream = f"i-{(await ana.show())['uid'].removeprefix('i-')}"

        async def held() -> bool:
            timeline = (await zoe.show())["timeline"]
            return all(entry["mark"] == "held" for entry in timeline)

        for _ in range(20):
            if await held():
                break
        assert await held(), "a second machine holds everything"

        _ip("-n", here.name, "link", "set", here.device, "down")
        await zoe.say("note", "INC-1", "alone with the old server")
        await ana.say("note", "INC-1", "kept on the other host")
        await promote(b)
        # Its one named server is out of reach: the console goes where it learned that it may.
        await ana.say("note", "INC-1", "on the new server")
        assert "kept on the other host" in json.dumps(await ana.show())
        _ip("-n", here.name, "link", "set", here.device, "up")
        await wait_for(
            lambda: (
                a.state(stream).set_digest() == b.state(stream).set_digest()
                and len(a.state(stream).entries.get("note.added", ())) == 4
            ),
            "both halves are one",
            40,
        )
        shown, other = await zoe.show(), await ana.show()
        assert shown["set_digest"] == other["set_digest"]
        assert not any(event.via for event in a.state(stream).events.values())
