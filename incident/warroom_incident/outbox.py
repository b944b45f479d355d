"""The outbox: every event of one's own as one fsynced file, until a server has it.

`outbox/<id>` is the truth about an event until the server's ack. Any process of the user may
send what lies here: events are idempotent. A refused event moves to `refused/<id>` with the
server's sentence, so its text is never lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec

from .ballast import Ballast, is_full
from .directory import make_private, sync, write_whole
from .door import DoorError
from .event import Event, Packet, read_packet

_decode_pair = msgspec.json.Decoder(tuple[msgspec.Raw, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode
_ID = re.compile(r"[0-9a-f]{64}")


class _Kept(msgspec.Struct):
    """What lies in a file of a refused event."""

    reason: str
    event: tuple[msgspec.Raw, msgspec.Raw]


class Refused(NamedTuple):
    """An own event that a server did not admit, and its sentence. `at` in milliseconds."""

    event: Event
    packet: Packet
    reason: str
    at: int


BALLAST_BYTES = 256 * 1024
"""What is kept free on a disk for the last events that a person writes."""

BALLAST_SPARE = 8 << 20
"""Where less than this is free beside it, there is no ballast to be had."""


class Outbox:
    """One user's unsent events in one room."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "outbox"
        self.refused_path = directory / "refused"
        self._ballast = Ballast(directory / "ballast", BALLAST_BYTES)
        for path in (self.path, self.refused_path):
            make_private(path)

    def put(self, packets: Sequence[Packet]) -> None:
        """Keep events so that power may fail when this returns.

        On a full disk the ballast makes room for them.

        Raises:
            OSError: The disk is full or not writable; none of them is kept.
        """
        try:
            self._put(packets)
        except OSError as error:
            if not is_full(error) or not self._ballast.drop():
                raise
            self._put(packets)

    def weigh(self) -> bool:
        """Make the ballast where it is missing and there is room; whether it is there."""
        return self._ballast.make(BALLAST_SPARE)

    def _put(self, packets: Sequence[Packet]) -> None:
        made: list[Path] = []
        try:
            for packet in packets:
                path = self.path / sha256(packet.head).hexdigest()
                if not path.exists():
                    made.append(path)
                write_whole(path, _pair(packet))
            sync(self.path)
        except OSError:
            for path in made:
                path.unlink(missing_ok=True)
            raise

    def ids(self) -> set[str]:
        """The ids of the unsent events."""
        return {path.name for path in self.path.iterdir() if _is_id(path.name)}

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
            except (DoorError, msgspec.MsgspecError, RecursionError):
                self._set_aside(name)
                continue
            if event.id == name:
                found.append((event, packet))
            else:
                self._set_aside(name)
        return sorted(found, key=lambda pair: pair[0].order)

    def _set_aside(self, name: str) -> None:
        with suppress(FileNotFoundError):  # another process of this user may have done it
            (self.path / name).rename(self.refused_path / f"{name}.damaged")

    def sent(self, ids: Iterable[str]) -> None:
        """Forget events that a server has made durable, also those that one had refused before."""
        for id_ in ids:
            if _is_id(id_):
                # This one first: it is hidden as long as the other is there.
                (self.refused_path / id_).unlink(missing_ok=True)
                (self.path / id_).unlink(missing_ok=True)

    def refuse(self, event_id: str, reason: str) -> None:
        """Set an event aside that a server does not admit, with its sentence."""
        path = self.path / event_id
        if not _is_id(event_id):
            return
        try:
            content = {"reason": reason, "event": msgspec.Raw(path.read_bytes())}
        except FileNotFoundError:
            return
        write_whole(self.refused_path / event_id, _encode(content))
        sync(self.refused_path)
        path.unlink(missing_ok=True)

    def dismiss(self, event_id: str) -> None:
        """List a refused event no longer; its file stays, with the text, under another name."""
        if _is_id(event_id):
            with suppress(FileNotFoundError):  # another process of this user may have done it
                path = self.refused_path / event_id
                path.rename(path.with_suffix(".dismissed"))

    def refusals(self) -> list[Refused]:
        """The refused events that are not on their way again, oldest first."""
        waiting = self.ids()
        names = {path.name for path in self.refused_path.iterdir() if _is_id(path.name)}
        found = [self._refused(name) for name in names - waiting]
        return sorted((one for one in found if one is not None), key=lambda one: one.event.order)

    def _refused(self, name: str) -> Refused | None:
        path = self.refused_path / name
        try:
            kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
            head, body = kept.event
            packet = Packet(bytes(head), bytes(body))
            event = read_packet(packet)
            at = path.stat().st_mtime_ns // 1_000_000
        except (OSError, DoorError, msgspec.MsgspecError, RecursionError):
            return None  # a file that somebody else put there, or that another process took away
        return Refused(event, packet, kept.reason, at) if event.id == name else None


def _is_id(name: str) -> bool:
    """Whether a name that came from outside is an event's id, and so no path to elsewhere."""
    return _ID.fullmatch(name) is not None


def _pair(packet: Packet) -> bytes:
    return _encode((msgspec.Raw(packet.head), msgspec.Raw(packet.body or b"null")))
