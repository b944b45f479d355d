"""The server's configuration: `warroom.toml`, and where everything lies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import msgspec
import platformdirs
from msgspec import Meta

from warroom_incident.alerts import Severity
from warroom_incident.fields import Url
from warroom_incident.sync.settling import AudienceId, Minutes, SeverityId, SeverityWords
from warroom_incident.vocabulary import RightName

from .alerting.settings import AlertmanagerSettings, AlertSettings, DeclareRule


class ConfigError(Exception):
    """The configuration cannot be used; the message is one sentence that says what to mend."""


class Access(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[access]`: what an account may do that the room granted nothing else."""

    default: RightName = "responder"


class Socket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[socket]`: the mode of the Unix socket; with none it follows the group of its directory."""

    mode: Annotated[str, Meta(pattern=r"\A0?[0-7]{3}\Z")] | None = None


class SourceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[sources.NAME]`: how alerts of the token of that name are read.

    `severities` are the sender's own words, `default_severity` holds where it names none.
    `secret_file`, beside `warroom.toml` and with mode 0600, is what the sender signs its bodies
    with: then unsigned ones are refused. `topics` are the only SNS topics that it may send.
    """

    severities: Annotated[dict[str, Severity], Meta(max_length=100)] = {}
    default_severity: Severity | None = None
    secret_file: str = ""
    topics: Annotated[tuple[str, ...], Meta(max_length=100)] = ()


class Practice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[practice]`: a team's own definitions, which consoles of this room use.

    `severity` are its words and cadences by id, `cadence` minutes between two updates by audience.
    """

    severity: Annotated[dict[SeverityId, SeverityWords], Meta(max_length=6)] = {}
    cadence: Annotated[dict[AudienceId, Minutes], Meta(max_length=20)] = {}


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`warroom.toml`.

    `peers` are other servers of the same room to keep in step with, `urls` the addresses under
    which the consoles of others find this one, in the order to try. `sources` are settings of
    alert senders by the names of their tokens.
    """

    peers: Annotated[tuple[Url, ...], Meta(max_length=8)] = ()
    urls: Annotated[tuple[Url, ...], Meta(max_length=8)] = ()
    access: Access = Access()
    socket: Socket = Socket()
    practice: Practice = Practice()
    alerts: AlertSettings = AlertSettings()
    alertmanager: Annotated[tuple[AlertmanagerSettings, ...], Meta(max_length=32)] = ()
    declare: Annotated[tuple[DeclareRule, ...], Meta(max_length=100)] = ()
    sources: dict[str, SourceSettings] = {}


def config_directory() -> Path:
    """Where `warroom.toml` and `room.key` lie: `WARROOM_CONFIG` (a directory, or the file)."""
    given = os.environ.get("WARROOM_CONFIG")
    if given:
        path = Path(given).expanduser()
        return path.parent if path.suffix == ".toml" else path
    return platformdirs.user_config_path("warroom")


def data_directory(given: str | None) -> Path:
    """Where the log lies: the flag, `WARROOM_DATA`, or this person's data directory."""
    chosen = given or os.environ.get("WARROOM_DATA")
    return Path(chosen).expanduser() if chosen else platformdirs.user_data_path("warroom")


def socket_path(given: str | None) -> Path:
    """Where the server listens: the flag, or `$XDG_RUNTIME_DIR/warroom/socket`."""
    if given:
        return Path(given.removeprefix("unix://")).expanduser().absolute()
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    base = Path(runtime) / "warroom" if runtime else platformdirs.user_runtime_path("warroom")
    return base / "socket"


def read_config(directory: Path) -> Config:
    """Read `warroom.toml`, or the defaults when there is none.

    Raises:
        ConfigError: The file does not fit.
    """
    path = directory / "warroom.toml"
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Config)
    except FileNotFoundError:
        return Config()
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be used: {error}.") from error
