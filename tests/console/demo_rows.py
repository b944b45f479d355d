"""What the demo room shows: its alerts, its timeline, and the rows of its other panels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from warroom_console.theme import Tone
from warroom_console.widgets.row import Row
from warroom_console.widgets.spans import Line, column, wrap


@dataclass(frozen=True)
class Alert:
    """A row of the first panel."""

    key: str
    severity: str
    state: str
    name: str
    service: str
    age: str
    owner: str = ""
    times: int = 1
    version: int = 0

    def row(self) -> Row:
        """Return the alert as a list row."""
        return Row(self.key, (self.version, self.state), self.draw)

    def draw(self, width: int) -> list[Line]:
        """Draw the alert in columns; the name takes what is left."""
        tones = {"SEV1": Tone.SEV1, "SEV2": Tone.SEV2, "SEV3": Tone.SEV3, "SEV4": Tone.SEV4}
        states = {"FIRING": Tone.WARN, "ACKED": Tone.DIM, "RESOLVED": Tone.GOOD}
        name = max(10, width - 47)
        return [
            (
                (self.severity, tones.get(self.severity, Tone.SEVX)),
                (" " + column(self.state, 9), states[self.state]),
                (column(self.name, name), Tone.TEXT),
                (" " + column(self.service, 11), Tone.DIM),
                (f" {self.age:>5}  ", Tone.DIM),
                (column(self.owner, 8), Tone.TEXT),
                (f"x{self.times}" if self.times > 1 else "", Tone.DIM),
            )
        ]


ALERTS = [
    Alert("A-1", "SEV1", "FIRING", "api-5xx", "checkout", "12m", "ana", 41),
    Alert("A-2", "SEV2", "ACKED", "db-replica-lag", "orders", "9m", "bo"),
    Alert("A-3", "SEV2", "FIRING", "queue-depth", "payments", "8m"),
    Alert("A-4", "SEV3", "FIRING", "p99-latency", "checkout", "7m", times=12),
    Alert("A-5", "SEV3", "ACKED", "cache-hit-ratio", "catalog", "6m", "cy"),
    Alert("A-6", "SEV4", "FIRING", "disk-70-percent", "logs-eu-2", "5m"),
    Alert("A-7", "SEV?", "FIRING", "synthetic-login", "identity", "4m"),
    Alert("A-8", "SEV4", "RESOLVED", "pod-restarts", "catalog", "31m", "", 3),
]

ENTRIES = [
    ("13:21", "ana", "declared INC-42 from alert api-5xx, SEV1, as incident commander"),
    ("13:23", "bo", "joined"),
    ("13:26", "ana", "asked bo to look at the deploy of 13:05"),
    (
        "13:34",
        "bo",
        "deploy 3f2c changed the connection pool of checkout from 64 to 8; the database shows "
        "waiting clients since 13:07, which fits the first errors",
    ),
    ("13:41", "ana", "decision: roll 3f2c back, do not wait for the fix"),
    ("13:52", "bo", "rolled back 3f2c in zone a, errors fall"),
    ("14:01", "bo", "rolled back 3f2c everywhere"),
]


def entry_row(number: int, at: str, who: str, text: str) -> Row:
    """Return a timeline entry as a row that wraps under its own text."""

    def draw(width: int) -> list[Line]:
        lead = f"{at} {column(who, 4)} "
        lines = wrap(text, max(20, width - len(lead)))
        first: Line = ((f"{at} ", Tone.DIM), (f"{column(who, 4)} ", Tone.ACCENT))
        rest: Line = ((" " * len(lead), Tone.TEXT),)
        return [
            (*(first if place == 0 else rest), (line, Tone.TEXT))
            for place, line in enumerate(lines)
        ]

    return Row(f"E-{number}", 0, draw)


def simple_rows(prefix: str, lines: Iterable[tuple[str, str, Tone]]) -> list[Row]:
    """Return rows of two columns."""

    def row(number: int, left: str, right: str, tone: Tone) -> Row:
        return Row(
            f"{prefix}-{number}",
            0,
            lambda width: [((column(left, 24), Tone.DIM), (" " + right, tone))],
        )

    return [row(number, *line) for number, line in enumerate(lines)]


ROLES = (
    ("incident commander", "ana", Tone.TEXT),
    ("operations lead", "bo", Tone.TEXT),
    ("scribe", "cy", Tone.TEXT),
    ("communications lead", "VACANT", Tone.WARN),
)
STEPS = (
    ("[x] confirm impact", "ana 13:25", Tone.DIM),
    ("[x] find last change", "bo 13:34", Tone.DIM),
    ("[>] drain zone b", "bo", Tone.TEXT),
    ("[ ] fail over reads", "", Tone.TEXT),
    ("[ ] tell customers", "", Tone.TEXT),
)
DRAFT = (
    ("v3 draft by ana", "waiting approval", Tone.WARN),
    ("to customers", "Some checkouts fail. A fix is being rolled out.", Tone.TEXT),
)
STATUS: dict[int, Line] = {
    1: (("api-5xx ", Tone.TEXT), ("ana", Tone.DIM)),
    2: (("14:01 bo: ", Tone.DIM), ("rolled back 3f2c everywhere", Tone.TEXT)),
    3: (("Comms ", Tone.DIM), ("VACANT", Tone.WARN)),
    4: (("next: ", Tone.DIM), ("drain zone b (bo)", Tone.TEXT)),
    5: (("waiting approval", Tone.WARN),),
}
