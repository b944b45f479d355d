"""What a responder does in the Timeline panel, and noting something from anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from warroom_console.actions import Action, Args, Registry, Scope
from warroom_console.context import Ctx
from warroom_console.theme import Tone
from warroom_console.times import dated
from warroom_console.verbs.guards import both, complaint_of, in_incident
from warroom_console.views.timeline import TimelineView
from warroom_console.when import parse_when
from warroom_console.widgets.prompt import Ask
from warroom_console.widgets.spans import cut
from warroom_incident.clean import clean_line
from warroom_incident.event import Event
from warroom_incident.practice.words import counted
from warroom_incident.vocabulary import EntryStarred, NoteAdded, NoteEdited, NoteStruck

LONGEST = 12_000
"""Characters that a note may have."""

_AT = "--at"
_OPENING = 30
_DEPTHS = ("Everything is shown.", "Machinery is hidden.", "Only notes and stars are shown.")


def register(registry: Registry[Ctx]) -> None:
    """Add the panel's actions, and `n`, `N` and `:note` for every panel."""
    timeline = Scope.TIMELINE
    own = both(in_incident, _on_own_note)
    registry.register(
        Action("timeline.edit", ("E",), "Edit", "Word an own note better; the first wording "
               "stays in the record.", edit, scope=timeline, when=own),
        Action("timeline.strike", ("x",), "Strike", "Strike out an own note, or restore it.",
               strike, scope=timeline, when=own),
        Action("timeline.star", ("*",), "Star", "Mark the entry as a key event, or take that back.",
               star, scope=timeline, when=both(in_incident, _on_entry)),
        Action("timeline.mark", ("space",), "Mark", "Mark the entry, to star several.", mark,
               scope=timeline, when=both(in_incident, _on_entry), shown=False),
        Action("timeline.depth", ("s",), "Shown", "Hide machinery; again, all but notes; again, "
               "show everything.", depth, scope=timeline),
        Action("timeline.follow", ("f",), "Follow", "Keep the newest entry in sight, or stop.",
               follow, scope=timeline),
        Action("room.note", ("n",), "Note", "Note something in the timeline.", note,
               scope=Scope.ROOM, when=in_incident, command="note", usage="[--at 14:02] TEXT",
               hints=_note_hints,
               check=lambda ctx, args: _complaint(ctx, args.text)),
        Action("room.long-note", ("N",), "Long note", "Write a note of several lines.", long_note,
               scope=Scope.ROOM, when=in_incident, shown=False),
    )  # fmt: skip


# Notes -------------------------------------------------------------------------------------


def note(ctx: Ctx, args: Args) -> None:
    """Note what was typed behind `:note`, or ask for a line."""
    if args.text:
        _note_line(ctx, args.text)
        return
    ctx.ask(
        Ask(
            f"note {ctx.state.number}: ",
            partial(_note_line, ctx),
            hint="--at 14:02 back-dates",
            check=partial(_complaint, ctx),
            longer=partial(long_note, ctx),
        )
    )


def long_note(ctx: Ctx, args: Args | str) -> None:
    """Open the editor, with what was typed so far."""
    text = args if isinstance(args, str) else args.text
    title = f"Note in {ctx.state.number}"
    check = partial(_text_complaint, partial(_complaint, ctx))
    ctx.edit(f"note:{ctx.stream}", title, text, partial(_note_line, ctx), check=check)


def _text_complaint(fits: Callable[[str], str | None], text: str) -> str | None:
    return fits(text) if text.strip() else "nothing is typed yet: Esc leaves"


def _note_line(ctx: Ctx, line: str) -> bool:
    try:
        text, at = read_note(line, ctx.now())
    except ValueError as error:
        ctx.flash(str(error), Tone.WARN)
        return False
    if not text:
        return True
    said = "Noted" if at is None else f"Noted at {dated(at, ctx.now())}"
    return bool(ctx.write(NoteAdded(text=text, at=at), said=said))


