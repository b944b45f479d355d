"""An incident as a document: Markdown to edit, HTML to hand on. Both hold cleaned text only.

The document is made from the value of `show --json`, so it says what every other program sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from typing import Any

from warroom_incident.clean import clean, clean_line
from warroom_incident.practice.audience import audience_of
from warroom_incident.practice.roles import role_of

Shown = dict[str, Any]
_IMPACT = {
    "started_at": "Since",
    "detected_by": "Detected by",
    "services": "Services",
    "users": "Users",
    "regions": "Regions",
    "data_loss": "Data loss",
    "workaround": "Workaround",
    "reports": "Customer reports",
}
_BOXES = {"done": "[x]", "skipped": "[-]", "doing": "[~]"}
_SPECIAL = str.maketrans({char: f"\\{char}" for char in "\\`*_[]<>|#~"})


def to_markdown(shown: Shown) -> str:
    """The incident as Markdown; what people typed stays plain text."""
    return "\n".join(_markdown(shown)) + "\n"


def _md(text: object) -> str:
    """One line of text that Markdown shows as it is."""
    return clean_line(str(text)).translate(_SPECIAL)


def _markdown(shown: Shown) -> Iterator[str]:
    yield f"# {_md(shown['id'])}: {_md(shown['title'])}"
    yield ""
    if shown["drill"]:
        yield "**This was a drill.**"
        yield ""
    for name, value in _facts(shown):
        yield f"- {_md(name)}: {_md(value)}"
    for title, rows in _lists(shown):
        yield from ("", f"## {title}", "")
        yield from (f"- {_md(row)}" for row in rows)
    for checklist in shown["checklists"]:
        yield from ("", f"## {_md(checklist['title'])}", "")
        for step in checklist["steps"]:
            box = _BOXES.get(step["state"], "[ ]")
            yield f"- {box} {_md(_first_line(step['text']))}{_md(_who(step))}"
    for draft in shown["drafts"]:
        for version in draft["versions"]:
            yield from ("", f"## {_md(_draft_title(draft))}", "")
            yield from (f"> {_md(line)}" for line in clean(version["text"]).split("\n"))
    yield from ("", "## Timeline", "")
    for entry in shown["timeline"]:
        first, *rest = clean(_line(entry)).split("\n")
        text = f"~~{_md(first)}~~" if entry["struck"] else _md(first)
        star = "★ " if entry["starred"] else ""
        yield f"- {_md(_time(entry['at']))} {star}{text}"
        yield from (f"  {_md(line)}" for line in rest)


def to_html(shown: Shown) -> str:
    """The incident as one HTML page that needs nothing else: no script, no address, no image."""
    return "\n".join(_html(shown)) + "\n"


def _h(text: object) -> str:
    return escape(clean(str(text)))


def _html(shown: Shown) -> Iterator[str]:
    title = _h(f"{shown['id']}: {shown['title']}")
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>"
    )
    if shown["drill"]:
        yield "<p><strong>This was a drill.</strong></p>"
    yield "<dl>"
    yield from (f"<dt>{_h(name)}</dt><dd>{_h(value)}</dd>" for name, value in _facts(shown))
    yield "</dl>"
    for heading, rows in _lists(shown):
        yield f"<h2>{_h(heading)}</h2>\n<ul>"
        yield from (f"<li>{_h(row)}</li>" for row in rows)
        yield "</ul>"
    for checklist in shown["checklists"]:
        yield f"<h2>{_h(checklist['title'])}</h2>\n<ul>"
        for step in checklist["steps"]:
            box = _BOXES.get(step["state"], "[ ]")
            yield f"<li>{_h(box)} {_h(_first_line(step['text']))}{_h(_who(step))}</li>"
        yield "</ul>"
    for draft in shown["drafts"]:
        for version in draft["versions"]:
            yield f"<h2>{_h(_draft_title(draft))}</h2>\n<pre>{_h(version['text'])}</pre>"
    yield "<h2>Timeline</h2>\n<table>"
    for entry in shown["timeline"]:
        text = f"<s>{_h(_line(entry))}</s>" if entry["struck"] else _h(_line(entry))
        star = "★ " if entry["starred"] else ""
        yield f"<tr><td>{_h(_time(entry['at']))}</td><td>{star}{text}</td></tr>"
    yield "</table>\n</body>\n</html>"


_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
    "dt{float:left;clear:left;width:10em;color:#555}td{vertical-align:top;padding:.15em .6em;"
    "white-space:pre-wrap}td:first-child{white-space:nowrap;color:#555}"
    "pre{white-space:pre-wrap;background:#f4f4f4;padding:1em}"
)


# What both show ------------------------------------------------------------------------------


def _facts(shown: Shown) -> Iterator[tuple[str, str]]:
    yield "Severity", shown["severity"]
    yield "Status", shown["status"]
    for name, key in (("Started", "started_at"), ("Ended", "ended_at")):
        if shown[key]:
            yield name, _time(shown[key])
    for role, held in shown["roles"].items():
        if held["holder"]:
            yield role_of(role).title, held["holder"]
    for key, name in _IMPACT.items():
        value = shown["impact"][key]
        if value:
            yield name, ", ".join(value) if isinstance(value, list) else str(value)


def _lists(shown: Shown) -> Iterator[tuple[str, list[str]]]:
    if shown["conflicts"]:
        yield "Not settled", [_conflict(conflict) for conflict in shown["conflicts"]]
    if shown["alerts"]:
        yield "Alerts", [_alert(alert) for alert in shown["alerts"]]
    if shown["participants"]:
        yield "People", [person["name"] for person in shown["participants"]]


def _conflict(conflict: Shown) -> str:
    said = " or ".join(f"{write['value']} ({write['by']})" for write in conflict["writes"])
    return f"{conflict['what']}: {said}"


def _alert(alert: Shown) -> str:
    return f"{alert['severity']} {alert['title']} ({alert['source']}, {alert['state']})"


def _draft_title(draft: Shown) -> str:
    ready = ", ready" if draft["ready"] else ""
    return f"Draft for {audience_of(draft['audience']).title.lower()}: {draft['title']}{ready}"


def _who(step: Shown) -> str:
    if step["state"] == "open":
        return f" ({step['owner']})" if step["owner"] else ""
    return f" ({step['state']}, {step['by']}, {_time(step['at'])})"


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _line(entry: Shown) -> str:
    late = " (late, after close)" if entry["late"] else ""
    late += " (new facts since)" if entry["new_facts"] else ""
    late += f" (via {entry['via']})" if entry["via"] else ""
    said = f"{entry['by']}: {entry['text']}" if entry["kind"] == "note" else entry["text"]
    return f"{said}{late}"


def _time(stamp: str | None) -> str:
    """`2026-11-21T14:02:07.123Z` as people read it."""
    return f"{stamp[:10]} {stamp[11:19]}Z" if stamp else ""


FORMATS: dict[str, Callable[[Shown], str]] = {"md": to_markdown, "html": to_html}
