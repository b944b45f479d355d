"""The server's log as whoever reads it in a terminal may: one line a record, nothing to obey."""

from __future__ import annotations

import logging
from types import TracebackType

from warroom_incident.clean import clean, clean_line

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class CleanFormatter(logging.Formatter):
    """Cleans what records say: it may quote strangers, who must not forge other records."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """A record on one line."""
        return clean_line(super().formatMessage(record))

    def formatException(self, ei: _ExcInfo) -> str:
        """What went wrong where, below the record and indented, so that no line looks like one."""
        lines = clean(super().formatException(ei)).split("\n")
        return "\n".join(f"  {line}" for line in lines)
