"""The Roles panel: every role of the practice, who holds it, and who held it when.

Every role is always listed, so that a gap is seen. Subject-matter experts may be several: the first
holds the role `sme`, further ones hold `sme:` and their subject, such as `sme:database`. Each of
these is a register of its own, listed below the first while somebody holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from msgspec import Struct

from warroom_console.context import Room
from warroom_console.theme import Glyphs, Tone
from warroom_console.times import clock, stamp
from warroom_console.views.sifting import fits, shown
from warroom_console.widgets.detail import prose
from warroom_console.widgets.panel import Title
from warroom_console.widgets.row import Draw, Row
from warroom_console.widgets.spans import Line, column, fit, joined
from warroom_incident.clean import cells, clean, clean_line
from warroom_incident.event import Event
from warroom_incident.incident import IncidentState
from warroom_incident.practice.roles import EXPERT, ROLES, role_of
from warroom_incident.vocabulary import RoleAssigned

COMMANDER = "commander"

_PURPOSES = {
    "commander": "decides",
    "deputy": "next in command",
    "scribe": "keeps the record",
    "operations": "makes changes",
    "communications": "tells the inside",
    "liaison": "tells customers",
    "sme": "knows the system",
}
_TITLE_WIDTH, _NAME_WIDTH = 22, 18


class Claim(Struct, frozen=True):
    """One person that a role was given to. `at` in milliseconds; `away`: no console open."""

    person: str | None
    at: int
    away: bool = False


class Held(Struct, frozen=True):
    """A role as it stands. Several claims are a conflict; the first of them counts for now."""

    role: str
    title: str
    short: str
    claims: tuple[Claim, ...] = ()

    @property
    def holder(self) -> str | None:
        """Who holds it."""
        return self.claims[0].person if self.claims else None

    @property
    def disputed(self) -> bool:
        """Whether people gave it to several without knowing of each other."""
        return len(self.claims) > 1


def standing(state: IncidentState, here: Iterable[str] | None = None) -> list[Held]:
    """Every role, in the order of the practice, further experts behind the first.

    Args:
        state: The incident.
        here: The names of those who are connected, None while nobody knows.
    """
    known = [role.id for role in ROLES]
    others = sorted(key[1] for key in state.keys("role") if key[1] not in known)
    held = [_held(state, role, here) for role in known]
    return held + [each for role in others if (each := _held(state, role, here)).holder is not None]


def _held(state: IncidentState, role: str, here: Iterable[str] | None) -> Held:
    claims: dict[str | None, Claim] = {}
    for event in state.heads(("role", role)):
        if isinstance(event.body, RoleAssigned):
            person = event.body.person
            away = here is not None and person is not None and person not in here
            claims.setdefault(person, Claim(person, event.shown_at, away))
    found = role_of(role)
    if list(claims) == [None]:
        claims = {}
    return Held(role, found.title, found.short, tuple(claims.values()))


def tenures(state: IncidentState, role: str) -> list[Event]:
    """Every time the role changed hands, oldest first."""
    return [e for e in state.history(("role", role)) if isinstance(e.body, RoleAssigned)]


class RolesView:
    """What the Roles panel shows."""

    name = "Roles"

    def __init__(self) -> None:
        self.filter = ""

    def rows(self, room: Room) -> list[Row]:
        """One row a role; a disputed one names everybody who was given it."""
        wanted = [
            held
            for held in standing(room.state, connected(room))
            if fits(self.filter, held.title, held.short, *_people(held), _vacant(held))
        ]
        return [
            Row(held.role, (held, room.glyphs), partial(_draw, held, room.glyphs))
            for held in wanted
        ]

    def title(self, room: Room) -> Title:
        """How many roles are held; collapsed, by whom."""
        roles = standing(room.state, connected(room))
        taken = sum(held.holder is not None for held in roles)
        disputed = [held for held in roles if held.disputed]
        badges: Line = ()
        if disputed:
            badges = ((f" {len(disputed[0].claims)} claim {disputed[0].short}", Tone.WARN),)
        dot = (f" {room.glyphs.dot} ", Tone.FAINT)
        status = joined((_status(held) for held in roles), dot) if room.stream else ()
        return Title(f"{taken}/{len(roles)}", badges, shown(self.filter), "", status)

    def empty(self, room: Room) -> str:
        """What to say when the filter hides every role."""
        return "No role fits the filter. Esc shows them all."

    def detail(self, room: Room, row_id: str) -> Draw | None:
        """The duty card, and everybody who held the role."""
        held = _held(room.state, row_id, connected(room))
        return partial(_draw_detail, held, tenures(room.state, row_id), room.glyphs)

    def text(self, room: Room, row_id: str | None) -> str:
        """Who holds what, as a Markdown list."""
        roles = standing(room.state)
        chosen = [held for held in roles if row_id in (None, held.role)]
        return clean("\n".join(_markdown(held) for held in chosen))


def connected(room: Room) -> frozenset[str] | None:
    """The names of those who are connected, None while the server is out of reach."""
    model = room.model
    return frozenset(person.name for person in model.people) if model.live else None


def _people(held: Held) -> list[str]:
    return [claim.person for claim in held.claims if claim.person]


def _vacant(held: Held) -> str:
    return "" if held.holder else "vacant"


def _status(held: Held) -> Line:
    if held.holder is not None:
        return ((f"{held.short} ", Tone.DIM), (held.holder, Tone.TEXT))
    if held.role == COMMANDER:
        return ((f"{held.short} ", Tone.DIM), ("VACANT", Tone.BAD))
    return ()


def _markdown(held: Held) -> str:
    if not held.claims:
        return f"- {held.title}: vacant"
    told = [f"{claim.person or 'nobody'} since {clock(claim.at)}Z" for claim in held.claims]
    return f"- {held.title}: {' or '.join(told)}" + (" (not settled)" if held.disputed else "")


# Drawing -----------------------------------------------------------------------------------


def _draw(held: Held, glyphs: Glyphs, width: int) -> Sequence[Line]:
    title = min(_TITLE_WIDTH, max(8, width // 2))
    label = held.title if cells(held.title) < title else held.short
    if held.role.partition(":")[0] == EXPERT and len(held.role) > len(EXPERT):
        label = held.title
    head = (column(label, title, glyphs.more), Tone.TEXT)
    # Where every name ends and what is told beside it begins.
    beside = min(_NAME_WIDTH, max(8, width - title - max(map(cells, _PURPOSES.values()))))
    if not held.claims:
        return [fit((head, *_gap(held.role, beside)), width, glyphs.more)]
    lines: list[Line] = []
    for number, claim in enumerate(held.claims):
        lead = head if number == 0 else (" " * title, Tone.TEXT)
        told = _claim(claim, held, number, beside, width - title)
        lines.append(fit((lead, *told), width, glyphs.more))
    return lines


def _gap(role: str, beside: int) -> Line:
    tone = Tone.BAD if role == COMMANDER else Tone.DIM
    return ((column("VACANT", beside), tone), (_PURPOSES.get(role, ""), Tone.FAINT))


def _claim(claim: Claim, held: Held, number: int, beside: int, width: int) -> Line:
    told = f"since {clock(claim.at)}"
    if held.disputed:
        told = "for now" if number == 0 else "claims it too"
    name = clean_line(claim.person or "nobody", 24)
    tone = Tone.WARN if held.disputed else Tone.STRONG if claim.person else Tone.DIM
    away: Line = ((" away", Tone.WARN if held.role == COMMANDER else Tone.DIM),)
    called = max(beside, cells(name) + 1)
    if claim.away and called + len(told) + len(" away") > width:
        told = told.removeprefix("since ")  # who is away matters more than a word
    return (
        (column(name, called), tone),
        (told, Tone.DIM),
        *(away if claim.away else ()),
    )


def _draw_detail(held: Held, past: list[Event], glyphs: Glyphs, width: int) -> Sequence[Line]:
    lines: list[Line] = [((role_of(held.role).title, Tone.STRONG),), *_now(held)]
    duties = role_of(held.role).duties
    if duties:
        lines += [(), (("What it asks", Tone.ACCENT),)]
    for duty in duties:
        for number, line in enumerate(prose(duty, max(10, width - 2))):
            lines.append(((f"{glyphs.dot} " if number == 0 else "  ", Tone.FAINT), *line))
    if past:
        lines += [(), (("Who held it", Tone.ACCENT),)]
    days = {stamp(event.shown_at)[:10] for event in past}
    lines += [_change(event, dated=len(days) > 1) for event in past]
    return lines


def _now(held: Held) -> list[Line]:
    if not held.claims:
        return [(("VACANT", Tone.BAD if held.role == COMMANDER else Tone.DIM),)]
    lines: list[Line] = []
    for number, claim in enumerate(held.claims):
        word = f" since {clock(claim.at)}Z"
        if held.disputed:
            word += ", counts for now" if number == 0 else ", claimed unseen"
        away = ", no console open" if claim.away else ""
        lines.append(((claim.person or "nobody", Tone.STRONG), (word + away, Tone.DIM)))
    if held.disputed:
        lines.append((("= settles on the first, Enter on anybody", Tone.WARN),))
    return lines


def _change(event: Event, *, dated: bool) -> Line:
    body = event.body
    assert isinstance(body, RoleAssigned)
    by = event.head.by
    what = body.person if body.person is not None else "vacant"
    told = "" if by == body.person else f"  by {by}"
    at = stamp(event.shown_at)[5:16] if dated else clock(event.shown_at)
    return (
        (f"{at}  ", Tone.DIM),
        (what, Tone.TEXT if body.person is not None else Tone.DIM),
        (told, Tone.DIM),
    )
