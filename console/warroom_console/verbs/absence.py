"""Reading again what happened while this console was away."""

from __future__ import annotations

from warroom_console.actions import Action, Args, Registry
from warroom_console.context import Ctx


def register(registry: Registry[Ctx]) -> None:
    """Add `M` and `:meanwhile`."""
    registry.register(
        Action("meanwhile", ("M",), "Meanwhile", "Show what happened while you were away; again, "
               "all of it.", meanwhile, command="meanwhile", shown=False),
    )  # fmt: skip


def meanwhile(ctx: Ctx, _args: Args) -> None:
    """Show the digest of the last absence."""
    ctx.stage.show_meanwhile()
