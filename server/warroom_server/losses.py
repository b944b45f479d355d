"""Events that are damaged on the disk: left out of what is served until they come again."""

from __future__ import annotations

import logging

from warroom_incident.event import Event
from warroom_incident.log import Log, LogReader, Receipt

_log = logging.getLogger(__name__)


class Losses:
    """Tells the log and its reader what is damaged."""

    def __init__(self, log: Log, reader: LogReader) -> None:
        self._log = log
        self._reader = reader

    def leave_out(self, stream: str, iseq: int, entry: bytes) -> None:
        """Serve the rest: a console that holds a damaged event brings it again."""
        self._reader.damaged.setdefault(stream, {})[iseq] = entry
        self._log.broken.add(entry)
        _log.error(
            "Event %d of %s is damaged on the disk: it is left out until a console brings it. "
            "`warroom fsck --mend` looks for it in the backups.",
            iseq,
            stream,
        )

    def streams(self) -> list[str]:
        """The streams of which events are damaged."""
        return sorted(stream for stream, places in self._reader.damaged.items() if places)

    def any_in(self, stream: str) -> bool:
        """Whether events of a stream are damaged, so that consoles should compare."""
        return bool(self._reader.damaged.get(stream))

    def include(self, event: Event) -> bool:
        """Whether this is one of them: its name proves that this log once admitted it."""
        return bytes.fromhex(event.entry) in self._log.broken

    def came_back(self, receipt: Receipt) -> None:
        """An event was written in its place again, if it was damaged."""
        if self._reader.damaged.get(receipt.stream, {}).pop(receipt.iseq, None):
            _log.warning("Event %d of %s is whole again.", receipt.iseq, receipt.stream)
