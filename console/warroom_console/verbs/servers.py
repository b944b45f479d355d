"""Which server this console talks to: going to another one by hand."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from warroom_console.actions import Action, Args, Registry
from warroom_console.context import Ctx
from warroom_console.places import PlaceError, parse_server
from warroom_console.theme import Tone
from warroom_console.widgets.menu import Choice
from warroom_console.widgets.prompt import Ask
from warroom_incident.clean import clean_line

from .guards import complaint_of, word_check


def register(registry: Registry[Ctx]) -> None:
    """Add `:server`."""
    registry.register(
        Action("server", (), "Server", "Go to another server of the room; without an address, "
               "choose one.", go, command="server", usage="unix:///run/warroom/socket",
               hints=_known, check=word_check(parse_server), shown=False),
    )  # fmt: skip


def go(ctx: Ctx, args: Args) -> None:
    """Go to the server that was typed, or choose one of those that are known."""
    if args.text:
        _move(ctx, args.text)
    else:
        ctx.choose("Server", _choices(ctx), partial(_move, ctx), partial(_type, ctx))


def _move(ctx: Ctx, url: str) -> None:
    try:
        ctx.desk.move_to(url)
    except PlaceError as error:
        ctx.flash(str(error), Tone.WARN)
    else:
        ctx.flash(f"Trying {clean_line(url, 60)} first.")


def _type(ctx: Ctx, url: str) -> None:
    check = partial(complaint_of, parse_server)
    ctx.ask(Ask("server: ", partial(_move, ctx), text=url, check=check))


def _choices(ctx: Ctx) -> Iterable[Choice]:
    """Every server with what is known of it; another one's address may be typed."""
    state = ctx.model.link
    for url in dict.fromkeys([*_known(ctx, Args()), *([state.server] if state.server else [])]):
        note = ""
        if url == state.server:
            note = "this one" if state.phase == "live" else state.reason or "being tried"
        yield Choice(url, clean_line(url, 60), clean_line(note.removeprefix(f"{url}: "), 60))


def _known(ctx: Ctx, _args: Args) -> Iterable[str]:
    listed = [url for place in ctx.model.servers for url in place.urls]
    return dict.fromkeys([*(server.url for server in ctx.desk.places.servers), *listed])
