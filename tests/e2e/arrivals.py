"""Waiting until what somebody wrote is known: to a server, or at another console."""

from tests.waiting import wait_for
from warroom_console.desk import Desk
from warroom_incident.event import Event

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
