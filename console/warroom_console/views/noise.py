"""The noise report: which rules called people for nothing."""

from __future__ import annotations

from collections.abc import Sequence

from warroom_console.theme import Tone
from warroom_console.times import short
from warroom_console.widgets.detail import prose
from warroom_console.widgets.spans import Line, column
from warroom_incident.episodes import RuleNoise

_COUNTS = 36


def draw_noise(rules: Sequence[RuleNoise], width: int) -> Sequence[Line]:
    """A line a rule, the noisiest first, under the names of the columns."""
    if not rules:
        return prose("No alert was received.", width, Tone.DIM)
    names = ("noise", "fired", "led to", "open for")
    lines: list[Line] = [((_columns(*names), Tone.ACCENT), ("rule", Tone.ACCENT))]
    for rule in rules:
        counts = _columns(str(rule.noise or ""), str(rule.episodes), str(rule.led or ""),
                          short(rule.open_ms))  # fmt: skip
        told = column(f"{rule.rule} ({rule.source})", max(8, width - _COUNTS))
        lines.append(((counts, Tone.TEXT), (told, Tone.STRONG if rule.noise else Tone.DIM)))
        why = [
            f"{count} {name}"
            for count, name in (
                (rule.false_positive, "false positive"),
                (rule.not_actionable, "not actionable"),
                (rule.poor_details, "poor details"),
            )
            if count
        ]
        if why:
            lines.append(((" " * _COUNTS + ", ".join(why), Tone.DIM),))
    return lines


def _columns(*texts: str) -> str:
    return "".join(f"{text:>8} " for text in texts)
