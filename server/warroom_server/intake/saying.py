"""What the intake's tool says: cleaned lines or JSON, and one sentence where it cannot."""

from __future__ import annotations

import json
import sys

from warroom_incident.clean import clean


class Problem(Exception):
    """It cannot be done; the message is one sentence that says what to do."""


def out(text: str) -> None:
    """Print cleaned text."""
    sys.stdout.write(clean(text) + "\n")


def out_json(value: object) -> None:
    """Print data; everything outside ASCII is escaped, so that no terminal obeys it."""
    sys.stdout.write(json.dumps(value, indent=2).replace("\x7f", "\\u007f") + "\n")
