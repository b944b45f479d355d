"""What tests of the console start from."""

import os

import pytest

from warroom_console.actions import Registry
from warroom_console.context import Ctx
from warroom_console.verbs import all as verbs


@pytest.fixture
def registry() -> Registry[Ctx]:
    """Every action of the console."""
    return verbs.registry()


@pytest.fixture(autouse=True)
def shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a shell behind the console, whoever runs the tests: `?` tells whether ctrl+z works."""
    monkeypatch.setattr(os, "getsid", lambda _pid: 0)
