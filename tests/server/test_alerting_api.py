"""What an Alertmanager's API is asked, and what every answer becomes."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.server.fake_alertmanager import RUNNING_SINCE, FakeAlertmanager, alert_there
from warroom_incident.fields import Matcher
from warroom_server.alerting import api as api_module
from warroom_server.alerting.api import Api, ApiError, filter_of
from warroom_server.alerting.settings import AlertmanagerSettings

MATCHERS = (Matcher("alertname", 'say "hi"\\'), Matcher("zone", "eu-.*", "!~"))


async def test_alerts_are_asked_for_with_everything_that_is_quiet() -> None:
    place = FakeAlertmanager()
    place.alerts = [alert_there("a"), alert_there("b", silenced=("s1",), inhibited=("x", "y"))]
    one, other = await place.api("secret").alerts(MATCHERS)
    assert (one.fingerprint, one.is_quiet, one.labels) == ("a", False, {"alertname": "a"})
    assert other.is_quiet
    assert (other.status.silenced_by, other.status.inhibited_by) == (["s1"], ["x", "y"])
    (request,) = place.heard
    assert request.headers["authorization"] == "Bearer secret"
    asked = request.url.params
    assert asked.get_list("filter") == ['alertname="say \\"hi\\"\\\\"', 'zone!~"eu-.*"']
    assert {asked[name] for name in ("active", "silenced", "inhibited")} == {"true"}


async def test_what_grafana_answers_is_read_as_well() -> None:
    place = FakeAlertmanager()
    place.failure = httpx.Response(202, json={"message": "silence created", "id": "abc-1"})
    assert await place.api().silence(MATCHERS, 0, 1, "a", "b") == "abc-1"
    quiet = alert_there("a", silenced=("s1",))
    quiet["status"]["inhibitedBy"] = None
    place.failure = httpx.Response(200, json=[quiet])
    (alert,) = await place.api().alerts()
    assert alert.is_quiet


async def test_an_answer_without_the_silence_s_name_is_none() -> None:
    place = FakeAlertmanager()
    place.failure = httpx.Response(200, json={"message": "fine"})
    with pytest.raises(ApiError, match="something else"):
        await place.api().silence(MATCHERS, 0, 1, "a", "b")


def test_a_matcher_is_written_as_the_api_reads_it() -> None:
    assert filter_of(Matcher("a", "x\ny", "=~")) == 'a=~"x\\ny"'


async def test_grafana_is_asked_under_its_own_path() -> None:
    place = FakeAlertmanager("/graf/api/alertmanager/grafana/api/v2")
    settings = AlertmanagerSettings(name="g", url="https://host/graf/", kind="grafana")
    assert await Api(settings, "", place.client).alerts() == []
    assert place.heard[0].url.path == "/graf/api/alertmanager/grafana/api/v2/alerts"
    assert "authorization" not in place.heard[0].headers


async def test_a_silence_is_made_with_times_and_matchers_and_ended() -> None:
    place = FakeAlertmanager()
    api = place.api()
    name = await api.silence(MATCHERS, 0, 1_800_000, "warroom/ana", "INC-7 noise")
    made = json.loads(place.heard[0].content)
    assert made == {
        "matchers": [
            {"name": "alertname", "value": 'say "hi"\\', "isRegex": False, "isEqual": True},
            {"name": "zone", "value": "eu-.*", "isRegex": True, "isEqual": False},
        ],
        "startsAt": "1970-01-01T00:00:00.000+00:00",
        "endsAt": "1970-01-01T00:30:00.000+00:00",
        "createdBy": "warroom/ana",
        "comment": "INC-7 noise",
    }
    await api.expire(name)
    (held,) = await api.silences()
    assert (held.id, held.is_over) == (name, True)
    await api.close()


async def test_a_silence_that_is_not_there_any_more_is_ended_already() -> None:
    await FakeAlertmanager().api().expire("0000-9")


@pytest.mark.parametrize("name", ["../../-/quit", "a/b", "..", "", "x?y", "x" * 65])
async def test_no_id_of_a_silence_leads_to_another_address(name: str) -> None:
    place = FakeAlertmanager()
    with pytest.raises(ApiError, match="leads elsewhere"):
        await place.api().expire(name)
    assert place.heard == []


async def test_a_silence_that_stays_is_not_said_to_be_ended() -> None:
    place = FakeAlertmanager()
    api = place.api()
    name = await api.silence(MATCHERS, 0, 1, "a", "c")
    held = dict(place.silences)
    place.silences.clear()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            return httpx.Response(500, json="disk full")
        return httpx.Response(200, json=list(held.values()))

    broken = Api(
        AlertmanagerSettings(name="am1", url="http://am1"),
        client=lambda: httpx.AsyncClient(transport=httpx.MockTransport(answer)),
    )
    with pytest.raises(ApiError, match="disk full"):
        await broken.expire(name)


@pytest.mark.parametrize(
    ("failure", "words", "final"),
    [
        (httpx.ConnectError("refused\x1b[31m"), "no connection .refused", False),
        (httpx.ReadTimeout(""), "in time", False),
        (httpx.Response(401), "refuses our token", False),
        (httpx.Response(302, headers={"location": "http://evil"}), "sends us elsewhere", False),
        (httpx.Response(503, text="busy"), "it says: busy", False),
        (httpx.Response(400, json="bad matcher"), "it says: bad matcher", True),
        (httpx.Response(422, json={"code": 602, "message": "comment"}), "it says: comment", True),
        (httpx.Response(500), "HTTP 500", False),
        (httpx.Response(200, text="<html>"), "something else than", False),
        (httpx.Response(200, json={"alerts": []}), "something else than", False),
        (httpx.Response(200, content=b"[" * 200_000), "something else than", False),
    ],
)
async def test_whatever_goes_wrong_is_a_part_of_a_sentence(
    failure: httpx.Response | Exception, words: str, final: bool
) -> None:
    place = FakeAlertmanager()
    place.failure = failure
    with pytest.raises(ApiError, match=words) as told:
        await place.api("secret").alerts()
    assert told.value.is_final is final
    assert "\x1b" not in str(told.value)
    assert "secret" not in str(told.value)


async def test_an_answer_that_does_not_end_is_not_read_to_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(api_module, "MAX_ANSWER", 1000)
    place = FakeAlertmanager()
    place.failure = httpx.Response(200, content=b" " * 2000)
    with pytest.raises(ApiError, match="too large"):
        await place.api().alerts()


async def test_it_says_since_when_it_runs_or_does_not() -> None:
    place = FakeAlertmanager()
    assert await place.api().up_since() == RUNNING_SINCE
    place.since = None
    assert await place.api().up_since() is None
