"""How alerts, headings and what is due are shown."""

from __future__ import annotations

import pytest

from tests.console.fake_ctx import drawn
from tests.console.still_desk import ALERTS, MINUTE, Reader, StillDesk, alert, tell_story
from tests.incident.making import NOW, OTHER_STREAM, STREAM
from warroom_console.link import LinkState
from warroom_console.model import Area
from warroom_console.views.alerts import MOST, AlertsView
from warroom_console.views.due import due_list
from warroom_console.views.facts import draw_facts, told_time
from warroom_console.views.heading import idle_line, lobby_heading, room_heading
from warroom_console.widgets.spans import plain
from warroom_incident.beats import Beat
from warroom_incident.changes import Change
from warroom_incident.event import BOARD
from warroom_incident.fields import Matcher
from warroom_incident.linking import copy_of
from warroom_incident.sync.wire import Person
from warroom_incident.vocabulary import (
    AlertAcknowledged,
    AlertLinked,
    DraftSaved,
    ImpactSet,
    IncidentDeclared,
    RoleAssigned,
    SeveritySet,
    SilenceAnswered,
    SilenceAsked,
    StatusSet,
)


@pytest.fixture
def desk() -> StillDesk:
    desk = StillDesk()
    tell_story(desk)
    return desk


def lines(view: AlertsView, desk: StillDesk, width: int = 78) -> list[str]:
    view.changed(Reader(desk), desk.model.take())
    return [line for row in view.rows(Reader(desk)) for line in drawn(row, width)]


# The board ---------------------------------------------------------------------------------


def test_the_incidents_own_come_first_then_the_open_then_those_over(desk: StillDesk) -> None:
    found = lines(AlertsView(), desk)
    assert found[0] == "Linked to INC-42"
    assert found[1].startswith("SEV1 ACKED    checkout: 5xx above 5 %")
    assert found[1].endswith("43m  x41  bo")
    assert found[2] == "Open, not linked here"
    assert [line[:13] for line in found[3:6]] == ["SEV2 FIRING  ", "SEV2 FIRING  ", "SEV4 FIRING  "]
    assert found[6] == "Over"
    assert found[7].startswith("SEV3 RESOLVED catalog: pods restart")
    assert len(found) == 8


def test_an_acknowledgement_shows_who_and_can_be_taken_back(desk: StillDesk) -> None:
    view = AlertsView()
    desk.says("bo", AlertAcknowledged(uid="a2"), stream=BOARD)
    assert any("ACKED    orders" in line for line in lines(view, desk))
    desk.says("bo", AlertAcknowledged(uid="a2", acknowledged=False), stream=BOARD)
    assert any("FIRING   orders" in line for line in lines(view, desk))


def test_an_alert_of_another_incident_says_which(desk: StillDesk) -> None:
    desk.says("bo", IncidentDeclared(title="Orders"), stream=OTHER_STREAM)
    desk.says("bo", AlertLinked(uid="a2", alert=copy_of(ALERTS[1])), stream=OTHER_STREAM)
    assert any(line.endswith("INC-~bbbb") for line in lines(AlertsView(), desk))


def test_a_linked_alert_that_left_the_board_is_shown_from_its_copy(desk: StillDesk) -> None:
    del desk.model.records["a1"]
    view = AlertsView()
    assert lines(view, desk)[1].startswith("SEV1 ACKED    checkout: 5xx above 5 %")
    draw = view.detail(Reader(desk), "a1")
    assert draw is not None
    assert "The board knows it no longer" in "\n".join(plain(line) for line in draw(60))


def test_only_the_latest_of_those_that_are_over_are_listed(desk: StillDesk) -> None:
    desk.fires(*(alert(f"o{n}", f"old {n}", state="resolved") for n in range(MOST + 5)))
    found = lines(AlertsView(), desk)
    assert f"Over (the latest {MOST} of {MOST + 6})" in found
    assert len(found) == 5 + 1 + 1 + MOST


def test_new_alerts_are_unseen_and_old_ones_are_not(desk: StillDesk) -> None:
    view = AlertsView()
    lines(view, desk)
    assert view.unseen == set()
    desk.fires(alert("new", "just now", first_seen=NOW + MINUTE))
    desk.fires(alert("a2", "again", first_seen=NOW - MINUTE))
    lines(view, desk)
    assert view.unseen == {"new"}


