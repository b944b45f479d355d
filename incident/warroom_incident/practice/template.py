"""Templates: Markdown with gaps such as `{title}`, filled from what the incident knows."""

import re
from collections.abc import Mapping

_GAP = re.compile(r"\{([a-z][a-z_]{0,39})\}")

QUESTION = re.compile(r"\[(?!\w\])[^\]\[\n]{2,200}\](?!\()")
"""What a text still asks, as `fill` leaves it; no tick box and no link of Markdown."""

GAPS: dict[str, str] = {
    "title": "what is broken, in one line",
    "number": "the incident's number",
    "severity": "severity",
    "status": "where we stand",
    "page_status": "where we stand, in a status page's word",
    "commander": "who commands",
    "services": "what is affected",
    "regions": "where",
    "users": "how many users",
    "since": "since when, UTC",
    "workaround": "what helps meanwhile, or: there is no workaround yet",
    "data_loss": "what was lost, or: no data was lost",
    "now": "the time now, UTC",
    "next_update": "when the next update comes, UTC",
}
"""Every gap that the incident can fill, and what a person is asked for while it cannot."""


def fill(template: str, values: Mapping[str, str | None]) -> str:
    """Return the template with its gaps filled; what is unknown stays as a `[question]`.

    One pass: what a value contains is never taken for a gap. Unknown gaps stay as written.
    """

    def filled(gap: re.Match[str]) -> str:
        name = gap[1]
        if value := values.get(name):
            return value
        return f"[{GAPS[name]}]" if name in GAPS else gap[0]

    return _GAP.sub(filled, template)
