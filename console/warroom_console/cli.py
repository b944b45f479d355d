"""The command line: what `warroom` does with its arguments, and how every command ends.

Exit codes: 0 done (also when a reader closed the pipe early), 1 `doctor` or `fsck` found something
wrong, 2 bad input, 3 no server and nothing to fall back on, 4 refused, 130 interrupted, 129 or 143
ended by a signal.
"""

from __future__ import annotations

import os
import sys

from .saying import BAD_INPUT, Failure, fail

INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit; whatever happens is one sentence, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        code = _run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has seen enough; leave nothing for the exit to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    try:
        return _opened(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Failure as error:
        fail(str(error))
        return error.code
    except Exception as error:
        from .mishap import record

        fail(record(error))
        return BAD_INPUT


def _light() -> None:
    """Import msgspec without what it has for other formats than JSON."""
    from importlib import import_module

    from .lazily import lazily

    names = ("inspect", "_json_schema", "msgpack", "toml", "yaml")
    with lazily(*(f"msgspec.{name}" for name in names)):
        import_module("msgspec")


def _opened(arguments: list[str]) -> int:
    """Open the console where nothing else was asked for, without taking the time to load click."""
    if arguments[:1] in ([], ["join"]):
        _light()
    match arguments:
        case []:
            from .start import lobby

            return lobby()
        case ["join", incident] if incident and not incident.startswith("-"):
            from .start import join

            return join(incident)
        case _:
            from .commands import call

            return call(arguments)


if __name__ == "__main__":
    main()
