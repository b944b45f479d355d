"""Who may send what: the kinds that are read now, and what was configured for single tokens.

Owns the reading of an operator's mapping files and of the secrets that senders sign with.
"""

from __future__ import annotations

import logging
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from warroom_incident.clean import clean_line

from ..config import ConfigError, SourceSettings
from .kinds import Kind, find_kinds
from .source import Source

_log = logging.getLogger(__name__)


class Senders(Collection[str]):
    """Kinds by name, sources by the names of their tokens. As a collection, the names of kinds."""

    def __init__(
        self, directories: Sequence[Path], settings: Mapping[str, SourceSettings] | None = None
    ) -> None:
        """Read everything.

        Args:
            directories: Those of the configuration and of the data, in which `intake/*.toml` is
                looked for; secrets are found from the first. What is not right is logged.
            settings: `[sources]` of the configuration.

        Raises:
            ConfigError: A secret cannot be used.
        """
        self._directories = directories
        self._settings = dict(settings or {})
        self._secrets = {
            name: read_secret(directories[0] / each.secret_file)
            for name, each in self._settings.items()
            if each.secret_file
        }
        self.look_again()

    def look_again(self) -> None:
        """Read the mapping files anew."""
        self.kinds: Mapping[str, Kind]
        self.kinds, self.complaints = find_kinds(self._directories)
        for complaint in self.complaints:
            _log.warning("%s", clean_line(complaint))

    def __contains__(self, kind: object) -> bool:
        """Whether alerts of a kind are read."""
        return kind in self.kinds

    def __iter__(self) -> Iterator[str]:
        """The kinds that are read."""
        return iter(self.kinds)

    def __len__(self) -> int:
        """How many kinds are read."""
        return len(self.kinds)

    def source(self, name: str, kind: str) -> Source:
        """The source of a token's name and kind, as it is configured."""
        settings = self._settings.get(name)
        if settings is None:
            return Source(name, kind)
        severities = {word.casefold(): grade for word, grade in settings.severities.items()}
        return Source(
            name,
            kind,
            severities,
            settings.default_severity,
            self._secrets.get(name),
            settings.topics,
        )


def read_secret(path: Path) -> bytes:
    """What a file holds that only we may read. Raises ConfigError."""
    try:
        mode = path.stat().st_mode
        secret = path.read_bytes().strip()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
    if stat.S_IMODE(mode) & 0o077:
        raise ConfigError(f"{path} holds a secret that others may read: chmod 600 {path}")
    if not secret:
        raise ConfigError(f"{path} is empty: write the secret into it.")
    return secret
