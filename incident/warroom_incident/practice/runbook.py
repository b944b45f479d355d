"""Runbooks: plain Markdown in, steps to tick out.

Nothing is asked of the author. Task items (`- [ ]`) are the steps when there are any; else numbered
lists, bullets under headings that call for action, and commands with a sentence before them; else
the headings themselves. `docs/runbooks.md` is the long form of these rules.

Texts are kept raw: they are cleaned where they are shown.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from ..fields import StepCopy
from .outline import Outline, Part, outline

MAX_BYTES = 256 * 1024
"""A larger file is no runbook."""

MAX_STEPS = 300
"""As many steps as one checklist may have."""

_ROOM = 40 * 1024  # the steps travel in one event of 48 KiB
_TITLE, _TEXT, _SECTION, _COMMAND = 240, 600, 120, 1000
_CUT = " … (cut: see the file)"

_ACTION = re.compile(
    r"diagnos|mitigat|check|verif|validat|restart|recover|restor|roll ?back|rollout|step|fix|remed"
    r"|resol|procedure|action|fail ?over|troubleshoot|debug|investigat|respon|escalat|drain|scale",
    re.I,
)
_BACKGROUND = re.compile(
    r"\s*(?:meaning|impact|overview|background|introduction|summary|references?|see also|links?"
    r"|further reading|(?:table of )?contents|contacts?|glossary|(?:\w+ )?resources)\b",
    re.I,
)
_CODE = {"sh", "shell", "bash", "zsh", "sql", "promql", "logql", "powershell", "python", "ruby"}
_SESSIONS = {"", "console", "terminal", "shell-session"}  # input and output, both or either


class Runbook(Struct, frozen=True):
    """A title and its steps; `left_out` counts steps that were too many to take along.

    A step's first line says what to do, further lines are details. Its id depends on its section
    and first line alone, so the same file read again, here or elsewhere, has the same ids.
    """

    title: str
    steps: tuple[StepCopy, ...]
    left_out: int = 0


def read_runbook(text: str, *, name: str = "Runbook") -> Runbook:
    """Return the runbook that a Markdown text holds; one without steps is only to be read.

    `name` is the title of a text that gives itself none.

    Raises:
        ValueError: The text is larger than `MAX_BYTES`; nothing else is refused.
    """
    text = text.encode("utf-8", "replace").decode()
    if (size := len(text.encode())) > MAX_BYTES:
        raise ValueError(
            f"The runbook “{name}” has {size // 1024} KiB and at most {MAX_BYTES // 1024} KiB are "
            "read: split it into one file for each job."
        )
    page = outline(text)
    steps, left_out = _within_limits(_copies(_chosen(page)))
    return Runbook(_cut(page.title or name, _TITLE), steps, left_out)


def _chosen(page: Outline) -> list[Part]:
    """Return the parts that are steps, each with what belongs to it gathered in."""
    parts = page.parts
    steps = [p for p in parts if p.task] or list(_unmarked(page)) or _action_headings(page)
    taken = {id(step) for step in steps}
    for part in parts:
        if part.kind == "item" and id(part) not in taken:
            _give_to_the_step_around(part, taken)
    return steps


def _unmarked(page: Outline) -> Iterator[Part]:
    """Yield the steps of a text without task items."""
    last: Part | None = None
    for part in page.parts:
        if any(map(_BACKGROUND.match, part.sections)):
            continue
        is_step = (
            part.above is None and (part.ordered or _acts(part, page.title))
            if part.kind == "item"
            else part.kind == "fence" and bool(part.lines) and _command(part) is not None
        )
        if is_step:
            last = part
            yield part
        elif part.kind == "fence" and last and last.sections == part.sections:
            last.commands += part.commands


def _action_headings(page: Outline) -> list[Part]:
    found = [p for p in page.parts if p.kind == "heading" and _ACTION.search(p.sections[-1])]
    for heading in found:
        heading.lines.insert(0, heading.sections[-1])
        heading.sections = heading.sections[:-1]
    return found


def _acts(part: Part, title: str) -> bool:
    return any(map(_ACTION.search, part.sections or (title,)))


def _give_to_the_step_around(part: Part, taken: set[int]) -> None:
    depth = 0
    step = part.above
    while step is not None and id(step) not in taken:
        step, depth = step.above, depth + 1
    if step is None:
        return
    step.lines += ["  " * depth + "- " + line for line in part.lines[:1]] + part.lines[1:]
    step.commands += part.commands
    step.inline += part.inline


def _copies(steps: Iterable[Part]) -> Iterator[StepCopy]:
    seen: dict[str, int] = {}
    for step in steps:
        said = next((line for line in step.lines if line), "")
        command = _command(step)
        if not said and command is None:
            continue
        section = step.sections[-1] if step.sections else ""
        lines = [*(step.lines if said else ["Run the command"])]
        if command is not None and len(command) > _COMMAND:
            lines.insert(1, f"(its command has {len(command):,} characters: copy it from the file)")
            command = None
        identifier = hashlib.sha256(f"{section}\0{said or command}".encode()).hexdigest()[:12]
        seen[identifier] = seen.get(identifier, 0) + 1
        if seen[identifier] > 1:
            identifier += f"-{seen[identifier]}"
        yield StepCopy(
            id=identifier,
            text=_cut("\n".join(lines), _TEXT),
            section=_cut(section, _SECTION),
            command=command,
        )


def _command(step: Part) -> str | None:
    """Return what to run: the step's code blocks without prompts and output, or its inline code."""
    blocks: list[str] = []
    for language, text in step.commands:
        typed = _typed(text)
        is_session = language in _SESSIONS and not blocks and (language or step.kind == "item")
        if typed is None and (language in _CODE or is_session):
            typed = [text.rstrip("\n")]
        blocks += typed or []
    if not blocks:
        spoken = [code for code in step.inline if " " in code.strip()]
        blocks = spoken if len(spoken) == 1 else []
    return "\n".join(blocks).strip() or None


def _typed(text: str) -> list[str] | None:
    """Return the lines behind `$ ` prompts with their continuations; None without a prompt."""
    typed: list[str] = []
    continued = False
    for line in text.split("\n"):
        if line.lstrip().startswith("$ "):
            typed.append(line.lstrip()[2:])
        elif continued:
            typed.append(line)
        else:
            continue
        continued = line.endswith("\\")
    return typed or None


def _within_limits(steps: Iterator[StepCopy]) -> tuple[tuple[StepCopy, ...], int]:
    kept: list[StepCopy] = []
    left_out = room = 0
    for step in steps:
        room += len(
            json.dumps([step.text, step.section, step.command], ensure_ascii=False).encode()
        )
        room += 64  # the id and the field names
        if left_out or len(kept) == MAX_STEPS or room > _ROOM:
            left_out += 1
        else:
            kept.append(step)
    return tuple(kept), left_out


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - len(_CUT)] + _CUT
