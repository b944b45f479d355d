"""What every test starts from: a home of its own and none of the developer's settings."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A slow machine is no defect: property tests are bounded by their examples, never by time.
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("dev"), max_examples=200, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

_FOREIGN_PREFIXES = ("WARROOM_", "XDG_", "TEXTUAL_", "SSH_")
_FOREIGN = ("TMUX", "NO_COLOR", "FORCE_COLOR", "COLORTERM")


def pytest_configure() -> None:
    """Let programs that tests start hear an interrupt, also where a shell ran this behind."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the test an empty home with XDG directories, and hide the developer's own settings.

    The path is short, because a Unix socket's path ends at 107 bytes.
    """
    for name in list(os.environ):
        if name in _FOREIGN or name.startswith(_FOREIGN_PREFIXES):
            monkeypatch.delenv(name)
    root = Path(tempfile.mkdtemp(prefix="wr-"))
    monkeypatch.setenv("HOME", str(root))
    for variable, name in (
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_DATA_HOME", "data"),
        ("XDG_STATE_HOME", "state"),
        ("XDG_CACHE_HOME", "cache"),
        ("XDG_RUNTIME_DIR", "run"),
    ):
        (root / name).mkdir(mode=0o700)
        monkeypatch.setenv(variable, str(root / name))
    yield root
    shutil.rmtree(root, ignore_errors=True)
