"""When a standby last held all of its server, remembered through its own restarts."""

from __future__ import annotations

import contextlib
from pathlib import Path

from warroom_incident.directory import write_whole

FILE = "in-step"
EVERY_MS = 10_000
"""How much newer the time must be before it is written down again."""


class InStep:
    """The time in a small file beside the log, with how many events were held then.

    With fewer events than that the log is an older copy, and the time is not true of it.
    """

    def __init__(self, data: Path, held: int) -> None:
        self._path = data / FILE
        self.at = self._read(held)
        """In milliseconds, 0 where nothing is known."""

    def _read(self, held: int) -> int:
        try:
            at, count = self._path.read_text().split()
            return int(at) if int(count) <= held else 0
        except (OSError, ValueError):
            return 0

    def note(self, at: int, held: int) -> None:
        """Everything was here at this time; it is written down now and then."""
        if at - self.at < EVERY_MS:
            return
        self.at = at
        with contextlib.suppress(OSError):  # it only says how old something is
            write_whole(self._path, f"{at} {held}\n".encode(), durable=False)
