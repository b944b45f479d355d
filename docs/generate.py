"""Keeps the tables of docs/protocol.md true: they are written from the code that they describe.

`python docs/generate.py` rewrites the parts between the markers, `--check` fails where one is old.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import msgspec
from msgspec import inspect as types

from warroom_incident import author, clock, door, event, vocabulary
from warroom_incident.alerts import AlertRecord
from warroom_incident.beats import Beat
from warroom_incident.changes import Change
from warroom_incident.episodes import Episode, RuleNoise
from warroom_incident.fields import AlertCopy, Matcher, StepCopy
from warroom_incident.reducers import Body, Element, Pick, Removal, Write
from warroom_incident.sync import client_end, server_end, settling, wire
from warroom_incident.sync.wire import Close, Message

DOCUMENT = Path(__file__).with_name("protocol.md")
_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->\n)", re.DOTALL)

_AT = 1_790_000_000_000
_ID = "6f" * 32
_STREAM = "i-mfzwizltoqzwk3tu"
_LOG = "9b1c0de2a4f6e801"
_FOLLOW = wire.Follow(_STREAM, _LOG, 412, "c3" * 32)
_ALERT = AlertRecord(
    uid="k7d2q",
    key="alertmanager:5f1e",
    source="prometheus",
    kind="alertmanager",
    episode=_AT,
    title="CheckoutErrors",
    severity="SEV2",
    state="firing",
    first_seen=_AT,
    last_seen=_AT,
    starts_at=_AT,
    rev=18,
)
_BEAT = Beat(source="prometheus", name="Watchdog", last_seen=_AT, every=300_000, rev=16)
_CHANGE = Change(
    uid="0f2c", service="checkout", kind="deploy", title="checkout v812", at=_AT, by="ci", rev=17
)
_EPISODE = Episode("k7d2q", "CheckoutErrors", "SEV2", _AT, _AT + 600_000, "source", 4, 0, ["INC-3"])
_PLACE = wire.Place(
    "61ed18ed016f122b", "61ed18ed016f122b" + "5e" * 24, "war2", ["wss://war2:8764"], connected=True
)
_PATTERNS = {
    r"\A[0-9a-f]{64}\Z": "64 hex digits",
    r"\A(unix|wss?)://[\x21-\x7e]{1,190}\Z": "address of a server",
    r"\A([0-9a-f]{64})?\Z": "64 hex digits or nothing",
    r"\A([0-9a-f]{128})?\Z": "128 hex digits or nothing",
    r"\A(board|room|i-[a-z2-7]{16})\Z": "name of a stream",
    event.REP: "16 letters of base32",
    r"\AINC-[0-9]{1,9}(-[0-9]{1,3})?\Z": "`INC-7`, or `INC-7-2`",
}

CLOSINGS = {
    Close.RESTART: "the server restarts; come back",
    Close.BUSY: "the server cannot write now; the events stay in the outbox",
    Close.TOO_BIG: "a frame larger than the limit",
    Close.BAD_MESSAGE: "not a message, or not in this order",
    Close.UNKNOWN_TOKEN: "the token is unknown, expired or revoked",
    Close.FORBIDDEN: "this caller may not come in, or not read that stream",
    Close.STALLED: "the console read nothing, or said no `seen`, for too long",
    Close.REPLICA_CLASH: "another replica writes under this `rep`; come back with a new one",
    Close.OLD_PROTOCOL: "the two ends speak different versions",
    Close.LOG_CHANGED: "the server's history is not the one that was read before",
}


def _example_event() -> tuple[msgspec.Raw, msgspec.Raw]:
    counters = author.Counters("mfzwizltoqzwk3tu")
    writer = author.Author(counters, clock.HybridClock(lambda: _AT), lambda size: b"\x5a" * size)
    _, packet = writer.write(_STREAM, "ana", vocabulary.NoteAdded(text="Restarted db-1."))
    return wire.raw_pair(packet)


FROM_CONSOLE: list[Message] = [
    wire.Hello(1, "warroom 0.1.0", "mfzwizltoqzwk3tu", "1f3a", "ana", [_FOLLOW], None, True),
    wire.Subscribe([wire.Follow(_STREAM)], ["board"]),
    wire.Push([_example_event()]),
    wire.Fetch(_STREAM, [(7, 9), (412, 412)]),
    wire.Vouch(_STREAM, "fda445d0e8334355", "61ed18ed016f122b", 1, "wM0pYpeYKDA=", _AT, "5e" * 64),
    wire.Relay([_example_event()], [_AT], number=12),
    wire.Seen(32_981),
    wire.Here(_STREAM, "note"),
    wire.Promote(1, True),
    wire.Ask(7, "fired_before", "prometheus", "alertmanager:5f1e"),
]
FROM_SERVER: list[Message] = [
    wire.Welcome(1, "ops", _LOG, "war1", "77c0", _AT, "ana", "ana", "responder", "b1"),
    wire.Ack([(_ID, _STREAM, 413, _AT)]),
    wire.Refused(_ID, "only a server writes incident.numbered"),
    wire.Taken(_STREAM, 12, 413, 413, "c3" * 32, "5e" * 64, _AT),
    wire.Events(_STREAM, "live", [413], [_AT], [_example_event()], 413, "c3" * 32, "5e" * 64, _AT),
    wire.Order(_STREAM, 1, "76+uUehOZxQ=", 413),
    wire.Synced(_STREAM, 413, "a7" * 32),
    wire.Summaries(
        [wire.Summary(_STREAM, "INC-7", "Checkout is down", "SEV1", "identified")], True
    ),
    wire.Records("b1", 18, [_ALERT], [_BEAT], [_CHANGE]),
    wire.Answer(7, count=1, episodes=[_EPISODE]),
    wire.Settings(
        "responder",
        {"SEV1": settling.SeverityWords(meaning="Nobody can pay.", cadence=15)},
        {"executives": 45},
        [("checkout", "Checkout is down")],
    ),
    wire.Presence([wire.Person("ana", _STREAM, "note", _AT)]),
    wire.Trouble("The server's disk has less than 200 MiB left."),
    wire.Held(_STREAM, 413),
    wire.Servers([_PLACE], 2),
    wire.Standing("ops", "61ed18ed016f122b", False, 7, 4_812, 3, "wss://war1:8764", _AT, True),
]


def _kind(of: types.Type) -> str:
    """A type in a few words."""
    match of:
        case types.StrType():
            if of.pattern:
                return _PATTERNS[of.pattern]
            return f"text up to {of.max_length}" if of.max_length else "text"
        case types.Metadata(extra={"pattern": pattern}):
            return _PATTERNS[pattern]
        case types.IntType():
            return "integer" if of.ge is None or of.ge < 0 else f"integer from {of.ge}"
        case types.BoolType():
            return "boolean"
        case types.LiteralType():
            return "one of " + ", ".join(f"`{value}`" for value in of.values)
        case types.ListType() | types.VarTupleType():
            most = f" (up to {of.max_length})" if of.max_length else ""
            return f"list of {_kind(of.item_type)}{most}"
        case types.TupleType():
            return "[" + ", ".join(map(_kind, of.item_types)) + "]"
        case types.DictType():
            return f"object of {_kind(of.value_type)}"
        case types.StructType():
            return f"[{of.cls.__name__}](#{of.cls.__name__.lower()})"
        case types.UnionType():
            return " or ".join(map(_kind, of.types))
        case types.NoneType():
            return "null"
        case _:
            return "raw JSON"


def _fields(struct: type[Any]) -> list[str]:
    info = types.type_info(struct)
    assert isinstance(info, types.StructType)
    lines = ["| field | type | default |", "| --- | --- | --- |"]
    for field in info.fields:
        default = "required" if field.required else f"`{json.dumps(_default(field))}`"
        lines.append(f"| `{field.encode_name}` | {_kind(field.type)} | {default} |")
    return lines


def _default(field: types.Field) -> object:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _about(what: type[Any]) -> str:
    return inspect.cleandoc(what.__doc__ or "").replace("\n\n", "\n")


def _message(message: Message) -> list[str]:
    kind = type(message)
    tag = kind.__struct_config__.tag
    example = wire.encode(message).decode()
    return [
        f"#### `{tag}`",
        "",
        _about(kind),
        "",
        *_fields(kind),
        "",
        "```json",
        example,
        "```",
        "",
    ]


def messages(some: list[Message], every: object) -> list[str]:
    """Every message: what it is, its fields, an example."""
    shown = {type(message) for message in FROM_CONSOLE + FROM_SERVER}
    missing = sorted(kind.__name__ for kind in set(get_args(every)) - shown)
    if missing:
        sys.exit(f"docs/generate.py needs an example of {', '.join(missing)}")
    return [line for message in some for line in _message(message)]


def parts() -> list[str]:
    """The structs inside messages."""
    lines = []
    for struct in (
        wire.Follow,
        wire.BoardCursor,
        wire.Summary,
        wire.Person,
        wire.Place,
        AlertRecord,
        Beat,
        Change,
        Episode,
        settling.SeverityWords,
        RuleNoise,
    ):
        lines += [f"#### {struct.__name__}", "", _about(struct), "", *_fields(struct), ""]
    return lines


def closings() -> list[str]:
    """The close codes."""
    lines = ["| code | name | when | the console |", "| ---: | --- | --- | --- |"]
    for code in sorted(Close):
        then = "stops until its user tries again, and says why" if code.final else "tries again"
        lines.append(f"| {code.value} | {code.name} | {CLOSINGS[code]} | {then} |")
    return lines


def limits() -> list[str]:
    """The numbers that both ends keep."""
    found: list[tuple[int, str]] = [
        (wire.PROTOCOL, "version of the protocol, in `hello` and `welcome`"),
        (wire.MAX_FRAME, "bytes of the largest frame"),
        (wire.FRAME_TARGET, "bytes of events at which a server closes a frame of several"),
        (wire.CREDIT, "bytes that a server sends ahead of `seen`"),
        (wire.SEEN_EVERY, "bytes after which a console says `seen`; else once a second"),
        (client_end.PUSH_BYTES, "bytes of events in one `push`, about"),
        (server_end.RECENT, "newest events of a stream that come before its past"),
        (wire.MAX_REASON, "bytes of a closing's reason"),
        (door.MAX_EVENT_BYTES, "bytes of one event, head and body together"),
        (door.MAX_DEPTH, "levels of nesting in a head or body"),
        (door.MAX_INTEGER, "largest absolute value of a number in a head or body"),
        (event.MAX_BASE, "most ids in a `base`"),
        (clock.MAX_LEAD_MS, "milliseconds beyond which a stamp ahead is not followed"),
    ]
    return ["| value | what |", "| ---: | --- |"] + [f"| {n} | {what} |" for n, what in found]


def head() -> list[str]:
    """The fields of an event's head."""
    return _fields(event.Head)