def test_news_of_other_things_leaves_the_board_alone(desk: StillDesk) -> None:
    view = AlertsView()
    lines(view, desk)
    desk.says("bo", StatusSet(status="resolved"))
    assert not view.changed(Reader(desk), desk.model.take())
    desk.says("bo", AlertAcknowledged(uid="a3"), stream=BOARD)
    assert view.changed(Reader(desk), desk.model.take())


def test_unknown_severities_and_states_are_shown_as_they_are(desk: StillDesk) -> None:
    desk.fires(alert("odd", "from a newer server", "SEV9", state="dreaming-of-sheep"))
    assert any(line.startswith("SEV9 DREAMING-") for line in lines(AlertsView(), desk))


def test_the_detail_has_labels_annotations_and_history(desk: StillDesk) -> None:
    draw = AlertsView().detail(Reader(desk), "a1")
    assert draw is not None
    text = "\n".join(plain(line) for line in draw(70))
    for part in ("runbook_url", "https://wiki/checkout", "zone", "bo acknowledged it", "41 times"):
        assert part in text


def test_copied_it_is_markdown(desk: StillDesk) -> None:
    text = AlertsView().text(Reader(desk), None)
    first = "- SEV1 ACKED checkout: 5xx above 5 % [checkout], taken on by bo (INC-42)"
    assert text.splitlines()[0] == first


# Due ---------------------------------------------------------------------------------------


def test_disagreement_comes_before_vacancy_before_alerts(desk: StillDesk) -> None:
    stands = tuple(e.id for e in desk.model.incident(STREAM).heads(("severity",)))
    desk.says("bo", SeveritySet(severity="SEV2"), base=stands)
    desk.says("cy", SeveritySet(severity="SEV3"), base=stands)
    desk.says("bo", DraftSaved(draft="d1", text="other"), base=())
    desk.says("bo", RoleAssigned(role="commander"))
    assert [due.text for due in due_list(Reader(desk))] == [
        "people disagree about the severity",
        "“Checkout is failing” was saved twice unseen",
        "nobody is in command",
        "3 alerts in no incident fire, taken on by nobody",
    ]


def test_linked_alerts_that_wait_come_before_loose_ones(desk: StillDesk) -> None:
    desk.says("bo", AlertAcknowledged(uid="a1", acknowledged=False), stream=BOARD)
    found = due_list(Reader(desk))
    assert found[0].text == "1 alert of this incident fires, taken on by nobody"
    assert (found[0].panel, found[0].row) == (1, "a1")


def test_trouble_with_the_own_disk_is_due_first(desk: StillDesk) -> None:
    desk.model.trouble = "The outbox cannot be read."
    assert due_list(Reader(desk))[0].text == "The outbox cannot be read."


# Header and facts --------------------------------------------------------------------------


def header(desk: StillDesk, width: int = 120) -> str:
    found = room_heading(Reader(desk), width)
    return "".join(
        (plain(found.lead), " ", found.title, plain(found.tail), "|", plain(found.right))
    )


def test_the_header_tells_the_incident_in_one_line(desk: StillDesk) -> None:
    assert header(desk) == (
        "INC-42 SEV1 Checkout fails for a third of customers 00:40:00 IC ana mitigated"
        "|ana bo  ● 38ms  22:53Z"
    )


def test_the_clock_stands_when_it_is_over(desk: StillDesk) -> None:
    desk.says("ana", StatusSet(status="resolved"))
    desk.clock.now += 60 * MINUTE
    assert " 00:40:00 " in header(desk)


def test_conflicts_are_counted_in_the_header(desk: StillDesk) -> None:
    stands = tuple(e.id for e in desk.model.incident(STREAM).heads(("severity",)))
    desk.says("bo", SeveritySet(severity="SEV2"), base=stands)
    desk.says("cy", SeveritySet(severity="SEV3"), base=stands)
    assert "1 conflict" in header(desk)
    assert header(desk).startswith("INC-42 SEV2/3? ")


def test_on_a_narrow_screen_status_and_seconds_give_way_to_the_title(desk: StillDesk) -> None:
    assert " mitigated|" not in header(desk, 96)
    assert " 00:40:00 IC ana|" in header(desk, 96)
    assert " 40m IC ana|" in header(desk, 80)


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ("2023-11-14T22:05:00Z", "2023-11-14 22:05:00Z"),
        ("2023-11-14T23:05:00+01:00", "2023-11-14 22:05:00Z"),
        ("about noon", "about noon"),
    ],
)
def test_a_stated_time_is_told_like_every_other(stated: str, told: str) -> None:
    assert told_time(stated) == told


