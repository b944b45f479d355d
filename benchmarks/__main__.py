"""`make bench`: run every benchmark and write the table of docs/performance.md.

`python -m benchmarks NAME...` runs only those and prints, without writing; with `--write` their
rows in the table are replaced, and new ones added below.
"""

from __future__ import annotations

import importlib
import os
import platform
import sqlite3
import sys
from pathlib import Path

from .measure import Result, table

BENCHES = (
    "core",
    "fsck",
    "fanout",
    "join",
    "refill",
    "heal",
    "idle",
    "render",
    "consoles",
    "storm",
    "intake",
    "offline",
    "alerts",
)
DOCUMENT = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- figures: written by make bench -->", "<!-- end of figures -->"


def main(arguments: list[str]) -> int:
    """Run benchmarks by name; the exit code is 1 when a budget is not kept."""
    names = [argument for argument in arguments if argument != "--write"]
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        sys.stderr.write(f"no benchmark {unknown[0]}; there are {', '.join(BENCHES)}\n")
        return 2
    results: list[Result] = []
    for name in names or BENCHES:
        sys.stderr.write(f"{name} …\n")
        found: list[Result] = importlib.import_module(f"benchmarks.bench_{name}").main()
        sys.stdout.write(table(found))
        results.extend(found)
    if len(names) < len(arguments) or not names:
        _write(results, merge=bool(names))
    return 0 if all(result.kept for result in results) else 1


def _write(results: list[Result], *, merge: bool) -> None:
    text = DOCUMENT.read_text()
    head, rest = text.split(BEGIN)
    before, tail = rest.split(END)
    rows = table(results)
    if merge:
        rows = _merged([line for line in before.splitlines() if line.startswith("|")], rows)
    machine = (
        f"{os.cpu_count()} cores, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, {platform.system()} {platform.release()}"
    )
    DOCUMENT.write_text(f"{head}{BEGIN}\nMeasured on {machine}.\n\n{rows}{END}{tail}")


def _merged(known: list[str], rows: str) -> str:
    """A table with its rows replaced by those that have the same name, and the others added."""
    new = {_name(row): row for row in rows.splitlines()[2:]}
    kept = [new.pop(_name(row), row) for row in known]
    return "\n".join([*kept, *new.values()]) + "\n"


def _name(row: str) -> str:
    return row.split("|")[1].strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
