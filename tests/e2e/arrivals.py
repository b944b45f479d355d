"""Waiting until what somebody wrote is known: to a server, or at another console."""

from tests.waiting import wait_for
from warroom_console.desk import Desk
from warroom_incident.event import Event
from warroom_incident.vocabulary import NoteAdded, RoleAssigned

WITHIN = 15.0


async def join(stream: str, *desks: Desk) -> None:
    """Open an incident at desks, each as soon as it has heard of it."""
    for desk in desks:
        await _hear_of(stream, desk)
        await desk.open(stream)


async def _hear_of(stream: str, desk: Desk) -> None:
    await wait_for(lambda: stream in desk.model.summaries, "the incident")


async def acknowledged(desk: Desk, event: Event | None = None, within: float = WITHIN) -> None:
    """Wait until a server has an event that a desk wrote, or all of them."""
    await wait_for(
        lambda: not (desk.model.pending & {event.id} if event else desk.model.pending),
        "the server's acknowledgement",
        within,
    )


async def arrived(event: Event, desk: Desk) -> None:
    """Wait until an event of an incident is at a desk."""
    await wait_for(
        lambda: event.id in desk.model.incident(event.head.stream).events,
        f"what is written, at {desk.model.you}'s console",
    )


async def numbered(stream: str, desk: Desk, number: int) -> None:
    """Wait until the line of an incident at a desk has its number."""
    await wait_for(
        lambda: desk.model.summaries[stream].id == f"INC-{number}", f"the number {number}"
    )


async def shows(desk: Desk, *expected: tuple[str, str]) -> None:
    """Wait until a console's board says this of keys and states, and nothing else."""
    await wait_for(
        lambda: sorted((r.key, r.state) for r in desk.model.records.values()) == sorted(expected),
        f"{expected} on the board",
        30,
    )


async def declared_by_two(ana: Desk, bo: Desk) -> str:
    """An incident that two consoles follow, with a number and something from each; its stream."""
    assert await ana.ready()
    assert await bo.ready()
    stream = ana.declare("checkout answers 5xx", "SEV2")
    await bo.open(stream)
    ana.write(stream, RoleAssigned(role="commander", person="ana"))
    for number in range(40):
        (ana if number % 2 else bo).write(stream, NoteAdded(text=f"note {number}"))
    await wait_for(
        lambda: (
            not ana.model.pending | bo.model.pending
            and ana.model.incident(stream).set_digest() == bo.model.incident(stream).set_digest()
            and ana.model.incident(stream).number == "INC-1"
        ),
        "both consoles hold the same",
        30,
    )
    return stream
