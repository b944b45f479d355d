"""Rights over real sockets: accounts of the kernel, tokens, and what neither ever leaks."""

from __future__ import annotations

import os
import pwd
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.accounts import (
    grant,
    let_pass,
    make_token,
    open_to_all,
    socket_as,
)
from tests.e2e.console_client import Console, leave_all
from tests.server.running import ME, server_process
from warroom_incident.author import new_stream
from warroom_incident.event import ROOM
from warroom_incident.sync.wire import Close
from warroom_incident.vocabulary import (
    IncidentDeclared,
    MemberGranted,
    NoteAdded,
    NoteEdited,
    NoteStruck,
    RoleAssigned,
    StatusSet,
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
