"""What a responder does in the Comms panel: begin, edit, merge and ready drafts."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from warroom_console.actions import PANELS, Action, Args, Registry, Scope
from warroom_console.context import Ctx
from warroom_console.shelf import library
from warroom_console.theme import Tone
from warroom_console.verbs.filling import flowing, phase_for, values
from warroom_console.verbs.guards import both, in_incident, word_check
from warroom_console.views.comms import EDITING, NEW, WRITING, CommsView, find, gaps, merged
from warroom_console.widgets.menu import Choice
from warroom_incident.author import new_id
from warroom_incident.clean import clean_line
from warroom_incident.parts import Draft
from warroom_incident.practice.audience import AUDIENCES, audience_of, parse_audience
from warroom_incident.practice.template import fill
from warroom_incident.vocabulary import DraftOpened, DraftReadied, DraftSaved

if TYPE_CHECKING:
    from warroom_incident.practice.library import Phase

COMMS = next(number for number, scope in PANELS.items() if scope is Scope.COMMS)

_TITLES: dict[Phase, str] = {"first": "First notice", "update": "Update", "final": "Last update"}


def editor_of(about: str) -> str:
    """The key of the editor in which a draft, or the first of an audience, is written."""
    return f"draft:{about}"


class Edit(Struct, frozen=True):
    """One draft in one editor: what its author had seen when it began.

    `about` names the draft, or `new:` and an audience; `given` is the text it began with.
    """

    stream: str
    about: str
    base: tuple[str, ...]
    given: str
    text: str


class Drafting:
    """The edits of this console; those that were left unsaved wait here for the next `e`."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], Edit] = {}

    def begin(self, ctx: Ctx, args: Args) -> None:
        """Begin a draft for the audience that is named, or for one chosen from a menu."""
        if args.text:
            try:
                self._begin(ctx, parse_audience(args.text).id)
            except ValueError as error:
                ctx.flash(str(error), Tone.WARN)
            return
        choices = [Choice(one.id, one.title, one.wants, one.id[0]) for one in AUDIENCES]
        ctx.choose("Draft for", choices, partial(self._begin, ctx))

    def _begin(self, ctx: Ctx, audience: str) -> None:
        try:
            template = library().template(audience, phase_for(ctx.state, audience))
        except ValueError as error:
            ctx.flash(clean_line(str(error)), Tone.WARN)
            template = ""
        given = fill(
            flowing(template),
            values(
                ctx.state,
                ctx.model.practice.audience(audience),
                ctx.now(),
                ctx.model.practice,
            ),
        )
        edit = Edit(ctx.stream or "", NEW + audience, (), given, given)
        to = audience_of(audience).title.lower()
        title = f"{_TITLES[phase_for(ctx.state, audience)]} to {to}"
        self._open(ctx, edit, title, WRITING + audience)

    def edit(self, ctx: Ctx, _args: Args) -> None:
        """Open the draft under the cursor in the editor; several versions are merged there."""
        found = find(ctx.state, ctx.targets[0])
        if found is None:
            return
        draft, version = found
        given = version.text if version is not None else merged(draft)
        base = ctx.state.base_for(("draft", draft.id))
        if self._is_of_earlier(ctx, draft.id):
            # What was seen when that text was begun is not known: it stands beside what stands.
            base = ()
        edit = Edit(ctx.stream or "", draft.id, base, given, given)
        many = ", merged when saved" if len(draft.versions) > 1 else ""
        title = f"{audience_of(draft.audience).title}: {clean_line(draft.title, 40)}{many}"
        self._open(ctx, edit, title, EDITING + draft.id)

    def _is_of_earlier(self, ctx: Ctx, about: str) -> bool:
        """Whether the text that the editor will offer was kept by an earlier console."""
        kept = isinstance(ctx.view, CommsView) and about in ctx.view.unsaved
        return kept and (ctx.stream or "", about) not in self._waiting

    def _open(self, ctx: Ctx, edit: Edit, title: str, doing: str) -> None:
        waiting = self._waiting.get((edit.stream, edit.about))
        edit = waiting or edit
        if waiting is not None:
            title += " (your unsaved text)"
        if not isinstance(ctx.view, CommsView):
            ctx.activate(COMMS)
        ctx.here(doing)
        ctx.edit(
            editor_of(edit.about),
            title,
            edit.text,
            partial(self._save, ctx, edit),
            partial(self._left, ctx, edit),
        )

    def _left(self, ctx: Ctx, edit: Edit, text: str) -> None:
        ctx.here("")
        self._keep(ctx, replace(edit, text=text))
        if text != edit.given:
            key = "t" if edit.about.startswith(NEW) else "e"
            ctx.flash(f"Not saved; the text is kept: {key} goes on with it.")

    def _save(self, ctx: Ctx, edit: Edit, text: str) -> None:
        ctx.here("")
        # Kept until it is written: what the door refuses is not lost.
        self._keep(ctx, replace(edit, text=text))
        if not text.strip():
            ctx.flash("An empty draft is not saved.", Tone.WARN)
            return
        saved = self._write(ctx, edit, text)
        if saved:
            self._keep(ctx, replace(edit, text=edit.given))

    def _write(self, ctx: Ctx, edit: Edit, text: str) -> bool:
        if edit.about.startswith(NEW):
            return _write_first(ctx, edit.about.removeprefix(NEW), text)
        before = _with_id(ctx, edit.about)
        if before is None:
            ctx.flash("This draft is not here any more.", Tone.WARN)
            return False
        if len(before.versions) == 1 and before.versions[0].text == text:
            ctx.flash("Nothing was changed.")
            return True
        said = f"Saved v{before.saved + 1} to {audience_of(before.audience).title.lower()}"
        if not ctx.write(DraftSaved(draft=edit.about, text=text), base=edit.base, said=said):
            return False
        after = _with_id(ctx, edit.about)
        if after is not None and len(after.versions) > 1:
            ctx.flash(f"{said}. Another version was saved meanwhile: e merges them.", Tone.WARN)
        return True

    def _keep(self, ctx: Ctx, edit: Edit) -> None:
        if edit.text != edit.given:
            self._waiting[(edit.stream, edit.about)] = edit
        else:
            self._waiting.pop((edit.stream, edit.about), None)
        view = ctx.view
        if isinstance(view, CommsView):
            view.unsaved = frozenset(
                about for stream, about in self._waiting if stream == ctx.stream
            )
            ctx.refresh()


