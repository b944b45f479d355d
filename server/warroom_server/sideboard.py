"""What machines said beside alerts: heartbeats and changes, numbered with the board's revisions."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from warroom_incident.beats import Beat
from warroom_incident.changes import Change, worth_keeping

MAX_BEATS = 200
"""How many alert paths are watched; the longest unheard give way."""


class Sideboard:
    """The newest beat of every alert path, and the changes worth keeping.

    Args:
        next_rev: Takes the board's next revision.
        beats: What was saved.
        changes: What was saved.
    """

    def __init__(
        self, next_rev: Callable[[], int], beats: Iterable[Beat], changes: Iterable[Change]
    ) -> None:
        self._next_rev = next_rev
        self.beats = {beat.key: beat for beat in beats}
        self.changes = {change.uid: change for change in changes}
        self._dirty: set[str] = set()
        self._gone: set[str] = set()

    def beat(self, beat: Beat) -> bool:
        """Note a sign of life, or the lack of one; whether that is news."""
        known = self.beats.get(beat.key)
        if known is not None and msgspec.structs.replace(beat, rev=known.rev) == known:
            return False
        if known is None and len(self.beats) >= MAX_BEATS:
            del self.beats[min(self.beats.values(), key=lambda b: (b.last_seen, b.key)).key]
        self.beats[beat.key] = msgspec.structs.replace(beat, rev=self._next_rev())
        self._dirty.add(beat.key)
        self._gone.discard(beat.key)
        return True

    def drop(self, key: str) -> None:
        """An alert path is watched no longer; until the next start consoles are told so."""
        known = self.beats.get(key)
        if known is not None and known.is_watched:
            self.beats[key] = msgspec.structs.replace(known, every=0, rev=self._next_rev())
            self._dirty.discard(key)
            self._gone.add(key)

    def change(self, changes: Iterable[Change], now: int) -> bool:
        """Note changes; whether one of them is news."""
        news = False
        for change in changes:
            known = self.changes.get(change.uid)
            if known is not None and msgspec.structs.replace(change, rev=known.rev) == known:
                continue
            self.changes[change.uid] = msgspec.structs.replace(change, rev=self._next_rev())
            self._dirty.add(change.uid)
            news = True
        if news:
            self.forget(now)
        return news

    def forget(self, now: int) -> bool:
        """Drop the changes that are not worth keeping any more; whether there were any."""
        kept = {change.uid: change for change in worth_keeping(self.changes.values(), now)}
        gone = self.changes.keys() - kept.keys()
        self.changes = kept
        self._dirty -= gone
        self._gone |= gone
        return bool(gone)

    def since(self, rev: int) -> list[Beat | Change]:
        """What is newer than a revision, in the order of revisions."""
        found: list[Beat | Change] = [b for b in self.beats.values() if b.rev > rev]
        found += [change for change in self.changes.values() if change.rev > rev]
        return sorted(found, key=lambda item: item.rev)

    def take_unsaved(self) -> tuple[tuple[Beat | Change, ...], tuple[str, ...]]:
        """What has changed since the last call, and the names of what is gone."""
        names, gone = self._dirty, tuple(self._gone)
        self._dirty, self._gone = set(), set()
        beats = [self.beats[name] for name in names if name in self.beats]
        changes = [self.changes[name] for name in names if name in self.changes]
        return (*beats, *changes), gone

    def give_back(self, items: Iterable[Beat | Change], gone: Iterable[str]) -> None:
        """Take back what could not be saved."""
        self._dirty.update(name_of(item) for item in items)
        self._gone.update(gone)


def name_of(item: Beat | Change) -> str:
    """Under which name something is kept."""
    return item.key if isinstance(item, Beat) else item.uid
