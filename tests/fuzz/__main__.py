"""`make fuzz MINUTES=5`: look for an input that breaks a promise, guided by what it reaches.

`python -m tests.fuzz FILE` tries one input again. What breaks something is kept in `.fuzz/broken`,
what reached something new in `.fuzz/found`, where the next run begins.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
from pathlib import Path

from .mutating import mutate

KEPT = Path(__file__).parents[2] / ".fuzz"
LONGEST_INPUT = 8 << 10
HANGS_AFTER = 30
MOST_MEMORY = 1500
"""In MiB, for the whole process: instrumented code, corpus and what an input takes."""


def main() -> int:
    """Read the arguments; run for a while, or try one input."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("file", nargs="?", type=Path)
    chosen = parser.parse_args()
    if chosen.file is not None:
        from .targets import NAMES, survive

        data = chosen.file.read_bytes()
        sys.stdout.write(f"{NAMES[data[0] % len(NAMES)]}: {data[1:400]!r}\n")
        survive(data)
        sys.stdout.write("nothing is broken by it\n")
        return 0
    fuzz(chosen.minutes)
    return 0


def fuzz(minutes: float) -> None:
    """Run. Ends the process: with 0, or with 1 and the input that broke something."""
    for name in ("found", "broken"):
        (KEPT / name).mkdir(parents=True, exist_ok=True)
    subprocess.run((sys.executable, "-m", "tests.fuzz.seeds", str(KEPT)), check=True)
    atheris = importlib.import_module("atheris")  # only here: nothing else needs it
    with atheris.instrument_imports(include=["warroom_incident", "warroom_server"]):
        targets = importlib.import_module("tests.fuzz.targets")

    def change(data: bytes, most: int, seed: int) -> bytes:
        return mutate(data, most, seed, atheris.Mutate)

    options = {
        "max_total_time": round(minutes * 60),
        "max_len": LONGEST_INPUT,
        "timeout": HANGS_AFTER,
        "rss_limit_mb": MOST_MEMORY,
        "artifact_prefix": f"{KEPT / 'broken'}/",
        "dict": KEPT / "words",
        "print_final_stats": 1,
    }
    arguments = [f"-{name}={value}" for name, value in options.items()]
    corpus = [str(KEPT / "found"), str(KEPT / "seeds")]
    atheris.Setup([sys.argv[0], *arguments, *corpus], targets.survive, custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
