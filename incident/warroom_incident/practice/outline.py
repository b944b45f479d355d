"""A Markdown text as an outline: its headings, list items and code blocks, with where they stand.

Only shapes, no judgement: what of it is a step is decided in `runbook`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

_FRONT_MATTER = re.compile(
    r"\A\ufeff?(---|\+\+\+)[ \t]*\n(?=[\w\"'-]+[ \t]*[:=])(.*?)^\1[ \t]*(?:\n|\Z)", re.S | re.M
)
_FRONT_TITLE = re.compile(r"^title[ \t]*[:=][ \t]*(.+?)[ \t]*$", re.M)
_TASK = re.compile(r"\[[ xX]\]\s+")
_HINT = re.compile(
    r"(?:expect(?:ed (?:output|result))?|rollback|undo|role|owner|time ?box|if not|otherwise)\s*:",
    re.I,
)


@dataclass(slots=True)
class Part:
    """A piece of a Markdown text, in the order of the text.

    `sections` are the headings above it, outermost first and without the text's title; of a
    heading, it is the last of them. `lines` is its text without markup, first what it says, then
    its details; of a heading, the paragraphs below it. `commands` are the code blocks that belong
    to it, as (language, text); a `fence` is a code block that stands in no list item. `above` is
    the list item around a list item. `inline` holds its inline code.
    """

    kind: Literal["heading", "item", "fence"]
    sections: tuple[str, ...]
    ordered: bool = False
    task: bool = False
    above: "Part | None" = None
    lines: list[str] = field(default_factory=list)
    commands: list[tuple[str, str]] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)


class Outline(Struct, frozen=True):
    """The title a text gives itself, or "", and its parts."""

    title: str
    parts: tuple[Part, ...]


def outline(text: str) -> Outline:
    """Return the outline of a Markdown text. Total: every text has one."""
    from markdown_it import MarkdownIt  # only who reads a runbook pays for the parser

    text = text.replace("\r\n", "\n")
    title = ""
    if front := _FRONT_MATTER.match(text):
        if named := _FRONT_TITLE.search(front[2]):
            title = named[1].strip("\"'")
        text = text[front.end() :]
    walk = _Walk()
    parts = tuple(walk.parts(MarkdownIt("commonmark").parse(text)))
    return Outline(title or walk.title, parts)


class _Walk:
    """One pass over the parser's flat tokens."""

    def __init__(self) -> None:
        self.title = ""
        self._heading: Part | None = None
        self._headings: list[tuple[int, str]] = []
        self._ordered: list[bool] = []
        self._items: list[Part] = []
        self._lead = ""

    def parts(self, tokens: "Sequence[Token]") -> Iterator[Part]:
        for before, token in zip([None, *tokens], tokens, strict=False):
            match token.type:
                case "ordered_list_open" | "bullet_list_open":
                    self._ordered.append(token.type == "ordered_list_open")
                case "ordered_list_close" | "bullet_list_close":
                    self._ordered.pop()
                    self._lead = ""
                case "list_item_open":
                    yield self._open_item()
                case "list_item_close":
                    self._items.pop()
                case "inline" if before and before.type == "heading_open":
                    yield from self._open_section(int(before.tag[1:]), token)
                case "inline":
                    self._paragraph(token)
                case "fence":
                    yield from self._fence(token)
                case _:
                    pass

    def _sections(self) -> tuple[str, ...]:
        return tuple(text for _, text in self._headings)

    def _open_item(self) -> Part:
        above = self._items[-1] if self._items else None
        item = Part("item", self._sections(), ordered=self._ordered[-1], above=above)
        self._items.append(item)
        return item

    def _open_section(self, level: int, token: "Token") -> Iterator[Part]:
        if self._items:
            self._paragraph(token)
            return
        text = " ".join(_plain_lines(token))
        self._lead = ""
        if level == 1 and self._heading is None and not self.title:
            self.title = text
            return
        while self._headings and self._headings[-1][0] >= level:
            self._headings.pop()
        self._headings.append((level, text))
        self._heading = Part("heading", self._sections())
        yield self._heading

    def _paragraph(self, token: "Token") -> None:
        lines = _plain_lines(token)
        if not self._items:
            self._lead = " ".join(lines)
            if self._heading:
                self._heading.lines += lines
            return
        if _leads_elsewhere_in_the_page(token):
            return
        item = self._items[-1]
        if not item.lines and (mark := _TASK.match(lines[0])):
            item.task = True
            lines[0] = lines[0][mark.end() :]
        item.lines += [*lines, *_links(token)]
        item.inline += [c.content for c in token.children or () if c.type == "code_inline"]

    def _fence(self, token: "Token") -> Iterator[Part]:
        language = token.info.split(maxsplit=1)[0].casefold() if token.info.strip() else ""
        if self._items:
            self._items[-1].commands.append((language, token.content))
            return
        fence = Part("fence", self._sections(), commands=[(language, token.content)])
        fence.lines = [self._lead] if self._lead else []
        self._lead = ""
        yield fence


def _plain_lines(token: "Token") -> list[str]:
    """Return the text of an inline token; a hint such as `Expect:` begins a line of its own."""
    lines = [""]
    at_break = False
    for child in token.children or ():
        match child.type:
            case "text" | "image":
                if at_break and _HINT.match(child.content):
                    lines.append("")
                lines[-1] += child.content
            case "code_inline":
                lines[-1] += f"`{child.content}`"
            case "softbreak":
                lines[-1] += " "
            case "hardbreak":
                lines.append("")
            case _:
                continue
        at_break = child.type == "softbreak"
    return [line.strip() for line in lines if line.strip()] or [""]


def _leads_elsewhere_in_the_page(token: "Token") -> bool:
    """Say whether this is a line of a table of contents: one link to an anchor, no more."""
    children = token.children or ()
    return (
        len(children) > 1
        and children[0].type == "link_open"
        and children[-1].type == "link_close"
        and str(children[0].attrs.get("href", "")).startswith("#")
    )


def _links(token: "Token") -> list[str]:
    """Return the web addresses behind the words of an inline token, one marked line each."""
    shown = "".join(child.content for child in token.children or ())
    addresses = (
        str(child.attrs.get("href", ""))
        for child in token.children or ()
        if child.type == "link_open"
    )
    return [f"→ {a}" for a in addresses if a.startswith(("http://", "https://")) and a not in shown]
