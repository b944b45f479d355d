"""A small room made of the generic widgets alone: what golden screens and byte counts are taken of.

Run `python -m tests.console.demo_room` in a terminal to try the widgets by hand.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING

from textual.screen import Screen

from tests.console.demo_rows import (
    ALERTS,
    DRAFT,
    ENTRIES,
    ROLES,
    STATUS,
    STEPS,
    Alert,
    entry_row,
    simple_rows,
)
from warroom_console.actions import LEADERS, PANELS, Action, Args, Registry, Scope
from warroom_console.theme import DEFAULT_LOOK, Look, Tone, choose_look
from warroom_console.widgets.editor import Editor
from warroom_console.widgets.header import Header, Heading
from warroom_console.widgets.help import Help
from warroom_console.widgets.keybar import KeyBar, hints
from warroom_console.widgets.layout import Deck
from warroom_console.widgets.menu import Menu, choices_of
from warroom_console.widgets.palette import Palette
from warroom_console.widgets.panel import Panel, Title
from warroom_console.widgets.prompt import Ask, Prompt
from warroom_console.widgets.rows import RowsView
from warroom_console.widgets.spans import Line
from warroom_console.widgets.terminal import TerminalApp, TerminalScreen, key_name

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult


class DemoScreen(TerminalScreen):
    """The room: header, deck, prompt, key bar, and a handful of actions."""

    def __init__(self, alerts: list[Alert]) -> None:
        super().__init__()
        self.alerts = {alert.key: alert for alert in alerts}
        self.log_of_acts: list[str] = []
        self.header = Header()
        self.prompt = Prompt()
        self.keys = KeyBar()
        self.lists = {
            1: RowsView(empty="No alerts. Quiet is good."),
            2: RowsView(tails=True),
            3: RowsView(),
            4: RowsView(),
            5: RowsView(),
        }
        names = ("Alerts", "Timeline", "Roles", "Runbook", "Comms")
        detail = RowsView(empty="Nothing selected.")
        self.deck = Deck(
            [Panel(n, name, self.lists[n]) for n, name in enumerate(names, 1)],
            Panel(None, "Detail", detail),
        )
        self.detail = detail
        self.actions = build_actions()

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.deck
        yield self.prompt
        yield self.keys

    def on_mount(self) -> None:
        self.header.show(
            Heading(
                lead=(("INC-42 ", Tone.ACCENT), ("SEV1", Tone.SEV1)),
                title="checkout 5xx",
                tail=(("  00:42:10  ", Tone.TEXT), ("IC ", Tone.DIM), ("ana", Tone.TEXT)),
                right=(("● ", Tone.GOOD), ("38ms  14:02Z", Tone.DIM)),
            )
        )
        self.prompt.set_idle((("next update in 04:10", Tone.DIM),))
        self.show_alerts()
        self.lists[2].set_rows(entry_row(n, *entry) for n, entry in enumerate(ENTRIES))
        self.lists[3].set_rows(simple_rows("R", ROLES))
        self.lists[4].set_rows(simple_rows("S", STEPS))
        self.lists[5].set_rows(simple_rows("D", DRAFT))
        self.deck.activate(1)
        self.show_keys()

    def show_alerts(self) -> None:
        """Give the alerts to their list."""
        self.lists[1].set_rows(alert.row() for alert in self.alerts.values())
        self.show_titles()

    def show_titles(self) -> None:
        """Bring the titles up to date."""
        counts = {1: str(len(self.alerts)), 2: "47", 3: "3/4", 4: "2/5", 5: "v3"}
        for number, view in self.lists.items():
            badge: Line = ((" ▲3", Tone.WARN),) if number < 3 else ()
            title = Title(counts[number], badge, "", view.position, STATUS[number])
            self.deck.panel(number).set_title(title)

    def show_keys(self) -> None:
        """Feed the key bar from the registry."""
        self.keys.show(hints(self.actions.offers(self, self.scope)))

    @property
    def scope(self) -> Scope:
        """Where keys are looked up."""
        return PANELS[self.deck.active]

    def on_rows_view_cursor_moved(self) -> None:
        self.show_titles()

    def on_deck_activated(self) -> None:
        self.show_keys()

    def on_key(self, event: events.Key) -> None:
        key = key_name(event)
        if key in ("tab", "shift+tab"):
            event.stop()
            self.deck.step(1 if key == "tab" else -1)
        elif key.isdigit() and int(key) in PANELS:
            self.deck.activate(int(key))
        elif key in LEADERS:
            self.open_sheet(
                Menu(
                    LEADERS[key],
                    choices_of(self.actions.offers(self, self.scope, key)),
                    lambda chosen: self.act(self.actions[chosen]),
                )
            )
        elif action := self.actions.find(self.scope, key):
            self.act(action)

    def act(self, action: Action[DemoScreen], args: Args | None = None) -> None:
        """Do an action, or say why not."""
        reason = action.when(self)
        if reason is None:
            action.do(self, args or Args())
        else:
            self.prompt.flash(f"{action.title}: {reason}", Tone.WARN)

    def ack(self) -> None:
        """Acknowledge the alert under the cursor."""
        for key in self.lists[1].targets:
            self.log_of_acts.append(f"ack {key}")
            self.prompt.flash(f"Acked {key} · u undo")

    def silence(self) -> None:
        """Silence the alert under the cursor, after a question."""
        key = self.lists[1].cursor
        if key is not None:
            self.prompt.confirm(f"Silence {key} for 1 h?", partial(self.silenced, key))

    def silenced(self, key: str) -> None:
        """Note that an alert was silenced."""
        self.log_of_acts.append(f"silence {key}")
        self.prompt.flash(f"Silenced {key}")

    def note(self) -> None:
        """Ask for a note."""
        self.prompt.ask(Ask("note: ", lambda text: self.log_of_acts.append(f"note {text}")))

    def publish(self) -> None:
        """Ask for the audience by name."""
        self.prompt.confirm_typed(
            "Publish update 3 to",
            "customers",
            lambda: self.log_of_acts.append("publish customers"),
        )

    def help(self) -> None:
        """Show all keys."""
        self.open_sheet(
            Help(self.actions, self, self.scope, lambda chosen: self.act(self.actions[chosen]))
        )

    def palette(self) -> None:
        """Find an action."""
        self.open_sheet(
            Palette(self.actions, self, self.scope, lambda chosen: self.act(self.actions[chosen]))
        )

    def write(self) -> None:
        """Open the editor."""
        self.open_sheet(
            Editor("note", "Long note", save=lambda text: self.log_of_acts.append(f"write {text}"))
        )

    def command(self) -> None:
        """Ask for a command."""
        self.prompt.ask(
            Ask(
                ":",
                self.run_command,
                complete=lambda text: self.actions.complete(self, text),
                check=lambda text: self.actions.complaint(self, text),
                refill=False,
            )
        )

    def run_command(self, line: str) -> None:
        """Run a `:` line."""
        action, args = self.actions.find_command(line)
        self.act(action, args)


def has_alert(room: DemoScreen) -> str | None:
    """Say why there is nothing to acknowledge."""
    return None if room.lists[1].targets else "no alert under the cursor"


def build_actions() -> Registry[DemoScreen]:
    """Return the demo's registry."""
    registry: Registry[DemoScreen] = Registry()
    alerts = Scope.ALERTS
    registry.register(
        Action(
            "alerts.ack", ("a",), "Ack", "Say that you are looking at the alert.",
            lambda room, args: room.ack(), scope=alerts, when=has_alert, command="ack",
        ),
        Action(
            "alerts.silence", ("x",), "Silence", "Quieten the alert for an hour.",
            lambda room, args: room.silence(), tier=1, scope=alerts, when=has_alert,
            command="silence",
        ),
        Action(
            "alerts.mark", ("space",), "Mark", "Mark the row, for one verb on many rows.",
            lambda room, args: room.lists[1].toggle_mark(), scope=alerts,
        ),
        Action(
            "room.note", ("n",), "Note", "Log a note.",
            lambda room, args: room.note(), scope=Scope.ROOM, command="note", usage="TEXT",
        ),
        Action(
            "room.write", ("w",), "Write", "Write a long note.",
            lambda room, args: room.write(), scope=Scope.ROOM,
        ),
        Action(
            "room.undo", ("u",), "Undo", "Take back what you did last.",
            lambda room, args: None, scope=Scope.ROOM, when=lambda room: "nothing to undo",
        ),
        Action(
            "room.zoom", ("z",), "Zoom", "Give the panel the whole screen.",
            lambda room, args: room.deck.toggle_zoom(), scope=Scope.ROOM,
        ),
        Action(
            "severity.set", ("s",), "Severity", "Set the severity.",
            lambda room, args: room.log_of_acts.append(f"severity {args.text}"),
            scope=Scope.ROOM, leader="i", command="severity", usage="SEV1..SEV5",
            hints=lambda room, args: ("SEV1", "SEV2", "SEV3"),
        ),
        Action(
            "update.publish", ("u",), "Publish", "Send the approved update to its audience.",
            lambda room, args: room.publish(), tier=2, scope=Scope.ROOM, leader="!",
        ),
        Action(
            "everywhere.command", (":",), "Command", "Type a command.",
            lambda room, args: room.command(),
        ),
        Action(
            "everywhere.palette", ("ctrl+p",), "Palette", "Find an action by its words.",
            lambda room, args: room.palette(), shown=False,
        ),
        Action("help", ("?",), "Help", "Show all keys.", lambda room, args: room.help()),
    )  # fmt: skip
    return registry


class DemoApp(TerminalApp[None]):
    """The demo room as an app."""

    def __init__(self, look: Look = DEFAULT_LOOK, alerts: list[Alert] | None = None) -> None:
        super().__init__(look)
        self.room = DemoScreen(ALERTS if alerts is None else alerts)

    def get_default_screen(self) -> Screen[None]:
        return self.room


if __name__ == "__main__":
    app = DemoApp(choose_look(os.environ))
    app.run(mouse=False)
    sys.exit(app.return_code)
