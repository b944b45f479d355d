"""An incident as a document: harmless whatever people typed, and complete."""

import re
from html.parser import HTMLParser
from typing import Any

from hypothesis import given, strategies as st

from warroom_console.export import to_html, to_markdown
from warroom_incident.author import Author, Counters
from warroom_incident.clock import HybridClock
from warroom_incident.fields import AlertCopy, StepCopy
from warroom_incident.incident import IncidentState
from warroom_incident.reducers import Body
from warroom_incident.showing import show
from warroom_incident.vocabulary import (
    AlertLinked,
    ChecklistAttached,
    DraftOpened,
    DraftSaved,
    EntryStarred,
    ImpactSet,
    IncidentDeclared,
    NoteAdded,
    NoteStruck,
    RoleAssigned,
    StepSet,
)

STREAM = "i-" + "a" * 16
TYPED = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("<>&\"'`*_[]|#\x1b\x07\x9b\u202e"),
    min_size=1,
    max_size=60,
)


def incident(text: str) -> dict[str, Any]:
    """An incident whose every text is `text`."""
    state = IncidentState(STREAM)
    author = Author(Counters("a" * 16), HybridClock(lambda: 1000), lambda size: bytes(size))

    def write(body: Body) -> str:
        event, _ = author.write(STREAM, text, body)
        state.add(event)
        return event.id

    write(IncidentDeclared(title=text, drill=True))
    note = write(NoteAdded(text=f"{text}\n{text}"))
    write(NoteStruck(target=note))
    write(EntryStarred(target=note))
    write(RoleAssigned(role=text, person=text))
    write(ImpactSet(field="services", text=text))
    copy = AlertCopy(uid="u", key=text, source=text, title=text, severity=text, state=text)
    write(AlertLinked(uid="u", alert=copy))
    write(ChecklistAttached(checklist="c", title=text, steps=(StepCopy(id="s", text=text),)))
    write(StepSet(checklist="c", step="s", state="done"))
    write(DraftOpened(draft="d", audience=text, title=text))
    write(DraftSaved(draft="d", text=f"{text}\n{text}"))
    return show(state, lambda _event: "durable")


class Tags(HTMLParser):
    """Collects the tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "strong", "dl", "dt", "dd",
    "ul", "li", "pre", "table", "tr", "td", "s",
}  # fmt: skip


@given(TYPED)
def test_no_text_makes_a_tag_an_attribute_or_an_escape(text: str) -> None:
    page = to_html(incident(text))
    tags = Tags()
    tags.feed(page)
    assert tags.tags <= ALLOWED
    assert tags.attributes <= {"lang", "charset", "http-equiv", "content"}
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", page)


@given(TYPED)
def test_no_text_makes_markup_of_its_own(text: str) -> None:
    document = to_markdown(incident(text))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", document)
    for line in document.splitlines():
        assert re.match(r"(# |## |- |> |  |\*\*This was a drill\.\*\*$|>?$)", line), line
        plain = re.sub(r"\\.", "", line)
        assert "<" not in plain
        assert "`" not in plain
        assert plain.count("~~") in (0, 2)


def test_a_document_tells_everything() -> None:
    for document in (to_html(incident("words")), to_markdown(incident("words"))):
        for part in ("drill", "Timeline", "Services", "Alerts", "Draft for", "★", "(done, words,"):
            assert part.replace("(", "") in document.replace("\\", "").replace("(", "")


def test_an_export_says_on_whose_word_an_entry_stands() -> None:
    shown = incident("roll it back")
    shown["timeline"][1]["via"] = "mallory"
    assert "(via mallory)" in to_markdown(shown)
    assert "(via mallory)" in to_html(shown)