def test_before_anything_was_read_there_is_no_clock(desk: StillDesk) -> None:
    room = Reader(desk, OTHER_STREAM)
    assert plain(room_heading(room, 80).tail) == " --:--:-- IC VACANT started"


def test_times_are_told_by_the_servers_clock(desk: StillDesk) -> None:
    desk.model.link = LinkState("live", rtt_ms=None, offset_ms=0)
    assert header(desk).endswith("●  22:53Z")


def test_offline_nobody_is_said_to_be_away(desk: StillDesk) -> None:
    desk.link_is(LinkState("retrying", next_try_at=None, heard_at=desk.clock.now))
    assert "away" not in header(desk)
    assert "◌ retry 0s old" in header(desk)


def test_the_lobbys_header_counts_everybody(desk: StillDesk) -> None:
    found = lobby_heading(Reader(desk, None), 80)
    assert plain(found.right) == "3 here  ● 38ms  22:53Z"


def test_what_is_still_to_be_read_is_said(desk: StillDesk) -> None:
    desk.model.synced.clear()
    desk.model.behind[STREAM] = 9800
    assert plain(idle_line(Reader(desk))) == "reading: 9,800 entries are still to come"


def test_a_closing_person_leaves_no_gap_in_the_names(desk: StillDesk) -> None:
    desk.arrives(*(Person(f"p{n}", STREAM) for n in range(9)))
    assert "ana bo p0 +8" in header(desk)


def test_the_facts_tell_impact_and_what_was_said_before(desk: StillDesk) -> None:
    desk.says("bo", ImpactSet(field="services", text="checkout"))
    text = "\n".join(plain(line).rstrip() for line in draw_facts(Reader(desk))(76))
    assert "Services         checkout  (bo at 22:53Z)" in text
    assert "Services, as it was set" in text
    assert "22:25Z ana       checkout, payments" in text
    assert "not stated       since when, detected by, users, regions" in text
    assert "What SEV1 asks" in text


# Offers, heartbeats, changes, silences -----------------------------------------------------


def test_new_alerts_like_the_incidents_own_are_offered_to_it(desk: StillDesk) -> None:
    desk.fires(alert("x1", "checkout: carts vanish", "SEV2"))
    found = lines(AlertsView(), desk)
    at = found.index("Look like part of INC-42, for the service checkout: l links them")
    assert "carts vanish" in found[at + 1]
    texts = [due.text for due in due_list(Reader(desk))]
    assert "1 more alert looks like part of this" in texts


def test_a_path_that_gives_signs_is_told_and_a_late_one_is_due(desk: StillDesk) -> None:
    now = desk.clock.now
    desk.model.beats = {
        "am/Watchdog": Beat(source="am", name="Watchdog", last_seen=now - 34_000, every=5 * MINUTE)
    }
    desk.model.note(Area.BEATS)
    view = AlertsView()
    found = lines(view, desk)
    assert found[found.index("Over") - 1] == "alert path ok am/Watchdog <1m"
    assert plain(view.title(Reader(desk)).badges).endswith(" path ok <1m")
    desk.clock.now += 9 * MINUTE
    assert "alert path LATE am/Watchdog 9m" in lines(view, desk)
    assert plain(view.title(Reader(desk)).badges).endswith(" path LATE")
    assert due_list(Reader(desk))[-1].text == "nothing from the alert path am/Watchdog for 9m"


def test_the_facts_tell_what_changed_before_the_first_alert(desk: StillDesk) -> None:
    desk.model.changes = {
        "c1": Change(uid="c1", service="cart", kind="deploy", title="3f2c", at=NOW - 10 * MINUTE),
        "c2": Change(uid="c2", service="payments", kind="flag", title="fast-pay",
                     at=NOW - 30 * 60 * MINUTE),
        "c3": Change(uid="c3", service="search", kind="deploy", title="9e1a",
                     at=NOW - 90 * MINUTE),
    }  # fmt: skip
    text = "\n".join(plain(line).rstrip() for line in draw_facts(Reader(desk))(90))
    assert "deploy cart: 3f2c, 7m before it began" in text
    assert "last of payments: flag payments: fast-pay, 1d before it began" in text
    assert "9e1a" not in text


