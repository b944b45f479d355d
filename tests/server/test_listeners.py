"""The doors for consoles."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from websockets.asyncio.client import connect, unix_connect
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import InvalidStatus

from tests.server.certificates import make_certificate
from warroom_server.identity import Caller
from warroom_server.listeners import (
    ListenError,
    is_loopback,
    listen_tcp,
    listen_unix,
    tls_context,
)

Met = list[Caller | str | None]


class Doorman:
    """Takes every connection and remembers who came."""

    def __init__(self) -> None:
        self.met: Met = []

    async def __call__(self, ws: ServerConnection, who: Caller | str | None) -> None:
        self.met.append(who)
        await ws.close(4000, "met")


async def visit(path: Path) -> None:
    """Connect to a Unix socket and hear the goodbye."""
    ws = await unix_connect(str(path), compression=None)
    await ws.wait_closed()


async def test_a_socket_is_for_its_owner_alone(home: Path) -> None:
    doorman = Doorman()
    path = home / "new" / "socket"
    server = await listen_unix(path, None, doorman)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [found.name for found in path.parent.iterdir()] == ["socket"]
    await visit(path)
    assert [type(who) for who in doorman.met] == [Caller]
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    ("directory", "mode", "expected"),
    [
        (0o700, None, 0o600),
        (0o750, None, 0o660),
        (0o755, None, 0o660),
        (0o705, None, 0o600),
        (0o755, 0o666, 0o666),
        (0o700, 0o640, 0o640),
    ],
)
async def test_the_socket_opens_as_far_as_its_directory_or_its_owner_says(
    home: Path, directory: int, mode: int | None, expected: int
) -> None:
    place = home / "run-dir"
    place.mkdir()
    place.chmod(directory)
    server = await listen_unix(place / "socket", mode, Doorman())
    assert stat.S_IMODE((place / "socket").stat().st_mode) == expected
    server.close()
    await server.wait_closed()


async def test_a_dead_socket_is_replaced(home: Path) -> None:
    path = home / "socket"
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    doorman = Doorman()
    server = await listen_unix(path, None, doorman)
    await visit(path)
    assert len(doorman.met) == 1
    server.close()
    await server.wait_closed()


async def test_a_link_to_nowhere_is_replaced(home: Path) -> None:
    path = home / "socket"
    path.symlink_to(home / "gone")
    server = await listen_unix(path, None, Doorman())
    assert path.is_socket()
    assert not path.is_symlink()
    server.close()
    await server.wait_closed()


async def test_a_live_socket_is_left_alone(home: Path) -> None:
    path = home / "socket"
    server = await listen_unix(path, None, Doorman())
    with pytest.raises(ListenError, match=f"Another server listens on {path}; stop it"):
        await listen_unix(path, None, Doorman())
    await visit(path)
    server.close()
    await server.wait_closed()


async def test_a_socket_whose_server_is_stuck_is_left_alone(home: Path) -> None:
    path = home / "socket"
    with socket.socket(socket.AF_UNIX) as stuck:
        stuck.bind(str(path))
        stuck.listen(0)
        waiting = []
        while True:
            queued = socket.socket(socket.AF_UNIX)
            queued.setblocking(False)
            waiting.append(queued)
            try:
                queued.connect(str(path))
            except BlockingIOError:
                break
        with pytest.raises(ListenError, match="Another server listens"):
            await listen_unix(path, None, Doorman())
    for queued in waiting:
        queued.close()
    assert path.is_socket()


async def test_what_is_no_socket_is_never_touched(home: Path) -> None:
    path = home / "notes.txt"
    path.write_text("mine")
    with pytest.raises(ListenError, match="no socket"):
        await listen_unix(path, None, Doorman())
    assert path.read_text() == "mine"


async def test_a_path_too_long_for_a_socket_is_told(home: Path) -> None:
    with pytest.raises(ListenError, match="too long"):
        await listen_unix(home / ("x" * 120), None, Doorman())


async def test_a_token_may_come_over_the_socket_too(home: Path) -> None:
    doorman = Doorman()
    server = await listen_unix(home / "socket", None, doorman)
    ws = await unix_connect(
        str(home / "socket"), additional_headers={"Authorization": "Bearer abc"}
    )
    await ws.wait_closed()
    assert doorman.met == ["abc"]
    server.close()
    await server.wait_closed()


async def test_a_browser_is_refused_at_every_door(home: Path) -> None:
    doorman = Doorman()
    unix = await listen_unix(home / "socket", None, doorman)
    tcp = await listen_tcp("127.0.0.1", 0, None, doorman)
    port = next(iter(tcp.sockets)).getsockname()[1]
    for origin in ("http://evil.example", "null", "http://127.0.0.1"):
        with pytest.raises(InvalidStatus) as refused:
            await unix_connect(str(home / "socket"), origin=origin)
        assert refused.value.response.status_code == 403
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{port}", origin=origin, proxy=None)  # type: ignore[arg-type]
        assert refused.value.response.status_code == 403
    assert doorman.met == []
    for server in (unix, tcp):
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.com", "127.0.0.1.nip.io"])
async def test_plain_tcp_is_only_for_this_machine(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(ListenError, match="--cert and --key"):
        await listen_tcp(host, 0, None, Doorman())


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "::1", "[::1]"])
def test_addresses_of_this_machine(host: str) -> None:
    assert is_loopback(host)


async def test_without_a_token_nobody_is_anybody_on_tcp() -> None:
    doorman = Doorman()
    server = await listen_tcp("127.0.0.1", 0, None, doorman)
    port = next(iter(server.sockets)).getsockname()[1]
    ws = await connect(f"ws://127.0.0.1:{port}", proxy=None)
    await ws.wait_closed()
    assert doorman.met == [None]
    server.close()
    await server.wait_closed()


def test_a_certificate_that_does_not_fit_is_told(home: Path) -> None:
    cert, key = make_certificate(home)
    other = ec.generate_private_key(ec.SECP256R1())
    (home / "other.pem").write_bytes(
        other.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    (home / "empty").write_bytes(b"")
    for bad_cert, bad_key in (
        (cert, home / "other.pem"),
        (home / "empty", key),
        (cert, home / "empty"),
        (home / "absent", key),
        (home, key),
    ):
        with pytest.raises(ListenError, match="cannot be used"):
            tls_context(bad_cert, bad_key)


def test_a_locked_key_is_told_and_never_asked_for(home: Path) -> None:
    cert, _ = make_certificate(home)
    locked = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    (home / "locked.pem").write_bytes(locked)
    with pytest.raises(ListenError, match="pass phrase"):
        tls_context(cert, home / "locked.pem")
