"""A window hides the alerts that fit all of its matchers, while it holds."""

from typing import Any

import pytest

from tests.incident.making import NOW, alert_record
from warroom_incident.board import Window
from warroom_incident.fields import Matcher
from warroom_incident.windows import Windows, check_matchers, fits

RECORD = alert_record("a", service="checkout", labels={"team": "shop", "source": "label"})


def window(name: str, *matchers: Matcher, **fields: Any) -> Window:
    """A window that holds now."""
    plain: dict[str, Any] = {"kind": "maintenance", "starts_at": NOW, "ends_at": NOW + 60} | fields
    return Window(
        window=name,
        why="new switch",
        matchers=matchers,
        by="ana",
        at=NOW,
        **plain,
    )


@pytest.mark.parametrize(
    ("matcher", "wanted"),
    [
        (Matcher("team", "shop"), True),
        (Matcher("team", "sho"), False),
        (Matcher("team", "shop", "!="), False),
        (Matcher("team", "sh.*", "=~"), True),
        (Matcher("team", "sh", "=~"), False),
        (Matcher("team", "sh.*", "!~"), False),
        (Matcher("team", "pay", "!~"), True),
        (Matcher("service", "checkout"), True),
        (Matcher("severity", "SEV2"), True),
        (Matcher("source", "label"), True),
        (Matcher("missing", ""), True),
        (Matcher("missing", "x", "!="), True),
        (Matcher("missing", ".+", "=~"), False),
        (Matcher("team", "(", "=~"), False),
        (Matcher("team", "(", "!~"), False),
    ],
)
def test_a_matcher_asks_for_a_label_or_a_fact_of_the_alert(matcher: Matcher, wanted: bool) -> None:
    assert fits([matcher], RECORD) is wanted


def test_all_matchers_have_to_fit() -> None:
    assert fits([Matcher("team", "shop"), Matcher("service", "checkout")], RECORD)
    assert not fits([Matcher("team", "shop"), Matcher("service", "search")], RECORD)


def test_the_source_is_the_senders_name_where_no_label_is_called_so() -> None:
    assert fits([Matcher("source", "prometheus")], alert_record("b"))


@pytest.mark.parametrize(
    ("matchers", "words"),
    [
        ([Matcher("a", "(", "=~")], "lacks a )"),
        ([Matcher("a", ".*", "=~")], "not empty"),
        ([Matcher("a", "x", "!="), Matcher("b", "y", "!~")], "not empty"),
        ([Matcher("a", "x"), Matcher("b", "y", "!=")], None),
    ],
)
def test_matchers_that_would_hide_everything_are_refused(
    matchers: list[Matcher], words: str | None
) -> None:
    reason = check_matchers(matchers)
    assert reason is None if words is None else words in (reason or "")


def test_a_window_hides_only_while_it_holds_and_only_what_is_open() -> None:
    matcher = Matcher("team", "shop")
    later = window("later", matcher, starts_at=NOW + 1)
    assert not Windows([later], NOW)
    assert Windows([later], NOW + 1).hiding(RECORD) == later
    over = alert_record("o", state="resolved", labels={"team": "shop"})
    first, second = window("first", matcher), window("second", matcher)
    assert Windows([first, second], NOW).hidden([RECORD, over]) == {"a": first}