def test_silences_that_failed_or_outlive_the_incident_are_due(desk: StillDesk) -> None:
    def asked(name: str) -> SilenceAsked:
        matchers = (Matcher("a", "b"),)
        ends_at = desk.clock.now + 60 * MINUTE
        return SilenceAsked(silence=name, alertmanager="main", matchers=matchers, ends_at=ends_at,
                            comment="INC-42", incident=STREAM)  # fmt: skip

    for name in ("s1", "s2"):
        desk.says("ana", asked(name), stream=BOARD)
    failed = SilenceAnswered(silence="s1", state="failed", reason="no such label")
    desk.says("warroom", failed, stream=BOARD)
    desk.says("warroom", SilenceAnswered(silence="s2", state="active"), stream=BOARD)
    texts = [due.text for due in due_list(Reader(desk))]
    assert "main did not silence: no such label" in texts
    assert "1 silence of ours hides alerts still" not in texts
    desk.says("ana", StatusSet(status="resolved"))
    (last,) = (due for due in due_list(Reader(desk)) if due.act == "silences.expire")
    assert (last.text, last.key) == ("1 silence of ours hides alerts still", "! e")


def test_what_hides_an_alert_is_told_and_stale_ones_are_never_resolved(desk: StillDesk) -> None:
    desk.fires(alert("q1", "quiet for long", "SEV2", service="x", stale_after=MINUTE))
    found = [line for line in lines(AlertsView(), desk) if "quiet for long" in line]
    assert found[0].startswith("SEV2 STALE?")
    draw = AlertsView().detail(Reader(desk), "q1")
    assert draw is not None
    text = " ".join(plain(line).strip() for line in draw(70))
    assert "whether it still fires is not known" in text


def test_a_hold_that_is_over_is_due_while_the_alert_fires(desk: StillDesk) -> None:
    until = desk.clock.now + 15 * MINUTE
    desk.says("ana", AlertAcknowledged(uid="a2", until=until), stream=BOARD)
    assert not any("time for it is over" in due.text for due in due_list(Reader(desk)))
    desk.clock.now = until
    (due,) = (due for due in due_list(Reader(desk)) if "time for it is over" in due.text)
    assert due.text == "“orders: replica lags 40 s” fires still, and ana's time for it is over"
    assert due.row == "a2"
    desk.says("bo", AlertAcknowledged(uid="a2"), stream=BOARD)
    assert not any("time for it is over" in due.text for due in due_list(Reader(desk)))


@pytest.mark.parametrize(
    ("wanted", "titles"),
    [
        ("ORDERS", ["orders: replica lags 40 s"]),
        ("acked bo", ["checkout: 5xx above 5 %"]),
        ("sev2 !queue", ["orders: replica lags 40 s"]),
        ("inc-42", ["checkout: 5xx above 5 %"]),
        ("resolved", ["catalog: pods restart"]),
    ],
)
def test_a_filter_looks_in_all_that_a_row_says(
    desk: StillDesk, wanted: str, titles: list[str]
) -> None:
    view = AlertsView()
    view.filter = wanted
    found = lines(view, desk)
    assert [
        title for title in (a.title for a in ALERTS) if any(title in x for x in found)
    ] == titles


def test_a_fold_says_how_many_of_each_severity_it_holds(desk: StillDesk) -> None:
    desk.fires(
        *(
            alert(f"g{n}", f"cart {n}", "SEV1" if n < 2 else "SEV3", service="cart")
            for n in range(5)
        )
    )
    view = AlertsView()
    (line,) = (line for line in lines(view, desk, 100) if "x5" in line)
    assert "cart  2 SEV1, 3 SEV3" in line
    (row,) = (row for row in view.rows(Reader(desk)) if row.id.startswith("group:"))
    draw = view.detail(Reader(desk), row.id)
    assert draw is not None
    text = [plain(line).rstrip() for line in draw(80)]
    assert "severities   2 SEV1, 3 SEV3" in text
    assert "why folded   they have the service in common" in text


@pytest.mark.parametrize(
    ("width", "told"),
    [
        (72, "storm from alertmanager  20 SEV1, 11 services "),
        (110, "20 SEV1, 2 SEV2, 40 SEV3, 1 SEV4, s0 8, s1 8, s2 8, 8 more"),
    ],
)
def test_a_storm_tells_of_its_services_however_little_room_there_is(
    desk: StillDesk, width: int, told: str
) -> None:
    desk.fires(
        *(
            alert(f"g{n}", f"{n} is slow", "SEV3" if n % 3 else "SEV1", service=f"s{n % 8}")
            for n in range(60)
        )
    )
    (line,) = (line for line in lines(AlertsView(), desk, width) if "x63" in line)
    assert told in line
