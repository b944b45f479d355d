"""Every action of the console, in the order in which key bar and help show them."""

from __future__ import annotations

from warroom_console.actions import Registry
from warroom_console.context import Ctx

from . import (
    absence,
    alerts,
    closing,
    comms,
    everywhere,
    impact,
    incident,
    lobby,
    refusals,
    roles,
    runbook,
    servers,
    settling,
    silences,
    suspending,
    timeline,
    triage,
    windows,
)


def registry() -> Registry[Ctx]:
    """Return a registry of all actions."""
    actions: Registry[Ctx] = Registry()
    for module in (
        lobby,
        alerts,
        triage,
        windows,
        silences,
        timeline,
        roles,
        runbook,
        comms,
        incident,
        impact,
        settling,
        closing,
        everywhere,
        suspending,
        refusals,
        absence,
        servers,
    ):
        module.register(actions)
    return actions
