"""Plain Markdown becomes steps, whatever its author's habits, and nothing in it can hurt."""

import json

import pytest
from hypothesis import example, given, strategies as st

from warroom_incident.practice.runbook import MAX_BYTES, MAX_STEPS, Runbook, read_runbook

ALERT_PAGE = """\
---
title: Queue backlog
weight: 20
---

# QueueBacklogHigh

## Meaning

1. More jobs come than go.

## Diagnosis

Two ways to look at it.

- Ask the broker with `brokerctl -n $NAMESPACE list queues`
- Check the workers:
  - are they running
  - are they [slow](https://graphs.example/workers)?

Read the newest errors:

```shell
$ journalctl -u worker \\
    --since -10m
Nov 21 10:13 worker: no memory
```

```text
this is only an example
```

## Mitigation

1. Add a worker

   ```yaml
   replicas: 4
   ```
2. Drain the queue

   ```console
   $ brokerctl drain jobs
   drained
   ```

## References

1. The broker's manual
"""

TASK_PAGE = """\
# Rotate the signing key

1. This line is not to be ticked.
   - [x] Announce it — Role: comms
   - [ ] **Make** the new key
     Expect: two keys listed
     ```sh
     keys new
     keys list
     ```
- plain bullet

## Afterwards

- [ ] Make the new key
- [ ] Make the new key
"""


def texts(runbook: Runbook) -> list[str]:
    return [step.text for step in runbook.steps]


def test_an_alert_page_gives_its_actions_and_leaves_its_prose() -> None:
    runbook = read_runbook(ALERT_PAGE)
    assert runbook.title == "Queue backlog"
    assert [(s.section, s.text, s.command) for s in runbook.steps] == [
        (
            "Diagnosis",
            "Ask the broker with `brokerctl -n $NAMESPACE list queues`",
            "brokerctl -n $NAMESPACE list queues",
        ),
        (
            "Diagnosis",
            "Check the workers:\n- are they running\n- are they slow?\n"
            "→ https://graphs.example/workers",
            None,
        ),
        ("Diagnosis", "Read the newest errors:", "journalctl -u worker \\\n    --since -10m"),
        ("Mitigation", "Add a worker", None),
        ("Mitigation", "Drain the queue", "brokerctl drain jobs"),
    ]


def test_task_items_are_exactly_the_steps_when_there_are_any() -> None:
    runbook = read_runbook(TASK_PAGE)
    assert [(s.section, s.text, s.command) for s in runbook.steps] == [
        ("", "Announce it — Role: comms", None),
        ("", "Make the new key\nExpect: two keys listed", "keys new\nkeys list"),
        ("Afterwards", "Make the new key", None),
        ("Afterwards", "Make the new key", None),
    ]


def test_a_page_of_prose_offers_its_action_headings() -> None:
    text = "# Target down\n\n## Impact\n\nBlind.\n\n## Diagnosis\n\nLook at it.\n\n## Mitigation\n"
    assert texts(read_runbook(text)) == ["Diagnosis\nLook at it.", "Mitigation"]


def test_a_page_that_asks_for_nothing_has_no_steps() -> None:
    assert read_runbook("# About us\n\nWe run things.\n\n- nice people\n").steps == ()


def test_a_table_of_contents_is_no_step() -> None:
    text = "# Fix it\n\n- [First](#first)\n- [Second](#second)\n\n## Steps\n\n1. Do it\n"
    assert texts(read_runbook(text)) == ["Do it"]


def test_a_heading_within_an_item_is_what_the_item_says() -> None:
    text = "## Steps\n\n1. ### Stop the writers\n   All of them.\n2. Copy the file\n"
    assert texts(read_runbook(text)) == ["Stop the writers\nAll of them.", "Copy the file"]


def test_a_command_after_another_joins_the_step_before() -> None:
    text = "## Steps\n\nFirst look:\n\n```sh\nls\n```\n\n```sh\npwd\n```\n"
    assert [s.command for s in read_runbook(text).steps] == ["ls\npwd"]