def _reduced(body: type[Body]) -> str:
    if issubclass(body, Write):
        key = "/".join((body.register, *(f"{{{name}}}" for name in body.named)))
        return f"register `{key}`, {body.pick.value}"
    if issubclass(body, Element):
        return f"set `{body.register}`"
    return "removal" if issubclass(body, Removal) else "append"


def _says(body: type[Body]) -> str:
    info = types.type_info(body)
    assert isinstance(info, types.StructType)
    fields = [
        f"`{field.encode_name}{'' if field.required else '?'}` {_kind(field.type)}"
        for field in info.fields
        if field.encode_name != "salt"
    ]
    return "; ".join(fields)


def events() -> list[str]:
    """Every type of event."""
    lines = ["| type | stream | kind | needs | fields |", "| --- | --- | --- | --- | --- |"]
    for stream in ("i-…", event.BOARD, event.ROOM):
        for body in sorted(vocabulary.types_of(stream), key=lambda body: body.type):
            about = f"`{stream}` | {_reduced(body)} | {body.needs.value}"
            lines.append(f"| `{body.type}` | {about} | {_says(body)} |")
    return lines


def copies() -> list[str]:
    """The structs inside events."""
    lines = []
    for struct in (AlertCopy, StepCopy, Matcher):
        lines += [f"#### {struct.__name__}", "", _about(struct), "", *_fields(struct), ""]
    return lines


