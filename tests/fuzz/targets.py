"""Everything that reads what strangers write, each as a function of bytes.

A target returns, or raises what must never happen. What is documented (a refusal with a sentence)
it takes as an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import msgspec

from warroom_incident.door import DoorError, check_json
from warroom_incident.matching import parse_matchers, show_matchers
from warroom_incident.pattern import BadPattern, Pattern
from warroom_incident.sync.wire import (
    Events,
    ProtocolError,
    Push,
    encode,
    packets,
    read_from_console,
    read_from_server,
)
from warroom_incident.windows import MAX_VALUE, check_matchers
from warroom_server.intake.changes import read_changes
from warroom_server.intake.kinds import CHANGE, KINDS
from warroom_server.intake.mappings.file import BadMapping, read_file
from warroom_server.intake.mappings.pointing import BadPointer, Ground, place, pointer
from warroom_server.intake.mappings.reader import mapped
from warroom_server.intake.post import Post
from warroom_server.intake.reading.body import read_json, text_of
from warroom_server.intake.source import Source
from warroom_server.intake.unreadable import Unreadable

from .doors import Doors
from .events import events
from .parts import take_apart
from .promises import (
    NOON,
    changes_are_bounded,
    in_time,
    is_sentence,
    signals_are_bounded,
    text_is_drawable,
)

Target = Callable[[bytes], None]


def bodies(kind: str, data: bytes) -> None:
    """A body of one kind of sender, with its headers."""
    parts = take_apart(data)
    post, source = Post(parts.body, NOON, parts.headers), Source("fuzz", kind)
    try:
        if kind == CHANGE:
            changes_are_bounded(read_changes(post, source), post)
        else:
            signals_are_bounded(list(KINDS[kind].read(post, source)), NOON)
    except Unreadable as reason:
        is_sentence(reason)


def pointers(data: bytes) -> None:
    """Lines that name places, and a body into which they point."""
    head, _, body = data.partition(b"\n\n")
    try:
        value = read_json(body)
    except Unreadable:
        value = None
    ground = Ground(value, {"alert": value}, {"x-name": "told"})
    for line in head.decode("utf-8", "replace").split("\n")[:20]:
        try:
            text_of(pointer(line).find(ground))
        except BadPointer as reason:
            is_sentence(reason)
        try:
            place(line).text(ground)
            place(line).find(ground)
        except BadPointer as reason:
            is_sentence(reason)


def mappings(data: bytes) -> None:
    """An operator's mapping file, and a body that is read by it."""
    text, _, body = data.partition(b"\0")
    try:
        mapping = mapped(read_file(text))
    except BadMapping as reason:
        is_sentence(reason)
        return
    try:
        signals = list(mapping.parse(Post(body, NOON), Source("fuzz", "mapped")))
    except Unreadable as reason:
        is_sentence(reason)
        return
    signals_are_bounded(signals, NOON)


def patterns(data: bytes) -> None:
    """A regular expression, and a value."""
    text, _, value = data.decode("utf-8", "replace").partition("\n")
    try:
        ready = Pattern(text)
    except BadPattern as reason:
        is_sentence(reason)
        return
    assert ready.fits(value[:MAX_VALUE]) is ready.fits(value[:MAX_VALUE])


def matchers(data: bytes) -> None:
    """Matchers as people write them."""
    try:
        found = parse_matchers(data.decode("utf-8", "replace"))
    except ValueError as reason:
        if type(reason) is not ValueError:
            raise
        is_sentence(reason)
        return
    assert parse_matchers(show_matchers(found)) == found
    check_matchers(found)


def json_texts(data: bytes) -> None:
    """Text at the door of events, and a value that passes it."""
    try:
        value = check_json(data)
    except DoorError as reason:
        is_sentence(reason)
        return
    assert check_json(msgspec.json.encode(value)) == value


def frames(data: bytes) -> None:
    """A frame of the wire, read by either end."""
    for read in (read_from_console, read_from_server):
        try:
            message = read(data)
        except ProtocolError as reason:
            is_sentence(reason)
            continue
        again = read(encode(message))
        assert encode(again) == encode(message)
        if isinstance(message, Push):
            packets(message.events)
        elif isinstance(message, Events):
            packets(message.events, message.withheld, message.via)


def texts(data: bytes) -> None:
    """Text on its way to a screen, half characters among it."""
    text_is_drawable(data.decode("utf-8", "surrogateescape"))
    text_is_drawable(data[: len(data) // 2 * 2].decode("utf-16-le", "surrogatepass"))


doors = Doors()
TARGETS: Mapping[str, Target] = {
    **{f"in {kind}": partial(bodies, kind) for kind in sorted(KINDS)},
    "doors": lambda data: doors.ask(take_apart(data)),
    "pointers": pointers,
    "mappings": mappings,
    "patterns": patterns,
    "matchers": matchers,
    "json": json_texts,
    "events": events,
    "frames": frames,
    "texts": texts,
}
NAMES = tuple(TARGETS)


def reach(data: bytes) -> None:
    """Give an input to the target that its first byte names. Raises what must never happen."""
    if data:
        TARGETS[NAMES[data[0] % len(NAMES)]](data[1:])


def survive(data: bytes) -> None:
    """The same, in time."""
    in_time(partial(reach, data))


def aimed(name: str, data: bytes) -> bytes:
    """An input for a target."""
    return bytes((NAMES.index(name),)) + data
