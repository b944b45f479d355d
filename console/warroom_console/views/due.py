"""What is due in an incident: one list, the most urgent first.

Until machinery for large incidents is asked for, only these speak: what of one's own was lost,
what people disagree about, nobody in command, nobody's judgement of the severity, and alerts that
nobody has taken on.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from warroom_console.context import Room
from warroom_console.theme import Tone
from warroom_console.times import age
from warroom_console.views import refused
from warroom_console.views.beats import late_beats
from warroom_console.views.board import picture_of
from warroom_incident.practice.roles import role_of
from warroom_incident.practice.status import status_of
from warroom_incident.practice.words import counted
from warroom_incident.reducers import Key


class Due(Struct, frozen=True):
    """One thing to see to.

    `act` is the action that sees to it, `key` how it is pressed and `does` what that does; `panel`
    and `row` say where it lies, 0 and nothing if nowhere.
    """

    text: str
    tone: Tone = Tone.WARN
    act: str = ""
    key: str = ""
    does: str = ""
    panel: int = 0
    row: str = ""


_MOST_RUN_OUT = 3

_FIELDS = {
    "status": "the status",
    "severity": "the severity",
    "title": "the title",
    "number": "the number",
}


def due_list(room: Room) -> list[Due]:
    """Everything that is due, the most urgent first."""
    if room.stream is None:
        return [*_lost(room), *_paths(room)]
    if status_of(room.state.status).over:
        return [*_lost(room), *_silences(room)]
    return [
        *_lost(room),
        *_disagreements(room),
        *_vacant(room),
        *_unjudged(room),
        *_firing(room),
        *_offered(room),
        *_silences(room),
        *_paths(room),
    ]


def subject(key: Key) -> str:
    """What a register is about, in words."""
    match key:
        case ("impact", field):
            return f"the impact ({field.replace('_', ' ')})"
        case ("role", role):
            return f"who is {role_of(role).spoken}"
        case (name, *_):
            return _FIELDS.get(name, name)
        case _:
            return "something"


def _lost(room: Room) -> Iterator[Due]:
    if room.model.trouble:
        yield Due(room.model.trouble, Tone.BAD)
    for text, event_id in refused.sentences(room):
        yield Due(text, Tone.BAD, "refused", "F", "sees to it", panel=2, row=event_id)


def _disagreements(room: Room) -> Iterator[Due]:
    for conflict in room.state.conflicts():
        text = f"people disagree about {subject(conflict.key)}"
        yield Due(text, Tone.WARN, "incident.settle", "i o", "settles it")
    for draft in room.state.drafts():
        if len(draft.versions) > 1:
            yield Due(f"“{draft.title}” was saved twice unseen", Tone.WARN, panel=5, row=draft.id)


def _vacant(room: Room) -> Iterator[Due]:
    commander = room.state.holder("commander")
    if commander is None:
        yield Due("nobody is in command", Tone.BAD, "incident.command", "i c", "takes command")
    elif away(room, commander):
        yield Due(
            f"the commander, {commander}, is not here",
            Tone.WARN,
            "incident.command",
            "i c",
            "takes command",
        )


def away(room: Room, person: str) -> bool:
    """Whether a person has no console open, as far as a connected server knows."""
    return room.model.live and all(other.name != person for other in room.model.people)


def _unjudged(room: Room) -> Iterator[Due]:
    if room.state.severity == "SEV?":
        yield Due(
            "nobody has judged the severity", Tone.WARN, "incident.severity", "i s", "sets it"
        )


def _firing(room: Room) -> Iterator[Due]:
    picture = picture_of(room)
    waiting = picture.waiting
    for record, acked in picture.run_out[:_MOST_RUN_OUT]:
        if record.uid in picture.own or acked.by == room.model.you:
            text = f"“{record.title}” fires still, and {acked.by}'s time for it is over"
            yield Due(text, Tone.WARN, "", ".", "shows it", 1, record.uid)
    for first, count, where in (
        (waiting.first_own, len(waiting.own), "of this incident"),
        (waiting.first_loose, len(waiting.loose), "in no incident"),
    ):
        if first is not None:
            yield _alerts_due(first.uid, count, where)


def _offered(room: Room) -> Iterator[Due]:
    offer = picture_of(room).offer(room.stream)
    if offer.uids:
        look = counted(len(offer.uids), "more alert looks", "more alerts look")
        text = f"{look} like part of this"
        yield Due(text, Tone.WARN, "", ".", "shows it", 1, offer.uids[0])


def _silences(room: Room) -> Iterator[Due]:
    """What became of silences at the source; when all is over, those of ours that still hold."""
    now = room.now()
    own = [one for one in room.model.board.silences(now) if one.incident == room.stream]
    failed = [one for one in own if one.state == "failed"]
    if failed:
        yield Due(f"{failed[0].alertmanager} did not silence: {failed[0].reason}", Tone.WARN)
    held = [one for one in own if one.state == "active"]
    if held and status_of(room.state.status).over:
        hide = counted(len(held), "silence of ours hides", "silences of ours hide")
        yield Due(f"{hide} alerts still", Tone.WARN, "silences.expire", "! e",
                  "ends them")  # fmt: skip


def _paths(room: Room) -> Iterator[Due]:
    late = late_beats(room)
    if late:
        heard = age(room.now() - late[0].last_seen)
        yield Due(f"nothing from the alert path {late[0].key} for {heard}", Tone.WARN)


def _alerts_due(first: str, count: int, where: str) -> Due:
    text = (
        f"{counted(count, 'alert')} {where} {'fires' if count == 1 else 'fire'}, taken on by nobody"
    )
    return Due(text, Tone.WARN, "", ".", "shows it", 1, first)
