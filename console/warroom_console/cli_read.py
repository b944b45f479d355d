"""Commands that print what is known of incidents: list, show, export."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from warroom_incident.clean import clean_line
from warroom_incident.directory import write_whole
from warroom_incident.practice.severity import severity_of
from warroom_incident.showing import show, show_summary
from warroom_incident.sync.wire import Summary

from .commands import words_option
from .desk import Desk
from .errand import follow_whole, say_age, say_meanwhile, visit
from .link import wall_ms
from .page import page
from .saying import Failure, err, out, out_json, table
from .when import age

as_json = click.option("--json", "as_json", is_flag=True, help="Print data for other programs.")


@click.command("list")
@click.option("--all", "everything", is_flag=True, help="Closed incidents too.")
@as_json
def list_command(everything: bool, as_json: bool) -> None:
    """List the incidents, the worst first."""

    async def work(desk: Desk) -> None:
        say_age(desk)
        found = [s for s in desk.model.summaries.values() if everything or s.status != "closed"]
        found.sort(key=_urgency)
        if as_json:
            out_json([show_summary(summary) for summary in found])
        elif found:
            table([("ID", "SEV", "STATUS", "IC", "AGE", "TITLE"), *map(_row, found)])
        else:
            err("No incident is open." if not everything else "There was never an incident here.")

    visit(work)


def _urgency(summary: Summary) -> tuple[bool, int, int]:
    over = summary.status in ("resolved", "closed")
    return (over, severity_of(summary.severity).rank, -(summary.started_at or 0))


def _row(summary: Summary) -> tuple[str, ...]:
    started = summary.started_at
    lasted = age((summary.ended_at or wall_ms()) - started) if started is not None else ""
    return (
        summary.id,
        summary.severity,
        summary.status,
        summary.commander or "-",
        lasted,
        ("DRILL " if summary.drill else "") + summary.title,
    )


@click.command("show")
@click.argument("incident", metavar="INC")
@as_json
@words_option
def show_command(incident: str, as_json: bool) -> None:
    """Print everything about an incident."""

    async def work(desk: Desk) -> None:
        stream = await follow_whole(desk, incident)
        say_age(desk)
        model = desk.model
        state = model.incident(stream)
        if as_json:
            out_json(show(state, model.mark, model.records))
        else:
            say_meanwhile(desk, stream)
            for line in page(state, model.mark, wall_ms()):
                out(clean_line(line))

    visit(work, board=True)


@click.command("export")
@click.argument("incident", metavar="INC")
@click.option("--format", "form", type=click.Choice(["md", "json", "html"]), default="md")
@click.option("-o", "--output", metavar="FILE", help="Write to a file, not to standard output.")
def export_command(incident: str, form: str, output: str | None) -> None:
    """Export an incident as Markdown, JSON or one HTML page."""

    async def work(desk: Desk) -> str:
        stream = await follow_whole(desk, incident)
        say_age(desk)
        shown = show(desk.model.incident(stream), desk.model.mark, desk.model.records)
        if form == "json":
            return json.dumps(shown, indent=2).replace("\x7f", "\\u007f") + "\n"
        from .export import FORMATS

        return FORMATS[form](shown)

    document = visit(work, board=True)
    if output is None or output == "-":
        sys.stdout.write(document)
    else:
        _write(Path(output), document)


def _write(path: Path, document: str) -> None:
    try:
        write_whole(path, document.encode(), durable=False)
    except (OSError, UnicodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "its name is no text"
        raise Failure(f"{path} cannot be written ({said}): choose another file.") from None
