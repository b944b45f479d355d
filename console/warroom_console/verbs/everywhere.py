"""What a responder does anywhere: find an action, filter, undo, copy, go back, leave."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from warroom_console.actions import PANELS, Action, Args, Registry, Scope
from warroom_console.context import Ctx
from warroom_console.naming import NoIncident
from warroom_console.theme import Tone
from warroom_console.views.lobby import open_incidents

_Do: TypeAlias = Callable[[Ctx, Args], None]


def register(registry: Registry[Ctx]) -> None:
    """Add what works everywhere, and what works in every panel of an incident."""
    _register_screen(registry)
    _register_room(registry)
    _register_row(registry)


def _register_room(registry: Registry[Ctx]) -> None:
    def room(
        name: str, keys: tuple[str, ...], title: str, told: str, do: _Do, *, shown: bool = False
    ) -> Action[Ctx]:
        return Action(f"room.{name}", keys, title, told, do, scope=Scope.ROOM, shown=shown)

    for number, scope in PANELS.items():
        title = scope.value.capitalize()
        told = f"Go to the panel {title}."
        registry.register(room(scope.value, (str(number),), title, told, partial(_panel, number)))
    registry.register(
        room("next-panel", ("tab",), "Next panel", "Go to the next panel.", _next_panel),
        room("last-panel", ("shift+tab",), "Panel before", "Go to the panel before.", _last_panel),
        room("zoom", ("z",), "Zoom", "Give the panel the whole screen, or end that.", _zoom,
             shown=True),
        room("due", ("0",), "All due", "List all that is due here.", _due, shown=True),
        room("urgent", (".",), "Urgent", "Go to what is most urgent, or not seen yet.", _urgent,
             shown=True),
        Action("room.later", ("]",), "Next incident", "Go to the next open incident.",
               partial(_neighbour, 1), scope=Scope.ROOM, when=_only_one, shown=False),
        Action("room.earlier", ("[",), "Incident before", "Go to the open incident before.",
               partial(_neighbour, -1), scope=Scope.ROOM, when=_only_one, shown=False),
        Action("room.lobby", (), "Lobby", "Go to the lobby.", _lobby, scope=Scope.ROOM,
               command="lobby"),
    )  # fmt: skip


def _register_row(registry: Registry[Ctx]) -> None:
    registry.register(
        Action("row.undo", ("u",), "Undo", "Take back what you did last.", _undo, command="undo"),
        Action("row.range", ("v",), "Range", "Mark rows by moving the cursor, for one verb on all; "
               "again, stop that.", _range, shown=False),
        Action("row.copy", ("y",), "Copy", "Copy the row to the clipboard.", _copy,
               when=_on_cursor, shown=False),
        Action("row.copy-all", ("Y",), "Copy panel", "Copy the whole panel as Markdown.",
               _copy_all, command="copy", shown=False),
        Action("row.bare", ("B",), "Bare", "Show the panel as bare text, to select it.", _bare,
               command="bare", shown=False),
        Action("row.freeze", ("p",), "Freeze", "Keep the panel as it is, or let it go on.",
               _freeze, shown=False),
    )  # fmt: skip


def _register_screen(registry: Registry[Ctx]) -> None:
    def screen(
        name: str, keys: tuple[str, ...], title: str, told: str, do: _Do, *, command: str = "",
        shown: bool = False,
    ) -> Action[Ctx]:  # fmt: skip
        return Action(name, keys, title, told, do, command=command, shown=shown)

    registry.register(
        screen("filter", ("/",), "Filter", "Show only what holds some words.", _filter,
               shown=True),
        screen("command", (":",), "Command", "Type a command; Tab completes it.", _command,
               shown=True),
        screen("palette", ("ctrl+p",), "Find", "Find an action by its words.", _palette),
        screen("help", ("?", "f1"), "Help", "Show all keys that work here.", _help,
               command="help", shown=True),
        screen("back", ("escape",), "Back", "Clear marks, a filter or a zoom.", _back),
        screen("close", ("q",), "Close", "Go to the lobby; it never leaves warroom.", _close),
        screen("retry", ("R",), "Retry", "Try to reach the server now.", _retry,
               command="retry"),
        screen("redraw", ("ctrl+l",), "Redraw", "Paint the whole screen again.", _redraw),
        screen("quit", ("ctrl+q",), "Quit", "Leave warroom.", _quit, command="quit"),
        Action("join", (), "Join", "Go to an incident by its number.", _join, command="join",
               usage="INC-7", hints=_numbers, check=_join_check),
    )  # fmt: skip


# The room ----------------------------------------------------------------------------------


def _panel(number: int, ctx: Ctx, _args: Args) -> None:
    ctx.activate(number)


def _next_panel(ctx: Ctx, _args: Args) -> None:
    ctx.stage.step(1)


def _last_panel(ctx: Ctx, _args: Args) -> None:
    ctx.stage.step(-1)


def _zoom(ctx: Ctx, _args: Args) -> None:
    ctx.stage.zoom()


def _due(ctx: Ctx, _args: Args) -> None:
    ctx.stage.show_due()


def _urgent(ctx: Ctx, _args: Args) -> None:
    ctx.stage.urgent()


def _only_one(ctx: Ctx) -> str | None:
    others = [s for s in open_incidents(ctx) if s.stream != ctx.stream]
    return None if others else "no other incident is open"


def _neighbour(by: int, ctx: Ctx, _args: Args) -> None:
    streams = [summary.stream for summary in open_incidents(ctx)]
    if ctx.stream in streams:
        place = (streams.index(ctx.stream) + by) % len(streams)
    else:
        place = 0 if by > 0 else -1
    ctx.open_incident(streams[place])


def _lobby(ctx: Ctx, _args: Args) -> None:
    ctx.open_lobby()


# The row -----------------------------------------------------------------------------------


def _undo(ctx: Ctx, _args: Args) -> None:
    ctx.undo()


def _range(ctx: Ctx, _args: Args) -> None:
    ctx.stage.mark_range()


def _on_cursor(ctx: Ctx) -> str | None:
    return None if ctx.cursor is not None else "no row under the cursor"


def _copy(ctx: Ctx, _args: Args) -> None:
    if ctx.view is not None and ctx.cursor is not None:
        ctx.copy(ctx.view.text(ctx, ctx.cursor), "The row")


def _copy_all(ctx: Ctx, _args: Args) -> None:
    if ctx.view is not None:
        ctx.copy(ctx.view.text(ctx, None), "The panel")


def _bare(ctx: Ctx, _args: Args) -> None:
    if ctx.view is not None:
        ctx.show_text(ctx.view.name, ctx.view.text(ctx, None))


def _freeze(ctx: Ctx, _args: Args) -> None:
    ctx.stage.freeze()


# The screen --------------------------------------------------------------------------------


def _filter(ctx: Ctx, _args: Args) -> None:
    ctx.stage.sift()


def _command(ctx: Ctx, _args: Args) -> None:
    ctx.stage.command()


def _palette(ctx: Ctx, _args: Args) -> None:
    ctx.stage.show_palette()


def _help(ctx: Ctx, _args: Args) -> None:
    ctx.stage.show_help()


def _back(ctx: Ctx, _args: Args) -> None:
    ctx.stage.back()


def _close(ctx: Ctx, _args: Args) -> None:
    ctx.stage.close_view()


def _quit(ctx: Ctx, _args: Args) -> None:
    ctx.stage.quit()


def _redraw(ctx: Ctx, _args: Args) -> None:
    ctx.stage.redraw()


def _retry(ctx: Ctx, _args: Args) -> None:
    if ctx.model.live:
        ctx.flash("The server is connected.")
    else:
        ctx.desk.retry_now()
        ctx.flash("Trying now.")


def _join(ctx: Ctx, args: Args) -> None:
    if complaint := _join_check(ctx, args):
        ctx.flash(complaint, Tone.WARN)
    else:
        ctx.open_incident(ctx.desk.resolve(args.text))


def _join_check(ctx: Ctx, args: Args) -> str | None:
    try:
        ctx.desk.resolve(args.text)
    except NoIncident:
        known = ", ".join(_numbers(ctx, args)) or "none is open"
        return f"Name an incident: {known}."
    return None


def _numbers(ctx: Ctx, _args: Args) -> list[str]:
    return [summary.id for summary in open_incidents(ctx)]
