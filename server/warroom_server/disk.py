"""The room on the server's disk: what is kept back for people, who has to wait, what is said."""

from __future__ import annotations

import logging
from pathlib import Path

from warroom_incident.ballast import Ballast, free_bytes

BALLAST_BYTES = 8 << 20
"""Dropped when the disk is full, so that people's last events are still kept."""

SPARE_BYTES = 4 << 20
"""With less than this free beside the ballast, alerts have to wait."""

LOW_BYTES = 200 << 20
"""With less than this free people are told."""

_log = logging.getLogger(__name__)


class Disk:
    """Watches the disk under a directory. `look` is called once a second.

    `sentence` is what people should know, empty while all is well.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._ballast = Ballast(directory / "ballast", BALLAST_BYTES)
        self._free = LOW_BYTES
        self.sentence = ""

    @property
    def is_full(self) -> bool:
        """Whether the ballast is gone, or there was never room for it."""
        return not self._ballast.is_there

    @property
    def for_people_only(self) -> bool:
        """Whether what is left is kept for people's events."""
        return self.is_full or self._free < SPARE_BYTES

    def look(self) -> bool:
        """See how things are, making the ballast where there is room; whether the news changed."""
        try:
            self._free = free_bytes(self._directory)
            self._ballast.make(SPARE_BYTES)
        except OSError:
            self._free = 0
        before, self.sentence = self.sentence, self._tell()
        if bool(before) is not bool(self.sentence):
            _log.warning("%s", self.sentence or "There is room on the disk again.")
        return before != self.sentence

    def _tell(self) -> str:
        if self.is_full:
            return (
                "The server's disk is full: alerts wait, and soon nothing more can be kept there. "
                f"Make room in {self._directory}."
            )
        # The margin keeps a disk that hovers around the line from ringing the bell each second.
        if self._free >= LOW_BYTES * (1.1 if self.sentence else 1):
            return ""
        if self._free < SPARE_BYTES:
            return f"The server's disk is nearly full: alerts wait. Make room in {self._directory}."
        return (
            f"The server's disk has less than {LOW_BYTES >> 20} MiB left. "
            f"Make room in {self._directory}."
        )

    def make_room(self) -> bool:
        """Drop the ballast for what a person wrote; whether there was any."""
        dropped = self._ballast.drop()
        if dropped:
            _log.error("The disk is full: the ballast in %s was dropped.", self._directory)
        return dropped
