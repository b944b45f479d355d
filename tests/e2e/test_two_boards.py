"""Two living servers of one room show the same alerts, wherever those come in."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.arrivals import shows
from tests.e2e.houses import (
    desk_at,
    in_step,
    make_token,
    post,
    promote,
    server_and_standby,
)


async def test_alerts_of_both_servers_are_on_both_boards_whichever_side_called(home: Path) -> None:
    async with server_and_standby(home) as (a, b):
        async with desk_at(a.url, home, "ana") as ana:
            await ana.ready()
            token = await make_token(ana, "generic")
            stream = ana.declare("x", "SEV3")
            await in_step(ana, b, stream)
            await post(a, token, "before")
            await shows(ana, ("before", "firing"))
        await a.kill()
        await promote(b)
        async with desk_at(b.url, home, "bo") as bo:
            await post(b, token, "alone")
            await shows(bo, ("before", "firing"), ("alone", "firing"))
            # A comes back and names B as B names A.
            a.configure(f'peers = ["{b.url}"]')
            await a.start()
            async with desk_at(a.url, home, "cy") as cy:
                both = [("before", "firing"), ("alone", "firing")]
                await shows(cy, *both)
                await post(a, token, "at-a")
                await post(b, token, "at-b")
                both += [("at-a", "firing"), ("at-b", "firing")]
                for desk in (bo, cy):
                    await shows(desk, *both)
                uids = {r.uid for r in cy.model.records.values()}
                assert {r.uid for r in bo.model.records.values()} == uids
                # Each end comes in where the beginning did not.
                for house, key in ((b, "at-a"), (a, "at-b"), (a, "alone"), (b, "before")):
                    await post(house, token, key, "resolved")
                for desk in (bo, cy):
                    await shows(desk, *((key, "resolved") for key, _ in both))
                assert {r.uid for r in bo.model.records.values()} == uids


async def test_one_server_that_names_the_other_is_enough_for_both_boards(home: Path) -> None:
    async with server_and_standby(home) as (a, b), desk_at(a.url, home, "ana") as ana:
        await ana.ready()
        token = await make_token(ana, "generic")
        stream = ana.declare("x", "SEV3")
        await in_step(ana, b, stream)
        await promote(b)
        await post(a, token, "at-a")
        await post(b, token, "at-b")
        await shows(ana, ("at-a", "firing"), ("at-b", "firing"))
        async with desk_at(b.url, home, "bo") as bo:
            await shows(bo, ("at-a", "firing"), ("at-b", "firing"))
            await post(a, token, "at-b", "resolved")
            for desk in (ana, bo):
                await shows(desk, ("at-a", "firing"), ("at-b", "resolved"))
        # What came from the other server is on disk here, too.
        await a.kill()
        await b.kill()
        await b.start()
        async with desk_at(b.url, home, "cy") as cy:
            await shows(cy, ("at-a", "firing"), ("at-b", "resolved"))
