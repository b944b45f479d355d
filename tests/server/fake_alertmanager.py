"""An Alertmanager's API without an Alertmanager: what it holds is set by tests."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from warroom_incident.alerts import AlertRecord, Signal
from warroom_server.alerting.api import Api
from warroom_server.alerting.settings import AlertmanagerSettings
from warroom_server.board import Board

RUNNING_SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def alert_there(
    key: str,
    *,
    silenced: tuple[str, ...] = (),
    inhibited: tuple[str, ...] = (),
    receiver: str = "warroom",
    starts_at: int = 1_000_000_000_000,
    **labels: str,
) -> dict[str, Any]:
    """An alert as the API shows it."""
    quiet = bool(silenced or inhibited)
    starts = datetime.fromtimestamp(starts_at / 1000, UTC)
    return {
        "fingerprint": key,
        "labels": {"alertname": key, **labels},
        "annotations": {"summary": f"{key} fires"},
        "startsAt": starts.isoformat(),
        "endsAt": (starts + timedelta(hours=1)).isoformat(),
        "updatedAt": starts.isoformat(),
        "generatorURL": "http://prometheus/graph",
        "receivers": [{"name": receiver}],
        "status": {
            "state": "suppressed" if quiet else "active",
            "silencedBy": list(silenced),
            "inhibitedBy": list(inhibited),
        },
    }


class FakeAlertmanager:
    """What an API answers. `failure` answers everything, `lost` drops answers to what was done."""

    def __init__(self, prefix: str = "/api/v2") -> None:
        self.prefix = prefix
        self.alerts: list[dict[str, Any]] = []
        self.silences: dict[str, dict[str, Any]] = {}
        self.since: datetime | None = RUNNING_SINCE
        self.failure: httpx.Response | Exception | None = None
        self.lost = False
        self.heard: list[httpx.Request] = []

    def api(self, token: str = "", **settings: Any) -> Api:
        """A client of it."""
        place = AlertmanagerSettings(name="am1", url="http://am1:9093", **settings)
        return Api(place, token, self.client)

    def client(self) -> httpx.AsyncClient:
        """An HTTP client that reaches nothing else."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.heard.append(request)
        if isinstance(self.failure, Exception):
            raise self.failure
        if self.failure is not None:
            return self.failure
        path = request.url.path.removeprefix(self.prefix)
        match request.method, path:
            case "GET", "/alerts":
                return httpx.Response(200, json=self.alerts)
            case "GET", "/status":
                uptime = self.since.isoformat() if self.since else None  # as Grafana says it
                return httpx.Response(200, json={"versionInfo": {}, "uptime": uptime})
            case "GET", "/silences":
                return httpx.Response(200, json=list(self.silences.values()))
            case "POST", "/silences":
                return self._silence(json.loads(request.content))
            case "DELETE", _ if path.startswith("/silence/"):
                return self._expire(path.removeprefix("/silence/"))
        return httpx.Response(404, text="not found")

    def _silence(self, body: dict[str, Any]) -> httpx.Response:
        name = f"0000-{len(self.silences)}"
        self.silences[name] = {"id": name, "status": {"state": "active"}, **body}
        if self.lost:
            self.lost = False
            raise httpx.ReadTimeout("lost")
        return httpx.Response(200, json={"silenceID": name})

    def _expire(self, name: str) -> httpx.Response:
        if name not in self.silences:
            return httpx.Response(500, json="silence not found")
        self.silences[name]["status"] = {"state": "expired"}
        return httpx.Response(200)


def signal_of(key: str, received: int, **fields: Any) -> Signal:
    """What a webhook says of an alert."""
    plain: dict[str, Any] = {
        "source": "prom",
        "kind": "alertmanager",
        "key": key,
        "state": "firing",
        "severity": "SEV2",
        "title": f"{key} fires",
        "labels": {"alertname": key},
        "starts_at": 1_000_000_000_000,
        "received": received,
    }
    return Signal(**plain | fields)


def newest(board: Board, key: str, source: str = "prom") -> AlertRecord:
    """The newest episode of an alert that the board knows."""
    record = board.newest(source, key)
    assert record is not None
    return record