def test_output_after_a_command_is_not_copied_with_it() -> None:
    text = "- [ ] Look\n  ```sh\n  ls\n  ```\n  ```\n  a b c\n  ```\n  ```console\n  d e\n  ```\n"
    assert [s.command for s in read_runbook(text).steps] == ["ls"]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# One\n\n# Two\n", "One"),
        ("## Part\n\n# Late\n", "checkout"),
        ("plain words", "checkout"),
        ("", "checkout"),
        ("+++\ntitle = 'Failover'\n+++\n# Other\n", "Failover"),
        ("\ufeff---\r\ntitle: Windows\r\n---\r\n", "Windows"),
        ("---\n\nprose between two rules\n\n---\n\n# Real\n", "Real"),
        ("# " + "x" * 500, "x" * 218 + " … (cut: see the file)"),
    ],
)
def test_the_title_is_the_one_the_text_gives_itself_or_the_files_name(
    text: str, title: str
) -> None:
    assert read_runbook(text, name="checkout").title == title


def test_reading_a_file_again_gives_the_same_ids() -> None:
    assert read_runbook(TASK_PAGE) == read_runbook(TASK_PAGE)
    ids = [step.id for step in read_runbook(TASK_PAGE).steps]
    assert len(set(ids)) == len(ids)


def test_an_edit_elsewhere_keeps_the_ids_of_the_other_steps() -> None:
    before = {s.text: s.id for s in read_runbook(ALERT_PAGE).steps}
    edited = ALERT_PAGE.replace("1. Add a worker", "1. Wake the owner\n1. Add a worker")
    after = {s.text: s.id for s in read_runbook(edited).steps}
    assert before.items() <= after.items()


def test_a_checked_box_does_not_change_the_id() -> None:
    done = TASK_PAGE.replace("[ ]", "[X]")
    assert [s.id for s in read_runbook(done).steps] == [s.id for s in read_runbook(TASK_PAGE).steps]


def test_a_text_too_long_is_cut_and_says_so() -> None:
    (step,) = read_runbook("- [ ] " + "word " * 400).steps
    assert len(step.text) == 600
    assert step.text.endswith("… (cut: see the file)")


def test_a_command_is_never_cut_but_left_in_the_file() -> None:
    (step,) = read_runbook("- [ ] Do it\n  ```sh\n  " + "echo " * 300 + "\n  ```\n").steps
    assert step.command is None
    assert step.text == "Do it\n(its command has 1,499 characters: copy it from the file)"


def test_more_steps_than_fit_are_counted() -> None:
    many = read_runbook("".join(f"- [ ] step {n}\n" for n in range(MAX_STEPS + 7)))
    assert (len(many.steps), many.left_out) == (MAX_STEPS, 7)
    wide = read_runbook("".join(f"- [ ] {n} {'ж' * 500}\n" for n in range(100)))
    assert 0 < len(wide.steps) < 100
    assert len(wide.steps) + wide.left_out == 100


def test_a_file_too_large_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"“big” has 300 KiB .* split it"):
        read_runbook("x" * 300 * 1024, name="big")
    assert read_runbook("x" * MAX_BYTES).steps == ()


def test_what_a_runbook_says_is_kept_raw_for_the_record() -> None:
    (step,) = read_runbook("- [ ] look \x1b[31m[/b]\n").steps
    assert step.text == "look \x1b[31m[/b]"


_PIECES = [
    *("- [ ] ", "- ", "1. ", "> ", "# ", "## Steps\n", "```sh\n", "```", "$ ls", "`", "**", "<b>"),
    *(
        "[a](http://b)",
        "![",
        "](",
        "---\n",
        "\n",
        "\n\n",
        "  ",
        "    ",
        "\t",
        "\x00",
        "\ud800",
        "ж",
    ),
]
markdown = st.one_of(st.text(), st.lists(st.sampled_from(_PIECES), max_size=60).map("".join))


@given(markdown)
@example("- [ ] x\n" * 400)
@example(" " * 40 + "- " * 400)
@example("> " * 400 + "- [ ] x")
@example("[" * 2000 + "](" * 2000)
@example("---\ntitle:\n---\n")
def test_any_text_is_a_runbook_within_the_limits(text: str) -> None:
    runbook = read_runbook(text)
    assert 1 <= len(runbook.title) <= 240
    assert len(runbook.steps) <= MAX_STEPS
    assert len({step.id for step in runbook.steps}) == len(runbook.steps)
    for step in runbook.steps:
        assert 1 <= len(step.id) <= 64
        assert 1 <= len(step.text) <= 600
        assert len(step.section) <= 120
        assert step.command is None or 1 <= len(step.command) <= 1000
    said = [[s.id, s.text, s.section, s.command] for s in runbook.steps]
    assert len(json.dumps(said, ensure_ascii=False).encode()) < 44 * 1024
