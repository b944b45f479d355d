"""The outbox: every event of one's own as one fsynced file, until a server has it.

`outbox/<id>` is the truth about an event until the server's ack. Any process of the user may
send what lies here: events are idempotent. A refused event moves to `refused/<id>` with the
server's sentence, so its text is never lost.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from .door import DoorError
from .event import Event, Packet, read_packet

_decode_pair = msgspec.json.Decoder(tuple[msgspec.Raw, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


class Outbox:
    """One user's unsent events in one room."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "outbox"
        self.refused_path = directory / "refused"
        for path in (self.path, self.refused_path):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put(self, packets: Iterable[Packet]) -> None:
        """Keep events so that power may fail when this returns.

        Raises:
            OSError: The disk is full or not writable; nothing counts as kept.
        """
        for packet in packets:
            name = sha256(packet.head).hexdigest()
            _write_durably(self.path / name, _pair(packet))
        _sync_directory(self.path)

    def ids(self) -> set[str]:
        """The ids of the unsent events."""
        return {path.name for path in self.path.iterdir() if len(path.name) == 64}

    def unsent(self) -> list[tuple[Event, Packet]]:
        """The unsent events, oldest first. A damaged file is set aside and kept."""
        found = []
        for name in self.ids():
            path = self.path / name
            try:
                head, body = _decode_pair(path.read_bytes())
                packet = Packet(bytes(head), bytes(body))
                event = read_packet(packet)
            except FileNotFoundError:
                continue  # another process of this user has just sent it
            except (DoorError, msgspec.MsgspecError):
                path.rename(self.refused_path / f"{name}.damaged")
                continue
            found.append((event, packet))
        return sorted(found, key=lambda pair: pair[0].order)

    def sent(self, ids: Iterable[str]) -> None:
        """Forget events that a server has made durable."""
        for id_ in ids:
            (self.path / id_).unlink(missing_ok=True)

    def refuse(self, event_id: str, reason: str) -> None:
        """Set an event aside that a server does not admit, with its sentence."""
        path = self.path / event_id
        try:
            content: dict[str, Any] = {
                "reason": reason,
                "event": msgspec.json.decode(path.read_bytes()),
            }
        except FileNotFoundError:
            return
        _write_durably(self.refused_path / event_id, _encode(content))
        _sync_directory(self.refused_path)
        path.unlink(missing_ok=True)


def _pair(packet: Packet) -> bytes:
    return _encode((msgspec.Raw(packet.head), msgspec.Raw(packet.body or b"null")))


def _write_durably(path: Path, content: bytes) -> None:
    """Write a file that is whole or absent after a crash."""
    partial = path.with_suffix(".part")
    handle = os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    partial.rename(path)


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
