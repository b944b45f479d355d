"""Reads bodies by a mapping: each `[[alert]]` of its file is one reader, the first that fits reads.

Whatever a body holds, reading raises Unreadable and nothing else. What is not an object where an
alert should be is reported after those that are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from warroom_incident.alerts import Signal, State

from ..post import Post
from ..reading.body import read_json, read_time, text_of
from ..reading.form import read_body
from ..reading.telling import label_map, state_of, told
from ..source import Source
from ..unreadable import Unreadable
from .file import AlertShape, BadMapping, MappingFile, Meaning, SeverityOf, StateOf, Where
from .pointing import BadPointer, Ground, Place, Pointer, first_text, place, pointer

Places = tuple[Place, ...]
M = TypeVar("M", bound=str)
_UNFILLED = re.compile(r"\$[A-Z][A-Z0-9_]*")
"""A variable in a sender's template that it had nothing for."""

_TEXTS = ("key", "title", "summary", "description", "service", "env", "group")


@dataclass(frozen=True, slots=True)
class Words(Generic[M]):
    """Places where a word is found, and what the words mean."""

    places: Places
    known: Mapping[str, M]
    other: M | None

    def read(self, ground: Ground) -> tuple[str, M | None]:
        """Return the word and its meaning: the first place with a known word counts."""
        first = ""
        for each in self.places:
            word = each.text(ground).strip()
            if (meaning := self.known.get(word.casefold())) is not None:
                return word, meaning
            first = first or word
        return first, self.other


@dataclass(frozen=True, slots=True)
class ShapeReader:
    """One `[[alert]]`, ready to read."""

    when: tuple[tuple[Pointer, str], ...]
    each: Pointer
    decode: tuple[Pointer, ...]
    texts: Mapping[str, Places]
    state: Words[Meaning]
    severity: Words[str]
    labels: Mapping[str, Places]
    labels_in: tuple[Pointer, ...]
    annotations: Mapping[str, Places]
    links: Mapping[str, Places]
    starts_at: Places
    ends_at: Places

    def fits(self, ground: Ground) -> bool:
        """Whether a body is of this shape."""
        return all(_holds(at.find(ground), wanted) for at, wanted in self.when)

    def entries(self, ground: Ground) -> list[object]:
        """The alerts of a body: one, or those of its list."""
        found = self.each.find(ground)
        if found is None:
            raise Unreadable(f"there is nothing at {self.each.text}")
        return found if isinstance(found, list) else [found]

    def signal(self, ground: Ground, post: Post, source: Source) -> Signal | None:
        """Read one alert; None for what its sender does not mean as one."""
        state: State
        match meaning := self._meaning(ground):
            case "ignore":
                return None
            case "mute":
                state = "suppressed"
            case "unacknowledged" | "unmute":
                state = "firing"
            case _:
                state = meaning
        labels = self._labels(ground)
        # A key stays as it ever was: it names the alert.
        texts = {
            name: first_text(places, ground, tidy=name != "key")
            for name, places in self.texts.items()
        }
        return told(
            post,
            source,
            key=texts["key"],
            state=state,
            unacks=meaning == "unacknowledged",
            says="state" if meaning in ("mute", "unmute") else "all",
            title=texts["title"] or texts["summary"] or texts["description"].split("\n")[0],
            summary=texts["summary"],
            description=texts["description"],
            service=texts["service"],
            env=texts["env"],
            group=texts["group"],
            severity=self._severity(ground, source),
            labels=labels,
            annotations=_texts(self.annotations, ground, tidy=True),
            links=list(_texts(self.links, ground).items()),
            starts_at=_time(self.starts_at, ground),
            ends_at=_time(self.ends_at, ground),
        )

    def _meaning(self, ground: Ground) -> Meaning:
        word, meaning = self.state.read(ground)
        return meaning or state_of(word) or "firing"

    def _severity(self, ground: Ground, source: Source) -> str:
        word, grade = self.severity.read(ground)
        return word if grade is None or word.casefold() in source.severities else grade

    def _labels(self, ground: Ground) -> dict[str, str]:
        labels: dict[str, str] = {}
        for at in self.labels_in:
            labels.update(label_map(at.find(ground)))
        labels.update(_texts(self.labels, ground))
        return {name: text for name, text in labels.items() if not _UNFILLED.fullmatch(text)}


