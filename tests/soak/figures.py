"""What a soak measures: memory and open files of each process, and whether they stay flat."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Figures(NamedTuple):
    """A process at one moment: resident MiB and open files."""

    memory: float
    files: int


def look(pid: int) -> Figures:
    """Measure a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return Figures(pages * 4096 / 2**20, len(list(Path(f"/proc/{pid}/fd").iterdir())))


def growth(before: Figures, after: Figures, *, memory: float, files: int) -> str:
    """One sentence on a process that grew by more than it may; empty where it did not."""
    if after.files > before.files + files:
        return f"open files grew from {before.files} to {after.files}"
    if after.memory > before.memory + memory:
        return f"memory grew from {before.memory:.1f} to {after.memory:.1f} MiB"
    return ""
