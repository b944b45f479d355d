"""The state of the `board` stream: what people did to alerts, in any incident or none.

Times are integer milliseconds. Nothing here looks at a clock: who asks says what time it is.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from .event import Event
from .fields import Matcher
from .fold import Fold
from .vocabulary import (
    AlertAcknowledged,
    AlertAssigned,
    AlertEnded,
    AlertMarked,
    Noise,
    SilenceAnswered,
    SilenceAsked,
    WindowOpened,
)

MOST_PRESENT = 2_000
"""Of what was done to single alerts, so much is sent first to a console that joins."""


class Acknowledged(Struct, frozen=True):
    """Who took an alert on, when, and until when (None: to its end)."""

    by: str
    at: int
    until: int | None = None


class Assigned(Struct, frozen=True):
    """To whom an alert was given, by whom and when."""

    person: str
    by: str
    at: int


class Marked(Struct, frozen=True):
    """Why somebody called an alert noise, who and when."""

    noise: Noise
    by: str
    at: int


class Ended(Struct, frozen=True):
    """Who says that an alert is over, or (not `over`) that it is not, and when.

    `heard` is when its source had last spoken of it; `told` whether a server has taken that in.
    """

    over: bool
    by: str
    at: int
    heard: int
    told: bool


class Window(Struct, frozen=True):
    """A maintenance window or a suppression rule that is not over. `at` is when it was opened."""

    window: str
    kind: Literal["maintenance", "suppression"]
    why: str
    matchers: tuple[Matcher, ...]
    starts_at: int
    ends_at: int
    by: str
    at: int

    def holds(self, now: int) -> bool:
        """Whether it hides alerts now."""
        return self.starts_at <= now < self.ends_at


SilenceState = Literal["asked", "active", "ending", "expired", "failed"]


class Silence(Struct, frozen=True):
    """A silence at a source, as far as it got.

    `asked` and `ending` wait for the source's answer. `source_id` is its id there, `reason` why
    the last request failed.
    """

    silence: str
    alertmanager: str
    matchers: tuple[Matcher, ...]
    ends_at: int
    comment: str
    incident: str
    by: str
    at: int
    state: SilenceState
    source_id: str = ""
    reason: str = ""


_OF_ONE_ALERT = ("ack", "assigned", "noise", "ended")


class BoardState(Fold):
    """What people did to alerts."""

    def present(self) -> list[str]:
        """As in `Fold`; of what was done to single alerts the newest.

        The alerts of most of it are long over. A console has it with the history.
        """
        done = [
            (event.order, id_)
            for kind in _OF_ONE_ALERT
            for key in self.keys(kind)
            for id_, event in self.registers[key].heads.items()
        ]
        old = {id_ for _, id_ in sorted(done)[:-MOST_PRESENT]}
        return [id_ for id_ in super().present() if id_ not in old]

    def _said(self, register: str, name: str) -> Event | None:
        heads = self.heads((register, name))
        return heads[0] if heads else None

    def acknowledged(self, uid: str, now: int = 0) -> Acknowledged | None:
        """Who has acknowledged an alert episode, None while nobody has or when it has run out.

        Who says that it is over has taken it on until a server has heard that.
        """
        if (over := self.ended(uid)) is not None and over.over and not over.told:
            return Acknowledged(over.by, over.at)
        event = self._said("ack", uid)
        if event is None or not isinstance(event.body, AlertAcknowledged):
            return None
        until = event.body.until
        if not event.body.acknowledged or (until is not None and until <= now):
            return None
        return Acknowledged(event.head.by, event.shown_at, until)

    def assigned(self, uid: str) -> Assigned | None:
        """Who is to look after an alert episode, None for nobody."""
        event = self._said("assigned", uid)
        if event is None or not isinstance(event.body, AlertAssigned) or not event.body.person:
            return None
        return Assigned(event.body.person, event.head.by, event.shown_at)

    def noise(self, uid: str) -> Marked | None:
        """Why an alert episode was noise, None where nobody says so."""
        event = self._said("noise", uid)
        if event is None or not isinstance(event.body, AlertMarked) or not event.body.noise:
            return None
        return Marked(event.body.noise, event.head.by, event.shown_at)

    def ended(self, uid: str) -> Ended | None:
        """What people say of an alert episode's end, None where nobody says anything."""
        event = self._said("ended", uid)
        if event is None or not isinstance(event.body, AlertEnded):
            return None
        body = event.body
        told = event.admitted is not None
        return Ended(body.ended, event.head.by, event.shown_at, body.heard, told)

    def marks(self) -> dict[str, Marked]:
        """Every alert episode that somebody called noise."""
        uids = (key[1] for key in self.keys("noise"))
        return {uid: marked for uid in uids if (marked := self.noise(uid)) is not None}

    def windows(self, now: int) -> list[Window]:
        """The windows that hold or are still to come; those that end first come first."""
        found = []
        for event in self.entries.get(WindowOpened.type, {}).values():
            body = event.body
            if not isinstance(body, WindowOpened) or body.ends_at <= now:
                continue
            if self._said("window.end", body.window) is None:
                found.append(
                    Window(
                        body.window,
                        body.kind,
                        body.why,
                        body.matchers,
                        body.starts_at,
                        body.ends_at,
                        event.head.by,
                        event.shown_at,
                    )
                )
        return sorted(found, key=lambda window: (window.ends_at, window.window))

    def silence(self, name: str) -> Silence | None:
        """One silence that was asked for."""
        for event in self.entries.get(SilenceAsked.type, {}).values():
            if isinstance(event.body, SilenceAsked) and event.body.silence == name:
                return self._silence(event, event.body)
        return None

    def silences(self, after: int = 0) -> list[Silence]:
        """The silences that were asked for up to a time after this one, the newest first."""
        found = [
            self._silence(event, event.body)
            for event in self.entries.get(SilenceAsked.type, {}).values()
            if isinstance(event.body, SilenceAsked) and event.body.ends_at > after
        ]
        return sorted(found, key=lambda silence: (-silence.at, silence.silence))

    def _silence(self, event: Event, body: SilenceAsked) -> Silence:
        heard = self._said("silence.answer", body.silence)
        answer = heard.body if heard is not None else None
        state: SilenceState = "asked"
        source_id = reason = ""
        if isinstance(answer, SilenceAnswered):
            state, source_id, reason = answer.state, answer.source_id, answer.reason
        if state in ("asked", "active") and self._said("silence.end", body.silence) is not None:
            state = "ending"
        return Silence(
            body.silence,
            body.alertmanager,
            body.matchers,
            body.ends_at,
            body.comment,
            body.incident,
            event.head.by,
            event.shown_at,
            state,
            source_id,
            reason,
        )
