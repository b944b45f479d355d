"""Small questions that only the server can answer, and its answers.

A console asks only what `welcome` lists in `answers`, so that no older server is asked.
"""

# ruff: noqa: RUF012  (msgspec copies a default list for each message)
from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from ..episodes import Episode, RuleNoise
from ..fields import Matcher
from .message import Count, Message, Name

FIRED_BEFORE = "fired_before"
"""The past episodes of an alert: asked with `source` and `key`, told in `episodes`."""

SILENCE_PREVIEW = "silence_preview"
"""What a silence would hide at its source: asked with `alertmanager` and `matchers`."""

NOISE = "noise"
"""The noise report of the last `days`, told in `rules`."""

MAX_EPISODES = 50
"""The most episodes in one answer, the newest ones."""

MAX_RULES = 100
MAX_TITLES = 10

Title = Annotated[str, Meta(max_length=500)]


class Ask(Message, frozen=True, tag="ask"):
    """A question; `id` is the console's own, and comes back with the answer.

    `about` says what is asked; the other fields are those that it needs.
    """

    id: Count
    about: Annotated[str, Meta(max_length=40)]
    source: Name = ""
    key: Annotated[str, Meta(max_length=1000)] = ""
    alertmanager: Name = ""
    matchers: Annotated[list[Matcher], Meta(max_length=20)] = []
    days: Annotated[int, Meta(ge=1, le=400)] = 30


class Answer(Message, frozen=True, tag="answer"):
    """The answer to a question, or in `error` one sentence on why there is none.

    `count` is how many there are in all, of which the newest or the first are told: `episodes`,
    `titles` of the alerts that a silence would hide, or `rules`, the noisiest first. `told_by`
    names who knew, where that is not the server itself. `text` is a runbook's, in Markdown.
    """

    id: Count
    error: Annotated[str, Meta(max_length=300)] = ""
    count: Count = 0
    episodes: list[Episode] = []
    titles: list[Title] = []
    rules: list[RuleNoise] = []
    told_by: Name = ""
    text: Annotated[str, Meta(max_length=100_000)] = ""
