"""The library: runbooks and templates, a team's own before the shipped ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

from .runbook import MAX_BYTES, Runbook, read_runbook

IC_CHECKLIST = "ic-checklist"
"""The name of the commander's checklist, attached to every incident when it is declared."""

Shelf = Literal["runbooks", "templates"]
Phase = Literal["first", "update", "final"]
"""Which message to an audience it is: nothing was said yet, it goes on, it is over."""

_NAME = re.compile(r"[^\W_][\w.-]{0,79}")
_SHIPPED = Path(__file__).parent / "defaults"


class Library:
    """Reads `runbooks/*.md` and `templates/*.md` below a directory, then those of the package.

    Files are read each time, so that an edit counts at once. Names are file names without `.md`;
    case makes no difference.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory

    def names(self, shelf: Shelf) -> tuple[str, ...]:
        """Return the names that stand on a shelf, sorted."""
        return tuple(sorted(self._shelf(shelf)))

    def own(self, shelf: Shelf) -> tuple[str, ...]:
        """Return the names of the files that a team put there, or changed; sorted."""
        if self._directory is None:
            return ()
        shipped_here = _markdown_in(_SHIPPED / shelf)
        own = _markdown_in(self._directory / shelf)
        return tuple(
            name
            for name, path in sorted(own.items())
            if name not in shipped_here or not _same(path, shipped_here[name])
        )

    def own_as_of(self, shelf: Shelf) -> dict[str, tuple[int, int]]:
        """Return when each file of a team's own was changed, and its size: cheaper than reading."""
        if self._directory is None:
            return {}
        found = {}
        for name, path in _markdown_in(self._directory / shelf).items():
            with suppress(OSError):
                about = path.stat()
                found[name] = (about.st_mtime_ns, about.st_size)
        return found

    def text(self, shelf: Shelf, name: str) -> str:
        """Return the text of one file; bytes that are no UTF-8 are replaced.

        Raises:
            ValueError: There is no such file, or it cannot be read or is too large.
        """
        found = self._shelf(shelf).get(name.casefold()) if _NAME.fullmatch(name) else None
        if found is None:
            raise ValueError(
                f"There is nothing called “{name[:80]}” among the {shelf}: "
                f"there are {', '.join(self.names(shelf))}."
            )
        return _text_of(found)

    def runbook(self, name: str) -> Runbook:
        """Return a runbook by its name; raises ValueError as `text` does."""
        return read_runbook(self.text("runbooks", name), name=name)

    def template(self, audience: str, phase: Phase = "update") -> str:
        """Return the template for an audience: `AUDIENCE-PHASE` or, for any phase, `AUDIENCE`.

        An audience without one of its own gets the internal one.
        """
        known = self._shelf("templates")
        wanted = (f"{audience}-{phase}".casefold(), audience.casefold())
        name = next((name for name in wanted if name in known), "internal")
        return _text_of(known[name])

    def _shelf(self, shelf: Shelf) -> dict[str, Path]:
        found = dict(_markdown_in(_SHIPPED / shelf))
        if self._directory is not None:
            found |= _markdown_in(self._directory / shelf)
        return found


def shipped() -> Iterator[tuple[str, str]]:
    """Yield the path and text of every shipped file, to write them out for editing."""
    library = Library()
    shelves: tuple[Shelf, ...] = ("runbooks", "templates")
    for shelf in shelves:
        for name in library.names(shelf):
            yield f"{shelf}/{name}.md", library.text(shelf, name)


def load_checklist(path: Path | None = None) -> Runbook:
    """Return the checklist in a file, or the commander's as it is shipped.

    Raises:
        ValueError: The file cannot be read or is too large; the message says so.
    """
    if path is None:
        return Library().runbook(IC_CHECKLIST)
    return read_runbook(_text_of(path), name=path.stem)


def own_checklist(text: str) -> Runbook:
    """Return the commander's checklist in a team's own text, or as shipped where it has no step."""
    found = read_runbook(text, name=IC_CHECKLIST)
    return found if found.steps else load_checklist()


def _markdown_in(directory: Path) -> dict[str, Path]:
    try:
        return {
            entry.name[:-3].casefold(): entry
            for entry in directory.iterdir()
            if entry.name.endswith(".md") and _NAME.fullmatch(entry.name[:-3]) and entry.is_file()
        }
    except OSError:
        return {}


def title_in(text: str) -> str:
    """The title that a runbook gives itself: its first heading, empty without one."""
    headings = (line[2:].strip() for line in text.splitlines() if line.startswith("# "))
    return next(headings, "")


def _same(one: Path, other: Path) -> bool:
    try:
        return one.read_bytes() == other.read_bytes()
    except OSError:
        return False


def _text_of(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            content: bytes = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"Cannot read {file}: {error.strerror}.") from None
    if len(content) > MAX_BYTES:
        raise ValueError(f"{file} is larger than {MAX_BYTES // 1024} KiB: split it.")
    return content.decode("utf-8", "replace")
