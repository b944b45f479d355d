"""What happened while this console was away, shown above a screen without taking its keyboard."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.geometry import NULL_SIZE

from warroom_console.meanwhile import LOBBY, is_worth_opening
from warroom_console.theme import Tone
from warroom_console.times import SECOND, clock, short
from warroom_console.widgets.notice import Notice, sentences_as_lines
from warroom_console.widgets.spans import Span
from warroom_incident.catchup import Digest, News

if TYPE_CHECKING:
    from .base import Base


class Absence:
    """One screen's digest: opens by itself after an absence, and again when asked for."""

    def __init__(self, screen: Base) -> None:
        self._screen = screen
        self.notice = Notice()
        self._shown: Digest | None = None
        self._put_away: Digest | None = None
        self._size = NULL_SIZE

    @property
    def _digest(self) -> Digest | None:
        seat = self._screen.seat
        return seat.model.digests.get(seat.stream or LOBBY)

    def look(self) -> None:
        """Show what is new in the digest; keep it in its place when the screen's size changes."""
        if self.notice.is_open and self._size != self._screen.size:
            self._size = self._screen.size
            self.notice.fit(self._size)
        digest = self._digest
        if digest is not None and digest is not self._shown and self._is_new(digest):
            self._show(digest)

    def _is_new(self, digest: Digest) -> bool:
        if not is_worth_opening(digest):
            return False
        last = self._put_away
        if last is None or last.since != digest.since:
            return True
        return any(one.urgent and one not in last.news for one in digest.news)

    def _show(self, digest: Digest) -> None:
        self._shown, self._size = digest, self._screen.size
        self.notice.show(_title(digest), [_span(one) for one in digest.news], self._size)

    def put_away(self) -> bool:
        """Hide it; say whether there was anything to hide."""
        if not self.notice.is_open:
            return False
        self._put_away = self._shown
        self.notice.hide()
        return True

    def ask(self) -> None:
        """Show it again; when it is in sight, show all of it to be read."""
        digest = self._digest
        if digest is None:
            self._screen.seat.flash("Nothing has happened in your absence.", Tone.DIM)
        elif self.put_away():
            spans = [_span(one) for one in digest.news]
            self._screen.about(_title(digest), partial(sentences_as_lines, spans))
        else:
            self._show(digest)


def _title(digest: Digest) -> str:
    lasted = digest.until - digest.since
    if lasted < SECOND:
        return f"At {clock(digest.until)}Z"
    return f"While you were away: {short(lasted)}, since {clock(digest.since)}Z"


def _span(one: News) -> Span:
    match one.kind:
        case "refused":
            tone = Tone.BAD
        case "server" | "conflict" | "facts":
            tone = Tone.WARN
        case _:
            tone = Tone.TEXT if one.urgent else Tone.DIM
    return one.text, tone
