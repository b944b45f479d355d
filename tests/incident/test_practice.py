"""The words of the practice, and the library that a team may make its own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from warroom_incident.clean import cells, clean
from warroom_incident.practice.audience import AUDIENCES, audience_of, parse_audience
from warroom_incident.practice.custom import SHIPPED, practice_of
from warroom_incident.practice.library import IC_CHECKLIST, Library, load_checklist, shipped
from warroom_incident.practice.roles import ROLES, parse_role, role_of
from warroom_incident.practice.severity import SEVERITIES, parse_severity, severity_of
from warroom_incident.practice.status import STATUSES, parse_status, status_of
from warroom_incident.practice.template import GAPS, fill
from warroom_incident.sync.settling import SeverityWords


def refusal_of(parse: Callable[[str], object], text: str) -> str:
    try:
        parse(text)
    except ValueError as refusal:
        return str(refusal)
    return ""


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("SEV2", "SEV2"),
        ("sev2", "SEV2"),
        (" 2 ", "SEV2"),
        ("Sev-2", "SEV2"),
        ("sev 2", "SEV2"),
        ("SEV?", "SEV?"),
        ("?", "SEV?"),
        ("unknown", "SEV?"),
        ("critical", "SEV1"),
        ("crit", "SEV1"),
    ],
)
def test_a_severity_is_understood_however_it_is_typed(said: str, meant: str) -> None:
    assert parse_severity(said).id == meant


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("6", "There is no severity “6”: say one of SEV1, SEV2, SEV3, SEV4, SEV5, SEV?."),
        ("sev", "“sev” could be more than one severity: say one of SEV1"),
        ("", "No severity given: say one of SEV1"),
        ("\x1b[31m", "There is no severity “␛[31m”"),
    ],
)
def test_a_wrong_severity_gets_one_sentence_that_says_what_to_do(said: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="severity") as refusal:
        parse_severity(said)
    assert str(refusal.value).startswith(sentence)


@given(st.text())
def test_any_word_is_understood_or_refused_in_one_clean_line(text: str) -> None:
    for parse in (parse_severity, parse_status, parse_role, parse_audience):
        sentence = refusal_of(parse, text)
        assert clean(sentence, newlines=False) == sentence
        assert len(sentence) < 240


def test_severities_sort_worst_first_and_the_unjudged_right_behind_the_worst() -> None:
    assert [s.id for s in sorted(SEVERITIES)] == ["SEV1", "SEV?", "SEV2", "SEV3", "SEV4", "SEV5"]


def test_only_the_worst_call_for_a_commander() -> None:
    assert [s.id for s in SEVERITIES if s.major] == ["SEV1", "SEV2", "SEV?"]


def test_a_severity_from_a_newer_version_counts_as_undetermined() -> None:
    assert severity_of("SEV0").id == "SEV?"
    assert severity_of("SEV4").id == "SEV4"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("mitigated", "mitigated"),
        ("INV", "investigating"),
        ("id", "identified"),
        ("monitoring", "mitigated"),
    ],
)
def test_a_status_is_understood_by_its_beginning(said: str, meant: str) -> None:
    assert parse_status(said).id == meant


def test_what_is_only_mitigated_is_never_resolved_on_a_status_page() -> None:
    assert [(s.id, s.page) for s in STATUSES] == [
        ("started", "investigating"),
        ("investigating", "investigating"),
        ("identified", "identified"),
        ("mitigated", "monitoring"),
        ("resolved", "resolved"),
        ("closed", "resolved"),
    ]
    assert [s.id for s in STATUSES if s.over] == ["resolved", "closed"]


def test_a_status_from_a_newer_version_counts_as_ongoing() -> None:
    assert status_of("paused").id == "investigating"
    assert status_of("closed").over


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("IC", "commander"),
        ("incident commander", "commander"),
        ("command", "commander"),
        ("ops", "operations"),
        ("Operations-Lead", "operations"),
        ("comms", "communications"),
        ("customer liaison", "liaison"),
        ("scr", "scribe"),
        ("subject_matter_expert", "sme"),
        ("SME: Database", "sme:database"),
    ],
)
def test_a_role_is_understood_by_any_of_its_names(said: str, meant: str) -> None:
    assert parse_role(said).id == meant


def test_every_role_has_a_card_that_fits_a_small_screen() -> None:
    for role in ROLES:
        assert 3 <= len(role.duties) <= 5
        assert len(role.short) <= 5
        assert all(cells(line) <= 88 for line in role.duties)


def test_a_role_or_an_audience_from_a_newer_version_is_shown_by_its_id() -> None:
    assert role_of("planning").title == "Planning"
    assert audience_of("regulator").title == "Regulator"


def test_an_audience_waits_as_long_as_it_may_and_not_at_all_for_small_things() -> None:
    waits = {a.id: [a.minutes(s) for s in SEVERITIES] for a in AUDIENCES}
    assert waits == {
        "internal": [30, 30, 30, None, None, 30],
        "executives": [30, 30, 30, None, None, 30],
        "customers": [20, 30, 60, None, None, 30],
    }
    assert parse_audience("public").id == "customers"


def test_the_commanders_checklist_fits_a_tired_mind_and_a_small_screen() -> None:
    checklist = load_checklist()
    assert 12 <= len(checklist.steps) <= 16
    sections = list(dict.fromkeys(step.section for step in checklist.steps))
    assert sections == ["First five minutes", "Every ten minutes", "Before closing"]
    assert all(cells(step.text.split("\n")[0]) <= 64 for step in checklist.steps)
    assert not any(step.command for step in checklist.steps)


def test_every_shipped_runbook_has_steps_and_loses_none() -> None:
    library = Library()
    assert IC_CHECKLIST in library.names("runbooks")
    for name in library.names("runbooks"):
        runbook = library.runbook(name)
        assert runbook.steps
        assert runbook.left_out == 0


def test_a_teams_own_files_stand_before_the_shipped_ones(tmp_path: Path) -> None:
    own = tmp_path / "runbooks"
    own.mkdir()
    (own / "IC-Checklist.md").write_text("- [ ] Breathe\n")
    (own / "Failover.md").write_text("- [ ] Fail over\n")
    (own / ".hidden.md").write_text("- [ ] never\n")
    (own / "notes.txt").write_text("no")
    library = Library(tmp_path)
    assert library.names("runbooks") == ("checkout-errors", "failover", "ic-checklist")
    assert [s.text for s in library.runbook("ic-checklist").steps] == ["Breathe"]
    assert library.runbook("FAILOVER").title == "FAILOVER"
    assert load_checklist(own / "Failover.md").title == "Failover"


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "", "a/b", ".hidden", "x" * 200])
def test_a_name_never_leaves_its_shelf(tmp_path: Path, name: str) -> None:
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "secret.md").write_text("- [ ] no\n")
    with pytest.raises(ValueError, match="There is nothing called"):
        Library(tmp_path).runbook(name)


def test_a_file_that_is_too_large_or_gone_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"Cannot read .*gone\.md: No such file"):
        load_checklist(tmp_path / "gone.md")
    (tmp_path / "big.md").write_bytes(b"x" * 300 * 1024)
    with pytest.raises(ValueError, match=r"big\.md is larger than 256 KiB"):
        load_checklist(tmp_path / "big.md")


def test_a_file_that_is_no_utf8_is_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "latin.md").write_bytes(b"- [ ] Pr\xfcfen\n")
    assert load_checklist(tmp_path / "latin.md").steps[0].text == "Pr\ufffdfen"


def test_a_library_without_a_directory_on_disk_has_what_is_shipped(tmp_path: Path) -> None:
    assert Library(tmp_path / "nowhere").names("templates") == Library().names("templates")


def test_each_audience_has_a_template_for_each_phase() -> None:
    library = Library()
    assert library.template("customers", "first") != library.template("customers", "final")
    assert library.template("executives", "first") == library.template("executives", "final")
    assert library.template("regulator") == library.template("internal")


def test_the_public_is_told_a_status_pages_word_and_when_it_hears_again() -> None:
    customers = Library().template("customers")
    assert "{page_status}" in customers
    assert "{status}" not in customers
    assert "{next_update}" in customers


def test_every_gap_in_a_shipped_template_can_be_filled() -> None:
    for path, text in shipped():
        if path.startswith("templates/"):
            filled = fill(text, dict.fromkeys(GAPS, "known"))
            assert "{" not in filled, path


def test_a_gap_that_nobody_can_fill_yet_asks_its_question() -> None:
    text = fill(
        "{services} since {since}, {unheard_of} {}", {"services": "checkout", "since": None}
    )
    assert text == "checkout since [since when, UTC], {unheard_of} {}"


def test_what_a_value_contains_is_never_taken_for_a_gap() -> None:
    assert fill("{title}", {"title": "{now} {title}", "now": "10:13Z"}) == "{now} {title}"


def test_everything_shipped_can_be_written_out_and_read_back(tmp_path: Path) -> None:
    written = dict(shipped())
    for path, text in written.items():
        target = tmp_path / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(text)
    assert set(written) >= {"runbooks/ic-checklist.md", "templates/internal.md"}
    assert Library(tmp_path).runbook(IC_CHECKLIST) == Library().runbook(IC_CHECKLIST)


def test_an_expert_is_called_by_the_subject() -> None:
    assert [role_of("sme:database").title, role_of("sme:database").spoken] == ["SME database"] * 2
    assert role_of("sme:database").duties == role_of("sme").duties
    assert role_of("commander").spoken == "incident commander"
    assert role_of("sme:").title == "Sme:"


def test_a_team_changes_some_words_and_keeps_the_others() -> None:
    own = practice_of(
        {"SEV1": SeverityWords(meaning="Nobody can pay.", cadence=10), "SEV2": SeverityWords()},
        {"executives": 60, "internal": 0},
    )
    assert own.severity("SEV1").meaning == "Nobody can pay."
    assert own.severity("SEV1").response == severity_of("SEV1").response
    assert own.severity("SEV2") == severity_of("SEV2")
    assert own.severity("SEV9") == severity_of("SEV?")
    assert own.audience("executives").minutes(own.severity("SEV1")) == 60
    assert own.audience("internal").minutes(own.severity("SEV1")) == 10
    assert own.audience("board") == audience_of("board")
    assert practice_of({"SEV1": SeverityWords(cadence=0)}, {}).severity("SEV1").cadence is None
    assert practice_of({}, {}) == SHIPPED


def test_a_teams_own_runbooks_are_those_that_differ_from_the_shipped(tmp_path: Path) -> None:
    shelf = tmp_path / "runbooks"
    shelf.mkdir()
    for name, text in shipped():
        if name.startswith("runbooks/"):
            (tmp_path / name).write_text(text)
    assert Library(tmp_path).own("runbooks") == ()
    (shelf / "mail.md").write_text("# Mail\n- [ ] Look\n")
    (shelf / f"{IC_CHECKLIST}.md").write_text("# Ours\n- [ ] Breathe\n")
    assert Library(tmp_path).own("runbooks") == (IC_CHECKLIST, "mail")
    assert Library().own("runbooks") == ()
