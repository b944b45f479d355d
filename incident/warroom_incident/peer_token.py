"""Where the token for another server of the room lies, for servers and commands alike."""

from __future__ import annotations

import re


def peer_token_file(host: str, port: int) -> str:
    """The name of the file in the configuration directory that holds the token for a server."""
    return f"peer-{re.sub(r'[^A-Za-z0-9.-]', '_', host)}-{port}.token"
