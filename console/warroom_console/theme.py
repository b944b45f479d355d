"""How the console looks: tones (what a text means), palettes (how a tone is drawn) and glyphs.

Views never name a colour. They say `Tone.SEV1` or `Tone.DIM`, and the palette in force decides:
256 colours on a dark or a light ground, the terminal's own 16, or attributes alone under NO_COLOR.
A tone never carries a meaning that the text beside it does not carry too.

Public names: `Tone`, `Surface`, `Palette`, `Glyphs`, `Look`, `choose_look`, `look_of`, `THEMES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct
from rich.style import Style
from textual.theme import Theme

if TYPE_CHECKING:
    from textual.message_pump import MessagePump


class Tone(StrEnum):
    """What a piece of text means to the reader."""

    TEXT = "text"
    STRONG = "strong"
    DIM = "dim"
    FAINT = "faint"
    """Rules, ghosts and what may be overlooked."""
    ACCENT = "accent"
    """Where the reader is, and what a key does."""
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    SEV1 = "sev1"
    SEV2 = "sev2"
    SEV3 = "sev3"
    SEV4 = "sev4"
    SEV5 = "sev5"
    SEVX = "sev?"
    """Severity not yet determined."""
    CARET = "caret"
    """The cell that the next typed character goes to."""
    ALARM = "alarm"
    """A whole banner that must be seen: a drill, a paged person."""


class Surface(StrEnum):
    """What a piece of text lies on."""

    BASE = "base"
    CURSOR = "cursor"
    BAR = "bar"
    """The header row and the key bar."""
    SHEET = "sheet"
    """Menus, help and other overlays."""


class Palette(Struct, frozen=True, eq=False):
    """One way to draw every tone on every surface.

    Tones and surfaces are rich styles in words, in which `52` stands for colour 52 of the 256.
    `cursor_wins` says that the cursor's own colours hide those of the text, as they must where only
    sixteen colours, or none, are left to tell the row apart.
    """

    name: str
    tones: Mapping[Tone, str]
    surfaces: Mapping[Surface, str]
    cursor_wins: bool = False

    def style(self, tone: Tone, surface: Surface = Surface.BASE) -> Style:
        """Return the complete style of `tone` on `surface`."""
        ground, ink = parsed(self.surfaces[surface]), parsed(self.tones[tone])
        if self.cursor_wins and surface is Surface.CURSOR:
            return ink + ground
        return ground + ink


@cache
def parsed(text: str) -> Style:
    """Parse a style in which `52` stands for colour 52 of the 256, as its exact RGB value.

    Exact values survive the trip through Textual's filters and come out as the same index.
    """
    return Style.parse(_exact(text))


def _exact(text: str) -> str:
    return " ".join(_rgb(int(word)) if word.isdigit() else word for word in text.split())


def _rgb(index: int) -> str:
    if index >= 232:
        level = 8 + (index - 232) * 10
        return f"#{level:02x}{level:02x}{level:02x}"
    cube = index - 16
    steps = (0, 95, 135, 175, 215, 255)
    red, green, blue = steps[cube // 36], steps[cube // 6 % 6], steps[cube % 6]
    return f"#{red:02x}{green:02x}{blue:02x}"


DARK = Palette(
    "warroom-dark",
    {
        Tone.TEXT: "252",
        Tone.STRONG: "bold 255",
        Tone.DIM: "246",
        Tone.FAINT: "240",
        Tone.ACCENT: "bold 110",
        Tone.GOOD: "73",
        Tone.WARN: "179",
        Tone.BAD: "bold 209",
        Tone.SEV1: "bold 231 on 124",
        Tone.SEV2: "bold 209",
        Tone.SEV3: "179",
        Tone.SEV4: "110",
        Tone.SEV5: "246",
        Tone.SEVX: "bold 176",
        Tone.CARET: "234 on 110",
        Tone.ALARM: "bold 234 on 179",
    },
    {
        Surface.BASE: "252 on 234",
        Surface.CURSOR: "252 on 238",
        Surface.BAR: "252 on 236",
        Surface.SHEET: "252 on 235",
    },
)

LIGHT = Palette(
    "warroom-light",
    {
        Tone.TEXT: "236",
        Tone.STRONG: "bold 232",
        Tone.DIM: "241",
        Tone.FAINT: "249",
        Tone.ACCENT: "bold 25",
        Tone.GOOD: "23",
        Tone.WARN: "94",
        Tone.BAD: "bold 130",
        Tone.SEV1: "bold 231 on 124",
        Tone.SEV2: "bold 130",
        Tone.SEV3: "94",
        Tone.SEV4: "25",
        Tone.SEV5: "241",
        Tone.SEVX: "bold 90",
        Tone.CARET: "231 on 25",
        Tone.ALARM: "bold 231 on 94",
    },
    {
        Surface.BASE: "236 on 255",
        Surface.CURSOR: "236 on 252",
        Surface.BAR: "236 on 253",
        Surface.SHEET: "236 on 254",
    },
)

ANSI = Palette(
    "warroom-16",
    {
        Tone.TEXT: "default",
        Tone.STRONG: "bold",
        Tone.DIM: "default",
        Tone.FAINT: "bright_black",
        Tone.ACCENT: "bold cyan",
        Tone.GOOD: "cyan",
        Tone.WARN: "yellow",
        Tone.BAD: "bold red",
        Tone.SEV1: "bold white on red",
        Tone.SEV2: "bold red",
        Tone.SEV3: "yellow",
        Tone.SEV4: "cyan",
        Tone.SEV5: "default",
        Tone.SEVX: "bold magenta",
        Tone.CARET: "reverse",
        Tone.ALARM: "bold black on yellow",
    },
    {
        Surface.BASE: "default on default",
        Surface.CURSOR: "bold white on blue",
        Surface.BAR: "default on default",
        Surface.SHEET: "default on default",
    },
    cursor_wins=True,
)

MONO = Palette(
    "warroom-mono",
    {
        Tone.TEXT: "",
        Tone.STRONG: "bold",
        Tone.DIM: "",
        Tone.FAINT: "dim",
        Tone.ACCENT: "bold",
        Tone.GOOD: "",
        Tone.WARN: "bold",
        Tone.BAD: "bold",
        Tone.SEV1: "bold reverse",
        Tone.SEV2: "bold underline",
        Tone.SEV3: "bold",
        Tone.SEV4: "",
        Tone.SEV5: "dim",
        Tone.SEVX: "bold underline",
        Tone.CARET: "reverse",
        Tone.ALARM: "bold reverse",
    },
    {
        Surface.BASE: "",
        Surface.CURSOR: "reverse not dim",
        Surface.BAR: "",
        Surface.SHEET: "",
    },
    cursor_wins=True,
)


def _theme(palette: Palette, *, dark: bool) -> Theme:
    """Return the Textual theme whose ground and ink match `palette`."""
    ground, bar = palette.surfaces[Surface.BASE], palette.surfaces[Surface.BAR]

    def color(text: str, *, back: bool = False) -> str:
        style = parsed(text)
        found = style.bgcolor if back else style.color
        return found.name if found is not None else "ansi_default"

    return Theme(
        name=palette.name,
        dark=dark,
        primary=color(palette.tones[Tone.ACCENT]),
        warning=color(palette.tones[Tone.WARN]),
        error=color(palette.tones[Tone.BAD]),
        success=color(palette.tones[Tone.GOOD]),
        foreground=color(ground),
        background=color(ground, back=True),
        surface=color(ground, back=True),
        panel=color(bar, back=True),
        variables={
            "input-selection-background": color(palette.surfaces[Surface.CURSOR], back=True),
        },
    )


THEMES = (_theme(DARK, dark=True), _theme(LIGHT, dark=False))
"""Textual themes to register; the 16-colour and attribute palettes run on Textual's `ansi-dark`."""


