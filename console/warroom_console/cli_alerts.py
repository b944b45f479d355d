"""`warroom alerts`: what is on the board, and which rules are noise."""

from __future__ import annotations

from typing import Any

import click
from msgspec import to_builtins

from warroom_incident.alerts import AlertRecord
from warroom_incident.board import Window
from warroom_incident.episodes import RuleNoise
from warroom_incident.showing import show_record
from warroom_incident.sync.asking import NOISE, Ask
from warroom_incident.windows import Windows

from .cli_read import as_json
from .desk import Desk
from .errand import say_age, visit
from .link import wall_ms
from .saying import Failure, err, out_json, table
from .when import age


@click.command("alerts")
@click.option("--all", "everything", is_flag=True, help="Resolved alerts too.")
@click.option("--noise", is_flag=True, help="Which rules are noise, the noisiest first.")
@click.option(
    "--days",
    type=click.IntRange(1, 400),
    default=30,
    show_default=True,
    help="How far back --noise looks.",
)
@as_json
def alerts_command(everything: bool, noise: bool, days: int, as_json: bool) -> None:
    """List the alerts on the board, the worst first."""
    if noise:
        visit(lambda desk: _noise(desk, days, as_json), board=True)
    else:
        visit(lambda desk: _board(desk, everything, as_json), board=True)


async def _board(desk: Desk, everything: bool, as_json: bool) -> None:
    say_age(desk)
    records = desk.model.records.values()
    now = wall_ms()
    hidden = Windows(desk.model.board.windows(now), now).hidden(records)
    found = [r for r in records if everything or r.is_open]
    found.sort(key=lambda r: (r.uid in hidden, r.severity, -r.last_seen, r.uid))
    if as_json:
        out_json([_shown(desk, record, hidden.get(record.uid), now) for record in found])
    elif found:
        header = ("SEV", "STATE", "COUNT", "AGE", "SOURCE", "TITLE")
        table([header, *(_row(desk, record, hidden.get(record.uid), now) for record in found)])
    else:
        err("No alert is open." if not everything else "No alert was ever received.")


def _shown(desk: Desk, record: AlertRecord, window: Window | None, now: int) -> dict[str, Any]:
    board = desk.model.board
    acknowledged, assigned = board.acknowledged(record.uid, now), board.assigned(record.uid)
    noise = board.noise(record.uid)
    return {
        **show_record(record, acknowledged.by if acknowledged else None),
        "assigned_to": assigned.person if assigned else None,
        "noise": noise.noise if noise else None,
        "hidden": window.kind if window else None,
        "stale": record.is_stale(now),
    }


def _row(desk: Desk, record: AlertRecord, window: Window | None, now: int) -> tuple[str, ...]:
    return (
        record.severity,
        _state(desk, record, window, now),
        str(record.count),
        age(now - record.first_seen),
        record.source,
        record.title,
    )


def _state(desk: Desk, record: AlertRecord, window: Window | None, now: int) -> str:
    acknowledged = desk.model.board.acknowledged(record.uid, now)
    if not record.is_open:
        return record.state
    if window is not None:
        return window.kind
    if acknowledged is not None:
        return f"acked by {acknowledged.by}"
    return f"{record.state}, stale" if record.is_stale(now) else record.state


async def _noise(desk: Desk, days: int, as_json: bool) -> None:
    answer = await desk.ask(Ask(0, NOISE, days=days))
    if answer.error:
        raise Failure(answer.error)
    if as_json:
        out_json([{**to_builtins(rule), "noise": rule.noise} for rule in answer.rules])
    elif answer.rules:
        header = ("NOISE", "EPISODES", "FALSE", "NO ACTION", "POOR", "LED TO", "SOURCE", "RULE")
        table([header, *map(_rule, answer.rules)])
    else:
        err(f"No alert was received in the last {days} days.")


def _rule(rule: RuleNoise) -> tuple[str, ...]:
    return (
        str(rule.noise),
        str(rule.episodes),
        str(rule.false_positive),
        str(rule.not_actionable),
        str(rule.poor_details),
        str(rule.led),
        rule.source,
        rule.rule,
    )
