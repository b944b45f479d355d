"""A silence that a person asks for is made once at its source, and what came of it is written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.console_client import Console, wall
from tests.server.fake_alertmanager import FakeAlertmanager, alert_there
from tests.server.running import InProcess, server_in_process
from tests.waiting import wait_for
from warroom_incident.board import Silence
from warroom_incident.event import BOARD
from warroom_incident.fields import Matcher
from warroom_incident.sync.asking import SILENCE_PREVIEW
from warroom_incident.sync.wire import Ask
from warroom_incident.vocabulary import NoteAdded, SilenceAsked, SilenceEnded
from warroom_server.alerting import api, silences
from warroom_server.alerting.settings import AlertmanagerSettings
from warroom_server.config import Config
from warroom_server.identity import Caller

MATCHERS = (Matcher("alertname", "Disk"), Matcher("zone", "eu-.*", "=~"))
CONFIG = Config(alertmanager=(AlertmanagerSettings(name="am1", url="http://am1:9093"),))


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> FakeAlertmanager:
    """The Alertmanager that every server of the test talks to."""
    place = FakeAlertmanager()
    monkeypatch.setattr(api, "_client", place.client)
    monkeypatch.setattr(silences, "FIRST_DELAY", 0.01)
    monkeypatch.setattr(silences, "LONGEST_DELAY", 0.02)
    return place


@pytest.fixture
async def house(home: Path, there: FakeAlertmanager) -> AsyncIterator[InProcess]:
    """A server that knows it."""
    async with server_in_process(home, config=CONFIG) as running:
        yield running


@pytest.fixture
async def ana(house: InProcess) -> AsyncIterator[Console]:
    """Somebody there."""
    console = await Console(user="ana").join(house.socket)
    yield console
    await console.leave()


def asked(name: str = "s1", incident: str = "", lasts: int = 1_800_000) -> SilenceAsked:
    """A request."""
    return SilenceAsked(
        silence=name,
        alertmanager="am1",
        matchers=MATCHERS,
        ends_at=wall() + lasts,
        comment="known noise",
        incident=incident,
    )


def silence_of(house: InProcess, name: str = "s1") -> Silence:
    """A silence as the server has it."""
    return next(s for s in house.server.room.board.silences() if s.silence == name)


async def become(house: InProcess, state: str, name: str = "s1") -> Silence:
    """Wait until a silence is as far."""
    await wait_for(lambda: silence_of(house, name).state == state, f"a silence that is {state}")
    return silence_of(house, name)


async def test_a_silence_is_made_answered_and_told_in_the_incident(
    house: InProcess, ana: Console, there: FakeAlertmanager
) -> None:
    stream = await ana.declare()
    await wait_for(lambda: house.server.room.incidents[stream].number, "a number")
    await ana.put(BOARD, asked(incident=stream))
    silence = await become(house, "active")
    assert silence.source_id == "0000-0"
    (made,) = there.silences.values()
    assert made["createdBy"] == f"warroom/{ana.you}"
    assert made["comment"] == "INC-1 known noise [warroom s1]"
    assert [m["name"] for m in made["matchers"]] == ["alertname", "zone"]

    def notes() -> list[str]:
        events = house.server.room.incidents[stream].events.values()
        return [e.body.text for e in events if isinstance(e.body, NoteAdded)]

    await wait_for(notes, "the line in the timeline")
    assert notes()[0].startswith("am1 silences alertname=Disk, zone=~eu-.* until ")
    await ana.put(BOARD, SilenceEnded(silence="s1"))
    await become(house, "expired")
    assert there.silences["0000-0"]["status"] == {"state": "expired"}
    await wait_for(lambda: len(notes()) == 2, "the second line")


async def test_an_answer_that_was_lost_makes_no_second_silence(
    house: InProcess, ana: Console, there: FakeAlertmanager
) -> None:
    there.lost = True
    await ana.put(BOARD, asked())
    silence = await become(house, "active")
    assert silence.source_id == "0000-0"
    assert len(there.silences) == 1


async def test_what_the_source_refuses_failed_and_says_why(
    house: InProcess, ana: Console, there: FakeAlertmanager
) -> None:
    there.failure = httpx.Response(400, json="bad matcher format: \x1b[31m")
    await ana.put(BOARD, asked())
    silence = await become(house, "failed")
    assert silence.reason.startswith("it says: bad matcher format")
    assert "\x1b" not in silence.reason


async def test_an_unreachable_source_is_tried_again(
    house: InProcess, ana: Console, there: FakeAlertmanager
) -> None:
    there.failure = httpx.ConnectError("refused")
    await ana.put(BOARD, asked())
    before = len(there.heard)
    await wait_for(lambda: len(there.heard) > before + 3, "several attempts")
    assert silence_of(house).state == "asked"
    there.failure = None
    await become(house, "active")


async def test_a_silence_that_could_not_be_made_for_long_is_given_up(
    house: InProcess, ana: Console, there: FakeAlertmanager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silences, "GIVE_UP_MS", -1)
    there.failure = httpx.ConnectError("refused")
    await ana.put(BOARD, asked())
    assert "refused" in (await become(house, "failed")).reason


async def test_a_silence_whose_end_has_come_is_not_made(
    house: InProcess, ana: Console, there: FakeAlertmanager
) -> None:
    await ana.put(BOARD, asked(lasts=-1))
    assert "its end had come" in (await become(house, "failed")).reason
    assert there.silences == {}


async def test_an_unknown_alertmanager_is_named_with_those_that_are_known(
    house: InProcess, ana: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silences, "UNKNOWN_MS", -1)
    body = SilenceAsked(
        silence="s1",
        alertmanager="other",
        matchers=MATCHERS,
        ends_at=wall() + 60_000,
        comment="x",
    )
    await ana.put(BOARD, body)
    assert (await become(house, "failed")).reason.endswith("there is am1")


async def test_what_was_asked_while_the_server_was_down_is_done_after_its_start(
    home: Path, there: FakeAlertmanager
) -> None:
    there.failure = httpx.ConnectError("refused")
    async with server_in_process(home, config=CONFIG) as house:
        ana = await Console(user="ana").join(house.socket)
        await ana.put(BOARD, asked())
        await ana.leave()
    there.failure = None
    async with server_in_process(home, config=CONFIG) as house:
        await become(house, "active")
    assert len(there.silences) == 1


async def test_a_silence_that_is_ended_before_it_was_made_is_never_made(
    house: InProcess, ana: Console, there: FakeAlertmanager
) -> None:
    there.failure = httpx.ConnectError("refused")
    await ana.put(BOARD, asked())
    await ana.put(BOARD, SilenceEnded(silence="s1"))
    there.failure = None
    await become(house, "expired")
    assert there.silences == {}


async def test_a_preview_counts_what_would_become_quiet(
    house: InProcess, ana: Console, there: FakeAlertmanager
) -> None:
    there.alerts = [alert_there("a"), alert_there("b", silenced=("s",)), alert_there("c")]
    asks = house.server.hub.asks
    assert ana.end.welcome is not None
    assert ana.end.welcome.alertmanagers == ["am1"]
    ask = Ask(1, SILENCE_PREVIEW, alertmanager="am1", matchers=list(MATCHERS))
    answer = await asks.answer(ask, Caller("ana"))
    assert (answer.count, answer.titles, answer.told_by) == (2, ["a fires", "c fires"], "am1")
    assert there.heard[-1].url.params.get_list("filter") == [
        'alertname="Disk"',
        'zone=~"eu-.*"',
    ]
    there.failure = httpx.ConnectError("refused")
    assert "am1 cannot tell" in (await asks.answer(ask, Caller("ana"))).error
    other = Ask(1, SILENCE_PREVIEW, alertmanager="x", matchers=list(MATCHERS))
    assert "no Alertmanager x" in (await asks.answer(other, Caller("ana"))).error
    everything = Ask(1, SILENCE_PREVIEW, alertmanager="am1", matchers=[])
    assert "nothing or everything" in (await asks.answer(everything, Caller("ana"))).error


async def test_after_a_silence_the_source_is_asked_at_once(
    house: InProcess, ana: Console, there: FakeAlertmanager
) -> None:
    def questions() -> int:
        return sum(request.url.path.endswith("/alerts") for request in there.heard)

    await wait_for(lambda: questions() == 1, "the first question")
    await ana.put(BOARD, asked())
    await wait_for(lambda: questions() == 2, "the question after the silence")
