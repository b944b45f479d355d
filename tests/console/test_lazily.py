"""What a console does not load: what nobody asks it for costs neither time nor memory."""

from __future__ import annotations

import subprocess
import sys

_LEFT_OUT = ("textual.widgets._input", "textual.widgets._directory_tree", "textual.fuzzy")


def run(code: str) -> str:
    """What a program writes in a fresh process."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_console_runs_without_what_the_palette_of_textual_is_made_of() -> None:
    told = run(
        "import asyncio, sys\n"
        "from warroom_console.lazily import without\n"
        "without('textual.command')\n"
        "from warroom_console.app import Console\n"
        "async def opened(app): app.exit()\n"
        "app = Console(called='INC-1', opened=opened)\n"
        "asyncio.run(app.run_async(headless=True))\n"
        "app.action_command_palette()\n"
        f"print([name for name in {_LEFT_OUT!r} if name in sys.modules])\n"
    )
    assert told == "[]\n"


def test_a_module_that_is_loaded_stays_what_it_is() -> None:
    told = run(
        "import json\n"
        "from warroom_console.lazily import without\n"
        "without('json')\n"
        "import json as again\n"
        "print(again.loads('[7]'))\n"
    )
    assert told == "[7]\n"


def test_what_is_imported_from_an_absent_module_is_one_empty_class() -> None:
    told = run(
        "from warroom_console.lazily import without\n"
        "without('json.tool')\n"
        "from json.tool import Thing\n"
        "from json.tool import Thing as Same\n"
        "class Part(Thing): pass\n"
        "print(Thing is Same, issubclass(Part, Thing), Thing | int)\n"
    )
    assert told.startswith("True True ")
