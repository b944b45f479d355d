"""The commands of `warroom`, each imported when it is used."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import click

from .saying import fail

INTERRUPTED = 130

COMMANDS = {
    "demo": "cli_run",
    "serve": "cli_run",
    "standby": "cli_takeover",
    "promote": "cli_takeover",
    "join": "cli_run",
    "declare": "cli_write",
    "list": "cli_read",
    "show": "cli_read",
    "alerts": "cli_alerts",
    "note": "cli_write",
    "set": "cli_write",
    "role": "cli_write",
    "tail": "cli_tail",
    "export": "cli_read",
    "token": "cli_token",
    "member": "cli_member",
    "notify": "cli_notify",
    "change": "cli_notify",
    "intake": "cli_intake",
    "init": "cli_admin",
    "doctor": "cli_admin",
    "fsck": "cli_admin",
    "backup": "cli_admin",
}
"""Every command with the module that holds it, in the order in which help lists them."""


class _Commands(click.Group):
    """Imports a command's module when it is asked for, so that starting stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command = getattr(import_module(f".{module}", __package__), f"{cmd_name}_command")
        assert isinstance(command, click.Command)
        _take_server_anywhere(command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Whoever read our output has seen enough, which click would call a failure.
            raise click.exceptions.Exit(0) from None


def _note_server(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value:
        ctx.meta["warroom.server"] = value


def note_ascii(_ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    """Draw with nothing but ASCII in this process."""
    if value:
        os.environ["WARROOM_ASCII"] = "1"


ascii_option = click.option(
    "--ascii",
    is_flag=True,
    expose_value=False,
    callback=note_ascii,
    help="Draw the console with nothing but ASCII (WARROOM_ASCII=1).",
)


words_option = click.option(
    "--ascii",
    is_flag=True,
    expose_value=False,
    callback=note_ascii,
    help="No marks: what was not sent yet is said in words, as for a screen reader.",
)


def _take_server_anywhere(command: click.Command) -> None:
    """Accept `--server` behind the command's name as well as before it."""
    if any("--server" in parameter.opts for parameter in command.params):
        return
    command.params.append(
        click.Option(
            ["--server"], metavar="URL", expose_value=False, callback=_note_server, hidden=True
        )
    )
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            _take_server_anywhere(inner)


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--server",
    metavar="URL[,URL…]",
    expose_value=False,
    callback=_note_server,
    help="The servers to try in order: unix:///path, ws://127.0.0.1:8764, wss://host:8764.",
)
@ascii_option
@click.version_option(package_name="warroom", prog_name="warroom")
@click.pass_context
def warroom(ctx: click.Context) -> None:
    """An incident war room in the terminal that keeps working when things are down.

    Without a command: the lobby of the configured server.

    \b
    Exit codes:
      0    done; also when whoever read the output closed the pipe early
      1    doctor or fsck found something wrong
      2    bad input
      3    no server, and nothing to fall back on
      4    refused
      130  interrupted (ctrl+c)
      129 143  the terminal went away, or a signal ended it
    """
    if ctx.invoked_subcommand is None:
        from .start import lobby

        sys.exit(lobby(ctx.meta.get("warroom.server", "")))


def call(arguments: list[str] | None) -> int:
    """Do what the arguments say and return the exit code; those of the process for None."""
    try:
        result: Any = warroom.main(arguments, prog_name="warroom", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        fail(_usage(error))
        return error.exit_code
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.Abort:
        return INTERRUPTED


def _usage(error: click.ClickException) -> str:
    message = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "warroom"
    return f"{message}: see `{path} --help`."
