"""Commands that write: declare, note, set, role."""

from __future__ import annotations

import sys

import click

from warroom_incident.clean import clean_line
from warroom_incident.practice.roles import parse_role
from warroom_incident.practice.severity import parse_severity
from warroom_incident.practice.status import parse_status
from warroom_incident.reducers import Body
from warroom_incident.vocabulary import (
    NoteAdded,
    RoleAssigned,
    SeverityName,
    SeveritySet,
    StatusName,
    StatusSet,
    TitleSet,
)

from .desk import Desk
from .errand import follow, settle, visit
from .link import wall_ms
from .naming import known_name
from .saying import Failure, err, out
from .when import age, clock, parse_when

MAX_TITLE = 240
MAX_NOTE = 12_000
MAX_NAME = 80
NUMBER_WITHIN = 3.0

FAR_MS = 3 * 3_600_000
"""A note that is dated back by more than this says which time it took."""


@click.command("declare")
@click.argument("title")
@click.option("--severity", metavar="SEV", help="SEV1 to SEV5; without, it is undetermined.")
@click.option("--drill", is_flag=True, help="It is an exercise, and says so everywhere.")
def declare_command(title: str, severity: str | None, drill: bool) -> None:
    """Declare an incident and print its id, alone on a line."""
    wanted = _limited(title, "title", MAX_TITLE)
    level = _severity(severity) if severity is not None else None

    async def work(desk: Desk) -> None:
        stream = desk.declare(wanted, level, drill=drill)
        state = desk.model.incident(stream)
        events = list(state.events.values())
        if desk.model.live:
            await desk.until(lambda: ("number",) in state.registers or desk.offline, NUMBER_WITHIN)
        out(desk.model.incident(stream).number)
        sys.stdout.flush()
        await settle(desk, events)

    visit(work)


@click.command("note")
@click.argument("incident", metavar="INC")
@click.argument("text", nargs=-1, required=True)
@click.option("--at", "at", metavar="TIME", help="When it happened: 14:02 (UTC), -10m, RFC 3339.")
def note_command(incident: str, text: tuple[str, ...], at: str | None) -> None:
    """Add a note to the timeline.

    With `-` as TEXT it is read from standard input.
    """
    said = _standard_input() if text == ("-",) else " ".join(text)
    wanted = _limited(said, "note", MAX_NOTE)
    happened = _when(at) if at is not None else None

    async def work(desk: Desk) -> None:
        stream = await follow(desk, incident)
        if happened is not None and (dated := _far(happened, desk.load(stream).started_at)):
            err(dated)
        await settle(desk, [desk.write(stream, NoteAdded(text=wanted, at=happened))])

    visit(work)


def _far(at: int, started: int | None) -> str:
    """What to say of a time that may not be the one that was meant; nothing of a likely one."""
    now = wall_ms()
    if now - at > FAR_MS:
        return f"Dated {clock(at, now)}, {age(now - at)} before now."
    if started is not None and at < started:
        return f"Dated {clock(at, now)}, {age(started - at)} before the incident began."
    return ""


@click.command("set")
@click.argument("incident", metavar="INC")
@click.option("--severity", metavar="SEV", help="SEV1 to SEV5, or SEV? for undetermined.")
@click.option("--status", metavar="STATUS", help="investigating, identified, mitigated, …")
@click.option("--title", metavar="T", help="What is broken, in one line.")
def set_command(incident: str, severity: str | None, status: str | None, title: str | None) -> None:
    """Set an incident's severity, status or title."""
    bodies: list[Body] = []
    if title is not None:
        bodies.append(TitleSet(title=_limited(title, "title", MAX_TITLE)))
    if severity is not None:
        bodies.append(SeveritySet(severity=_severity(severity)))
    if status is not None:
        bodies.append(StatusSet(status=_status(status)))
    if not bodies:
        raise Failure("Nothing to set: give --severity, --status or --title.")

    async def work(desk: Desk) -> None:
        stream = await follow(desk, incident)
        await settle(desk, desk.write_all(stream, bodies))

    visit(work)


@click.command("role")
@click.argument("incident", metavar="INC")
@click.argument("role")
@click.argument("person", required=False)
@click.option("--clear", is_flag=True, help="Release the role.")
def role_command(incident: str, role: str, person: str | None, clear: bool) -> None:
    """Give a role to a person, or release it with --clear."""
    if (person is None) != clear:
        raise Failure("Say who gets the role, or --clear to release it.")
    try:
        wanted = parse_role(role).id
    except ValueError as error:
        raise Failure(str(error)) from None
    holder = _person(person) if person is not None else None

    async def work(desk: Desk) -> None:
        stream = await follow(desk, incident)
        if clear and desk.model.incident(stream).holder(wanted) is None:
            err(f"Nobody holds the role of {wanted}: nothing was changed.")
            return
        name = holder and known_name(holder, known_people(desk, stream))
        await settle(desk, [desk.write(stream, RoleAssigned(role=wanted, person=name))])

    visit(work)


def known_people(desk: Desk, stream: str) -> set[str]:
    """Who is here, and who wrote in an incident."""
    here = {person.name for person in desk.model.people}
    return here | set(desk.model.incident(stream).people())


# Reading arguments ---------------------------------------------------------------------------


def _limited(text: str, noun: str, most: int) -> str:
    """A text without the space around it, if it is one that can be stored."""
    text = text.strip()
    if not clean_line(text).strip():
        raise Failure(f"The {noun} is empty: say something.")
    if len(text) > most:
        raise Failure(f"The {noun} has {len(text):,} characters; {most:,} is the most.")
    _check_text(text, noun)
    return text


def _check_text(text: str, noun: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Failure(f"The {noun} is not UTF-8 text: write it in UTF-8.") from None


def _person(name: str) -> str:
    name = _limited(name, "name", MAX_NAME)
    if clean_line(name) != name:
        raise Failure("The name holds characters that no name has: write it plainly.")
    return name


def _severity(text: str) -> SeverityName:
    try:
        return parse_severity(text).id
    except ValueError as error:
        raise Failure(str(error)) from None


def _status(text: str) -> StatusName:
    try:
        return parse_status(text).id
    except ValueError as error:
        raise Failure(str(error)) from None


def _when(text: str) -> int:
    try:
        return parse_when(text, wall_ms())
    except ValueError as error:
        raise Failure(str(error)) from None


def _standard_input() -> str:
    """Standard input as text, read no further than a note may be long."""
    raw = sys.stdin.buffer.read(MAX_NOTE * 4 + 1)
    if len(raw) > MAX_NOTE * 4:
        raise Failure(
            f"The note has more than {MAX_NOTE * 4:,} bytes; {MAX_NOTE:,} characters are the most."
        )
    return raw.decode("utf-8", "replace")
