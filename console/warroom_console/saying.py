"""What a command says and how it fails: cleaned text on standard output, one sentence on error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from warroom_incident.clean import cells, clean, clean_line

BAD_INPUT = 2
UNREACHABLE = 3
REFUSED = 4
FOUND_WRONG = 1
"""`doctor` and `fsck` found something that is not as it should be."""


def ascii_only() -> bool:
    """Whether nothing but ASCII of our own is wanted (`WARROOM_ASCII`)."""
    return os.environ.get("WARROOM_ASCII", "") not in ("", "0")


class Failure(Exception):
    """A command cannot do what it was asked; the message is one sentence that says what to do."""

    code = BAD_INPUT


class Unreachable(Failure):
    """No server answers, and there is nothing to fall back on."""

    code = UNREACHABLE


class Denied(Failure):
    """The server, or the right of this account, does not allow it."""

    code = REFUSED


def unusable(error: OSError, directory: Path) -> str:
    """Say that a file, or else the directory, cannot be used, why, and what to do."""
    from warroom_incident.ballast import is_full

    if not error.strerror:
        return str(error)
    room = "make room or " if is_full(error) else ""
    return (
        f"{error.filename or directory} cannot be used ({error.strerror}): {room}choose another "
        "directory with WARROOM_REPLICA."
    )


def out(text: str = "") -> None:
    """Print cleaned text."""
    sys.stdout.write(clean(text) + "\n")


def err(text: str) -> None:
    """Print one cleaned line on standard error."""
    sys.stderr.write(clean_line(text) + "\n")


def fail(sentence: str) -> None:
    """Print why a command ends without having done what it was asked."""
    sys.stderr.write(f"warroom: {clean_line(sentence)}\n")


def out_json(value: object, *, lines: bool = False) -> None:
    """Print data: pretty or, with `lines`, on one line.

    Everything outside ASCII and DEL is escaped, so that data keeps its bytes and no terminal
    obeys them.
    """
    import json

    text = json.dumps(value, indent=None if lines else 2)
    sys.stdout.write(text.replace("\x7f", "\\u007f") + "\n")


def table(rows: Iterable[tuple[str, ...]]) -> None:
    """Print rows in columns as wide as they need; the last column is not padded."""
    cleaned = [tuple(clean_line(cell) for cell in row) for row in rows]
    widths = [max(map(cells, column)) for column in zip(*cleaned, strict=True)]
    for row in cleaned:
        padded = [
            cell + " " * (width - cells(cell)) for cell, width in zip(row, widths, strict=True)
        ]
        sys.stdout.write("  ".join(padded).rstrip() + "\n")
