"""One command's visit to the room: open the desk, wait for the present, do the work, leave."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import click
from msgspec.structs import replace

from warroom_incident.catchup import Digest
from warroom_incident.clean import clean_line
from warroom_incident.door import DoorError
from warroom_incident.event import Event
from warroom_incident.schema import StorageError

from .contact import NoServer, Unwelcome
from .desk import Desk, OtherRoom
from .link import wall_ms
from .meanwhile import is_worth_opening, sentences
from .naming import NoIncident
from .pen import NotAllowed
from .places import PlaceError, Places
from .saying import Denied, Failure, Unreachable, err, unusable
from .start import ADVICE
from .when import clock

T = TypeVar("T")
Work = Callable[[Desk], Awaitable[T]]

READY_WITHIN = 8.0
ANSWER_WITHIN = 5.0
OUTBOX_WITHIN = 2.0
"""How long a command waits for the answers to what earlier ones left in the outbox, in seconds."""

INTERRUPTED = 130
TERMINATED = 143


def find_places() -> Places:
    """The settings for this command, with `--server` from the command line.

    Raises:
        Failure: One of them cannot be used.
    """
    context = click.get_current_context(silent=True)
    server = context.meta.get("warroom.server", "") if context is not None else ""
    try:
        return Places.find(server)
    except PlaceError as error:
        raise Failure(str(error)) from None


def visit(work: Work[T], *, board: bool = False) -> T:
    """Do a command's work at a desk, with a server or from the replica.

    Raises:
        Failure: It cannot be done.
    """
    places = find_places()
    try:
        return asyncio.run(_visit(places, work, board=board))
    except asyncio.CancelledError:
        raise click.exceptions.Exit(TERMINATED) from None
    except KeyboardInterrupt:
        raise click.exceptions.Exit(INTERRUPTED) from None


async def _visit(places: Places, work: Work[T], *, board: bool) -> T:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await _at_desk(places, work, board=board)
    except OtherRoom:
        pass  # the address is known anew by now, so the second visit goes to the right replica
    try:
        return await _at_desk(places, work, board=board)
    except OtherRoom as error:
        raise Failure(str(error)) from None


async def _at_desk(places: Places, work: Work[T], *, board: bool) -> T:
    try:
        async with Desk(places, board=board) as desk:
            await desk.ready(READY_WITHIN)
            link = desk.model.link
            if link.phase == "stopped":
                raise Denied(link.reason)
            if not desk.has_picture:
                raise Unreachable(f"{sentence(link.reason)}: {ADVICE}.")
            await desk.sent(within=OUTBOX_WITHIN)
            return await work(desk)
    except NoServer as error:
        raise Unreachable(f"{str(error).rstrip('.')}: {ADVICE}.") from None
    except Unwelcome as error:
        raise Denied(str(error)) from None
    except NoIncident as error:
        raise Failure(str(error)) from None
    except NotAllowed as error:
        raise Denied(str(error)) from None
    except DoorError as error:
        raise Failure(sentence(str(error))) from None
    except StorageError as error:
        raise Failure(str(error)) from None
    except BrokenPipeError:
        raise  # whoever read our output has seen enough
    except OSError as error:
        raise Failure(unusable(error, places.state)) from None


async def follow(desk: Desk, name: str) -> str:
    """Follow the incident that somebody names up to its present, and return its stream."""
    stream = desk.resolve(name)
    await desk.open(stream)
    await desk.ready(READY_WITHIN)
    return stream


async def follow_whole(desk: Desk, name: str) -> str:
    """Follow the incident that somebody names with all its history, and return its stream.

    Raises:
        Unreachable: Only its line in the list was ever heard of, and no server answers.
    """
    stream = await follow(desk, name)
    if desk.fresh:
        await desk.complete(stream)
    if not desk.fresh and desk.load(stream).declared is None:
        number = desk.model.summaries[stream].id
        raise Unreachable(
            f"{number} was never opened on this machine, and no server can be reached "
            f"({_lower(desk.model.link.reason)}): try again when one is back."
        )
    return stream


def say_age(desk: Desk) -> None:
    """Say on standard error how old a picture is that no server confirmed."""
    model = desk.model
    if desk.fresh:
        return
    if model.live:
        err("The server has not sent everything yet: this may be incomplete.")
        return
    since = f" as it was at {clock(model.as_of, wall_ms())}" if model.as_of is not None else ""
    err(f"No server can be reached ({_lower(model.link.reason)}): this is the picture{since}.")


def say_meanwhile(desk: Desk, stream: str, said: Digest | None = None) -> None:
    """Say on standard error what happened in an incident since this machine last looked.

    What was `said` of the same absence is not said again.
    """
    digest = desk.model.digests.get(stream)
    if digest is None or not is_worth_opening(digest):
        return
    is_same = said is not None and said.since == digest.since
    known = said.news if said is not None and is_same else ()
    new = [one for one in digest.news if one not in known]
    lines = sentences(replace(digest, news=tuple(new))) if new else []
    for line in lines[1:] if is_same else lines:
        err(f"-- {clean_line(line)}")


async def settle(desk: Desk, events: Iterable[Event]) -> None:
    """Wait until events are sent or at least kept; say what became of them.

    Raises:
        Denied: The server refused one; its text is kept.
        Unreachable: Nobody has taken it, neither a server nor the disk.
    """
    written = list(events)
    sent = await desk.sent([event.id for event in written], ANSWER_WITHIN)
    if sent.refused:
        reason = next(iter(sent.refused.values()))
        raise Denied(
            f"The server refused it ({reason.rstrip('.')}): what you wrote is kept in "
            f"{desk.refused_directory}."
        )
    if not sent.waiting:
        return
    if not desk.keeps(sent.waiting):
        raise Unreachable(
            "No server can be reached and this machine's disk takes nothing: it was not kept."
        )
    err(
        f"Kept on this machine, not sent yet ({_lower(desk.model.link.reason) or 'no answer'}): "
        "any later warroom command or console sends it."
    )


def sentence(text: str) -> str:
    """A reason as the beginning of a sentence; an address there stays as it was written."""
    text = text.strip()
    if "://" in text.partition(" ")[0]:
        return text
    return text[:1].upper() + text[1:]


def _lower(text: str) -> str:
    return text.strip().rstrip(".")
