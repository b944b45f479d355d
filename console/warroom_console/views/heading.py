"""What the header and the idle prompt row say: the incident, its clock, the link, who is here."""

from __future__ import annotations

from warroom_console.context import Room
from warroom_console.theme import Tone
from warroom_console.times import HOUR, age, clock, elapsed, short
from warroom_console.views import refused
from warroom_console.views.board import severity_tone
from warroom_console.views.due import away, due_list
from warroom_console.widgets.header import Heading
from warroom_console.widgets.spans import Line, Span, abridge, cut, width_of
from warroom_incident.clean import cells, clean_line
from warroom_incident.practice.status import status_of
from warroom_incident.reducers import Right
from warroom_incident.vocabulary import SeveritySet

_LONGEST_DUE = 64
_LONGEST_REASON = 41
_NARROW = 70
_LEAST_TITLE = 12
_SHORT_TITLE = 20
_MOST_HOURS = 96
_TRIP = len(" 300ms ")
_GAPS = 6
"""Blanks between the header's parts and at its ends."""

WIDE = 100
"""From this width on, the header names the people who are here."""


def room_heading(room: Room, width: int) -> Heading:
    """The header of an incident: `INC-42 SEV1 title 00:42:10 IC ana … ● 38ms 14:02Z`."""
    state = room.state
    number: Span = (f"{state.number} ", Tone.ACCENT)
    severity: Span = (_severity(room), severity_tone(state.severity))
    banner = "DRILL" if state.drill else ""
    rest = _state(room)
    least = min(_LEAST_TITLE, cells(clean_line(state.title)))
    tails = _tails(room, width)
    left = width - width_of((number, severity, *rest)) - _GAPS - (len(banner) + 2 if banner else 0)
    short = min(_SHORT_TITLE, cells(clean_line(state.title)))
    beside = _beside(
        room, width, left - least - width_of(tails[0]), left - short - width_of(tails[-1])
    )
    right = (*beside, *rest)
    left -= width_of(beside) + cells(clean_line(state.title))
    tail = next((tail for tail in tails if width_of(tail) <= left), tails[-1])
    return Heading((number, severity), state.title, tail, right, banner)


def _severity(room: Room) -> str:
    """The severity; while it is not settled, every one that was set: `SEV1/3?`."""
    state = room.state
    set_ = [event.body for event in state.heads(("severity",))]
    others = {body.severity for body in set_ if isinstance(body, SeveritySet)} - {state.severity}
    if not others:
        return state.severity
    return "/".join((state.severity, *sorted(each[3:] for each in others))).rstrip("?") + "?"


def _tails(room: Room, width: int) -> list[Line]:
    """Clock, commander, status and conflicts; then without the status, then without seconds."""
    status: Line = ((f" {room.state.status}", Tone.DIM),)
    conflicts = len(room.state.conflicts())
    word = "conflict" if conflicts == 1 else "conflicts"
    rest: Line = ((f" {conflicts} {word}", Tone.WARN),) if conflicts else ()
    # That it is over is no news to be dropped.
    least = status if status_of(room.state.status).over else ()
    commander = _commander(room, width)
    return [
        ((f" {time} ", Tone.TEXT), *commander, *told, *rest)
        for time, told in ((_clock(room), status), (_clock(room), least), (_coarse(room), least))
    ]


def lobby_heading(room: Room, width: int) -> Heading:
    """The header of the lobby."""
    lead, tail = (("warroom", Tone.ACCENT),), ((" lobby", Tone.TEXT),)
    rest = _state(room)
    left = width - width_of((*lead, *tail, *rest)) - _GAPS
    return Heading(lead, "", tail, (*_beside(room, width, left, left), *rest))


def _lasted(room: Room) -> int | None:
    """How long it has lasted, in milliseconds."""
    state = room.state
    if state.started_at is None:
        return None
    ended = state.ended_at
    return (room.now() if ended is None else ended) - state.started_at


def _clock(room: Room) -> str:
    lasted = _lasted(room)
    return "--:--:--" if lasted is None else elapsed(lasted)


def _coarse(room: Room) -> str:
    lasted = _lasted(room)
    if lasted is None:
        return "--"
    hours = lasted // HOUR
    return f"{hours}h" if 24 <= hours < _MOST_HOURS else age(lasted)


def _commander(room: Room, width: int) -> Line:
    commander = room.state.holder("commander")
    if commander is None:
        return (("IC VACANT", Tone.BAD),)
    # On a shared account the name says who it is; the account has room on wide screens.
    called = commander if width >= WIDE else commander.partition(" (")[0] or commander
    name = clean_line(called, 16)
    if away(room, commander):
        return (("IC ", Tone.DIM), (name, Tone.TEXT), (" away", Tone.WARN))
    return (("IC ", Tone.DIM), (name, Tone.TEXT))


def _people(room: Room, width: int) -> Line:
    """Who is here: in this incident by name where there is room, else how many."""
    people = room.model.people
    if not room.model.live or not people:
        return ()
    here = [person.name for person in people if person.where == (room.stream or person.where)]
    if not here or width < _NARROW:
        return ()
    if width < WIDE:
        return ((f"{len(here)} here  ", Tone.DIM),)
    most = 3 if width < 2 * WIDE else 8
    names = " ".join(clean_line(name, 12) for name in here[:most])
    more = f" +{len(here) - most}" if len(here) > most else ""
    return ((f"{names}{more}  ", Tone.DIM),)


