"""Rights over real sockets: accounts of the kernel, tokens, and what neither ever leaks."""

from __future__ import annotations

import asyncio
import os
import pwd
import secrets
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import WebSocketException

from tests.e2e.console_client import Console, dial, leave_all, wall
from tests.server.certificates import make_certificate
from tests.server.running import ME, ServerProcess, server_process
from tests.waiting import wait_for
from warroom_incident.author import new_stream
from warroom_incident.event import ROOM
from warroom_incident.room import hash_token
from warroom_incident.sync.wire import Close
from warroom_incident.vocabulary import (
    IncidentDeclared,
    MemberGranted,
    NoteAdded,
    NoteEdited,
    NoteStruck,
    RightName,
    RoleAssigned,
    StatusSet,
    TokenCreated,
    TokenRevoked,
)


@pytest.fixture(scope="module")
def guest() -> Iterator[pwd.struct_passwd]:
    """A second real user of this machine, made for the test."""
    if os.geteuid() != 0:
        pytest.fail("run this test as root: it makes a second Unix user to connect as")
    name = f"wrguest{os.getpid()}"
    command = ["useradd", "--no-create-home", "--no-user-group", "--shell", "/bin/false", name]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        pytest.fail(f"useradd could not make a second Unix user: {made.stderr.strip()}")
    yield pwd.getpwnam(name)
    subprocess.run(["userdel", name], check=True, capture_output=True)


