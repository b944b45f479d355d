"""What Nagios, Icinga, Checkmk and their kin say in the environment of a notification command.

All of them use the same names behind a prefix: `NAGIOS_HOSTNAME`, `ICINGA_HOSTNAME`,
`NOTIFY_HOSTNAME`. Macros that were not filled in (`$SERVICEDESC$`) count as nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

PREFIXES = ("NAGIOS_", "ICINGA_", "ICINGA2_", "NOTIFY_", "")

_TYPES = {
    "PROBLEM": "firing",
    "RECOVERY": "resolved",
    "ACKNOWLEDGEMENT": "acknowledged",
    "DOWNTIMESTART": "mute",
    "DOWNTIMEEND": "unmute",
    "DOWNTIMECANCELLED": "unmute",
    "DOWNTIMEREMOVED": "unmute",
}
_FINE = ("OK", "UP")
_SEVERITIES = {
    "CRITICAL": "SEV1",
    "CRIT": "SEV1",
    "DOWN": "SEV1",
    "WARNING": "SEV3",
    "WARN": "SEV3",
    "UNKNOWN": "SEV3",
    "UNKN": "SEV3",
    "UNREACHABLE": "SEV3",
    "UNREACH": "SEV3",
}
_LONGEST = 4000


class Said:
    """The environment of one notification, read by names without their prefix."""

    def __init__(self, environ: Mapping[str, str], prefix: str) -> None:
        """Use the variables that begin with `prefix`."""
        self._environ, self._prefix = environ, prefix

    def get(self, *names: str) -> str:
        """The first of these that says something."""
        for name in names:
            text = self._environ.get(self._prefix + name, "").strip()
            if text and not (text.startswith("$") and text.endswith("$")):
                return text[:_LONGEST]
        return ""


def find(environ: Mapping[str, str]) -> Said | None:
    """The notification in an environment, None where there is none."""
    for prefix in PREFIXES:
        said = Said(environ, prefix)
        if said.get("NOTIFICATIONTYPE") and said.get("HOSTNAME", "HOSTALIAS", "HOSTDISPLAYNAME"):
            return said
    return None


def alert_of(said: Said) -> dict[str, object] | None:
    """The body that tells of a notification; None for one that is no alert.

    Soft states are none, because they may pass before they are hard; neither are flapping and
    custom notifications. What recovered in a downtime was told to nobody: its end says so.
    """
    state = _TYPES.get(said.get("NOTIFICATIONTYPE").upper())
    service = said.get("SERVICEDESC", "SERVICENAME", "SERVICEDISPLAYNAME")
    kind = said.get("SERVICESTATETYPE" if service else "HOSTSTATETYPE", "STATETYPE")
    is_soft = kind.upper() == "SOFT" and state not in ("mute", "unmute")
    if state is None or is_soft:
        return None
    host = said.get("HOSTNAME", "HOSTALIAS", "HOSTDISPLAYNAME")
    site = said.get("OMD_SITE")
    status = said.get("SERVICESTATE") if service else said.get("HOSTSTATE")
    if state == "unmute" and status.upper() in _FINE:
        state = "resolved"
    output = said.get("SERVICEOUTPUT") if service else said.get("HOSTOUTPUT")
    long = said.get("LONGSERVICEOUTPUT") if service else said.get("LONGHOSTOUTPUT")
    labels = {
        "host": host,
        "service": service,
        "address": said.get("HOSTADDRESS", "ADDRESS"),
        "site": site,
        "contact": said.get("NOTIFICATIONAUTHOR", "NOTIFICATIONAUTHORNAME"),
    }
    body: dict[str, object] = {
        "key": "!".join(part for part in (site, host, service) if part),
        "title": f"{host} {service}".strip() + f" is {status or 'in trouble'}",
        "status": state,
        "summary": output,
        "description": "\n".join(filter(None, (long, said.get("NOTIFICATIONCOMMENT")))),
        "labels": {name: text for name, text in labels.items() if text},
        "url": said.get("SERVICENOTESURL", "SERVICEACTIONURL", "HOSTNOTESURL", "HOSTACTIONURL"),
    }
    if state == "firing" and (severity := _SEVERITIES.get(status.upper())):
        body["severity"] = severity
    return {name: value for name, value in body.items() if value}
