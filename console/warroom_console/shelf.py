"""The shelf: the runbooks and templates that this console offers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_data_path

if TYPE_CHECKING:
    from warroom_incident.practice.library import Library


def library() -> Library:
    """The files of this machine's own server (WARROOM_DATA), and those that are shipped."""
    from warroom_incident.practice.library import Library

    named = os.environ.get("WARROOM_DATA")
    return Library(Path(named).expanduser() if named else user_data_path("warroom"))
