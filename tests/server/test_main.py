"""Starting the server: one ready line, or one sentence and exit code 2."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.server.running import ServerProcess, server_process
from warroom_incident.clean import clean

BAD_INPUT = 2


async def refusal(home: Path, *arguments: str, data: Path | None = None) -> str:
    """Start a server that must give up; what it said."""
    process = ServerProcess(home, *arguments)
    if data is not None:
        process.data = data
    code = await process.run_to_end()
    said = process.output.decode()
    assert code == BAD_INPUT, said
    assert said == clean(said)
    assert "Traceback" not in said
    assert said.startswith("warroom: ")
    return said.removeprefix("warroom: ").strip()


async def test_a_server_says_where_it_listens_and_keeps_its_files_private(home: Path) -> None:
    async with server_process(home, "--listen", "127.0.0.1:0") as process:
        ready = process.ready
        assert ready.socket == process.socket
        assert ready.http.startswith("127.0.0.1:")
        assert ready.listen.startswith("127.0.0.1:")
        assert len(ready.log) == 16
        assert stat.S_IMODE(process.data.stat().st_mode) == 0o700
        assert stat.S_IMODE(process.socket.stat().st_mode) == 0o600
        for path in process.data.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
        key = home / "config" / "warroom" / "room.key"
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert await process.terminate() == 0
        assert process.output.decode().count("\n") == 1


async def test_whatever_the_umask_nobody_else_gets_into_what_a_server_makes(home: Path) -> None:
    process = ServerProcess(home / "new")
    process.data, process.socket = home / "new" / "data" / "room", home / "new" / "run" / "socket"
    before = os.umask(0)
    try:
        await process.start()
        assert await process.terminate() == 0
    finally:
        os.umask(before)
        await process.cleared()
    made = [*(home / "new").rglob("*"), *(home / "config").rglob("*"), home / "new"]
    assert {"warroom.db", "room.key"} <= {path.name for path in made}
    assert [path for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


async def test_http_may_be_off(home: Path) -> None:
    async with server_process(home, "--http", "off") as process:
        assert process.ready.http == "off"
        assert process.ready.listen == "off"


async def test_the_room_outlives_its_servers(home: Path) -> None:
    async with server_process(home) as process:
        log = process.ready.log
        await process.kill()
        assert (await process.start()).log == log
        assert await process.terminate() == 0
        assert (await process.start()).log == log


async def test_a_second_server_on_the_same_data_is_refused(home: Path) -> None:
    async with server_process(home) as process:
        other = ServerProcess(home)
        other.socket = home / "other"
        assert await other.run_to_end() == BAD_INPUT
        assert other.output.decode() == (
            f"warroom: Another server uses {process.data}; stop it or choose another --data.\n"
        )
        assert not other.socket.exists()
        assert process.socket.exists()


async def test_a_second_server_on_the_same_socket_is_refused_and_the_first_goes_on(
    home: Path,
) -> None:
    async with server_process(home) as process:
        said = await refusal(home, data=home / "other")
        assert said == (
            f"Another server listens on {process.socket}; stop it or choose another --socket."
        )
        assert process.socket.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--http", "8080"),
        ("--http", "localhost:"),
        ("--http", ":8080"),
        ("--http", "127.0.0.1:http"),
        ("--http", "127.0.0.1:99999"),
        ("--http", "127.0.0.1:²"),
        ("--http", "127.0.0.1:-1"),
        ("--listen", "0.0.0.0:0"),
        ("--listen", "[::]:0"),
        ("--listen", "nowhere"),
        ("--cert", "/x"),
        ("--key", "/x"),
        ("--cert", "/x", "--key", "/y"),
        ("--cert", "/x", "--key", "/y", "--listen", "127.0.0.1:0"),
        ("--unheard-of",),
        ("surplus",),
    ],
    ids=" ".join,
)
async def test_bad_flags_get_one_sentence(home: Path, arguments: tuple[str, ...]) -> None:
    said = await refusal(home, *arguments)
    assert said.endswith(".")
    assert len(said.splitlines()) == 1


async def test_plain_tcp_beyond_this_machine_says_what_to_do(home: Path) -> None:
    said = await refusal(home, "--listen", "0.0.0.0:0")
    assert "--cert and --key" in said


async def test_data_that_cannot_be_used_gets_one_sentence(home: Path) -> None:
    (home / "file").write_text("not a directory")
    for place in (home / "file", home / "file" / "below", Path("/proc/warroom")):
        said = await refusal(home, data=place)
        assert str(place) in said or "file" in said
        assert len(said.splitlines()) == 1


async def test_a_damaged_log_gets_one_sentence_and_stays_as_it_is(home: Path) -> None:
    data = home / "room"
    data.mkdir(mode=0o700)
    (data / "warroom.db").write_bytes(b"garbage " * 1000)
    said = await refusal(home)
    assert "warroom.db" in said
    assert len(said.splitlines()) == 1
    assert (data / "warroom.db").read_bytes() == b"garbage " * 1000


async def test_a_damaged_intake_gets_one_sentence(home: Path) -> None:
    data = home / "room"
    data.mkdir(mode=0o700)
    (data / "intake.db").write_bytes(b"garbage " * 1000)
    said = await refusal(home)
    assert "intake.db" in said
    assert len(said.splitlines()) == 1


async def test_a_bad_configuration_gets_one_sentence(home: Path) -> None:
    path = home / "config" / "warroom" / "warroom.toml"
    path.parent.mkdir(mode=0o700)
    path.write_text("[access]\ndefault = 'king'\n")
    said = await refusal(home)
    assert said.startswith(f"{path} cannot be used: ")
    assert len(said.splitlines()) == 1


async def test_a_sentence_never_brings_a_terminal_what_a_setting_holds(home: Path) -> None:
    path = home / "config" / "warroom" / "warroom.toml"
    path.parent.mkdir(mode=0o700)
    path.write_text('"\\u001b]52;c;ZWNobw==\\u0007\\u202e" = 1\n')
    assert "␛]52;c;ZWNobw==␇" in await refusal(home)
    assert "␛[31m" in await refusal(home, "--\x1b[31m")
    assert "\x1b" not in await refusal(home, "--http", "\x1b[31m:1\u202e")


async def test_a_key_that_others_can_read_gets_one_sentence(home: Path) -> None:
    path = home / "config" / "warroom" / "room.key"
    path.parent.mkdir(mode=0o700)
    path.write_text("{}")
    path.chmod(0o644)
    assert await refusal(home) == f"Others can read the key {path}; run: chmod 600 {path}"


async def test_a_socket_path_that_cannot_be_used_gets_one_sentence(home: Path) -> None:
    for place in (home / ("x" * 110), home / "room.txt", Path("/proc/nowhere/socket")):
        if place.name == "room.txt":
            place.write_text("mine")
        process = ServerProcess(home)
        process.socket = place
        assert await process.run_to_end() == BAD_INPUT
        said = process.output.decode().strip()
        assert str(place) in said
        assert len(said.splitlines()) == 1
    assert (home / "room.txt").read_text() == "mine"


async def test_an_address_in_use_gets_one_sentence(home: Path) -> None:
    async with server_process(home, "--listen", "127.0.0.1:0") as process:
        for flag, address in (("--http", process.ready.http), ("--listen", process.ready.listen)):
            other = ServerProcess(home, flag, address)
            other.data, other.socket = home / "other", home / "other-socket"
            assert await other.run_to_end() == BAD_INPUT
            said = other.output.decode().strip()
            assert said.startswith(f"warroom: Cannot listen on {address}: Address already in use.")
            assert len(said.splitlines()) == 1
            assert not other.socket.exists()


async def test_the_environment_names_the_data_and_the_key(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WARROOM_KEY", str(home / "elsewhere" / "my.key"))
    async with server_process(home) as process:
        assert (home / "elsewhere" / "my.key").is_file()
        assert list((home / "config").iterdir()) == []
        assert await process.terminate() == 0
