"""Commands that keep a room alive: a standby, its promotion, and a server out of a replica."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import NoReturn

import click

from warroom_incident.practice.words import counted
from warroom_incident.replica import Replica
from warroom_incident.sync.wire import (
    PROTOCOL,
    Close,
    Promote,
    ProtocolError,
    Standing,
    encode,
    read_from_server,
)

from .cli_run import exec_server
from .contact import candidates, known_room
from .dial import DialError, dial, load, why_not
from .errand import find_places
from .known import Known
from .link import wall_ms
from .places import Places, Server, parse_server
from .saying import Denied, Failure, Unreachable, err, out
from .when import clock

ANSWER_WITHIN = 10.0
PROMOTE_WITHIN = 30.0


@click.command("standby")
@click.option("--of", metavar="URL", required=True, help="The server to follow.")
@click.option("--data", metavar="DIR", help="Where the log lies (WARROOM_DATA).")
@click.option("--socket", metavar="PATH", help="The Unix socket for consoles, once it serves.")
@click.option("--http", metavar="HOST:PORT", help="Where alert senders post then, or 'off'.")
@click.option("--listen", metavar="HOST:PORT", help="TCP for consoles with tokens.")
@click.option("--cert", metavar="FILE", help="TLS certificate chain for --listen.")
@click.option("--key", metavar="FILE", help="Its private key.")
def standby_command(of: str, **flags: str | None) -> NoReturn:
    """Run a second server that follows the first, ready to be promoted.

    It needs a configuration directory of its own (WARROOM_CONFIG) and an admin's right on the
    server that it follows: over a Unix socket that of the account it runs under, over TLS that of
    the token in its configuration directory.
    """
    exec_server({"standby-of": of, **flags})


@click.command("promote")
@click.option("--socket", metavar="PATH", help="The standby's socket; else as --server says.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def promote_command(socket: str | None, yes: bool) -> None:
    """Make a standby the room's server.

    It takes consoles, events and alerts from then on.
    """
    places = find_places()
    if socket is not None:
        path = Path(socket.removeprefix("unix://")).expanduser().absolute()
        servers: tuple[Server, ...] = (parse_server(f"unix://{path}"),)
    else:
        servers = candidates(places)
    server, standing = asyncio.run(_find(places, servers))
    out(f"{server.url} is a standby of {standing.of or 'nobody'}.")
    out(_held(standing.incidents, standing.events, standing.tokens, standing.in_step_at))
    if standing.connected:
        out("It has a line to that server now: both will serve, and stay in step.")
    _confirm("promote", "make it the room's server", yes)
    standing = asyncio.run(_ask(places, server, confirmed=True))
    if not standing.serves:
        raise Failure(f"It was not promoted: {standing.reason or 'it does not say why'}.")
    out("It serves now. Consoles that know of it move to it by themselves within seconds.")


async def _find(places: Places, servers: tuple[Server, ...]) -> tuple[Server, Standing]:
    """The first standby among some servers.

    Raises:
        Denied: One of them is, and this user may not promote it.
        Unreachable: None is.
    """
    reasons = []
    for server in servers:
        try:
            return server, await _ask(places, server, confirmed=False)
        except Unreachable as error:
            reasons.append(str(error).rstrip("."))
    raise Unreachable(f"No standby: {', '.join(reasons)}. Name its socket with --socket.")


async def _ask(places: Places, server: Server, *, confirmed: bool) -> Standing:
    load()
    from websockets.exceptions import ConnectionClosed, WebSocketException

    try:
        async with asyncio.timeout(PROMOTE_WITHIN if confirmed else ANSWER_WITHIN):
            connection = await dial(server, places.token)
            try:
                await connection.send(encode(Promote(PROTOCOL, confirmed)), text=True)
                answer = read_from_server(bytes(await connection.recv(decode=False)))
            finally:
                await connection.close()
    except ConnectionClosed as closed:
        said = closed.rcvd.reason if closed.rcvd is not None else ""
        if closed.rcvd is not None and closed.rcvd.code in (Close.UNKNOWN_TOKEN, Close.FORBIDDEN):
            raise Denied(f"{server.url}: {said}.") from None
        raise Unreachable(f"{server.url}: {said or 'it hung up'}.") from None
    except (OSError, TimeoutError, WebSocketException, DialError, ProtocolError) as error:
        raise Unreachable(f"{server.url}: {why_not(error)}.") from None
    if not isinstance(answer, Standing):
        raise Unreachable(f"{server.url}: it is no standby.")
    return answer


def _held(incidents: int, events: int, tokens: int | None, at: int | None) -> str:
    now = wall_ms()
    known = f" and {counted(tokens, 'token')}" if tokens is not None else ""
    age = f"as it was at {clock(at, now)}" if at else "as old as nobody knows"
    held = f"{counted(incidents, 'incident')} with {counted(events, 'event')}"
    return f"It holds {held}{known}, {age}."


def _confirm(word: str, what: str, yes: bool) -> None:
    """Have a word typed before something that cannot be taken back."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Failure(f"Nothing was done: add --yes to {what} without being asked.")
    if click.prompt(f"Type {word} to {what}", default="", show_default=False).strip() != word:
        raise Failure("Nothing was done.")


def from_replica(flags: dict[str, str | None], *, yes: bool) -> NoReturn:
    """Serve what this user's replica holds: say what that is, ask, and hand over to the server."""
    places = find_places()
    room = known_room(places, candidates(places)) or _last_known(places)
    directory = places.replica or (places.room_directory(room) if room else None)
    replica = Replica.newest(directory) if directory is not None else None
    if directory is None or replica is None:
        raise Failure("This user has no replica of a room: join one first.")
    try:
        meta, streams = replica.meta(), replica.streams()
        incidents = sum(stream.startswith("i-") for stream in streams)
        events = sum(len(replica.events(stream)) for stream in streams)
        out(f"The replica in {directory} becomes a server of the room {meta.get('room', '?')}.")
        out(_held(incidents, events, None, int(meta.get("heard_at", "0"))))
        if by_title := len({known.stream for known in replica.summaries()} - streams):
            more = counted(by_title, "more incident")
            out(f"It knows the title of {more}, and no entry: whoever followed them brings those.")
        out(
            "It knows no tokens and no rights: you are its admin, and alert senders need new "
            "tokens. What neither a seal nor its author vouches for is shown as via "
            f"{meta.get('you', 'you')}."
        )
    finally:
        replica.close()
    _confirm("yes", "take over", yes)
    err("Others find it when their --server names it, or at the host's own socket.")
    exec_server({**flags, "from-replica": str(directory)})


def _last_known(places: Places) -> str | None:
    return next(reversed(Known(places.state).rooms().values()), None)
