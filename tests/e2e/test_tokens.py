"""Bearer tokens over TCP and TLS: what they let in, and that nobody ever reads one."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import WebSocketException

from tests.e2e.accounts import (
    make_token,
    turned_away,
)
from tests.e2e.console_client import Console, dial, leave_all, wall
from tests.server.certificates import make_certificate
from tests.server.running import ServerProcess, server_process
from tests.waiting import wait_for
from warroom_incident.event import ROOM
from warroom_incident.room import hash_token
from warroom_incident.sync.wire import Close
from warroom_incident.vocabulary import (
    NoteAdded,
    TokenCreated,
    TokenRevoked,
)

# Tokens ------------------------------------------------------------------------------------


async def test_tokens_carry_their_rights_over_tcp(home: Path) -> None:
    async with server_process(home, "--listen", "127.0.0.1:0") as process:
        where = f"ws://{process.ready.listen}"
        admin = await Console().join(process.socket)
        rights = ("viewer", "responder", "commander", "admin")
        tokens = {r: (await make_token(admin, f"for-{r}", right=r))[0] for r in rights}
        stream = await admin.declare()
        for right, token in tokens.items():
            console = await Console().join(where, token=token)
            assert console.end.welcome is not None
            assert console.end.welcome.right == right
            assert console.you == f"for-{right}"
            if right == "viewer":
                await console.refusal(stream, NoteAdded(text="no"))
            else:
                await console.put(stream, NoteAdded(text="yes"))
            if right == "admin":
                await console.follow(ROOM)
            else:
                await console.ws.send(console.end.subscribe([ROOM]), text=True)
                assert (await console.ended())[0] == Close.FORBIDDEN
            await console.leave()
        await leave_all([admin])


async def test_every_bad_token_is_turned_away_with_the_same_code(home: Path) -> None:
    async with server_process(home, "--listen", "127.0.0.1:0") as process:
        where = f"ws://{process.ready.listen}"
        admin = await Console().join(process.socket)
        expired, _ = await make_token(admin, "old", right="admin", expires=wall() - 1)
        revoked, token_id = await make_token(admin, "gone", right="admin")
        sender, _ = await make_token(admin, "am", kind="generic")
        both, _ = await make_token(admin, "both", kind="generic", right="viewer")
        await admin.put(ROOM, TokenRevoked(name="gone"), (token_id,))
        for token in ("nobody", expired, revoked, "x" * 4000):
            code, reason = await turned_away(where, token)
            assert (code, reason) == (
                Close.UNKNOWN_TOKEN,
                "unknown or expired token; ask an admin for a new one",
            )
        code, reason = await turned_away(where, sender)
        assert code == Close.UNKNOWN_TOKEN
        assert reason == "this token is for sending alerts, not for joining"
        code, reason = await turned_away(where)
        assert code == Close.UNKNOWN_TOKEN
        assert reason == "a token is needed here; ask an admin for one"
        code, _ = await turned_away(process.socket, "nobody")
        assert code == Close.UNKNOWN_TOKEN
        await (await Console().join(where, token=both)).leave()
        await leave_all([admin])


async def test_a_line_ends_when_its_token_is_revoked_or_expires(home: Path) -> None:
    async with server_process(home, "--listen", "127.0.0.1:0") as process:
        where = f"ws://{process.ready.listen}"
        admin = await Console().join(process.socket)
        token, token_id = await make_token(admin, "ana", right="responder")
        short, _ = await make_token(admin, "bo", right="responder", expires=wall() + 1500)
        good, _ = await make_token(admin, "cy", right="responder")
        ana, bo, cy = [await Console().join(where, token=t) for t in (token, short, good)]
        await admin.put(ROOM, TokenRevoked(name="ana"), (token_id,))
        for console in (ana, bo):
            assert (await console.ended())[0] == Close.UNKNOWN_TOKEN
        assert cy.closed is None
        await leave_all([admin, ana, bo, cy])


async def test_a_token_to_join_with_cannot_be_named_like_somebody_else(home: Path) -> None:
    async with server_process(home) as process:
        admin = await Console().join(process.socket)
        for name in ("ana (root)", "warroom", "a\nb", "\x1b[2Jx"):
            body = TokenCreated(name=name, hash=hash_token(name), right="viewer")
            assert "named after its holder" in await admin.refusal(ROOM, body)
        await make_token(admin, "prod (eu) / alertmanager", kind="alertmanager")
        await leave_all([admin])


async def test_tls_carries_a_console_and_nothing_else_gets_in(home: Path) -> None:
    cert, key = make_certificate(home)
    arguments = ("--listen", "0.0.0.0:0", "--cert", str(cert), "--key", str(key))
    async with server_process(home, *arguments) as process:
        port = process.ready.listen.rpartition(":")[2]
        admin = await Console().join(process.socket)
        token, _ = await make_token(admin, "ana", right="responder")
        trust = ssl.create_default_context(cafile=str(cert))
        ana = await Console().join(f"wss://127.0.0.1:{port}", token=token, tls=trust)
        stream = await ana.declare()
        await admin.follow(stream)
        for number in range(50):
            ana.write(stream, NoteAdded(text="x" * 3000 + str(number)))
        await ana.flush()
        await ana.follow(stream)
        await wait_for(lambda: not ana.outbox and len(ana.states[stream].events) == 54, "all")
        with pytest.raises(ssl.SSLCertVerificationError):
            await dial(f"wss://127.0.0.1:{port}", token, ssl.create_default_context())
        with pytest.raises((OSError, EOFError, WebSocketException)):
            await dial(f"ws://127.0.0.1:{port}", token)
        assert (await turned_away(f"wss://127.0.0.1:{port}", "bad", trust))[0] == 4001
        await leave_all([admin, ana])


async def test_no_token_ever_reaches_an_output_or_the_disk(home: Path) -> None:
    async with server_process(home, "--listen", "127.0.0.1:0") as process:
        admin = await Console().join(process.socket)
        join, _ = await make_token(admin, "ana", right="responder")
        send, _ = await make_token(admin, "am", kind="generic")
        bad = secrets.token_urlsafe(32)
        where = f"ws://{process.ready.listen}"
        ana = await Console().join(where, token=join)
        await turned_away(where, bad)
        await turned_away(process.socket, bad)
        http = f"http://{process.ready.http}"
        async with httpx.AsyncClient(trust_env=False) as client:
            for token, expected in ((send, 202), (bad, 401), (join, 401)):
                answer = await client.post(f"{http}/in/generic/{token}", json={"title": "x"})
                assert answer.status_code == expected
                assert token not in answer.text
                answer = await client.post(
                    f"{http}/in/generic", headers={"Authorization": f"Bearer {token}"}, json={}
                )
                assert answer.status_code == expected
                answer = await client.get(f"{http}/nowhere/{token}")
                assert answer.status_code == 404
            assert token not in (await client.get(f"{http}/metrics")).text
        await raw_request(process, f"GET /in/generic/{bad} HTTP/9.9\r\n\r\n")
        await raw_request(process, f"POST /in/generic/{bad} HTTP/1.1\r\nHost: x\r\nX\r\n\r\n")
        await leave_all([admin, ana])
        assert await process.terminate() == 0
        for secret in (join, send, bad):
            assert secret.encode() not in process.output
            assert files_with(home, secret) == []


def files_with(root: Path, secret: str) -> list[Path]:
    """The files under a directory that hold a secret."""
    files = [path for path in root.rglob("*") if path.is_file()]
    assert files
    return [path for path in files if secret.encode() in path.read_bytes()]


async def raw_request(process: ServerProcess, text: str) -> None:
    """Send bytes to the HTTP door and read what comes."""
    host, _, port = process.ready.http.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(text.encode())
    await writer.drain()
    writer.write_eof()
    await reader.read()
    writer.close()
    await writer.wait_closed()
