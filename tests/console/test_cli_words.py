"""What the command line refuses, in one sentence, and what it prints as it comes."""

import asyncio
import json
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from tests.console.commanding import TITLE, WITHIN, Ran, declare, run, started
from tests.console.fake_room import fake_room
from warroom_console import start
from warroom_console.errand import sentence
from warroom_console.places import Places
from warroom_console.theme import Look

# Bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("frobnicate",),
        ("note",),
        ("note", "INC-99", "x"),
        ("note", "x[prod] y[/b]", "x"),
        ("note", b"\xff\xfe", "x"),
        ("note", "NAME", b"\xff\xfe"),
        ("note", "NAME", ""),
        ("note", "NAME", " \t "),
        ("note", "NAME", "x" * 12_001),
        ("note", "NAME", "x", "--at", "yesterday"),
        ("note", "NAME", "x", "--at", "2999-01-01T00:00:00Z"),
        ("note", "NAME", "x", "--at", "-99999d"),
        ("declare", ""),
        ("declare", "x" * 50_000),
        ("declare", b"\xed\xa0\x80"),
        ("declare", "x", "--severity", "SEV9"),
        ("declare", "x", "--severity", "\x1b[31m"),
        ("set", "NAME"),
        ("set", "NAME", "--status", "done"),
        ("set", "NAME", "--title", ""),
        ("role", "NAME", "emperor", "bo"),
        ("role", "NAME", "ic"),
        ("role", "NAME", "ic", "bo", "--clear"),
        ("role", "NAME", "ic", "b\x1bo"),
        ("role", "NAME", "ic", "b" * 81),
        ("show", ""),
        ("show", "INC-" + "9" * 5000),
        ("export", "NAME", "--format", "pdf"),
        ("export", "NAME", "-o", "/nonexistent/file"),
        ("tail", "NAME", "-n", "-1"),
        ("token", "create", "x"),
        ("token", "create", "x", "--kind", "a", "--role", "viewer"),
        ("token", "create", "x[b]", "--kind", "generic"),
        ("token", "create", "x", "--role", "king"),
        ("token", "create", "x", "--kind", "../x"),
        ("token", "create", "x", "--role", "viewer", "--expires", "soon"),
        ("token", "create", "x", "--role", "viewer", "--expires", "0s"),
        ("--server", "http://x", "list"),
        ("list", "--server", "ws://192.0.2.1:1"),
        ("join", "INC-99"),
        ("serve", "--nonsense"),
        ("backup", "/tmp/never", "--data", "/nonexistent"),
        ("fsck", "--data", "/nonexistent"),
    ],
    ids=lambda arguments: "-".join(str(a)[:12] for a in arguments),
)
async def test_bad_input_is_one_sentence_and_exit_code_2(
    arguments: tuple[str | bytes, ...], tmp_path: Path
) -> None:
    async with fake_room(tmp_path) as room:
        name = await declare(room) if "NAME" in arguments else ""
        ran = await run(*[name if a == "NAME" else a for a in arguments], room=room)
        assert ran.code == 2, ran
        sentence = ran.sentence()
        assert sentence.startswith("warroom: ")
        assert sentence.endswith(".")
        assert len(sentence) < 400
        assert ran.out == ""


def test_an_address_at_which_nobody_is_stays_as_it_was_written() -> None:
    assert sentence("unix:///run/x: no such file") == "unix:///run/x: no such file"
    assert sentence("it refuses") == "It refuses"


async def test_what_nobody_foresaw_is_a_sentence_and_a_private_file(tmp_path: Path) -> None:
    state = Path(os.environ["XDG_STATE_HOME"]) / "warroom"
    state.mkdir()
    (state / "rooms").write_text("a file where a directory belongs")
    async with fake_room(tmp_path) as room:
        ran = await run("list", room=room)
        assert ran.code == 2
        assert "cannot be used" in ran.sentence()


# Tail ----------------------------------------------------------------------------------------


