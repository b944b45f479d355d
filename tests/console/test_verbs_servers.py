"""`:server`: going to another server by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.desks import places
from tests.console.fake_ctx import FakeCtx
from tests.console.fake_room import fake_room
from tests.waiting import wait_for
from warroom_console.actions import Args, Registry, Scope
from warroom_console.context import Ctx
from warroom_console.desk import Desk
from warroom_console.link import LinkState
from warroom_console.places import PlaceError, parse_server
from warroom_console.views.roles import RolesView
from warroom_incident.sync.wire import Close, Place

OTHER = "wss://war2.example:8764"


class Moving(FakeCtx):
    """A context whose desk goes where it is told."""

    def __init__(self) -> None:
        super().__init__(RolesView(), Scope.ROLES)
        self.places.servers = (parse_server("unix:///run/warroom/socket"),)
        self.model.link = LinkState("live", "unix:///run/warroom/socket")
        self.moved: list[str] = []

    def move_to(self, url: str) -> None:
        parse_server(url)
        self.moved.append(url)


def test_it_goes_where_it_was_told(registry: Registry[Ctx]) -> None:
    ctx = Moving()
    ctx.command(registry, f"server {OTHER}")
    assert ctx.moved == [OTHER]
    assert ctx.flashed == [f"Trying {OTHER} first."]


@pytest.mark.parametrize(
    "text", ["war2", "http://war2", "ws://war2:8764", "unix://x", "wss://[", "\x1b"]
)
def test_a_bad_address_is_answered_with_what_a_good_one_looks_like(
    text: str, registry: Registry[Ctx]
) -> None:
    ctx = Moving()
    action, args = registry.find_command(f"server {text}")
    complaint = action.check(ctx.ctx, args)
    assert complaint
    assert complaint.endswith(".")
    assert "\x1b" not in complaint
    action.do(ctx.ctx, Args(text))
    assert ctx.moved == []
    assert ctx.flashed == [complaint]


def test_without_an_address_one_is_chosen(registry: Registry[Ctx]) -> None:
    ctx = Moving()
    ctx.model.servers = [Place("s", "", "war2", [OTHER])]
    ctx.command(registry, "server")
    assert ctx.menu is not None
    here = "unix:///run/warroom/socket"
    assert [(c.label, c.note) for c in ctx.menu.choices] == [(here, "this one"), (OTHER, "")]
    ctx.menu.then(OTHER)
    assert ctx.moved == [OTHER]
    ctx.model.link = LinkState("retrying", here, reason=f"{here}: connection refused")
    ctx.command(registry, "server")
    assert ctx.menu.choices[0].note == "connection refused"
    action = registry["server"]
    assert OTHER in action.hints(ctx.ctx, Args(""))


async def test_a_desk_that_was_turned_away_for_good_goes_on_at_another_server(
    tmp_path: Path,
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    async with fake_room(one) as first, fake_room(two) as second, Desk(places(first)) as desk:
        await wait_for(lambda: desk.model.live)
        first.farewell = (Close.FORBIDDEN, "no longer")
        await first.stop()
        await first.start()
        await wait_for(lambda: desk.model.link.phase == "stopped")
        with pytest.raises(PlaceError):
            desk.move_to("nowhere")
        desk.move_to(second.url)
        await wait_for(lambda: desk.model.live and desk.model.link.server == second.url)


async def test_who_was_turned_away_gets_in_by_trying_again_once_they_may(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room, Desk(places(room)) as desk:
        await wait_for(lambda: desk.model.live)
        room.farewell = (Close.FORBIDDEN, "no longer")
        await room.stop()
        await room.start()
        await wait_for(lambda: desk.model.link.phase == "stopped")
        greeted = room.greeted
        for _ in range(3):
            desk.retry_now()
        await wait_for(lambda: desk.model.link.phase == "stopped" and room.greeted > greeted)
        assert desk.model.link.reason == "Not let in: no longer."
        assert room.greeted == greeted + 1, "it tries once"
        room.farewell = None
        desk.retry_now()
        await wait_for(lambda: desk.model.live)
