"""What the fuzzer begins with: the bodies, events and frames that the tests and documents hold.

`python -m tests.fuzz.seeds DIRECTORY` writes them. Bodies are noted while the tests of the kinds
run, so that there is one list of them and it never grows old.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.incident.goldens import SAMPLES
from tests.incident.making import NOW, STEPS, STREAM, Writer
from warroom_incident import vocabulary
from warroom_incident.event import BOARD, ROOM, read_packet
from warroom_incident.fields import Matcher
from warroom_incident.reducers import Body
from warroom_server.intake.kinds import CHANGE, KINDS
from warroom_server.intake.mappings.file import read_file
from warroom_server.intake.mappings.shelf import SHIPPED

from . import noting
from .doors import REQUESTS
from .events import BODY_HASH
from .noting import Note
from .parts import put_together
from .targets import aimed

ROOT = Path(__file__).parents[2]
NOTED_TESTS = (
    "test_intake_kinds",
    "test_intake_senders",
    "test_intake_unnamed",
    "test_intake_forms",
    "test_mappings",
    "test_changes",
)
"""The tests whose bodies are noted."""

_DICTIONARY = re.compile(rb'"([A-Za-z][A-Za-z0-9_.-]{2,30})" ?:')
_PATTERNS = (
    "(?i)^web-[0-9]{1,3}$\nWEB-12",
    "(a+)+b|c{2,}?\naaaa",
    "[^a-c\\]\\d][]x-]*(?:\\.\\S|(|a){3})\nzz]x",
    "((){9}){9}.*.{90}\n" + "ab" * 60,
)
_MATCHERS = (
    '{alertname="HighErrors", zone=~"eu-.*", team!="pay, ments"}',
    'host=~web[0-9]{2} severity!~"(?i)info|none" a="b\\"c\\\\"',
)
_POINTERS = (
    "/a/0/b~1c\n^/alert/a\n@x-name\n=web\n{/host}!{^/alert}\n" + '\n{"a":[{"b/c":1}],"host":"h"}',
)
_TEXTS = (
    "\x1b[31mred\x1b]52;c;eA==\x07 \u202eback\u2066 a\u0301\u0302\u0303\u0304 \u1112\u1161\u11ab",
    "👩🏽‍💻 zero\u200bwidth\u2028line\r\nend\ttab \U000e0041 漢字",
)
_FACTS = {
    "routing_key": "fuzzed", "service_key": "fuzzed", "event_action": "trigger",
    "event_type": "trigger", "dedup_key": "disk", "incident_key": "disk", "alias": "disk",
    "message": "m", "priority": "P1", "note": "n", "tags": ["a:b"], "details": {"a": "b"},
    "description": "d", "message_type": "CRITICAL", "entity_id": "disk", "state_message": "s",
    "payload": {"summary": "s", "source": "web-1", "severity": "critical",
                "custom_details": {"service": "shop"}},
    "links": [{"href": "https://x.invalid", "text": "t"}], "title": "t", "labels": {"a": "b"},
    "alerts": [{"status": "firing", "labels": {"alertname": "a"}, "annotations": {}}],
}  # fmt: skip
"""One body in which every door finds what it looks for."""


_FURTHER: tuple[tuple[str, Body], ...] = (
    (STREAM, vocabulary.NoteAdded(text="The queue is full.", at=NOW)),
    (STREAM, vocabulary.NoteEdited(target="1" * 64, text="It was full.")),
    (STREAM, vocabulary.EntryStarred(target="1" * 64)),
    (STREAM, vocabulary.NoteStruck(target="1" * 64)),
    (STREAM, vocabulary.ChecklistAttached(checklist="c1", title="First", steps=STEPS)),
    (STREAM, vocabulary.StepSet(checklist="c1", step="s1", state="done")),
    (STREAM, vocabulary.DraftOpened(draft="d1", audience="customers", title="Shop")),
    (STREAM, vocabulary.DraftSaved(draft="d1", text="We know.")),
    (STREAM, vocabulary.DraftReadied(draft="d1", version="1" * 64)),
    (STREAM, vocabulary.StatusSet(status="closed")),
    (BOARD, vocabulary.WindowOpened(
        window="w1", kind="maintenance", why="new disks", starts_at=0, ends_at=1 << 50,
        matchers=(Matcher("host", "web-[0-9]{1,2}", "=~"), Matcher("a", "(b|c)*", "!~")))),
    (BOARD, vocabulary.WindowEnded(window="w2")),
    (BOARD, vocabulary.SilenceAsked(
        silence="s1", alertmanager="am", ends_at=NOW, comment="noise",
        matchers=(Matcher("alertname", "Disk"),))),
    (BOARD, vocabulary.SilenceAnswered(silence="s1", state="active", source_id="7")),
    (BOARD, vocabulary.SilenceEnded(silence="s1")),
    (ROOM, vocabulary.TokenCreated(name="am", hash="ab" * 32, kind="alertmanager")),
    (ROOM, vocabulary.TokenRevoked(name="am")),
)  # fmt: skip
"""Events of the types that the goldens leave out."""


def seeds() -> Iterator[bytes]:
    """Every input to begin with."""
    for note in noted():
        yield aimed(f"in {note.kind}", put_together(0, note.body, dict(note.headers) or None))
    yield from _of_doors()
    yield from _of_events()
    for frame in _frames():
        yield aimed("frames", frame)
        yield aimed("json", frame)
    for name, lines in (
        ("patterns", _PATTERNS),
        ("matchers", _MATCHERS),
        ("pointers", _POINTERS),
        ("texts", _TEXTS),
    ):
        yield from (aimed(name, line.encode()) for line in lines)
    yield from (aimed("texts", text.encode("utf-16-le")) for text in _TEXTS)
    yield from _of_mappings()


def noted() -> list[Note]:
    """The bodies that the tests of the kinds read."""
    tests = [str(ROOT / "tests/server" / f"{name}.py") for name in NOTED_TESTS]
    quietly = ["-q", "--no-header", "-p", "no:cacheprovider", "-k", "not test_any and not damaged"]
    settings = {name: value for name, value in os.environ.items() if name != "CI"}
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
        notes = Path(scratch) / "notes"
        subprocess.run(
            [sys.executable, "-m", "pytest", "-p", noting.__name__, *quietly, *tests],
            cwd=ROOT,
            env={**settings, noting.NOTES: str(notes)},
            stdout=subprocess.DEVNULL,
            check=False,  # whether those tests pass is not asked here
            timeout=300,
        )
        found = msgspec.msgpack.decode(notes.read_bytes(), type=list[Note])
    return [note for note in found if note.kind in KINDS]


def _of_doors() -> Iterator[bytes]:
    body = msgspec.json.encode(_FACTS)
    for number in range(len(REQUESTS)):
        yield aimed("doors", put_together(number, body))
        yield aimed("doors", put_together(number, body, {"content-type": "application/json"}))
    odd = {":method": "POST", ":path": "/v2/alerts/%2F%FF/notes", "content-encoding": "gzip"}
    yield aimed("doors", put_together(3, body, odd))
    yield aimed(f"in {CHANGE}", put_together(0, body))


def _of_events() -> Iterator[bytes]:
    """Histories of a few events each, which name the ones before as their base."""
    said = [(stream, getattr(vocabulary, name)(**fields)) for stream, name, fields in SAMPLES]
    for stream in (STREAM, BOARD, ROOM):
        for bodies in ([body for s, body in events if s == stream] for events in (said, _FURTHER)):
            for start in range(0, len(bodies), 4):
                yield aimed("events", _history(stream, bodies[start : start + 9]))
    yield from (aimed("events", _history(stream, [body, body])) for stream, body in said)


def _history(stream: str, bodies: list[Body]) -> bytes:
    writer = Writer()
    known: list[str] = []
    pieces: list[bytes] = []
    for body in bodies:
        event = writer.write(body, *known[-1:], stream=stream)
        head, raw, _, _ = writer.packets[event.id]
        assert raw is not None
        assert read_packet(writer.packets[event.id]) == event
        head = head.replace(hashlib.sha256(raw).hexdigest().encode(), BODY_HASH)
        for number, id_ in enumerate(known, 1):
            head = head.replace(id_.encode(), str(number).encode() * 64)
        pieces += [head, raw]
        known.append(event.id)
    return b"\0".join(pieces)


def _frames() -> list[bytes]:
    text = (ROOT / "docs" / "protocol.md").read_text()
    blocks = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    return [line.encode() for block in blocks for line in block.splitlines() if line[:1] == "{"]


def _of_mappings() -> Iterator[bytes]:
    for path in sorted(SHIPPED.glob("*.toml")):
        text = path.read_bytes()
        file = read_file(text)
        plain = text.partition(b"[[example]]")[0]
        yield aimed("mappings", plain + b"\0" + file.example[0].body.encode())
        for example in file.example:
            headers = {name.casefold(): value for name, value in example.headers.items()}
            body = put_together(0, example.body.encode(), headers or None)
            yield aimed(f"in {file.kind}", body)


def write(directory: Path) -> Path:
    """Write the seeds into a directory of their own, and beside it the words they are made of."""
    corpus = directory / "seeds"
    corpus.mkdir(parents=True, exist_ok=True)
    words: set[bytes] = set()
    for seed in seeds():
        (corpus / hashlib.sha256(seed).hexdigest()[:20]).write_bytes(seed)
        words.update(_DICTIONARY.findall(seed))
    listed = "".join(f'"\\"{word.decode()}\\":"\n' for word in sorted(words))
    (directory / "words").write_text(listed)
    return corpus


if __name__ == "__main__":
    write(Path(sys.argv[1]))
