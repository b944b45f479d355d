"""Commands for whoever runs a server: init, doctor, fsck, backup, and a quick start."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.console.commanding import files, run
from tests.console.fake_room import fake_room
from warroom_console.desk import Desk
from warroom_console.places import Places
from warroom_incident.practice.library import shipped


async def filled_log(directory: Path) -> Path:
    """A server's data directory with one incident in its log."""
    async with fake_room(directory / "server") as room, Desk(Places.find(room.url)) as desk:
        await desk.ready()
        stream = desk.declare("Checkout fails")
        await desk.sent(desk.model.incident(stream).events)
    data = directory / "data"
    data.mkdir()
    (directory / "server/log.db").rename(data / "warroom.db")
    return data


async def test_init_writes_what_can_be_edited_and_never_overwrites(tmp_path: Path) -> None:
    ran = await run("init", str(tmp_path / "new/room"))
    assert ran.code == 0
    written = {path.relative_to(tmp_path / "new/room") for path in files(tmp_path)}
    assert written == {Path("warroom.toml"), *(Path(name) for name, _ in shipped())}
    config = tmp_path / "new/room/warroom.toml"
    tomllib.loads(config.read_text())
    assert config.stat().st_mode & 0o077 == 0
    config.write_text("# mine")
    again = await run("init", str(tmp_path / "new/room"))
    assert again.code == 0
    assert {line.split()[0] for line in again.out.splitlines()} == {"kept"}
    assert config.read_text() == "# mine"


async def test_init_where_nothing_can_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = await run("init", str(tmp_path / "file"))
    assert ran.code == 2
    assert "another" in ran.sentence()


async def test_fsck_finds_nothing_wrong_with_a_good_log(tmp_path: Path) -> None:
    data = await filled_log(tmp_path)
    ran = await run("fsck", "--data", str(data))
    assert ran.code == 0
    assert "nothing is damaged" in ran.out
    value = json.loads((await run("fsck", "--data", str(data), "--json")).out)
    assert value["damages"] == []
    assert value["events"] == 4


async def test_fsck_names_each_damage_and_exits_with_1(tmp_path: Path) -> None:
    data = await filled_log(tmp_path)
    database = sqlite3.connect(data / "warroom.db")
    database.execute("UPDATE events SET body = replace(body, 'Checkout', 'Payments')")
    database.commit()
    database.close()
    ran = await run("fsck", "--data", str(data))
    assert ran.code == 1
    assert "event 1" in ran.out
    (data / "warroom.db").write_bytes(b"rubbish" * 1000)
    assert (await run("fsck", "--data", str(data))).code == 1


async def test_a_backup_is_whole_private_and_never_over_another_file(tmp_path: Path) -> None:
    data = await filled_log(tmp_path)
    copies = tmp_path / "copies"
    copies.mkdir()
    target = copies / "warroom.db"
    assert (await run("backup", str(target), "--data", str(data))).code == 0
    assert target.stat().st_mode & 0o077 == 0
    assert (await run("fsck", "--data", str(copies))).code == 0
    again = await run("backup", str(target), "--data", str(data))
    assert again.code == 2
    assert "exists already" in again.sentence()
    missing = await run("backup", str(tmp_path / "no/where"), "--data", str(data))
    assert missing.code == 2
    assert missing.sentence()


async def test_doctor_says_what_is_well_and_what_is_not(tmp_path: Path) -> None:
    sick = await run("doctor")
    assert sick.code == 1
    assert "warroom serve" in sick.out
    async with fake_room(tmp_path) as room:
        well = await run("doctor", "--json", room=room)
        assert well.code == 0, well.out
        found = {f["check"]: f for f in json.loads(well.out)}
        assert found[room.url]["state"] == "ok"
        assert "you are ana" in found[room.url]["says"]
        assert found["clock"]["state"] == "ok"
        room.behind = 60_000
        late = await run("doctor", "--json", room=room)
        assert late.code == 1
        found = {f["check"]: f for f in json.loads(late.out)}
        assert found["clock"]["state"] == "wrong"


async def test_doctor_warns_of_directories_that_others_may_write(
    home: Path, tmp_path: Path
) -> None:
    (home / "run").chmod(0o777)
    async with fake_room(tmp_path) as room:
        ran = await run("doctor", "--json", room=room)
    found = {f["check"]: f for f in json.loads(ran.out)}
    assert found["runtime"]["state"] == "wrong"
    assert "chmod 700" in found["runtime"]["do"]


async def test_serve_hands_over_to_the_server_with_its_flags(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "warroom_console", "serve",
        "--data", str(tmp_path / "data"), "--socket", str(tmp_path / "socket"), "--http", "off",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(60):
        ready = (await process.stdout.readline()).decode()
        assert ready.startswith(f"ready socket={tmp_path}/socket http=off listen=off log=")
        socket = f"unix://{tmp_path}/socket"
        declared = await run("--server", socket, "declare", "Checkout fails")
        assert (declared.code, declared.out) == (0, "INC-1\n")
        process.terminate()
        assert await process.wait() == 0


@pytest.mark.parametrize("group", [(), ("intake",), ("token",), ("member",)])
async def test_help_lists_every_command_with_a_whole_sentence(group: tuple[str, ...]) -> None:
    ran = await run(*group, "--help")
    listed = ran.out.partition("Commands:\n")[2].splitlines()
    assert listed
    assert [line for line in listed if line.endswith("...") or not line.endswith(".")] == []


async def test_every_command_has_a_help_text(tmp_path: Path) -> None:
    from warroom_console.commands import COMMANDS

    for command in COMMANDS:
        ran = await run(command, "--help")
        assert ran.code == 0
        assert ran.out.startswith("Usage: warroom ")
        assert ran.err == ""


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (("--version",), ("textual", "websockets", "asyncio", "msgspec")),
        (("list",), ("textual", "httpx", "markdown_it", "sqlite_utils", "cryptography")),
    ],
)
def test_a_command_imports_only_what_it_needs(
    arguments: tuple[str, ...], unwanted: tuple[str, ...], tmp_path: Path
) -> None:
    program = (
        "import sys, contextlib\n"
        "from warroom_console.cli import main\n"
        "with contextlib.suppress(SystemExit):\n"
        f"    main({['--server', f'unix://{tmp_path}/none', *arguments]!r})\n"
        f"print([name for name in {unwanted!r} if name in sys.modules])\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ
    )
    assert ran.stdout.splitlines()[-1] == "[]"
