"""What views and verbs are given, as everybody names it: `Room` and `View`, `Ctx` and `Stage`.

They are protocols, told in `contracts`, and mean something to type checkers alone: every one of a
machine's many consoles would hold them in memory for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from .contracts import Ctx as Ctx, Room as Room, Stage as Stage, View as View
    from .model import Changes
else:
    Ctx = Room = Stage = View = object


@runtime_checkable
class Keeping(Protocol):
    """A view that keeps what it worked out between two drawings."""

    def changed(self, room: Room, changes: Changes) -> bool:
        """Forget what these changes concern; say whether anything shown here may differ."""
