"""How far a stream was read, while a server that came back empty tells what it has."""

from collections.abc import Iterable

import msgspec
import pytest

from tests.incident.making import STREAM
from tests.incident.talking import HELLO, WELCOME, Server
from warroom_incident.sync.client_end import ClientEnd
from warroom_incident.sync.server_end import events_frame
from warroom_incident.sync.wire import FRAME_TARGET, Follow, Order, encode


class Kept:
    """What an end holds that knew the server of before."""

    def set_digest(self, _stream: str) -> str:
        return "5" * 64

    def ids(self, _stream: str) -> Iterable[str]:
        return ()


@pytest.mark.parametrize("log", ["", "log-1", "log-2"])
def test_an_order_that_comes_behind_a_live_event_forgets_nothing(server: Server, log: str) -> None:
    """The server looked at its empty log just before that event was admitted."""
    cursors = [Follow(STREAM, log, 0, "")] if log else []
    end = ClientEnd(HELLO, cursors, None, Kept())
    end.hello([STREAM])
    end.receive(encode(msgspec.structs.replace(WELCOME, log="log-1")))
    for place in (1, 2):
        server.fill(1)
        stretch = server.log.stretch(STREAM, place - 1, place, FRAME_TARGET)
        end.receive(events_frame(STREAM, "live", stretch, place))
        end.receive(encode(Order(STREAM, 1, "", 0)))
    reading = end.readings[STREAM]
    assert (reading.iseq, reading.behind) == (2, 0)
    chain = server.log.chain_at(STREAM, 2)
    assert chain is not None
    assert reading.chain == chain