def register(registry: Registry[Ctx]) -> None:
    """Add the panel's actions and the command `draft`."""
    drafting = Drafting()
    on_draft = both(in_incident, _on_draft)
    registry.register(
        Action(
            "comms.edit",
            ("e",),
            "Edit",
            "Edit the draft; of several versions, make one.",
            drafting.edit,
            scope=Scope.COMMS,
            when=on_draft,
        ),
        Action(
            "comms.draft",
            ("t",),
            "New draft",
            "Begin a draft for an audience, filled in from what the incident knows.",
            drafting.begin,
            scope=Scope.COMMS,
            when=in_incident,
            command="draft",
            usage="AUDIENCE",
            hints=_audiences,
            check=word_check(parse_audience),
        ),
        Action(
            "comms.ready",
            ("m",),
            "Ready",
            "Mark the version that stands as ready to go out, or take that back.",
            ready,
            scope=Scope.COMMS,
            when=both(on_draft, _can_be_ready),
        ),
    )


def ready(ctx: Ctx, _args: Args) -> None:
    """Mark a draft ready, or not ready; one that still asks something is questioned first."""
    found = _draft(ctx)
    if found is None:
        return
    draft, name = found
    if draft.ready is not None:
        ctx.write(DraftReadied(draft=draft.id), said=f"{name} is not ready any more")
        return
    version = draft.versions[0]

    def mark() -> None:
        body = DraftReadied(draft=draft.id, version=version.id)
        ctx.write(body, said=f"{name} v{draft.saved} is ready")

    asked = gaps(version.text)
    if asked:
        more = f" and {len(asked) - 1} more" if len(asked) > 1 else ""
        ctx.confirm(f"It still asks {clean_line(asked[0], 40)}{more}. Ready all the same?", mark)
    else:
        mark()


def _write_first(ctx: Ctx, audience: str, text: str) -> bool:
    draft = new_id(os.urandom)
    title = _TITLES[phase_for(ctx.state, audience)]
    written = ctx.write(
        DraftOpened(draft=draft, audience=audience, title=title),
        DraftSaved(draft=draft, text=text),
        said=f"Saved a draft to {audience_of(audience).title.lower()}",
    )
    if written and isinstance(ctx.view, CommsView):
        # The row must be there before the cursor can be put on it.
        ctx.refresh()
        ctx.move_to(draft)
    return bool(written)


def _draft(ctx: Ctx) -> tuple[Draft, str] | None:
    """The draft under the cursor, and what to call it."""
    found = find(ctx.state, ctx.targets[0]) if ctx.targets else None
    if found is None:
        return None
    name = f"{audience_of(found[0].audience).title}: {clean_line(found[0].title, 40)}"
    return found[0], name


def _with_id(ctx: Ctx, draft_id: str) -> Draft | None:
    return next((draft for draft in ctx.state.drafts() if draft.id == draft_id), None)


def _on_draft(ctx: Ctx) -> str | None:
    return None if _draft(ctx) is not None else "no draft under the cursor"


def _can_be_ready(ctx: Ctx) -> str | None:
    found = _draft(ctx)
    if found is None or len(found[0].versions) == 1:
        return None
    return "two versions stand: e merges them first" if found[0].versions else "it has no text yet"


def _audiences(_ctx: Ctx, _args: Args) -> Iterable[str]:
    return tuple(audience.id for audience in AUDIENCES)
