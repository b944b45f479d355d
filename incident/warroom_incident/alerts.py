"""What a machine said: alert signals, the board's records, and how one folds into the other.

Owns the shared shape of an alert (`AlertRecord`, which servers send and consoles hold), the shape
of one parsed notification (`Signal`), and the rules of episodes. Everything here is pure: the
time is passed in, nothing is read or written.

Identity is source, key and episode. Times are integer milliseconds since 1970, UTC; those named
`*_seen` are the server's own clock, `starts_at` and `ends_at` come from the sender.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

from .grading import (
    UNKNOWN_SEVERITY as UNKNOWN_SEVERITY,
    Severity as Severity,
    read_severity as read_severity,
    severity_of as severity_of,
)

State = Literal["firing", "acknowledged", "suppressed", "nodata", "resolved"]
Outcome = Literal["new", "repeat", "resolve", "ack", "orphan", "duplicate"]
Says = Literal["all", "state", "words"]

RECORD_BYTES = 8 * 1024
"""No record is larger than this as JSON; what a sender writes is cut to fit when it is read."""

FLAP_MS = 5 * 60 * 1000
"""An alert that fires again this soon after its end is the same episode, flapping."""

ECHO_MS = 30 * 1000
"""The other half of a highly available pair may say the same thing up to this much later."""


class Signal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One alert inside one notification, in our words.

    `received` is when the server took the notification in. `starts_at` and `ends_at` are what the
    sender told, unclamped, or None. `severity` is None where the sender's must not be read (ends
    and acknowledgements). `weak_key` marks a key that was guessed from the text; `missing` counts
    the alerts that the sender left out of the same notification; `truncated` says a text was cut.
    `says` is "state" where a notification tells nothing but the state of an open alert, "words"
    where it tells nothing but new words for one: what it leaves empty stays as it was. `unacks`
    marks a sender's word that an acknowledgement counts no longer.
    """

    source: str
    kind: str
    key: str
    state: State
    title: str
    received: int
    severity: Severity | None = None
    service: str = ""
    env: str = ""
    summary: str = ""
    description: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    links: tuple[tuple[str, str], ...] = ()
    group: str = ""
    starts_at: int | None = None
    ends_at: int | None = None
    weak_key: bool = False
    missing: int = 0
    truncated: bool = False
    says: Says = "all"
    unacks: bool = False


class AlertRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The latest state of one alert episode, as the board holds it and consoles show it.

    `uid` names the episode for ever; `episode` is the sender's start time or, if it told none, our
    receipt. `starts_at` is never later than `first_seen`; `told_start` is the newest start the
    sender told, which decides what is stale. `peak` is the worst severity of the episode. `count`
    counts firing notifications, copies from a pair left out. `resolved_by` is the cause of an
    end: source, superseded, reconcile, manual or timeout. `rev` is the board's revision. Texts
    are as the sender wrote them, so they go through `clean()` before anybody sees them.
    Where an Alertmanager's API was asked, `told_by` names it, and `silenced` and `inhibited`
    count the silences and the alerts that keep this one quiet there. With no word from the
    sender for `stale_after` milliseconds the alert is stale, never over; 0 means never.
    `board` is the board where the newest word came in, `edition` counts the words about the
    episode on all boards that it has been on.
    `severity` and `state` are open strings here, so that a newer server's word cannot make an
    older console lose the record.
    """

    uid: str
    key: str
    source: str
    kind: str
    episode: int
    title: str
    severity: str
    state: str
    first_seen: int
    last_seen: int
    starts_at: int
    ends_at: int | None = None
    told_start: int | None = None
    peak: str = ""
    service: str = ""
    env: str = ""
    summary: str = ""
    description: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    links: tuple[tuple[str, str], ...] = ()
    group: str = ""
    count: int = 1
    flaps: int = 0
    resolved_by: str = ""
    rev: int = 0
    weak_key: bool = False
    missing: int = 0
    truncated: bool = False
    stale_after: int = 0
    told_by: str = ""
    silenced: int = 0
    inhibited: int = 0
    board: str = ""
    edition: int = 0

    @property
    def is_open(self) -> bool:
        """Whether the alert is not over: firing, acknowledged, suppressed or nodata."""
        return self.state != "resolved"

    def is_stale(self, now: int) -> bool:
        """Whether nothing was heard of an open alert for longer than its sender is ever quiet."""
        return self.is_open and 0 < self.stale_after < now - self.last_seen


class Folded(msgspec.Struct, frozen=True):
    """What one signal did: the records that changed, oldest episode first, and what to call it.

    An end without an open episode changes nothing; it leaves `unseen`, a closed record nobody is
    shown, by which a late copy of the beginning is recognised for the next `ECHO_MS`.
    """

    outcome: Outcome
    changed: tuple[AlertRecord, ...] = ()
    unseen: AlertRecord | None = None


# --- episodes ---------------------------------------------------------------------------------


def episode_uid(source: str, key: str, episode: int) -> str:
    """Name an episode: 20 hex characters that are the same on every server."""
    named = f"{source}\0{key}\0{episode}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(named).hexdigest()[:20]


def fold_signal(record: AlertRecord | None, signal: Signal, now: int) -> Folded:
    """Fold one signal into the newest episode of its source and key.

    `record` is that episode, the `unseen` one of an earlier orphan, or None. Copies and repeats
    in any order lead to the same answer about what is open, as far as the sender tells starts.
    """
    if signal.says != "all" and signal.state != "resolved":
        return _amend(record, signal, now)
    if signal.state == "resolved":
        return _end(record, signal, now)
    if signal.state == "acknowledged" and (record is None or not record.is_open):
        return Folded("orphan")
    if record is None:
        return Folded("new", (_open(signal, now),))
    if not record.is_open:
        return _fire_after_end(record, signal, now)
    return _fire_while_open(record, signal, now)


def close_record(record: AlertRecord, cause: str, ended: int, now: int) -> AlertRecord:
    """End an open episode for a `cause` at `ended`, which never lies outside its life."""
    over = max(record.starts_at, min(ended, now))
    heard = max(record.last_seen, now)  # it may come from a server whose clock is ahead
    return msgspec.structs.replace(
        record, state="resolved", ends_at=over, resolved_by=cause, last_seen=heard
    )


def _open(signal: Signal, now: int) -> AlertRecord:
    """Begin an episode. An unclamped start names it, so that a repeat in an hour still does."""
    episode = now if signal.starts_at is None else signal.starts_at
    severity = signal.severity or UNKNOWN_SEVERITY
    return AlertRecord(
        uid=episode_uid(signal.source, signal.key, episode),
        key=signal.key,
        source=signal.source,
        kind=signal.kind,
        episode=episode,
        title=signal.title,
        severity=severity,
        peak=severity,
        state=signal.state,
        first_seen=now,
        last_seen=now,
        starts_at=min(episode, now),
        told_start=signal.starts_at,
        service=signal.service,
        env=signal.env,
        summary=signal.summary,
        description=signal.description,
        labels=signal.labels,
        annotations=signal.annotations,
        links=signal.links,
        group=signal.group,
        weak_key=signal.weak_key,
        missing=signal.missing,
        truncated=signal.truncated,
    )


def _told_again(record: AlertRecord, signal: Signal, now: int) -> AlertRecord:
    """The same episode with what the sender says now; counters are the caller's business."""
    severity = signal.severity or record.severity
    return msgspec.structs.replace(
        record,
        state=signal.state,
        last_seen=max(record.last_seen, now),
        told_start=_newest(record.told_start, signal.starts_at),
        severity=severity,
        peak=min(record.peak or severity, severity),
        title=signal.title,
        service=signal.service or record.service,
        env=signal.env or record.env,
        summary=signal.summary,
        description=signal.description,
        labels=signal.labels,
        annotations=signal.annotations,
        links=signal.links,
        group=signal.group,
        missing=signal.missing,
        truncated=signal.truncated,
        told_by="",
        silenced=0,
        inhibited=0,
    )


def _amend(record: AlertRecord | None, signal: Signal, now: int) -> Folded:
    """Take what a signal tells besides; it never opens, ends or counts an alert."""
    if record is None or not record.is_open:
        return Folded("orphan")
    if signal.says == "state":
        # That it is muted no longer does not say that nobody has it any more.
        is_had = record.state == "acknowledged" and signal.state == "firing" and not signal.unacks
        amended = record if is_had else msgspec.structs.replace(record, state=signal.state)
    else:
        amended = msgspec.structs.replace(
            record,
            title=signal.title or record.title,
            summary=signal.summary or record.summary,
            description=signal.description or record.description,
            service=record.service or signal.service,
            severity=signal.severity or record.severity,
            peak=min(record.peak or record.severity, signal.severity or record.severity),
            labels={**record.labels, **signal.labels},
            annotations={**record.annotations, **signal.annotations},
            truncated=record.truncated or signal.truncated,
        )
    if amended == record or len(msgspec.json.encode(amended)) > RECORD_BYTES:
        return Folded("duplicate")
    heard = max(record.last_seen, now)
    return Folded("repeat", (msgspec.structs.replace(amended, last_seen=heard),))


