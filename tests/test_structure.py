"""The map of the code names files that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_file_and_directory_on_the_map_exists() -> None:
    text = (ROOT / "docs" / "structure.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:[\w.]+/)*[\w.]+(?:\.py|/))`", text))
    assert len(named) > 40
    known = {path.relative_to(ROOT) for path in ROOT.glob("[!.]*/**/*")}
    for name in named:
        parts = Path(name).parts
        assert any(path.parts[-len(parts) :] == parts for path in known), name
