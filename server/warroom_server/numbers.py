"""The numbers of incidents that this server has heard of, but whose events it does not hold.

They come from the lines of a lobby: another server's, or those that a replica kept. A small file
beside the log remembers them, so that none is ever given to another incident.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Container, Iterable
from pathlib import Path

import msgspec

from warroom_incident.directory import write_whole
from warroom_incident.sync.wire import Summary

FILE = "numbers.json"
MAX_KNOWN = 100_000
_NUMBER = re.compile(r"INC-([1-9][0-9]{0,8})(-[1-9][0-9]{0,8})?")


class Numbers:
    """Numbers by stream.

    Args:
        data: The directory of the file, None for a memory that ends with the process.
    """

    def __init__(self, data: Path | None = None) -> None:
        self._path = None if data is None else data / FILE
        self._known: dict[str, str] = {}
        self.highest = 0
        """The highest number that anybody was heard to give."""
        for stream, number in self._read().items():
            self._note(stream, number)

    def of(self, stream: str) -> str:
        """The number of an incident, empty where none is known."""
        return self._known.get(stream, "")

    def stream_of(self, number: str) -> str:
        """The incident that was heard to have a number, empty where none was."""
        return next((stream for stream, known in self._known.items() if known == number), "")

    def learn(self, summaries: Iterable[Summary], held: Container[str] = ()) -> None:
        """Remember the numbers that lines tell; those in `held` are known from their events.

        Raises nothing where the disk is full: then they are known until the process ends.
        """
        news = [s for s in summaries if s.stream not in held and self._note(s.stream, s.id)]
        if news:
            self._write()

    def _note(self, stream: str, number: str) -> bool:
        found = _NUMBER.fullmatch(number)
        if found is None:
            return False
        self.highest = max(self.highest, int(found[1]))
        if self._known.get(stream) == number or len(self._known) >= MAX_KNOWN:
            return False
        self._known[stream] = number
        return True

    def _read(self) -> dict[str, str]:
        try:
            raw = b"{}" if self._path is None else self._path.read_bytes()
            return msgspec.json.decode(raw, type=dict[str, str])
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return {}

    def _write(self) -> None:
        if self._path is None:
            return
        with contextlib.suppress(OSError):  # they are known all the same, and told of again
            write_whole(self._path, msgspec.json.encode(self._known))
