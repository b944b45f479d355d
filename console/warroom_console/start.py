"""Starting the console: the first frame from few imports, the rest behind it, then the room.

What the replica holds is shown before any server is asked. Errors leave the screen first and are
one sentence then.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from contextlib import AsyncExitStack
from importlib import import_module
from typing import TYPE_CHECKING

from .lazily import without
from .places import PlaceError, Places
from .saying import (
    BAD_INPUT,
    REFUSED,
    UNREACHABLE,
    Denied,
    Failure,
    Unreachable,
    ascii_only as wants_ascii,
    fail,
    unusable,
)

if TYPE_CHECKING:
    from .app import Console
    from .desk import Desk
    from .theme import Look

ADVICE = "start one with `warroom serve`, name one with --server, or look around in `warroom demo`"

BEHIND = (
    "warroom_incident.vocabulary",
    "warroom_incident.incident",
    "warroom_console.desk",
    "warroom_console.screens.base",
    "warroom_console.screens.room",
    "warroom_console.verbs.all",
)
"""Imported behind the first frame, one after the other, so that keys get in between."""

FIRST_WITHIN = 2.0
"""How long an incident that the replica knows nothing of waits for a server, in seconds."""

_SWITCH_AFTER = 0.001
"""After how many seconds a thread at work lets the others in."""

SETTLED_AFTER = 1.0
"""When a start is over, in seconds after the room was shown."""


def join(incident: str, server: str = "") -> int:
    """Open the console in an incident and return the exit code.

    Raises:
        Failure: It cannot be opened.
    """
    _need_terminal(incident)
    return run(_places(server), incident)


def lobby(server: str = "") -> int:
    """Open the console in the lobby, if there is any room to show, and return the exit code.

    Raises:
        Failure: It cannot be opened.
    """
    from .contact import NoServer, Unwelcome, candidates, first_contact, known_room
    from .known import Known

    places = _places(server)
    servers = candidates(places)
    if known_room(places, servers) is None:
        try:
            answered, welcome = asyncio.run(first_contact(places, servers))
        except NoServer as error:
            raise Unreachable(f"{str(error).rstrip('.')}: {ADVICE}.") from None
        except Unwelcome as error:
            raise Denied(str(error)) from None
        if places.replica is None:
            Known(places.state).remember(answered.url, welcome.room)
    _need_terminal()
    return run(places, None)


def _places(server: str) -> Places:
    try:
        return Places.find(server)
    except PlaceError as error:
        raise Failure(str(error)) from None


def _need_terminal(incident: str = "INC") -> None:
    is_dumb = os.environ.get("TERM") == "dumb"
    if is_dumb or not (sys.stdin.isatty() and sys.stdout.isatty()):
        lack = "a terminal that can move its cursor (TERM is dumb)" if is_dumb else "a terminal"
        raise Failure(
            f"The console needs {lack}: without one, use `warroom tail {incident[:40]}`, "
            "`warroom list` and the other commands."
        )


def run(
    places: Places, incident: str | None, *, ascii_only: bool = False, headless: bool = False
) -> int:
    """Open the console in the lobby, or in an incident, and return the exit code.

    Args:
        places: The user's settings.
        incident: What somebody calls the incident: `INC-7`, `7`, or its stream.
        ascii_only: Draw with nothing but ASCII, as is done where the terminal takes no UTF-8.
        headless: Draw nothing at all.
    """
    # Nearly all that a start makes stays; to look through it again and again takes a tenth of it.
    gc.disable()
    # What a thread works out must not keep a key waiting.
    sys.setswitchinterval(_SWITCH_AFTER)
    without("textual.command")  # its palette is switched off; its widgets take 15 ms and 1 MiB
    from .theme import choose_look

    plain = ascii_only or wants_ascii() or "utf" not in (sys.stdout.encoding or "utf-8").lower()
    try:
        look = choose_look(os.environ, ascii_only=plain)
        return asyncio.run(_run(places, incident, look, headless=headless))
    except Exception as error:
        code = _code_of(error)
        if code is None:
            raise
        said = unusable(error, places.state) if isinstance(error, OSError) else str(error)
        return _fail(said, code)


def _code_of(error: Exception) -> int | None:
    """The exit code of what may go wrong; None for what nobody foresaw."""
    from warroom_incident.schema import StorageError

    from .contact import NoServer, Unwelcome
    from .desk import OtherRoom
    from .naming import NoIncident

    match error:
        case NoServer():
            return UNREACHABLE
        case Unwelcome() | OtherRoom():
            return REFUSED
        case NoIncident() | StorageError() | OSError():
            return BAD_INPUT
        case _:
            return None


async def _run(places: Places, incident: str | None, look: Look, *, headless: bool = False) -> int:
    from .app import Console

    async with AsyncExitStack() as stack:
        start = _Start(places, incident, stack)
        app = Console(look=look, called=incident, opened=start.open)
        await app.run_async(mouse=False, headless=headless)
        if start.failed is not None:
            raise start.failed
        return app.return_code or 0


class _Start:
    """One start: opens the desk while the first frame is on the terminal.

    The desk is closed by `stack`, when the screen has gone. `failed` is why there is none.
    """

    def __init__(self, places: Places, incident: str | None, stack: AsyncExitStack) -> None:
        self._places = places
        self._incident = incident
        self._stack = stack
        self.failed: Exception | None = None

    async def open(self, app: Console) -> None:
        """Import what is left, open the desk, show the room and connect."""
        try:
            for name in BEHIND:
                import_module(name)
                await asyncio.sleep(0)
            desk, stream = await self._arrive()
            await app.enter(desk, stream)
        except Exception as error:
            self.failed = error
            app.exit()
        else:
            app.call_after_refresh(desk.connect)
            app.set_timer(SETTLED_AFTER, _settle)

    async def _arrive(self) -> tuple[Desk, str | None]:
        from .desk import OtherRoom

        try:
            return await self._sit_down()
        except OtherRoom:
            # The address is known anew by now, so the second visit goes to the right replica.
            return await self._sit_down()

    async def _sit_down(self) -> tuple[Desk, str | None]:
        from .desk import Desk

        async with AsyncExitStack() as stack:
            desk = await stack.enter_async_context(Desk(self._places, connect=False))
            stream = None
            if self._incident is not None:
                stream = await _find(desk, self._incident)
                await _read(desk, stream)
            self._stack.push_async_callback(stack.pop_all().aclose)
            return desk, stream


def _settle() -> None:
    """Drop what only the start needed, and look no more through what stays."""
    gc.collect()
    gc.freeze()
    gc.enable()


async def _find(desk: Desk, incident: str) -> str:
    from .contact import NoServer, Unwelcome
    from .naming import NoIncident

    try:
        return desk.resolve(incident)
    except NoIncident:
        # The replica may be older than the incident.
        desk.connect()
        await desk.ready()
        if desk.model.link.phase == "stopped":
            raise Unwelcome(desk.model.link.reason) from None
        if not desk.has_picture:
            raise NoServer(f"No warroom server: {desk.model.link.reason}: {ADVICE}.") from None
        return desk.resolve(incident)


async def _read(desk: Desk, stream: str) -> None:
    """Read an incident; wait for a server where nothing of it is kept here."""
    await desk.open(stream)
    if desk.model.incident(stream).declared is None:
        desk.connect()
        await desk.until(lambda: stream in desk.model.current or desk.offline, FIRST_WITHIN)


def _fail(sentence: str, code: int) -> int:
    fail(sentence)
    return code