def picks() -> list[str]:
    """The pick rules."""
    said = {
        Pick.EARLIEST: "the first admitted by a server; heads of different values are a conflict",
        Pick.RANK: "the highest rank, then the first admitted; no conflict",
        Pick.ALL: "all stand side by side; no conflict",
    }
    return ["| pick | which head is shown |", "| --- | --- |"] + [
        f"| {pick.value} | {said[pick]} |" for pick in Pick
    ]


PARTS: dict[str, Callable[[], list[str]]] = {
    "limits": limits,
    "console": lambda: messages(FROM_CONSOLE, wire.FromConsole),
    "server": lambda: messages(FROM_SERVER, wire.FromServer),
    "parts": parts,
    "closings": closings,
    "head": head,
    "events": events,
    "picks": picks,
    "copies": copies,
}


def generate(text: str) -> str:
    """The document with every generated part as the code has it now."""

    def part(found: re.Match[str]) -> str:
        return found[1] + "\n".join(PARTS[found[2]]()).rstrip() + "\n" + found[3]

    return _PART.sub(part, text)


def main() -> int:
    """Rewrite the document, or with `--check` say whether that would change it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail if it is old")
    check = parser.parse_args().check
    was = DOCUMENT.read_text()
    now = generate(was)
    if was == now:
        return 0
    if check:
        sys.stderr.write("docs/protocol.md is old; run: .venv/bin/python docs/generate.py\n")
        return 1
    DOCUMENT.write_text(now)
    return 0


if __name__ == "__main__":
    sys.exit(main())
