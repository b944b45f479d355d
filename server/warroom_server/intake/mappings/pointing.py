"""How a mapping names a place in a body: a JSON Pointer, a text with pointers in it, a constant.

`/monitor/name` points (RFC 6901), `^/version` points into the whole body where the alert is one
of a list, `{/host}!{/service}` is a text with pointers, `@ce-type` is a header, `=web` is the text
"web" itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..reading.body import text_of

_INSIDE = re.compile(r"\{(\^?/[^{}]*|@[a-zA-Z0-9-]+)\}")
_INDEX = re.compile(r"0|[1-9][0-9]{0,5}")
_HEADER = re.compile(r"@[a-zA-Z0-9-]{1,60}")
_OPENING, _CLOSING = "([{", ")]}"
_JOINING = " :;,./|!-\u2013\u2014()[]{}"
_ESCAPES = re.compile(r"~(?![01])")


class BadPointer(ValueError):
    """A text names no place; the message completes "…: it ..."."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What pointers point into: one alert, the whole body that it came in, the headers."""

    alert: object
    whole: object
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Pointer:
    """One place in a body or among its headers."""

    text: str
    steps: tuple[str, ...] = ()
    outer: bool = False
    header: str = ""

    def find(self, ground: Ground) -> object:
        """Return the value there, None where there is nothing."""
        if self.header:
            return ground.headers.get(self.header)
        value = ground.whole if self.outer else ground.alert
        for step in self.steps:
            match value:
                case dict():
                    value = value.get(step)
                case list() if _INDEX.fullmatch(step) and int(step) < len(value):
                    value = value[int(step)]
                case _:
                    return None
        return value


def pointer(text: str) -> Pointer:
    """Read a pointer. Raises BadPointer."""
    if text.startswith("@"):
        if not _HEADER.fullmatch(text):
            raise BadPointer(f'"{text}" names no header: write @x-name')
        return Pointer(text, header=text[1:].casefold())
    inner = text.removeprefix("^")
    if inner and not inner.startswith("/"):
        raise BadPointer(f'"{text}" is no JSON Pointer: begin it with /')
    if _ESCAPES.search(inner):
        raise BadPointer(f'"{text}" is no JSON Pointer: write ~ as ~0 and / in a name as ~1')
    steps = tuple(s.replace("~1", "/").replace("~0", "~") for s in inner.split("/")[1:])
    return Pointer(text, steps, outer=text.startswith("^"))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text comes from: pieces in their order, each a pointer or a constant."""

    pieces: tuple[Pointer | str, ...]

    def find(self, ground: Ground) -> object:
        """Return the value of a single pointer as it is, else the text."""
        if len(self.pieces) == 1 and isinstance(self.pieces[0], Pointer):
            return self.pieces[0].find(ground)
        return self.text(ground)

    def text(self, ground: Ground) -> str:
        """Return the text; empty where none of its pointers finds anything."""
        parts: list[str] = []
        says = not any(isinstance(piece, Pointer) for piece in self.pieces)
        for piece in self.pieces:
            part = piece if isinstance(piece, str) else text_of(piece.find(ground)).strip()
            says = says or (isinstance(piece, Pointer) and bool(part))
            parts.append(part)
        return "".join(parts) if says else ""

    def tidy(self, ground: Ground) -> str:
        """Return the text for people: where a pointer finds nothing, nothing joins it."""
        if len(self.pieces) == 1 or not self.text(ground):
            return self.text(ground)
        said = joint = ""
        is_first = found = True
        for piece in self.pieces:
            if isinstance(piece, str):
                joint = piece
                continue
            part = text_of(piece.find(ground)).strip()
            if part:
                said += (joint if said or is_first else _words_of(joint)) + part
                joint = ""
            is_first, found = False, bool(part)
        if not found or isinstance(self.pieces[-1], Pointer):
            return said
        is_open = any(bracket in said for bracket in _OPENING)
        return said + (joint if is_open else joint.lstrip(_CLOSING))


def _words_of(joint: str) -> str:
    """What is left of a text between two places when there is nothing before it."""
    return joint.lstrip(_JOINING) if any(letter.isalpha() for letter in joint) else ""


def place(text: str) -> Place:
    """Read a place. Raises BadPointer."""
    if text.startswith("="):
        return Place((text[1:],))
    if text.startswith(("/", "^/", "@")):
        return Place((pointer(text),))
    pieces: list[Pointer | str] = []
    at = 0
    for found in _INSIDE.finditer(text):
        if found.start() > at:
            pieces.append(text[at : found.start()])
        pieces.append(pointer(found[1]))
        at = found.end()
    if not any(isinstance(piece, Pointer) for piece in pieces):
        raise BadPointer(
            f'"{text}" points nowhere: write /name, a text with {{/name}} in it, or =constant'
        )
    if text[at:]:
        pieces.append(text[at:])
    return Place(tuple(pieces))


def first_text(places: Sequence[Place], ground: Ground, *, tidy: bool = False) -> str:
    """Return the first of these that says something; `tidy` is how people read it."""
    for each in places:
        text = each.tidy(ground) if tidy else each.text(ground)
        if text.strip():
            return text
    return ""