@contextmanager
def acting_as(user: pwd.struct_passwd) -> Iterator[None]:
    """Be another user for as long as it takes to connect."""
    os.setegid(user.pw_gid)
    os.seteuid(user.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def socket_as(user: pwd.struct_passwd, path: Path) -> socket.socket:
    """A connection that another user has made."""
    with acting_as(user):
        made = socket.socket(socket.AF_UNIX)
        try:
            made.connect(str(path))
        except OSError:
            made.close()
            raise
    made.setblocking(False)
    return made


def let_pass(home: Path) -> None:
    """Let other users through the test's home to the socket."""
    home.chmod(0o711)


def open_to_all(home: Path, default: str = "responder") -> None:
    """Configure a room whose socket every user of the machine may use."""
    let_pass(home)
    directory = home / "config" / "warroom"
    directory.mkdir(mode=0o700)
    text = f'[access]\ndefault = "{default}"\n[socket]\nmode = "0666"\n'
    (directory / "warroom.toml").write_text(text)


async def grant(admin: Console, account: str, right: RightName | None) -> None:
    """Give an account a right."""
    state = admin.states.get(ROOM)
    body = MemberGranted(account=account, right=right)
    await admin.put(ROOM, body, state.base_for(body.key) if state else ())


async def make_token(admin: Console, name: str, **fields: Any) -> tuple[str, str]:
    """Make a token: the secret, and its id."""
    secret = secrets.token_urlsafe(32)
    body = TokenCreated(name=name, hash=hash_token(secret), **fields)
    return secret, (await admin.put(ROOM, body)).id


async def turned_away(
    where: Path | str, token: str | None = None, tls: ssl.SSLContext | None = None
) -> tuple[int, str]:
    """Join with a token that is not good: the closing."""
    console = Console()
    await console.greet(where, token=token, tls=tls)
    closing = await console.ended()
    await console.leave()
    return closing


# The kernel's word -------------------------------------------------------------------------


async def test_a_second_user_is_known_by_the_kernel_and_has_the_default_right(
    home: Path, guest: pwd.struct_passwd
) -> None:
    open_to_all(home)
    async with server_process(home) as process:
        admin = await Console().join(process.socket)
        assert admin.you == ME
        assert admin.end.welcome is not None
        assert admin.end.welcome.right == "admin"
        other = await Console().join(socket_as(guest, process.socket))
        assert other.you == guest.pw_name
        assert other.end.welcome is not None
        assert other.end.welcome.right == "responder"
        named = await Console(user="ana").join(socket_as(guest, process.socket))
        assert named.you == f"ana ({guest.pw_name})"
        stream = await named.declare()
        await admin.follow(stream)
        assert {e.head.by for e in admin.states[stream].events.values()} <= {
            named.you,
            "warroom",
        }
        reason = await other.refusal(stream, NoteAdded(text="as root"), by=ME)
        assert reason == f"this event says it is by {ME}, but you are {other.you}"
        fake = Console(user=f"{ME}")
        await fake.join(socket_as(guest, process.socket))
        assert fake.you == f"{ME} ({guest.pw_name})"
        await leave_all([admin, other, named, fake])


async def test_the_sockets_mode_keeps_other_users_out(home: Path, guest: pwd.struct_passwd) -> None:
    let_pass(home)
    async with server_process(home) as process:
        with pytest.raises(PermissionError):
            socket_as(guest, process.socket)


async def test_a_right_is_looked_up_at_every_push(home: Path, guest: pwd.struct_passwd) -> None:
    open_to_all(home, "viewer")
    async with server_process(home) as process:
        admin = await Console().join(process.socket)
        await admin.follow(ROOM)
        other = await Console().join(socket_as(guest, process.socket))
        stream = await admin.declare()
        note = NoteAdded(text="mine")
        only_read = "your account may only read here (viewer); ask an admin"
        assert await other.refusal(stream, note) == only_read
        await grant(admin, guest.pw_name, "responder")
        await other.put(stream, note)
        for body in (MemberGranted(account=guest.pw_name, right="admin"), TokenRevoked(name="x")):
            assert await other.refusal(ROOM, body)
        await grant(admin, guest.pw_name, "viewer")
        assert await other.refusal(stream, note) == only_read
        assert other.closed is None
        await leave_all([admin, other])


async def test_an_event_is_acknowledged_again_even_when_the_right_is_gone(
    home: Path, guest: pwd.struct_passwd
) -> None:
    open_to_all(home)
    async with server_process(home) as process:
        admin = await Console().join(process.socket)
        await admin.follow(ROOM)
        other = await Console().join(socket_as(guest, process.socket))
        stream = await other.declare()
        event = other.write(stream, NoteAdded(text="its ack was lost"))
        packet = other.outbox[event.id]
        await other.push(packet)
        await other.settled(event.id)
        place = other.acks.pop(event.id)
        await grant(admin, guest.pw_name, "viewer")
        await other.push(packet)
        await other.settled(event.id)
        assert other.acks[event.id] == place
        await leave_all([admin, other])


async def test_the_rooms_own_stream_is_for_admins_and_only_as_long_as_they_are(
    home: Path, guest: pwd.struct_passwd
) -> None:
    open_to_all(home)
    async with server_process(home) as process:
        admin = await Console().join(process.socket)
        await admin.follow(ROOM)
        nosy = Console()
        await nosy.greet(socket_as(guest, process.socket), ROOM)
        assert await nosy.ended() == (Close.FORBIDDEN, "you may not read room")
        await nosy.leave()
        later = await Console().join(socket_as(guest, process.socket))
        await later.ws.send(later.end.subscribe([ROOM]), text=True)
        assert (await later.ended())[0] == Close.FORBIDDEN
        await later.leave()
        await grant(admin, guest.pw_name, "admin")
        second = await Console().join(socket_as(guest, process.socket))
        await second.follow(ROOM)
        await grant(admin, guest.pw_name, None)
        secret, token_id = await make_token(admin, "after", right="viewer")
        stream = await admin.declare()
        await second.follow(stream)
        assert token_id not in second.states[ROOM].events
        assert secret
        await leave_all([admin, second])


async def test_a_replica_belongs_to_the_account_that_first_wrote_with_it(
    home: Path, guest: pwd.struct_passwd
) -> None:
    open_to_all(home)
    async with server_process(home) as process:
        admin = await Console().join(process.socket)
        stream = await admin.declare()
        thief = await Console().join(socket_as(guest, process.socket))
        thief.author = admin.author
        reason = await thief.refusal(stream, NoteAdded(text="under her replica"))
        assert "belongs to another account" in reason
        await process.kill()
        await thief.ended()
        await thief.leave()
        await process.start()
        await thief.join(socket_as(guest, process.socket))
        reason = await thief.refusal(stream, NoteAdded(text="still"))
        assert "belongs to another account" in reason
        await leave_all([admin, thief])


# People ------------------------------------------------------------------------------------


async def test_a_note_is_changed_by_its_author_alone(home: Path) -> None:
    async with server_process(home) as process:
        ana, bo = [await Console(user=u).join(process.socket) for u in ("ana", "bo")]
        stream = await ana.declare()
        note = await ana.note(stream, "as I saw it")
        for body in (NoteEdited(target=note.id, text="no"), NoteStruck(target=note.id)):
            reason = await bo.refusal(stream, body)
            assert reason == f"only {ana.you}, who wrote the note, may change it"
            await ana.put(stream, body)
        await leave_all([ana, bo])


async def test_one_console_of_a_shared_account_brings_what_another_left_in_the_outbox(
    home: Path,
) -> None:
    async with server_process(home) as process:
        ana, bo = [await Console(user=u).join(process.socket) for u in ("ana", "bo")]
        stream = await ana.declare()
        event = ana.write(stream, NoteAdded(text="left behind"))
        await bo.push(ana.outbox[event.id])
        await bo.settled(event.id)
        assert event.id in bo.acks
        await leave_all([ana, bo])


async def test_only_the_commander_or_a_commanders_account_closes(
    home: Path, guest: pwd.struct_passwd
) -> None:
    open_to_all(home)
    async with server_process(home) as process:
        admin = await Console().join(process.socket)
        ana, bo = [
            await Console(user=u).join(socket_as(guest, process.socket)) for u in ("ana", "bo")
        ]
        stream = await ana.declare()
        await ana.put(stream, RoleAssigned(role="commander", person=ana.you))
        closed = StatusSet(status="closed")
        reason = await bo.refusal(stream, closed)
        assert reason == f"only the incident commander ({ana.you}) closes the incident"
        await bo.put(stream, StatusSet(status="resolved"))
        await ana.put(stream, closed)
        other = await ana.declare()
        await ana.put(other, RoleAssigned(role="commander", person=ana.you))
        await admin.put(other, closed)
        unled = new_stream(secrets.token_bytes)
        await bo.put(unled, IncidentDeclared(title="nobody leads"))
        await bo.put(unled, closed)
        await leave_all([admin, ana, bo])


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