@dataclass(frozen=True, slots=True)
class Mapped:
    """A whole mapping, ready to read bodies: its `parse` is what a kind needs."""

    sender: str
    readers: tuple[ShapeReader, ...]

    def parse(self, post: Post, source: Source) -> Iterator[Signal]:
        """Yield the signals of a body. Raises Unreadable."""
        whole = read_body(post)
        ground = Ground(whole, whole, post.headers)
        reader = next((r for r in self.readers if r.fits(ground)), None)
        if reader is None:
            raise Unreadable(f"it is none of the bodies that {self.sender} sends")
        odd = 0
        entries = reader.entries(ground)
        for entry in entries:
            if not isinstance(entry, dict):
                odd += 1
                continue
            for at in reader.decode:
                entry = _decoded(entry, at.steps)
            signal = reader.signal(Ground(entry, whole, post.headers), post, source)
            if signal is not None:
                yield signal
        if odd:
            raise Unreadable(f"{odd} of its {len(entries)} values are not objects")


def mapped(file: MappingFile) -> Mapped:
    """Make a mapping ready. Raises BadMapping for a place that is none."""
    readers = []
    for number, shape in enumerate(file.alert, 1):
        try:
            readers.append(_reader(shape))
        except BadPointer as error:
            raise BadMapping(f"in alert {number}, {error}") from None
    return Mapped(file.sender, tuple(readers))


def _reader(shape: AlertShape) -> ShapeReader:
    return ShapeReader(
        when=tuple((pointer(at), wanted) for at, wanted in shape.when.items()),
        each=pointer(shape.each),
        decode=tuple(pointer(at) for at in shape.decode),
        texts={name: _places(getattr(shape, name)) for name in _TEXTS},
        state=_states(shape.state),
        severity=_severities(shape.severity),
        labels=_all_places(shape.labels),
        labels_in=tuple(pointer(at) for at in shape.labels_in),
        annotations=_all_places(shape.annotations),
        links=_all_places(shape.links),
        starts_at=_places(shape.starts_at),
        ends_at=_places(shape.ends_at),
    )


def _places(where: Where) -> Places:
    return tuple(place(text) for text in ((where,) if isinstance(where, str) else where))


def _all_places(named: Mapping[str, Where]) -> dict[str, Places]:
    return {name: _places(where) for name, where in named.items()}


def _states(told: StateOf | Where) -> Words[Meaning]:
    if isinstance(told, StateOf):
        return Words(_places(told.at), _folded(told.map), told.other)
    return Words(_places(told), {}, None)


def _severities(told: SeverityOf | Where) -> Words[str]:
    if isinstance(told, SeverityOf):
        return Words(_places(told.at), _folded(told.map), told.other)
    return Words(_places(told), {}, None)


def _folded(meanings: Mapping[str, M]) -> dict[str, M]:
    return {word.casefold(): meaning for word, meaning in meanings.items()}


def _holds(value: object, wanted: str) -> bool:
    match wanted:
        case "*":
            return value is not None
        case "!":
            return value is None
        case _:
            return value is not None and text_of(value).casefold() == wanted.casefold()


def _texts(named: Mapping[str, Places], ground: Ground, *, tidy: bool = False) -> dict[str, str]:
    found = ((name, first_text(places, ground, tidy=tidy)) for name, places in named.items())
    return {name: text for name, text in found if text}


def _time(places: Places, ground: Ground) -> int | None:
    return next((t for p in places if (t := read_time(p.find(ground))) is not None), None)


def _decoded(entry: dict[object, object], steps: tuple[str, ...]) -> dict[object, object]:
    """Put JSON that is written as a text in the place of that text; leave what is none."""
    if not steps:
        return entry
    first, rest = steps[0], steps[1:]
    inner = entry.get(first)
    if rest and isinstance(inner, dict):
        return {**entry, first: _decoded(inner, rest)}
    if rest or not isinstance(inner, str):
        return entry
    try:
        return {**entry, first: read_json(inner.encode("utf-8", "surrogatepass"))}
    except Unreadable:
        return entry
