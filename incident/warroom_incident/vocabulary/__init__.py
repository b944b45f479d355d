"""The event vocabulary: every type of event, as one frozen struct each, by the stream it is in.

A type is a past-tense dotted word. It never changes its meaning, its register or its required
fields once released; new fields are optional. Each struct says how it is reduced (its base class),
and who may write it (`needs`). Types that this version does not know are kept as `Unknown`.

Texts are limited here, at the door, so that no view has to defend itself against size.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from ..reducers import Append, Body
from .board import (
    BOARD_TYPES as BOARD_TYPES,
    AlertAcknowledged as AlertAcknowledged,
    AlertAssigned as AlertAssigned,
    AlertEnded as AlertEnded,
    AlertMarked as AlertMarked,
    Noise as Noise,
    SilenceAnswered as SilenceAnswered,
    SilenceAsked as SilenceAsked,
    SilenceEnded as SilenceEnded,
    WindowEnded as WindowEnded,
    WindowOpened as WindowOpened,
)
from .incident import (
    INCIDENT_TYPES as INCIDENT_TYPES,
    AlertChanged as AlertChanged,
    AlertLinked as AlertLinked,
    ChecklistAttached as ChecklistAttached,
    DraftOpened as DraftOpened,
    DraftReadied as DraftReadied,
    DraftSaved as DraftSaved,
    EntryStarred as EntryStarred,
    ImpactField as ImpactField,
    ImpactSet as ImpactSet,
    IncidentDeclared as IncidentDeclared,
    IncidentNumbered as IncidentNumbered,
    NoteAdded as NoteAdded,
    NoteEdited as NoteEdited,
    NoteStruck as NoteStruck,
    RoleAssigned as RoleAssigned,
    SeverityName as SeverityName,
    SeveritySet as SeveritySet,
    StatusName as StatusName,
    StatusSet as StatusSet,
    StepNoted as StepNoted,
    StepOwned as StepOwned,
    StepSet as StepSet,
    StepState as StepState,
    TitleSet as TitleSet,
)
from .room import (
    ROOM_TYPES as ROOM_TYPES,
    MemberGranted as MemberGranted,
    RightName as RightName,
    ServerListed as ServerListed,
    StandbyListed as StandbyListed,
    TokenCreated as TokenCreated,
    TokenRevoked as TokenRevoked,
)


class Unknown(Append, frozen=True):
    """An event of a newer vocabulary: kept, forwarded, and shown as such."""


TYPES: dict[str, type[Body]] = {t.type: t for t in INCIDENT_TYPES + BOARD_TYPES + ROOM_TYPES}
"""Every known type by its name."""

_decoders: dict[str, Callable[[bytes], Body]] = {}
"""Made when they are needed: most incidents have events of few types."""

_unknown = Unknown()


def decode_body(type_name: str, raw: bytes) -> Body:
    """Return what an event says.

    Raises:
        msgspec.ValidationError: The type is known and the body does not fit it.
    """
    decode = _decoders.get(type_name)
    if decode is None:
        kind = TYPES.get(type_name)
        if kind is None:
            return _unknown
        decode = _decoders[type_name] = msgspec.json.Decoder(kind).decode
    return decode(raw)


def types_of(stream: str) -> tuple[type[Body], ...]:
    """The types that belong in a stream."""
    match stream:
        case "board":
            return BOARD_TYPES
        case "room":
            return ROOM_TYPES
        case _:
            return INCIDENT_TYPES
