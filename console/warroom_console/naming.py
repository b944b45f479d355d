"""What people call things: an incident `INC-7`, `7`, `INC-~k3f9` or its stream, a person `ana`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from warroom_incident.clean import clean_line
from warroom_incident.incident import provisional


class NoIncident(ValueError):
    """Nothing, or more than one incident, is called that; the message is one sentence."""


def find_stream(name: str, numbers: Mapping[str, str]) -> str:
    """The stream of an incident.

    Args:
        name: What somebody typed.
        numbers: Every known stream with its incident's number.

    Raises:
        NoIncident: It cannot be told which is meant.
    """
    said = name.strip().casefold()
    found = [
        stream for stream, number in numbers.items() if said in _names(stream, number.casefold())
    ]
    if len(found) == 1:
        return found[0]
    shown = clean_line(name.strip(), 40)
    if found:
        raise NoIncident(f"“{shown}” could be more than one incident: name one by its uid.")
    if not shown:
        raise NoIncident("No incident given: `warroom list` shows what there is.")
    raise NoIncident(f"There is no incident “{shown}”: `warroom list --all` shows what there is.")


def _names(stream: str, number: str) -> tuple[str, ...]:
    unnumbered = provisional(stream).casefold()
    short = number.removeprefix("inc-")
    return (number, short, stream, stream.removeprefix("i-"), unnumbered, unnumbered[4:])


def known_name(name: str, known: Iterable[str]) -> str:
    """The name that somebody goes by in the room: `ana (ops)` for `ana` on a shared account.

    A name that is known as it is, or fits several people, stays what was typed.
    """
    everybody = set(known)
    fitting = [full for full in everybody if full.startswith(f"{name} (")]
    return fitting[0] if name not in everybody and len(fitting) == 1 else name


def name_on(account: str, user: str) -> str:
    """The name that a server gives a claimed name on an account."""
    return account if user in ("", account) else f"{user} ({account})"


def is_name_on(account: str, name: str) -> bool:
    """Whether a name is an account's own, or one that somebody claims on it: `ana (ops)`."""
    return name == account or name.endswith(f" ({account})")
