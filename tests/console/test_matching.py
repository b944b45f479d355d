"""Which runbook is for an alert."""

from __future__ import annotations

from typing import Any

import pytest

from tests.console.still_desk import alert
from warroom_console.views.matching import matching_runbook

OURS = {
    "high-error-rate": "Errors above five percent",
    "checkout": "Checkout is down",
    "k8s": "Kube Pod crash looping!",
    "odd": "…",
}


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"labels": {"alertname": "HighErrorRate"}, "service": "checkout"}, "high-error-rate"),
        ({"labels": {"alertname": "KubePodCrashLooping"}}, "k8s"),
        ({"links": (("runbook_url", "https://rb.test/kube/kubepodcrashlooping?x=1"),)}, "k8s"),
        ({"annotations": {"runbook": "docs/high_error_rate.md"}}, "high-error-rate"),
        ({"title": "checkout is down"}, "checkout"),
        ({"service": "Checkout"}, "checkout"),
        ({"title": "…", "service": ""}, ""),
        ({"links": (("dashboard", "https://x.test/checkout"),)}, ""),
    ],
)
def test_a_runbook_is_found_by_what_it_is_called(fields: dict[str, Any], found: str) -> None:
    plain: dict[str, Any] = {"title": "something else", "service": "", "labels": {}}
    assert matching_runbook(alert("a1", **{**plain, **fields}), OURS) == found
