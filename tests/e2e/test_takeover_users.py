"""A takeover between different Unix users of one host, over sockets that their group may use."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.accounts import let_pass
from tests.e2e.houses import House, cleared, command, show
from tests.waiting import wait_for
from warroom_incident.log import LogReader


def _run(*arguments: str) -> None:
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(f"{' '.join(arguments)}: {done.stderr.strip()}")


class Person:
    """A real user of this machine, and how to run something as them."""

    def __init__(self, name: str, group: str) -> None:
        self.name = name
        entry = pwd.getpwnam(name)
        self.uid = entry.pw_uid
        self.before = ("setpriv", "--reuid", name, "--regid", group, "--init-groups")

    def own(self, path: Path, mode: int) -> Path:
        """A directory of theirs and their group's."""
        path.mkdir(exist_ok=True)
        os.chown(path, self.uid, pwd.getpwnam(self.name).pw_gid)
        path.chmod(mode)
        return path


@pytest.fixture
def group() -> Iterator[str]:
    """A group of responders."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.fail("run this test as root, with setpriv: it acts as other Unix users")
    name = f"wrgroup{os.getpid()}"
    _run("groupadd", name)
    yield name
    _run("groupdel", name)


@pytest.fixture
def people(group: str) -> Iterator[dict[str, Person]]:
    """The account of the servers and a responder, both of the group, and a stranger."""
    made: dict[str, Person] = {}
    try:
        for who, where in (("server", group), ("bo", group), ("mo", "nogroup")):
            name = f"wr{who}{os.getpid()}"
            _run("useradd", "--no-create-home", "--gid", where, "--shell", "/bin/false", name)
            made[who] = Person(name, where)
        yield made
    finally:
        for person in made.values():
            _run("userdel", person.name)


async def test_another_users_console_follows_the_room_to_the_standby(
    home: Path, people: dict[str, Person]
) -> None:
    let_pass(home)
    server, bo, mo = people["server"], people["bo"], people["mo"]
    a = House(server.own(home / "a", 0o750), before=server.before)
    b = House(server.own(home / "b", 0o750), "--standby-of", a.url, before=server.before)
    homes = {person.name: person.own(home / person.name, 0o700) for person in people.values()}

    async def say(person: Person, *arguments: str, code: int = 0) -> str:
        own = homes[person.name]
        environ = {
            "HOME": str(own),
            "XDG_STATE_HOME": str(own),
            "XDG_CONFIG_HOME": str(own),
            "WARROOM_SERVER": a.url,
            "WARROOM_REPLICA": str(own / "replica"),
        }
        return await command(*arguments, environ=environ, before=person.before, code=code)

    async with cleared(a, b):
        await a.start()
        await b.start_standby()
        assert a.socket.stat().st_mode & 0o777 == 0o660
        assert "Only you can reach" not in b.output.decode()
        assert (await say(bo, "declare", "checkout answers 5xx")).strip() == "INC-1"
        await say(server, "note", "INC-1", "seen by the other account")
        # A standby is only found by those whom it can let in; nobody else gets near.
        assert "INC-1" in await say(bo, "show", "INC-1")
        await say(mo, "list", code=3)
        await wait_for(lambda: holds(b, 8), "the standby", 30)

        await a.kill()
        shutil.rmtree(a.data)
        await say(bo, "note", "INC-1", "written while nobody served")
        refused = await say(bo, "promote", "--socket", str(b.socket), "--yes", code=4)
        assert "only an admin" in refused
        assert "It serves now" in await say(server, "promote", "--socket", str(b.socket), "--yes")
        await b.promoted()
        # The replica has learned where the room is kept, and brings what it holds.
        await say(bo, "note", "INC-1", "on the other server")
        shown = await show("INC-1", b.url, home / "fresh")
        said = [entry["text"] for entry in shown["timeline"]]
        assert "written while nobody served" in said
        assert "on the other server" in said


def holds(house: House, count: int) -> bool:
    """Whether a log has come to hold so many events."""
    reader = LogReader.open(house.log)
    try:
        return sum(reader.streams().values()) >= count
    finally:
        reader.close()
