"""Keeps the key table of README.md true: it is written from the action registry.

`python -m warroom_console.readme` rewrites it, with `--check` it fails where the table is old.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from .verbs.all import registry

README = Path("README.md")
_PART = re.compile(r"(<!-- keys -->\n).*?(<!-- end of keys -->\n)", re.DOTALL)


def rewritten(text: str) -> str:
    """The text with the table between its markers as the registry has it now.

    Raises:
        ValueError: The markers are missing.
    """
    table = registry().markdown_table()
    fresh, count = _PART.subn(lambda part: f"{part[1]}\n{table}\n{part[2]}", text)
    if count != 1:
        raise ValueError("the markers <!-- keys --> and <!-- end of keys --> must be there once")
    return fresh


def main(arguments: list[str] | None = None) -> int:
    """Rewrite the table, or check it; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m warroom_console.readme")
    parser.add_argument("--check", action="store_true", help="change nothing, fail where it is old")
    parser.add_argument("file", nargs="?", type=Path, default=README)
    options = parser.parse_args(arguments)
    try:
        old = options.file.read_text("utf-8")
        fresh = rewritten(old)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{options.file}: {error}\n")
        return 2
    if fresh == old:
        return 0
    if options.check:
        sys.stderr.write(
            f"{options.file}: the key table is old: run python -m warroom_console.readme\n"
        )
        return 1
    options.file.write_text(fresh, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
