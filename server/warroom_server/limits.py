"""What the system lets this process do, set once at its start."""

from __future__ import annotations

import contextlib
import resource


def take_all_files() -> None:
    """Let this process have as many files open as the machine allows, not the usual 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def leave_no_core() -> None:
    """Have no memory written to a disk when the process crashes: the signing key is in it."""
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, most))
