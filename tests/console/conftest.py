"""What tests of actions start from."""

import pytest

from warroom_console.actions import Registry
from warroom_console.context import Ctx
from warroom_console.verbs import all as verbs


@pytest.fixture
def registry() -> Registry[Ctx]:
    """Every action of the console."""
    return verbs.registry()
