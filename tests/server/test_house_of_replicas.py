"""The whole, without sockets: servers and consoles that write, meet, part, fail and come back.

Whatever the order, some promises hold after every step, and others once everybody has met.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.incident.making import BODIES, base_of
from tests.server.agreeing import REFUSALS, agree, hold_the_same, shown, without, without_late
from tests.server.desks import Desk
from tests.server.lines import forge, from_replica, meet, settle, settle_houses, talk, withhold
from tests.server.machines import DAY, ROOT, STREAMS, House, Machine, World
from warroom_incident.clock import MAX_LEAD_MS
from warroom_incident.event import ROOM, Packet, read_packet
from warroom_incident.incident import IncidentState
from warroom_incident.log import Entry
from warroom_incident.reducers import Body
from warroom_incident.vocabulary import (
    IncidentDeclared,
    NoteAdded,
    RightName,
    RoleAssigned,
    SeveritySet,
    StatusSet,
)

T = TypeVar("T")

FORGED: list[Body] = [
    SeveritySet(severity="SEV1"),
    RoleAssigned(role="commander", person="mallory"),
    NoteAdded(text="ana said that all is well"),
]

bodies = st.sampled_from([body for body in BODIES if not isinstance(body, IncidentDeclared)])
streams = st.sampled_from((*STREAMS, STREAMS[0], STREAMS[0]))
numbers = st.integers(0, 5)
budgets = st.one_of(st.integers(1, 12), st.just(100_000))
skews = st.sampled_from([-DAY, -1000, 0, 1000, DAY])


class HouseOfReplicas(RuleBasedStateMachine):
    """Two servers at first, three people and somebody who forges."""

    def __init__(self) -> None:
        super().__init__()
        parent = "/dev/shm" if Path("/dev/shm").is_dir() else None
        self.root = Path(tempfile.mkdtemp(prefix="wr-house-", dir=parent))
        self.runner = asyncio.Runner()
        self.houses: list[House] = []
        self.desks: list[Desk] = []
        self.backups: list[tuple[House, Path]] = []
        self.promised: set[str] = set()
        self.forged: dict[str, Packet] = {}
        self.withheld: set[str] = set()
        self.lost = False

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for something."""
        return self.runner.run(work)

    @initialize(seed=st.integers(0, 2**16))
    def found(self, seed: int) -> None:
        """A room with two servers that know each other, and three people."""
        self.world = World(self.root, seed)
        self.houses = [House(self.world, name, "r" * 16) for name in ("war1", "war2")]
        self.run(self._found())
        self.desks = [Desk(self.world, name, name) for name in ("ana", "bo", "cy")]
        for stream in STREAMS:
            self.desks[0].write(stream, IncidentDeclared(title="Checkout is down"), ())
        for desk in self.desks:
            for house in self.houses:
                self.run(settle(desk, house))
            desk.save()

    async def _found(self) -> None:
        first, second = self.houses
        for house in self.houses:
            house.open()
        await first.grant(ROOT, "admin")
        await first.grant("ana", "admin")
        await first.list(*self.houses)
        # What a standby has from the server that it follows: the room itself.
        rows = first.room._reader.read(ROOM, 0, 100)
        known = [Entry(read_packet(row.packet), row.packet, row.admitted) for row in rows]
        await second.room.commit(known)

    def desk(self, number: int) -> Desk:
        """One of the consoles."""
        return self.desks[number % len(self.desks)]

    def house(self, number: int) -> House:
        """One of the servers."""
        return self.houses[number % len(self.houses)]

    # What people do ------------------------------------------------------------------------

    @rule(who=numbers, stream=streams, body=bodies, passed=st.integers(0, 5000))
    def act(self, who: int, stream: str, body: Body, passed: int) -> None:
        """Somebody does something, seeing what their console shows."""
        self.world.now += passed
        desk = self.desk(who)
        state = desk.fold(stream)
        desk.write(stream, body, base_of(state, body))

    @rule(who=numbers, person=st.sampled_from(["ana", "bo", None]))
    def hand_over(self, who: int, person: str | None) -> None:
        """Somebody takes command, gives it away, or drops it."""
        self.act(who, STREAMS[0], RoleAssigned(role="commander", person=person), 1)

    @rule(who=numbers, severity=st.sampled_from(["SEV1", "SEV2", "SEV3"]))
    def judge(self, who: int, severity: Any) -> None:
        """Somebody says how bad it is."""
        self.act(who, STREAMS[0], SeveritySet(severity=severity), 1)

    @rule(who=numbers)
    def close(self, who: int) -> None:
        """Somebody closes the incident, knowing what they know."""
        self.act(who, STREAMS[0], StatusSet(status="closed"), 1)

    @rule(who=numbers, stream=streams)
    def note(self, who: int, stream: str) -> None:
        """Somebody notes something."""
        self.act(who, stream, NoteAdded(text="The queue is empty."), 1)

    @rule(who=numbers)
    def send_again(self, who: int) -> None:
        """Somebody sends again what a server refused, as it is."""
        desk = self.desk(who)
        for event_id, (packet, _) in desk.refused.items():
            event = read_packet(packet)
            void = desk.fold(event.head.stream).events.get(event_id)
            if void is not None and void.refused:
                desk.voids[event_id] = void
            desk.outbox[event_id] = packet
            desk.fold(event.head.stream).add(event)
        desk.refused.clear()

    @rule(who=numbers, where=numbers)
    def come_home(self, who: int, where: int) -> None:
        """A console has a good line to a server."""
        self.meet_server(who, where, 100_000)

    @rule(who=numbers, where=numbers, budget=budgets)
    def meet_server(self, who: int, where: int, budget: int) -> None:
        """A console has a line to a server, for as long as it lasts."""
        desk, house = self.desk(who), self.house(where)
        rests = self.run(talk(desk, house, budget))
        self._note(desk)
        if rests:
            hold_the_same(desk, house)

    @rule(client=numbers, server=numbers, budget=budgets)
    def servers_meet(self, client: int, server: int, budget: int) -> None:
        """A server follows another one, for as long as the line lasts."""
        one, other = self.house(client), self.house(server)
        if one is not other and self.run(meet(one, other, budget)):
            for stream in STREAMS:
                mine, theirs = (set(h.fold(stream).events) for h in (one, other))
                assert mine == theirs, "servers that met hold the union"

    # What goes wrong -----------------------------------------------------------------------

    @rule(
        what=st.sampled_from(["save", "restart", "crash", "restart_server", "back_up", "restore"]),
        which=numbers,
    )
    def mishap(self, what: str, which: int) -> None:
        """One of the things that happen to machines: seldom enough that there is something."""
        getattr(self, what)(which)

    @rule(who=numbers, skew=skews)
    def set_a_clock(self, who: int, skew: int) -> None:
        """A clock is set, or steps."""
        machines = [*self.desks, *self.houses]
        machines[who % len(machines)].skew = skew

    def save(self, who: int) -> None:
        """A console writes down what it heard."""
        self.desk(who).save()

    def restart(self, who: int) -> None:
        """A console is closed and opened."""
        self.desk(who).restart()

    def crash(self, who: int) -> None:
        """A console dies and comes back with what was on its disk."""
        self.desk(who).crash()
        self._forgive()

    def restart_server(self, where: int) -> None:
        """A server is killed and started again."""
        house = self.house(where)
        self.run(house.room.commits.finish())
        before = {s: house.room.state(s).state_digest() for s in STREAMS}
        self.run(house.restart())
        assert {s: house.room.state(s).state_digest() for s in STREAMS} == before

    def back_up(self, where: int) -> None:
        """A copy of a log is made."""
        house = self.house(where)
        self.backups.append((house, house.backup()))

    def restore(self, number: int) -> None:
        """A server goes on from an old copy of its log, if there is one."""
        if not self.backups:
            return
        house, path = self.backups[number % len(self.backups)]
        self.lost = True
        self.run(house.restore(path))
        self._forgive()

    @precondition(lambda self: len(self.desks) < 5)
    @rule(who=numbers)
    def copy_a_console(self, who: int) -> None:
        """A console's files are copied, and both copies are used."""
        self.desks.append(self.desk(who).clone(f"copy-{len(self.desks)}"))

    @precondition(lambda self: len(self.houses) < 3)
    @rule(who=numbers)
    def promote(self, who: int) -> None:
        """A console's replica becomes a server, and the others' keys are known there."""
        desk = self.desk(who)
        if not desk.replica.meta().get("room") and not desk.meta:
            return
        self.lost = True
        house = self.run(from_replica(desk, f"war{len(self.houses) + 1}"))
        self.houses.append(house)
        self.run(self._list(house))

    async def _list(self, house: House) -> None:
        for other in self.houses[:-1]:
            await other.list(house)
        await house.list(*self.houses[:-1])

    @rule(where=numbers, number=numbers)
    def withhold(self, where: int, number: int) -> None:
        """A server withholds the body of a note."""
        house = self.house(where)
        found = sorted(
            (event.id, stream)
            for stream in STREAMS
            for event in house.fold(stream).events.values()
            if isinstance(event.body, NoteAdded) and event.via is None
        )
        if found:
            event_id, stream = found[number % len(found)]
            (row,) = [
                row
                for row in house.room._reader.read(stream, 0, 10**6)
                if read_packet(row.packet).id == event_id and row.packet.body is not None
            ][:1]
            self.withheld.add(event_id)
            self.run(withhold(house, row.packet))

    @rule(where=numbers, who=numbers, right=st.sampled_from(["viewer", "responder"]))
    def grant(self, where: int, who: int, right: RightName) -> None:
        """A right is taken or given, on one of the servers."""
        account = ("bo", "cy")[who % 2]
        self.run(self.house(where).grant(account, right))

    @rule(who=numbers, where=numbers, stream=streams, body=st.sampled_from(FORGED))
    def forge(self, who: int, where: int, stream: str, body: Body) -> None:
        """Somebody hands on what ana never wrote, with all the proofs that a console has."""
        desk, house = self.desk(who), self.house(where)
        writer = desk.author()
        event, packet = writer.write(stream, "ana", body, desk.fold(stream).base_for(("severity",)))
        self.forged[event.id] = packet
        proofs = [frame for s in STREAMS for frame in desk.proofs(s)]
        self.run(forge(house, "mallory", proofs, self.forged.values()))

    # What holds after every step -----------------------------------------------------------

    def _note(self, desk: Desk) -> None:
        self.promised |= desk.acked
        desk.acked.clear()
        for packet, reason in desk.refused.values():
            assert reason.startswith(REFUSALS), reason
            assert packet.body is not None, "the author keeps the text"

    def _forgive(self) -> None:
        """A disk was lost: promises that only it kept are gone with it."""
        self.promised &= self._stored()

    def _stored(self) -> set[str]:
        kept: set[str] = set()
        machines: list[Machine] = [*self.houses, *self.desks]
        for machine in machines:
            kept |= machine.stored().keys()
        return kept

    def states(self, stream: str) -> list[tuple[str, IncidentState]]:
        """Every machine's view of an incident."""
        found: list[tuple[str, IncidentState]] = []
        found += [(desk.name, desk.fold(stream)) for desk in self.desks]
        for house in self.houses:
            state = house.room.incidents.get(stream)
            if state is not None:
                found.append((house.name, state))
        return found

    @invariant()
    def the_same_set_is_the_same_state(self) -> None:
        """Byte for byte, whatever the order in which it came."""
        for stream in STREAMS:
            digests: dict[str, tuple[str, str]] = {}
            for name, state in self.states(stream):
                found = digests.setdefault(state.set_digest(), (name, state.state_digest()))
                assert found[1] == state.state_digest(), (name, found[0])

    @invariant()
    def what_came_late_changes_nothing_but_the_record(self) -> None:
        """Who commands, how bad it is, what the status is: as if nobody had written late."""
        for stream in STREAMS:
            for name, state in self.states(stream):
                if any(state.is_late(event) for event in state.events.values()):
                    assert shown(without_late(state)) == shown(state), name
                    assert state.closed

    @invariant()
    def nobody_takes_a_forgery_for_the_truth(self) -> None:
        """It is marked wherever it is, and says nothing of command or severity."""
        for stream in STREAMS:
            for name, state in self.states(stream):
                forged = self.forged.keys() & state.events.keys()
                for event_id in forged:
                    assert state.events[event_id].via is not None, name
                if forged:
                    assert shown(without(state, forged)) == shown(state), name

    @invariant()
    def stamps_of_one_replica_rise_and_never_run_away(self) -> None:
        """Also where its clock goes back."""
        for desk in self.desks:
            assert all(a < b for a, b in zip(desk.stamps, desk.stamps[1:], strict=False))
            assert desk.writer.clock.last[0] <= self.world.now + DAY + MAX_LEAD_MS

    # In the end ----------------------------------------------------------------------------

    def teardown(self) -> None:
        """Everybody meets everybody: all hold the same, nothing is lost, everything is told."""
        try:
            if self.houses:
                self.run(self._heal())
                self._check()
        finally:
            for house in self.houses:
                self.run(house.close())
            for desk in self.desks:
                desk.replica.close()
            self.runner.close()
            shutil.rmtree(self.root)

    async def _heal(self) -> None:
        for _ in range(2):
            for house in self.houses:
                await house.grant("bo", "responder")
                await house.grant("cy", "responder")
                for desk in self.desks:
                    await settle(desk, house)
            for client in self.houses:
                for server in self.houses:
                    if client is not server:
                        await settle_houses(client, server)
        for desk in self.desks:
            for house in self.houses:
                await settle(desk, house)
            desk.save()

    def _check(self) -> None:
        for desk in self.desks:
            self._note(desk)
        for stream in STREAMS:
            agree(self.houses, self.desks, stream, self.withheld, lost=self.lost)
        assert self.promised <= self._stored() | self.withheld, "what was acknowledged is there"


TestHouseOfReplicas = HouseOfReplicas.TestCase
TestHouseOfReplicas.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    # Shrinking takes minutes here; the steps of a failure are told as they were.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