def _fire_while_open(record: AlertRecord, signal: Signal, now: int) -> Folded:
    if signal.state == "acknowledged":
        acked = msgspec.structs.replace(record, state="acknowledged")
        return _count(record, acked, signal, now)
    told, start = record.told_start, signal.starts_at
    if told is not None and start is not None and start > told:
        # An end went by unheard. Whether this is the same episode flapping is decided by how
        # long we had heard nothing when it began again.
        if min(start, now) - record.last_seen <= FLAP_MS:
            again = _told_again(record, signal, now)
            flapped = msgspec.structs.replace(again, count=record.count + 1, flaps=record.flaps + 1)
            return Folded("repeat", (flapped,))
        over = close_record(record, "superseded", start, now)
        return Folded("new", (over, _open(signal, now)))
    if told is not None and start is not None and start < told:
        return _count(record, record, signal, now)
    again = _told_again(record, signal, now)
    if record.state == "acknowledged" and signal.state == "firing" and not signal.unacks:
        # That it still fires does not say that nobody has it any more.
        again = msgspec.structs.replace(again, state="acknowledged")
    return _count(record, again, signal, now)


def _count(record: AlertRecord, said: AlertRecord, signal: Signal, now: int) -> Folded:
    """Settle a repeat: the copy of a pair changes nothing unless it says something new."""
    acked = signal.state == "acknowledged"
    if signal.starts_at is not None and now - record.last_seen <= ECHO_MS:
        said = msgspec.structs.replace(said, last_seen=record.last_seen)
        if said == record:
            return Folded("duplicate")
        return Folded("ack" if acked else "repeat", (said,))
    said = msgspec.structs.replace(
        said, last_seen=max(record.last_seen, now), count=record.count + (not acked)
    )
    return Folded("ack" if acked else "repeat", (said,))


def _fire_after_end(record: AlertRecord, signal: Signal, now: int) -> Folded:
    told, start = record.told_start, signal.starts_at
    known = told is not None and start is not None and start <= told
    if known and now - record.last_seen <= ECHO_MS:
        return Folded("duplicate")
    if record.count == 0:
        return Folded("new", (_open(signal, now),))
    if known or _gap(record, signal, now) <= FLAP_MS:
        again = _told_again(record, signal, now)
        back = msgspec.structs.replace(
            again, ends_at=None, resolved_by="", count=record.count + 1, flaps=record.flaps + 1
        )
        return Folded("repeat", (back,))
    return Folded("new", (_open(signal, now),))


def _gap(record: AlertRecord, signal: Signal, now: int) -> int:
    """Milliseconds between the end of an episode and this beginning, by one and the same clock."""
    if (
        signal.starts_at is not None
        and record.ends_at is not None
        and record.told_start is not None
    ):
        return min(signal.starts_at, now) - record.ends_at
    return now - record.last_seen


def _end(record: AlertRecord | None, signal: Signal, now: int) -> Folded:
    ended = now if signal.ends_at is None else signal.ends_at
    if record is None or record.count == 0:
        told = _newest(record.told_start if record else None, signal.starts_at)
        ghost = close_record(_open(signal, now), "source", ended, now)
        return Folded("orphan", unseen=msgspec.structs.replace(ghost, count=0, told_start=told))
    newer = _newest(record.told_start, signal.starts_at)
    if not record.is_open:
        if newer == record.told_start:
            return Folded("duplicate")
        return Folded(
            "resolve", (msgspec.structs.replace(record, told_start=newer, last_seen=now),)
        )
    if _stale(record, signal):
        return Folded("orphan")
    over = close_record(record, "source", ended, now)
    return Folded("resolve", (msgspec.structs.replace(over, told_start=newer),))


def _stale(record: AlertRecord, signal: Signal) -> bool:
    """Whether an end speaks of an earlier life of the alert than the open one."""
    told = record.told_start
    if told is None:
        return False
    if signal.starts_at is not None:
        return signal.starts_at < told and (signal.ends_at is None or signal.ends_at <= told)
    return signal.ends_at is not None and signal.ends_at < min(told, record.first_seen)


def _newest(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return one if other is None else other
    return max(one, other)
