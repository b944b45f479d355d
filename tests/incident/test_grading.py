"""Severities of alerts, from the words of their senders."""

from __future__ import annotations

import pytest

from warroom_incident.alerts import (
    read_severity,
    severity_of,
)


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("critical", "SEV1"),
        (" PAGE ", "SEV1"),
        ("P1", "SEV1"),
        ("sev0", "SEV1"),
        ("Sev-2", "SEV2"),
        ("error", "SEV2"),
        ("Warning", "SEV3"),
        ("p3", "SEV3"),
        ("none", "SEV4"),
        ("P5", "SEV4"),
        ("purple", None),
        ("", None),
        ("p9", None),
        ("critical" * 1000, None),
    ],
)
def test_a_severity_word_is_read_by_the_common_table(word: str, severity: str | None) -> None:
    assert severity_of(word) == severity


def test_severity_is_looked_up_in_labels_then_annotations_then_the_vendor_field() -> None:
    assert read_severity({"severity": "info", "priority": "P1"}, {"severity": "page"}) == "SEV4"
    assert read_severity({"priority": "P1"}, {"severity": "low"}, "low") == "SEV1"
    assert read_severity({"team": "shop"}, {"severity": "critical"}, "low") == "SEV1"
    assert read_severity({}, {}, "high", default="SEV4") == "SEV2"
    assert read_severity({}, {}, default="SEV1") == "SEV1"


def test_a_word_nobody_knows_does_not_hide_a_word_we_know() -> None:
    assert read_severity({"severity": "purple", "priority": "P1"}, {}) == "SEV1"


def test_a_missing_or_unknown_severity_is_sev3() -> None:
    assert read_severity({}, {}) == "SEV3"
    assert read_severity({"severity": "purple"}, {}, "mauve", default="pink") == "SEV3"


def test_a_tokens_own_words_go_before_the_common_table() -> None:
    own = {"critical": "SEV3", "purple": "SEV1"}
    assert read_severity({"severity": "Critical"}, {}, own=own) == "SEV3"
    assert read_severity({"severity": "PURPLE"}, {}, own=own) == "SEV1"


def test_a_token_that_maps_to_nonsense_falls_back_to_the_common_table() -> None:
    assert read_severity({"severity": "critical"}, {}, own={"critical": "very bad"}) == "SEV1"
