"""Beginning to send a stream: whether one may, and how far a console's copy is this log's."""

from __future__ import annotations

from warroom_incident.seal import ZERO
from warroom_incident.sync.server_end import ServerEnd
from warroom_incident.sync.wire import Close, Follow, ProtocolError

from .identity import Caller
from .room import Room


async def begin(room: Room, end: ServerEnd, follow: Follow, caller: Caller) -> None:
    """Begin to send what a console lacks or, where its copy is of another log, to compare.

    Raises:
        ProtocolError: The caller may not read the stream.
    """
    _check(room, follow, caller)
    known = 0
    # Where events are damaged here all consoles compare, so that one of them brings those.
    if follow.log == room.log.log_id and not room.losses.any_in(follow.stream):
        chain = await room.chain_at(follow.stream, follow.iseq)
        if chain is not None and chain.hex() == (follow.chain or ZERO.hex()):
            known = follow.iseq
    present = await room.present(follow.stream)
    top = room.tops.get(follow.stream, 0)
    is_compared = known == 0 and follow.set_digest
    contested = [] if is_compared else await room.contested(follow.stream)
    _check(room, follow, caller)  # a right may have been lost while the disk was read
    if is_compared:
        end.exchange(follow, top=top, present=present)
    else:
        end.follow(follow, top=top, known=known, present=present, contested=contested)


def _check(room: Room, follow: Follow, caller: Caller) -> None:
    if not room.may_read(caller, follow.stream):
        raise ProtocolError(Close.FORBIDDEN, f"you may not read {follow.stream}")
