"""What nobody foresaw: the details go to a file that only this user reads, a sentence to people."""

from __future__ import annotations

import os
import traceback
from datetime import UTC, datetime
from pathlib import Path

from platformdirs import user_state_path

from warroom_incident.clean import clean, clean_line
from warroom_incident.directory import make_private

MOST_BYTES = 1024 * 1024


def record(error: BaseException) -> str:
    """Write an unforeseen error down, and return the sentence that tells of it."""
    said = clean_line(f"{type(error).__name__}: {error}", 100)
    path = user_state_path("warroom") / "mishaps.log"
    try:
        _append(path, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n{_details(error)}\n")
    except OSError:
        return f"Something went wrong that should not ({said}); the details could not be written."
    return f"Something went wrong that should not ({said}); the details are in {path}."


def _details(error: BaseException) -> str:
    return clean("".join(traceback.format_exception(error)))


def _append(path: Path, text: str) -> None:
    make_private(path.parent)
    if path.exists() and path.stat().st_size > MOST_BYTES:
        path.replace(path.with_suffix(".old"))
    handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
