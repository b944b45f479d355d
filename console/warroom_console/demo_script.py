"""Scripts of the demo: who does what at which second, read from TOML and checked.

A script is a file of this package (`scripts/NAME.toml`) or any file that ends in `.toml`:

    title = "Checkout fails"          # what the demo is about, for people who choose one
    people = ["ana", "bo"]

    [[beat]]
    at = -480                         # seconds; what lies before 0 is history when the room opens
    by = "ana"
    do = "declare"
    title = "Checkout fails for one customer in three"

The first beat that a person has declares the incident; it is always a drill. Beats of different
people at the same second are written unseen of each other, which is how they come to disagree.
What a beat may say is in the classes below; `do` is the class in lower case.
"""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from warroom_incident.clean import clean_line
from warroom_incident.vocabulary import ImpactField, SeverityName

DEFAULT = "checkout"
_SHELF = files(__package__) / "scripts"
_LONGEST = 256 * 1024

Text = Annotated[str, Meta(min_length=1, max_length=4000)]
Word = Annotated[str, Meta(min_length=1, max_length=80)]
Status = Literal["investigating", "identified", "mitigated", "resolved"]


class ScriptError(ValueError):
    """A script cannot be played; the message is one sentence that says what to do."""


class _Beat(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="do",
    tag=str.lower,
    forbid_unknown_fields=True,
):
    """Something that happens at a second of the script."""

    at: Annotated[float, Meta(ge=-86_400, le=86_400)]


class _Act(_Beat, frozen=True, kw_only=True):
    """Something that a person does."""

    by: Word


class Alert(_Beat, frozen=True, kw_only=True):
    """Alertmanager tells of an alert; `began` is the second at which it began to fire."""

    name: Word
    severity: Literal["critical", "error", "warning", "info"] = "warning"
    service: str = ""
    summary: str = ""
    began: float | None = None
    resolved: bool = False


class Declare(_Act, frozen=True, kw_only=True):
    """Declare the incident."""

    title: Word


class Note(_Act, frozen=True, kw_only=True):
    """Note something; with `star`, as a key event."""

    text: Text
    star: bool = False


class SetSeverity(_Act, frozen=True, kw_only=True, tag="severity"):
    """Set the severity."""

    severity: SeverityName


class SetStatus(_Act, frozen=True, kw_only=True, tag="status"):
    """Set the status."""

    status: Status


class Impact(_Act, frozen=True, kw_only=True):
    """State a fact about the impact; a `{time}` in it is the second `began`, as a date."""

    field: ImpactField
    text: Text
    began: float = 0


class Role(_Act, frozen=True, kw_only=True):
    """Give a role to a person, by default to oneself."""

    role: Word
    person: Word | None = None


class Link(_Act, frozen=True, kw_only=True):
    """Link an alert to the incident, by its name."""

    alert: Word


class Ack(_Act, frozen=True, kw_only=True):
    """Acknowledge an alert, by its name."""

    alert: Word


class Attach(_Act, frozen=True, kw_only=True):
    """Attach a runbook, by its name on the shelf."""

    runbook: Word


class Step(_Act, frozen=True, kw_only=True):
    """Set a step, named by the beginning of its text."""

    step: Word
    state: Literal["open", "doing", "done", "skipped"] = "done"


class Own(_Act, frozen=True, kw_only=True):
    """Give a step to a person, by default to oneself."""

    step: Word
    person: Word | None = None


class Remark(_Act, frozen=True, kw_only=True):
    """Note something on a step."""

    step: Word
    text: Text


class Edit(_Act, frozen=True, kw_only=True):
    """Open an editor on the draft for an audience, for the others to see."""

    audience: Word


class Draft(_Act, frozen=True, kw_only=True):
    """Save a version of the draft for an audience; the first one begins it."""

    audience: Word
    text: Text
    title: Word = "First notice"


class Ready(_Act, frozen=True, kw_only=True):
    """Mark the draft for an audience ready."""

    audience: Word


Act: TypeAlias = (
    Declare
    | Note
    | SetSeverity
    | SetStatus
    | Impact
    | Role
    | Link
    | Ack
    | Attach
    | Step
    | Own
    | Remark
    | Edit
    | Draft
    | Ready
)
"""What people do."""

Beat: TypeAlias = Act | Alert


class Script(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole script; `beats` are in the order of their seconds."""

    title: Word
    people: Annotated[list[Word], Meta(min_length=1, max_length=8)]
    beats: Annotated[list[Beat], Meta(min_length=1, max_length=2000)] = msgspec.field(name="beat")

    @property
    def acts(self) -> list[Act]:
        """What people do, in order."""
        return [beat for beat in self.beats if not isinstance(beat, Alert)]


def names() -> list[str]:
    """The scripts of this package."""
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in _SHELF.iterdir()
        if entry.name.endswith(".toml")
    )


def load(name: str) -> Script:
    """Read the script of that name, or the file of that path.

    Raises:
        ScriptError: There is none, or it cannot be played.
    """
    shown = clean_line(name, 80)
    try:
        if name.endswith(".toml"):
            raw = Path(name).read_bytes()
        elif name in names():
            raw = (_SHELF / f"{name}.toml").read_bytes()
        else:
            raise ScriptError(
                f"There is no script “{shown}”: there are {', '.join(names())}, "
                "or give a file that ends in .toml."
            )
    except OSError as error:
        raise ScriptError(f"The script {shown} cannot be read: {error.strerror}.") from None
    return parse(raw, shown)


def parse(raw: bytes, shown: str) -> Script:
    """Read a script; `shown` is what messages call it.

    Raises:
        ScriptError: It cannot be played.
    """
    if len(raw) > _LONGEST:
        raise ScriptError(f"The script {shown} is larger than {_LONGEST // 1024} KiB.")
    try:
        script = msgspec.convert(tomllib.loads(raw.decode()), Script)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        raise ScriptError(f"The script {shown} is no TOML file.") from None
    except msgspec.ValidationError as error:
        raise ScriptError(f"The script {shown} does not fit: {clean_line(str(error))}.") from None
    script = msgspec.structs.replace(script, beats=sorted(script.beats, key=lambda b: b.at))
    _check(script, shown)
    return script


def _check(script: Script, shown: str) -> None:
    acts = script.acts
    if not acts or not isinstance(acts[0], Declare) or acts[0].at >= 0:
        raise ScriptError(f"The script {shown} must declare its incident before 0, and first.")
    if any(isinstance(act, Declare) for act in acts[1:]):
        raise ScriptError(f"The script {shown} declares more than one incident.")
    strangers = sorted({act.by for act in acts} - set(script.people))
    if strangers:
        who = clean_line(strangers[0], 40)
        raise ScriptError(f"In the script {shown}, {who} acts and is not among its people.")
