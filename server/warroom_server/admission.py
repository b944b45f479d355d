"""The admission door: who may write what. Guards live here and in the console, never in state."""

from __future__ import annotations

from collections.abc import Collection

from warroom_incident.clean import clean_line
from warroom_incident.event import ROOM, Event
from warroom_incident.fold import Fold
from warroom_incident.incident import IncidentState
from warroom_incident.reducers import Right
from warroom_incident.vocabulary import (
    AlertChanged,
    IncidentNumbered,
    NoteEdited,
    NoteStruck,
    ServerListed,
    SilenceAnswered,
    SilenceAsked,
    StatusSet,
    TokenCreated,
    Unknown,
    WindowOpened,
)
from warroom_incident.windows import check_matchers

from .identity import Who, is_plain_name, may_sign
from .intake.kinds import KINDS

MAX_WINDOW_MS = 366 * 86_400_000
"""The longest that a window lasts: what hides alerts is looked at again."""

SERVERS_ONLY = (IncidentNumbered, AlertChanged, ServerListed, SilenceAnswered)


class Refusal(Exception):
    """The event is not admitted; the message is one sentence for its author."""


class Unshown(Refusal):
    """Its author did not send it here: its refusal is nobody else's business."""


def check(
    event: Event, who: Who, right: Right, state: Fold, kinds: Collection[str] | None = None
) -> None:
    """Let an event in, or raise `Refusal`.

    Args:
        event: An event that passed the door check.
        who: Who sent it.
        right: What they may do now.
        state: The stream as it stands.
        kinds: Of senders whose alerts this server reads; None for those of every server.
    """
    if not may_sign(who.caller, event.head.by):
        raise Unshown(f"this event says it is by {event.head.by}, but you are {who.name}")
    if isinstance(event.body, SERVERS_ONLY):
        raise Refusal(f"only a server writes {event.head.type}")
    if not right.covers(event.body.needs):
        raise Refusal(f"your account may only read here ({right.value}); ask an admin")
    if event.head.stream == ROOM and not right.covers(Right.ADMIN):
        raise Refusal("only an admin changes accounts and tokens")
    if isinstance(event.body, Unknown) and not right.covers(Right.RESPONDER):
        raise Refusal("your account may only read here; ask an admin")
    if (
        isinstance(event.body, TokenCreated)
        and event.body.right
        and not is_plain_name(event.body.name)
    ):
        raise Refusal("a token to join with is named after its holder: letters, digits, dot, dash")
    kinds = KINDS if kinds is None else kinds
    if isinstance(event.body, TokenCreated) and event.body.kind not in (None, *kinds):
        kind = clean_line(event.body.kind or "", 40)
        raise Refusal(f"this server reads no kind “{kind}”: `warroom intake kinds` lists them")
    if isinstance(event.body, WindowOpened):
        _check_window(event.body)
    if isinstance(event.body, WindowOpened | SilenceAsked):
        reason = check_matchers(event.body.matchers)
        if reason is not None:
            raise Refusal(reason)
    if isinstance(state, IncidentState):
        _check_incident(event, right, state)


def _check_window(body: WindowOpened) -> None:
    if body.ends_at <= body.starts_at:
        raise Refusal("a window ends after it begins")
    if body.ends_at - body.starts_at > MAX_WINDOW_MS:
        raise Refusal(f"a window lasts {MAX_WINDOW_MS // 86_400_000} days at the most; renew it")


def _check_incident(event: Event, right: Right, state: IncidentState) -> None:
    body, author = event.body, event.head.by
    if isinstance(body, StatusSet) and body.status == "closed":
        commander = state.holder("commander")
        if commander not in (None, author) and not right.covers(Right.COMMANDER):
            raise Refusal(f"only the incident commander ({commander}) closes the incident")
    if isinstance(body, NoteEdited | NoteStruck):
        target = state.events.get(body.target)
        if target is not None and target.head.by != author:
            raise Refusal(f"only {target.head.by}, who wrote the note, may change it")
