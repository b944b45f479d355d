"""A server sends within its credit, and a console gives that back as it reads."""

import pytest

from tests.incident.making import STREAM
from tests.incident.talking import Console, Server, complete, join
from warroom_incident.sync.wire import (
    CREDIT,
    SEEN_EVERY,
    Close,
    ProtocolError,
    Seen,
    encode,
)


def test_a_console_that_never_says_seen_is_sent_no_more_than_its_credit(server: Server) -> None:
    server.fill(2000)
    console = Console()
    end, _ = server.accept(console.connect().hello([STREAM]))
    frames = list(iter(lambda: server.next_frame(end), None))
    assert not end.has_credit
    place = end.feeds[STREAM].live
    assert not end.pass_live(STREAM, place, place, 300)
    assert end.bytes_sent < CREDIT + server.largest_frame
    assert sum(map(len, frames)) <= end.bytes_sent
    assert end.next_read(server.tops) is None


def test_credit_is_respected_through_a_whole_join(server: Server) -> None:
    server.fill(3000)
    console = Console()
    join(server, console)
    assert server.largest_debt + SEEN_EVERY >= CREDIT
    assert server.largest_debt < CREDIT + server.largest_frame
    complete(server, console)


def test_seen_is_told_every_so_many_bytes_and_when_asked(server: Server) -> None:
    server.fill(600)
    console = Console()
    end, (welcome,) = server.accept(console.connect().hello([STREAM]))
    console.receive(welcome)
    assert console.end.seen() is None
    assert console.end.seen(now=True) == encode(Seen(len(welcome)))
    assert console.end.seen(now=True) is None, "nothing is owed"
    read = len(welcome)
    while (frame := server.next_frame(end)) is not None:
        console.receive(frame)
        read += len(frame)
        if read - len(welcome) < SEEN_EVERY:
            assert console.end.seen() is None
        else:
            assert console.end.seen() == encode(Seen(read))
            break


@pytest.mark.parametrize("lie", ["more", "less"])
def test_a_console_that_lies_about_what_it_saw_is_cut(server: Server, lie: str) -> None:
    server.fill(5)
    console = Console()
    end = join(server, console)
    wrong = end.bytes_sent + 1 if lie == "more" else end.bytes_seen - 1
    with pytest.raises(ProtocolError, match="seen more than was sent") as caught:
        end.receive(encode(Seen(wrong)))
    assert caught.value.code is Close.BAD_MESSAGE
