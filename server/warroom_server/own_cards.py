"""The alerts that the board raises of itself."""

from __future__ import annotations

from warroom_incident.alerts import Signal

FULL_SOURCE = "warroom"
"""The source of the server's own cards."""

FULL = "board-full"
"""The key of the card of a full board."""


def full_card(signal: Signal, limit: int) -> Signal:
    """Say that there was no place for an alert, on a board of `limit` places."""
    return Signal(
        source=FULL_SOURCE,
        kind="warroom",
        key=FULL,
        state="firing",
        severity="SEV2",
        title="the alert board is full: new alerts are kept, but not shown",
        summary=(
            f"All {limit:,} places hold open alerts. Silence or fix the loudest sender; "
            f"the newest alert left out came from {signal.source}."
        ),
        received=signal.received,
    )