async def test_tail_prints_entries_as_they_come_and_survives_the_server(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        name = await declare(room)
        tail = await started("tail", name, "-n", "1", room=room)
        assert tail.stdout is not None
        assert tail.stderr is not None
        async with asyncio.timeout(WITHIN):
            assert b"numbered the incident" in await tail.stdout.readline()
            await run("note", name, "one", room=room)
            assert "● ana: one" in (await tail.stdout.readline()).decode()
            await room.stop()
            assert b"not connected" in await tail.stderr.readline()
            await room.start()
            assert b"connected" in await tail.stderr.readline()
            await run("note", name, "two", room=room)
            assert "● ana: two" in (await tail.stdout.readline()).decode()
            tail.send_signal(signal.SIGINT)
            assert await tail.wait() == 130
            assert await tail.stderr.read() == b""


async def test_tail_prints_one_json_object_a_line_and_ends_on_sigterm(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        name = await declare(room, TITLE)
        tail = await started("tail", name, "--json", room=room)
        assert tail.stdout is not None
        async with asyncio.timeout(WITHIN):
            first = json.loads(await tail.stdout.readline())
            assert first["type"] == "incident.declared"
            tail.send_signal(signal.SIGTERM)
            assert await tail.wait() == 143


async def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        name = await declare(room)
        process = await asyncio.create_subprocess_shell(
            f"{sys.executable} -m warroom_console show {name} --json | head -c 1 >/dev/null;"
            " exit ${PIPESTATUS[0]}",
            executable="/bin/bash",
            env={**os.environ, "WARROOM_SERVER": room.url},
            stderr=asyncio.subprocess.PIPE,
        )
        _, err = await process.communicate()
        assert (process.returncode, err) == (0, b"")


async def test_a_reader_that_left_before_the_output_is_no_error(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        name = await declare(room)
        assert (await run("note", name, "x " * 5_900, room=room)).code == 0
        reader, writer = os.pipe()
        os.close(reader)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "warroom_console", "show", name,
            stdout=writer, stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "WARROOM_SERVER": room.url},
        )  # fmt: skip
        os.close(writer)
        _, err = await process.communicate()
        assert (process.returncode, err) == (0, b"")


async def test_a_note_that_does_not_end_is_said_to_be_longer_than_what_was_read() -> None:
    ran = await run("note", "INC-1", "-", typed=b"x" * 60_000)
    assert ran.code == 2
    assert "more than 48,000" in ran.sentence()


async def test_a_note_that_is_dated_far_back_says_which_time_it_took(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        name = await declare(room)
        far = await run("note", name, "--at", "2026-01-02T14:02:00Z", "x", room=room)
        assert far.code == 0
        assert far.sentence().startswith("Dated 2026-01-02 14:02:00Z, ")
        assert far.sentence().endswith(" before now.")
        assert (await run("note", name, "--at", "-0s", "x", room=room)) == Ran(0, "", "")


@pytest.mark.parametrize("arguments", [("join", "INC-1"), ("--ascii", "join", "INC-1", "--ascii")])
async def test_a_dumb_terminal_is_pointed_to_the_other_commands(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    ran = await run(*arguments)
    assert ran.code == 2
    assert "`warroom tail INC-1`" in ran.sentence()
    assert "`warroom list`" in ran.sentence()


@pytest.mark.parametrize(("value", "plain"), [("1", True), ("0", False), ("", False)])
def test_the_console_is_drawn_in_ascii_where_that_was_asked_for(
    value: str, plain: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    looks = []

    async def opened(_places: Places, _name: str | None, look: Look, *, headless: bool) -> int:
        looks.append(look)
        return 0

    monkeypatch.setenv("WARROOM_ASCII", value)
    monkeypatch.setattr(start, "_run", opened)
    assert start.run(Places.find(f"unix://{tmp_path}/none"), None) == 0
    assert looks[0].glyphs.live.isascii() is plain


async def test_the_help_lists_the_exit_codes() -> None:
    said = (await run("--help")).out
    for code in (0, 1, 2, 3, 4, 130):
        assert re.search(rf"^ +{code} ", said, re.MULTILINE), code
