"""The shelf: the runbooks and templates that this console offers."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path

from warroom_incident.practice.library import Library


def library() -> Library:
    """The files of this machine's own server (WARROOM_DATA), and those that are shipped."""
    named = os.environ.get("WARROOM_DATA")
    return Library(Path(named).expanduser() if named else user_data_path("warroom"))
