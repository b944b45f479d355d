"""How the boards of two servers become one: of each alert episode the newest word counts.

Everything here is pure. Of two words about an episode both servers choose the same, whichever of
them asks, in whichever order they hear, so they end with the same board and then fall silent.
"""

from __future__ import annotations

import msgspec

from .alerts import RECORD_BYTES, AlertRecord, close_record

_RANKS = {"firing": 0, "nodata": 1, "suppressed": 2, "acknowledged": 3, "resolved": 4}


_BOUND = 1 << 53


def fits(record: AlertRecord) -> bool:
    """Whether a record of another server is one that a board could have made."""
    numbers = (
        record.episode,
        record.first_seen,
        record.last_seen,
        record.starts_at,
        record.ends_at or 0,
        record.told_start or 0,
        record.count,
        record.flaps,
        record.edition,
    )
    if any(abs(number) >= _BOUND for number in numbers):
        return False
    # What each board adds for itself does not count against the limit of what senders say.
    return bool(record.uid) and len(msgspec.json.encode(record)) <= RECORD_BYTES + 512


def is_from_elsewhere(record: AlertRecord, board: str) -> bool:
    """Whether the newest word came in at another server, which sees to what follows from it."""
    return record.board not in ("", board)


def is_newer(word: AlertRecord, known: AlertRecord) -> bool:
    """Whether a word about an episode says something else than another one, and counts for more.

    What was heard last does; of what was heard at the same time, that which was told on top of
    more, and then the further state.
    """
    before, after = _order(known), _order(word)
    if before != after:
        return before < after and _said(word) != _said(known)
    return msgspec.json.encode(_said(word)) > msgspec.json.encode(_said(known))


def overtake(record: AlertRecord, newest: AlertRecord) -> AlertRecord:
    """End an open episode that a newer one of the same alert has taken the place of.

    Every server that knows both comes to the same record.
    """
    heard = max(record.last_seen, newest.first_seen)
    over = close_record(record, "superseded", newest.starts_at, heard)
    return msgspec.structs.replace(over, edition=record.edition + 1)


def ends(end: AlertRecord, record: AlertRecord) -> bool:
    """Whether an end that came in without a beginning is that of an open episode."""
    if not record.is_open or end.last_seen < record.last_seen:
        return False
    if end.told_start is None or record.told_start is None:
        return True
    return end.told_start >= record.told_start


def _order(record: AlertRecord) -> tuple[int, int, int]:
    return record.last_seen, record.edition, _RANKS.get(record.state, 0)


def _said(record: AlertRecord) -> AlertRecord:
    """The record without what is each board's own."""
    return msgspec.structs.replace(record, rev=0, stale_after=0, board="", edition=0)