class Glyphs(Struct, frozen=True):
    """Every character that the console draws and that a plain ASCII terminal lacks."""

    pending: str = "○"
    """In my outbox only."""
    durable: str = "●"
    """Durable on the server."""
    held: str = "◉"
    """Held by another machine too."""
    live: str = "●"
    retry: str = "◌"
    lost: str = "✕"
    new: str = "▲"
    tail: str = "▼"
    rule: str = "─"
    rule_on: str = "━"
    bar: str = "│"
    join_down: str = "┬"
    join_left: str = "┤"
    join_right: str = "├"
    cross: str = "┼"
    top_left: str = "┌"
    top_right: str = "┐"
    bottom_left: str = "└"
    bottom_right: str = "┘"
    cursor: str = "▌"
    mark: str = "◆"
    arrow: str = "→"
    dot: str = "·"
    more: str = "…"
    star: str = "★"
    folded: str = "▸"
    unfolded: str = "▾"
    bars: str = " ▁▂▃▄▅▆▇█"
    """How high a value is, in steps from none to the most."""
    todo: str = "[ ]"
    doing: str = "[>]"
    done: str = "[x]"
    skipped: str = "[-]"


ASCII = Glyphs(
    pending="o",
    durable="*",
    held="@",
    live="*",
    retry="~",
    lost="x",
    new="^",
    tail="v",
    rule="-",
    rule_on="=",
    bar="|",
    join_down="+",
    join_left="+",
    join_right="+",
    cross="+",
    top_left="+",
    top_right="+",
    bottom_left="+",
    bottom_right="+",
    cursor=">",
    mark="#",
    arrow="->",
    dot="-",
    more="~",
    star="*",
    folded="+",
    unfolded="-",
    bars=" .:-=+*#@",
)
"""The same, for terminals and fonts that have nothing but ASCII."""


class Look(Struct, frozen=True):
    """The palette and the glyphs in force."""

    palette: Palette = DARK
    glyphs: Glyphs = Glyphs()

    @property
    def ansi(self) -> bool:
        """Say whether Textual must pass the terminal's own colours through."""
        return self.palette in (ANSI, MONO)

    @property
    def dark(self) -> bool:
        """Say whether the ground is dark, as that of a terminal's own colours is taken to be."""
        return self.palette is not LIGHT

    @property
    def theme(self) -> str:
        """Name the Textual theme that goes with this look."""
        return "ansi-dark" if self.ansi else self.palette.name


DEFAULT_LOOK = Look()


def choose_look(
    environ: Mapping[str, str], *, theme: str = "dark", ascii_only: bool = False
) -> Look:
    """Pick the look for a terminal from its environment (`NO_COLOR`, `TERM`, `COLORTERM`).

    `theme` is "dark" or "light". A terminal that does not say it has 256 colours gets its own 16;
    `dumb` gets attributes alone.
    """
    glyphs = ASCII if ascii_only else Glyphs()
    term = environ.get("TERM", "")
    if "NO_COLOR" in environ or term in ("", "dumb"):
        return Look(MONO, glyphs)
    many = "256color" in term or "direct" in term or "kitty" in term or environ.get("COLORTERM")
    if not many:
        return Look(ANSI, glyphs)
    return Look(LIGHT if theme == "light" else DARK, glyphs)


def look_of(node: MessagePump) -> Look:
    """Return the look of the app that `node` runs in."""
    look = getattr(node.app, "look", None)
    return look if isinstance(look, Look) else DEFAULT_LOOK