def read_note(line: str, now: int) -> tuple[str, int | None]:
    """Return a note's text and the time that `--at` gives it, in milliseconds.

    Raises:
        ValueError: The time is none, or the text is too long; the message is one sentence.
    """
    text, at = line.strip(), None
    if text.startswith(_AT + " ") or text == _AT:
        when, _, text = text.removeprefix(_AT).strip().partition(" ")
        at = parse_when(when, now)
        text = text.strip()
        if not text:
            raise ValueError("Type what happened behind the time.")
    if complaint := _too_long(text):
        raise ValueError(complaint)
    return text, at


def _too_long(text: str) -> str | None:
    over = len(text.strip()) - LONGEST
    return f"The note is {counted(over, 'character')} too long: shorten it." if over > 0 else None


def _complaint(ctx: Ctx, line: str) -> str | None:
    return complaint_of(lambda said: read_note(said, ctx.now()), line)


def _note_hints(_ctx: Ctx, args: Args) -> Iterable[str]:
    return (f"{_AT} ",) if " " not in args.text else ()


# Entries -----------------------------------------------------------------------------------


def _events(ctx: Ctx) -> list[Event]:
    events = ctx.state.events
    return [events[id_] for id_ in ctx.targets if id_ in events]


def _on_entry(ctx: Ctx) -> str | None:
    return None if _events(ctx) else "no entry under the cursor: k leaves the tail"


def _notes(ctx: Ctx) -> list[Event]:
    """The entries under the cursor; at the tail, where there is none, the last own note."""
    if ctx.targets:
        return _events(ctx)
    last = ctx.state.last_note(ctx.model.you)
    return [] if last is None else [last]


def _on_own_note(ctx: Ctx) -> str | None:
    events = _notes(ctx)
    if not events:
        return _on_entry(ctx)
    if not isinstance(events[0].body, NoteAdded):
        return "only notes can be changed, and the record keeps all they said"
    if events[0].head.by != ctx.model.you:
        return f"this is {events[0].head.by}'s note"
    return None


def edit(ctx: Ctx, _args: Args) -> None:
    """Open an own note in the editor; what stood when the edit began is what is replaced."""
    event = _notes(ctx)[0]
    state = ctx.state
    standing = state.note(event)
    if standing is None:
        return
    key = ("text", event.id)
    base = state.base_for(key)
    at = standing.at

    def save(text: str) -> bool:
        if text.strip() == standing.text:
            ctx.flash("Nothing was changed.")
            return True
        body = NoteEdited(target=event.id, text=text.strip(), at=at)
        return bool(ctx.write(body, base=base, said="Edited"))

    def check(text: str) -> str | None:
        return _too_long(text) if text.strip() else "nothing is left of it: x strikes a note out"

    ctx.edit(f"edit:{event.id}", "Edit the note", standing.text, save, check=check)


def strike(ctx: Ctx, _args: Args) -> None:
    """Strike out an own note, or restore it."""
    event = _notes(ctx)[0]
    struck = not ctx.state.is_struck(event.id)
    which = "" if ctx.targets else f" your last note “{_opening(event)}”"
    said = ("Struck out" if struck else "Restored") + which
    ctx.write(NoteStruck(target=event.id, struck=struck), said=said)


def mark(ctx: Ctx, _args: Args) -> None:
    """Mark the entry, or unmark it."""
    ctx.stage.mark()


def star(ctx: Ctx, _args: Args) -> None:
    """Star every target, or take the stars back where all have one."""
    events = _events(ctx)
    starred = not all(ctx.state.is_starred(event.id) for event in events)
    said = "Starred as a key event" if starred else "Star taken back"
    ctx.write(*(EntryStarred(target=e.id, starred=starred) for e in events), said=said)


def _opening(event: Event) -> str:
    assert isinstance(event.body, NoteAdded)
    return cut(clean_line(event.body.text, 200), _OPENING)


# The view ----------------------------------------------------------------------------------


def depth(ctx: Ctx, _args: Args) -> None:
    """Show less, and in the end everything again."""
    view = ctx.view
    if isinstance(view, TimelineView):
        view.depth = (view.depth + 1) % len(_DEPTHS)
        ctx.refresh()
        ctx.flash(_DEPTHS[view.depth])


def follow(ctx: Ctx, _args: Args) -> None:
    """Keep the newest entry in sight, or stop."""
    ctx.stage.follow()
