"""The clipboard: text to the terminal's, by the way that works where the console runs.

    said = await put(text, write=driver.write, environ=os.environ)

Inside tmux that is `tmux load-buffer -w -`, which reaches the outer terminal's clipboard as well;
elsewhere an OSC 52 sequence through the driver. A terminal never says whether it took one, so the
sentence that comes back tells what was done and what to do when nothing can be pasted. Text is
cleaned first: pasted into a shell it holds no control, no end of a bracketed paste, and no line end
that would run it at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from warroom_incident.clean import clean

if TYPE_CHECKING:
    from textual.app import App

MOST_BYTES = 74_994
"""The most text that an OSC 52 sequence may carry: terminals drop sequences of over 100,000."""

TMUX_WITHIN = 1.5
"""How long tmux may take, in seconds."""

BARE = "press B to select it by hand"

_SCREEN_CHUNK = 250
_BUFFER = ("load-buffer", "-w", "-")
_OLD_BUFFER = ("load-buffer", "-")  # tmux before 3.2 knows no -w


class Way(Enum):
    """How text gets from here to the terminal's clipboard."""

    TMUX = auto()
    OSC = auto()
    OSC_IN_SCREEN = auto()
    NONE = auto()


def way(environ: Mapping[str, str]) -> Way:
    """The way for a terminal, from its environment (`TERM`, `TMUX`, `STY`)."""
    term = environ.get("TERM", "")
    if term in ("", "dumb"):
        return Way.NONE
    if environ.get("TMUX"):
        return Way.TMUX
    if environ.get("STY"):
        return Way.OSC_IN_SCREEN
    return Way.OSC


def pasteable(text: str) -> str:
    """Return what may be pasted anywhere: cleaned, without blank lines at its ends."""
    return clean(text).strip("\n")


async def put(
    text: str,
    *,
    write: Callable[[str], object],
    environ: Mapping[str, str] = os.environ,
    what: str = "It",
) -> str:
    """Put text on the clipboard and return one sentence on how that went.

    Args:
        text: Any text; it is cleaned here.
        write: Takes a string to the terminal as it is.
        environ: The environment that names the terminal.
        what: What the sentence calls the text, e.g. `The command`.
    """
    text = pasteable(text)
    if not text:
        return "There is nothing to copy."
    match way(environ):
        case Way.NONE:
            return f"This terminal has no clipboard: {BARE}."
        case Way.TMUX:
            if await _load_buffer(text, environ):
                return f"{what} is in the tmux buffer: paste it with prefix ]."
            return _by_sequence(text, what, write, _through_tmux)
        case Way.OSC_IN_SCREEN:
            return _by_sequence(text, what, write, _through_screen)
        case Way.OSC:
            return _by_sequence(text, what, write, lambda sequence: sequence)


async def copy(text: str, what: str, app: App[Any]) -> str:
    """Put text on the clipboard of the terminal that an app runs in; say how that went."""

    def write(sequence: str) -> None:
        if app._driver is not None:
            app._driver.write(sequence)

    return await put(text, write=write, what=what)


def _by_sequence(
    text: str, what: str, write: Callable[[str], object], wrapped: Callable[[str], str]
) -> str:
    raw = text.encode()
    if len(raw) > MOST_BYTES:
        size = len(raw) // 1024
        return f"{what} is too long for the terminal's clipboard ({size} KiB): {BARE}."
    write(wrapped(f"\x1b]52;c;{b64encode(raw).decode()}\x07"))
    return f"{what} went to the terminal's clipboard; if nothing can be pasted, {BARE}."


def _through_tmux(sequence: str) -> str:
    return f"\x1bPtmux;{sequence.replace(chr(27), chr(27) * 2)}\x1b\\"


def _through_screen(sequence: str) -> str:
    """Wrap a sequence for GNU screen, which passes short strings only."""
    chunks = (sequence[at : at + _SCREEN_CHUNK] for at in range(0, len(sequence), _SCREEN_CHUNK))
    return "".join(f"\x1bP{chunk}\x1b\\" for chunk in chunks)


async def _load_buffer(text: str, environ: Mapping[str, str]) -> bool:
    return await _tmux(_BUFFER, text, environ) or await _tmux(_OLD_BUFFER, text, environ)


async def _tmux(arguments: Sequence[str], text: str, environ: Mapping[str, str]) -> bool:
    """Run tmux with text on its standard input; say whether it took it."""
    try:
        process = await asyncio.create_subprocess_exec(
            "tmux",
            *arguments,
            env=dict(environ),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return False
    try:
        async with asyncio.timeout(TMUX_WITHIN):
            await process.communicate(text.encode())
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    return process.returncode == 0
