"""Two servers of one room go on apart, and become one again with nothing dropped."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.houses import House, cleared, desk_at, in_step, promote
from tests.proxy import unix_proxy
from tests.waiting import wait_for
from warroom_console.desk import Desk
from warroom_incident.vocabulary import NoteAdded, RoleAssigned, SeveritySet


async def written(*desks: Desk) -> None:
    """Wait until the servers have everything that was written at some desks."""
    await wait_for(lambda: not any(desk.model.pending for desk in desks), "the acks", 30)


async def numbered(desk: Desk, stream: str, number: str) -> None:
    """Wait until an incident is called so."""
    await wait_for(lambda: desk.model.incident(stream).number == number, number, 30)


async def test_halves_that_both_took_writes_become_one_with_every_conflict_listed(
    home: Path,
) -> None:
    a = House(home / "a")
    async with unix_proxy(a.socket, home / "line") as wire:
        # Only B names A: that is enough for both.
        b = House(home / "b", "--standby-of", f"unix://{home}/line")
        async with cleared(a, b):
            await a.start()
            await b.start_standby()
            async with desk_at(a.url, home, "ana") as ana:
                assert await ana.ready()
                stream = ana.declare("checkout answers 5xx", "SEV3")
                await numbered(ana, stream, "INC-1")
                await in_step(ana, b, stream)

                wire.cut()
                await promote(b)
                async with desk_at(b.url, home, "bo") as bo:
                    assert await bo.ready()
                    await bo.open(stream)
                    await in_step(bo, b, stream)
                    ana.write(stream, SeveritySet(severity="SEV1"))
                    ana.write(stream, RoleAssigned(role="commander", person="ana"))
                    bo.write(stream, SeveritySet(severity="SEV4"))
                    bo.write(stream, RoleAssigned(role="commander", person="bo"))
                    for number in range(300):
                        ana.write(stream, NoteAdded(text=f"here {number}"))
                        bo.write(stream, NoteAdded(text=f"there {number}"))
                    one = ana.declare("first", "SEV2")
                    await numbered(ana, one, "INC-2")
                    other = bo.declare("second", "SEV2")
                    await numbered(bo, other, "INC-2")
                    await written(ana, bo)

                    wire.heal()
                    for desk in (ana, bo):
                        for each in (one, other):
                            await desk.open(each)
                        await in_step(desk, a, stream, one, other)
                        await in_step(desk, b, stream, one, other)
                    await numbered(bo, other, "INC-2-2")
                    await numbered(ana, other, "INC-2-2")
                    await numbered(bo, one, "INC-2")
                    for desk in (ana, bo):
                        state = desk.model.incident(stream)
                        assert len(state.entries["note.added"]) == 600
                        keys = [conflict.key for conflict in state.conflicts()]
                        assert keys == [("role", "commander"), ("severity",)]
                        assert not any(event.via for event in state.events.values())
                    assert a.state(stream).state_digest() == b.state(stream).state_digest()
                    holder = ana.model.incident(stream).holder("commander")
                    assert holder == bo.model.incident(stream).holder("commander")

                    # One act settles it on both sides.
                    bo.write(stream, RoleAssigned(role="commander", person="cy"))
                    await wait_for(
                        lambda: ana.model.incident(stream).holder("commander") == "cy", "the end"
                    )


async def test_a_ring_of_three_servers_stays_in_step_and_numbers_once(home: Path) -> None:
    a, b, c = (House(home / name) for name in "abc")
    async with cleared(a, b, c):
        await a.start()
        for count, (house, of) in enumerate(((b, a), (c, b)), start=1):
            house.arguments = ("--standby-of", of.url)
            await house.start_standby()
            async with desk_at(of.url, home, "ana") as ana:
                assert await ana.ready()
                stream = ana.declare(f"before {house.root.name}", "SEV3")
                await numbered(ana, stream, f"INC-{count}")
                await in_step(ana, house, stream)
            await promote(house)
        await a.terminate()
        a.configure(f'peers = ["{c.url}"]')
        await a.start()
        async with (
            desk_at(a.url, home, "ana") as ana,
            desk_at(b.url, home, "bo") as bo,
            desk_at(c.url, home, "cy") as cy,
        ):
            for desk in (ana, bo, cy):
                assert await desk.ready()
            stream = bo.declare("in the ring", "SEV2")
            await numbered(bo, stream, "INC-3")
            for desk in (ana, cy):
                await desk.open(stream)
            for number in range(60):
                for desk in (ana, bo, cy):
                    desk.write(stream, NoteAdded(text=f"{desk.model.you} {number}"))
            await written(ana, bo, cy)
            for house in (a, b, c):
                for desk in (ana, bo, cy):
                    await in_step(desk, house, stream)
            assert len(a.state(stream).entries["note.added"]) == 180
            numbers = a.state(stream).history(("number",))
            assert len(numbers) == 1, "it was numbered once"
