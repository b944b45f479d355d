"""`python -m screenshots`: draw the demo's room at three sizes, as SVG and PNG beside this file."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from textual.pilot import Pilot

from warroom_console.app import Console
from warroom_console.theme import Look

from .picture import picture
from .still import Still

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture: its name, size in cells, second of the script, and the keys pressed before it.

    `scale` is how many pixels of the PNG a unit of the SVG takes.
    """

    name: str
    size: tuple[int, int]
    second: float
    keys: tuple[str, ...] = ()
    scale: int = 2


SHOTS = (
    Shot("room-80x24", (80, 24), 57),
    Shot("room-120x40", (120, 40), 57, ("4", ">")),
    Shot("room-200x60", (200, 60), 72, ("5",), scale=1),
)


async def take(shot: Shot) -> str:
    """Return a picture as SVG."""
    desk = Still("checkout", shot.second)
    console = Console(desk, desk.stream, Look())
    async with console.run_test(size=shot.size) as pilot:
        await _settled(pilot)
        for key in shot.keys:
            await pilot.press(key)
            await _settled(pilot)
        return picture(console.screen._compositor.render_strips(), shot.size[0])


async def _settled(pilot: Pilot[None]) -> None:
    for _ in range(3):
        await pilot.pause()


def _to_png(svg: str, path: Path, scale: int) -> None:
    # Its package has no type hints.
    cairosvg = import_module("cairosvg")
    cairosvg.svg2png(bytestring=svg.encode(), write_to=str(path), scale=scale)


def main(names: list[str]) -> None:
    """Draw the pictures of these names, or all."""
    # A picture is the same whoever takes it.
    for name in ("NO_COLOR", "COLORTERM", "WARROOM_DATA"):
        os.environ.pop(name, None)
    os.environ["TERM"] = "xterm-256color"
    for shot in SHOTS:
        if names and shot.name not in names:
            continue
        svg = asyncio.run(take(shot))
        (HERE / f"{shot.name}.svg").write_text(svg, encoding="utf-8")
        _to_png(svg, HERE / f"{shot.name}.png", shot.scale)
        sys.stdout.write(f"screenshots/{shot.name}.svg .png\n")


if __name__ == "__main__":
    main(sys.argv[1:])