def _beside(room: Room, width: int, left: int, at_most: int) -> Line:
    """Who is here, and whether one machine alone holds the room, in what the rest leaves free.

    How many are here gives way to the latter, and so do seconds and most of the title, which
    leave `at_most`: all hangs on one disk. Names give way to nothing but the title.
    """
    people, alone = _people(room, width), _alone(room)
    for found, free in (((*alone, *people), left), (alone, max(left, at_most))):
        if found and width_of(found) <= free:
            return found
    return people


def _alone(room: Room) -> Line:
    """That no other machine holds the room: with this one's disk all of it would be gone."""
    if not room.model.live or room.model.machines != 1:
        return ()
    return (("one machine  ", Tone.DIM),)


def link(room: Room) -> Line:
    """The link: live with its round trip, or what is wrong and how old the picture is."""
    glyphs, state = room.glyphs, room.model.link
    unsent = len(room.model.pending)
    kept: Line = ((f"{glyphs.pending} {unsent}  ", Tone.WARN),) if unsent else ()
    match state.phase:
        case "live" if state.quiet_since is not None:
            silent = short(_own_now(room) - state.quiet_since)
            return (*kept, (f"{glyphs.retry} no answer {silent}", Tone.WARN))
        case "live" if (since := room.model.stale.get(room.stream or "")) is not None:
            old = short(_own_now(room) - since)
            return (*kept, (f"{glyphs.retry} catching up", Tone.WARN), (f" {old} old", Tone.DIM))
        case "live":
            trip = "" if state.rtt_ms is None else f" {state.rtt_ms}ms"
            return (*kept, (glyphs.live, Tone.GOOD), (trip, Tone.DIM))
        case "stopped":
            return (*kept, (f"{glyphs.lost} stopped", Tone.BAD), *_picture(room))
        case "connecting":
            return (*kept, (f"{glyphs.retry} connecting", Tone.WARN), *_picture(room))
        case _:
            wait = state.next_try_at
            left = "" if wait is None else f" {max(0, -(-(wait - _own_now(room)) // 1000))}s"
            return (*kept, (f"{glyphs.retry} retry{left}", Tone.WARN), *_picture(room))


def _own_now(room: Room) -> int:
    """This machine's clock, which the link's own times are told in."""
    return room.now() - room.model.link.offset_ms


def _picture(room: Room) -> Line:
    """How old what is shown is."""
    heard = room.model.link.heard_at or room.model.as_of
    if heard is None:
        return ()
    return ((f" {short(_own_now(room) - heard)} old", Tone.DIM),)


def _state(room: Room) -> Line:
    """The link and the time; what stands left of them does not move from 3 ms to 300."""
    found = link(room)
    trip = found[-1][0]
    gap = max(1, _TRIP - len(trip)) if trip.endswith("ms") else 2
    return (*found, (f"{' ' * gap}{clock(room.now())}Z", Tone.DIM))


# The idle prompt row -----------------------------------------------------------------------


def idle_line(room: Room) -> Line:
    """The most urgent of: the link, what is still to be read, what is due."""
    if sentence := _link_sentence(room):
        return sentence
    behind = room.model.behind.get(room.stream or "", 0)
    if room.model.live and room.stream not in room.model.synced and behind:
        return ((f"reading: {behind:,} entries are still to come", Tone.DIM),)
    found = due_list(room)
    if not found:
        return ()
    first = found[0]
    line: Line = ((_sentence(cut(first.text, _LONGEST_DUE, room.glyphs.more)), first.tone),)
    if first.key and (not first.act or room.model.right.covers(Right.RESPONDER)):
        line = (*line, (f"   {first.key}", Tone.ACCENT), (f" {first.does}", Tone.DIM))
    if len(found) > 1:
        line = (*line, ("   0", Tone.ACCENT), (f" lists {len(found)}", Tone.DIM))
    return line


def lobby_idle(room: Room) -> Line:
    """The link when it is not live, else what to do here."""
    if line := _link_sentence(room):
        return line
    if room.model.trouble:
        return ((room.model.trouble, Tone.BAD),)
    for text, _ in refused.sentences(room):
        said = _sentence(abridge(text, _LONGEST_DUE, room.glyphs.more))
        return ((said, Tone.BAD), ("   F", Tone.ACCENT), (" sees to it", Tone.DIM))
    opened = age(room.now() - room.model.joined_at)
    return ((f"you are {room.model.you}, here for {opened}", Tone.DIM),) if room.model.you else ()


def _link_sentence(room: Room) -> Line:
    state = room.model.link
    if state.phase in ("live", "connecting") or not state.reason:
        return ()
    if state.phase == "stopped":
        return ((_sentence(state.reason), Tone.BAD), *_retry())
    reason = _sentence(state.reason)
    if cells(reason) > _LONGEST_REASON and state.server:
        # Which server it was, `:server` tells; what is wrong with it must be read here.
        reason = _sentence(state.reason.replace(state.server, "the server"))
    reason = cut(reason, _LONGEST_REASON, room.glyphs.more)
    kept: Line = (("; go on, all is kept here", Tone.WARN),) if room.model.you else ()
    return ((reason, Tone.WARN), *kept, *_retry())


def _retry() -> Line:
    return (("  R", Tone.ACCENT), (" try now", Tone.DIM))


def _sentence(text: str) -> str:
    first = text.partition(" ")[0]
    head = text[:1] if ":" in first else text[:1].upper()  # an address stays as it is
    return head + text[1:].rstrip(".")
