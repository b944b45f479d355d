"""The clipboard: the way by terminal, what is sent, and what pasting can never do."""

import asyncio
import base64
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from warroom_console.clipboard import MOST_BYTES, Way, pasteable, put, way

OSC = "\x1b]52;c;"


def payload(sent: str) -> str:
    """Return the text inside one plain OSC 52 sequence."""
    assert sent.startswith(OSC)
    assert sent.endswith("\x07")
    return base64.b64decode(sent[len(OSC) : -1]).decode()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TERM": "xterm-256color"}, Way.OSC),
        ({"TERM": "screen-256color"}, Way.OSC),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/t,1,0"}, Way.TMUX),
        ({"TERM": "screen", "STY": "1.tty"}, Way.OSC_IN_SCREEN),
        ({"TERM": "dumb", "TMUX": "/tmp/t,1,0"}, Way.NONE),
        ({}, Way.NONE),
    ],
)
def test_the_terminal_decides_the_way(environ: dict[str, str], expected: Way) -> None:
    assert way(environ) is expected


async def test_a_plain_terminal_gets_one_sequence_and_the_reader_a_way_out() -> None:
    sent: list[str] = []
    said = await put(
        "kubectl get pods", write=sent.append, environ={"TERM": "xterm"}, what="The command"
    )
    assert [payload(one) for one in sent] == ["kubectl get pods"]
    assert said.startswith("The command went to the terminal's clipboard")
    assert "press B" in said


async def test_a_dumb_terminal_gets_nothing_and_the_reader_is_told_so() -> None:
    sent: list[str] = []
    said = await put("x", write=sent.append, environ={"TERM": "dumb"})
    assert sent == []
    assert said == "This terminal has no clipboard: press B to select it by hand."


async def test_nothing_is_not_copied() -> None:
    sent: list[str] = []
    assert await put("\n", write=sent.append, environ={"TERM": "xterm"}) == (
        "There is nothing to copy."
    )
    assert sent == []


async def test_text_beyond_what_terminals_take_is_not_sent() -> None:
    sent: list[str] = []
    environ = {"TERM": "xterm"}
    await put("x" * MOST_BYTES, write=sent.append, environ=environ)
    assert len(sent) == 1
    assert len(sent[0]) <= 100_000
    said = await put("ä" * (MOST_BYTES // 2 + 1), write=sent.append, environ=environ)
    assert len(sent) == 1
    assert "too long" in said
    assert "press B" in said


async def test_screen_gets_the_sequence_in_strings_that_it_passes_on() -> None:
    sent: list[str] = []
    await put("x" * 2000, write=sent.append, environ={"TERM": "screen", "STY": "1.tty"})
    strings = sent[0].split("\x1b\\")
    assert strings.pop() == ""
    assert all(one.startswith("\x1bP") and len(one) < 512 for one in strings)
    assert payload("".join(one.removeprefix("\x1bP") for one in strings)) == "x" * 2000


def stand_in(directory: Path, script: str) -> dict[str, str]:
    """Put a program called tmux on an otherwise usual path."""
    program = directory / "tmux"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    return {
        "TERM": "tmux-256color",
        "TMUX": "/nowhere,1,0",
        "PATH": f"{directory}:{os.environ['PATH']}",
    }


async def test_an_old_tmux_takes_the_text_without_the_newer_flag(tmp_path: Path) -> None:
    environ = stand_in(tmp_path, f'[ "$2" = - ] || exit 1; cat > {tmp_path}/taken')
    sent: list[str] = []
    said = await put("one\ntwo\n", write=sent.append, environ=environ)
    assert (tmp_path / "taken").read_text() == "one\ntwo"
    assert sent == []
    assert "tmux buffer" in said


async def test_without_a_tmux_that_answers_the_sequence_goes_through_it(tmp_path: Path) -> None:
    environ = stand_in(tmp_path, "exit 1")
    sent: list[str] = []
    await put("text", write=sent.append, environ=environ)
    assert sent[0].startswith("\x1bPtmux;\x1b\x1b]52;c;")
    assert sent[0].endswith("\x1b\\")


async def test_a_tmux_that_hangs_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = stand_in(tmp_path, "exec sleep 600")
    monkeypatch.setattr("warroom_console.clipboard.TMUX_WITHIN", 0.05)
    sent: list[str] = []
    await put("text", write=sent.append, environ=environ)
    assert len(sent) == 1


def test_a_real_tmux_has_the_text_in_its_buffer(tmp_path: Path) -> None:
    socket = tmp_path / "s"
    tmux = ("tmux", "-f", "/dev/null", "-S", str(socket))
    subprocess.run([*tmux, "new", "-d", "cat"], check=True)
    try:
        environ = dict(os.environ) | {"TERM": "tmux-256color", "TMUX": f"{socket},1,0"}
        said = asyncio.run(put("größer\nzwei", write=lambda _text: None, environ=environ))
        shown = subprocess.run([*tmux, "show-buffer"], check=True, capture_output=True)
        assert shown.stdout.decode() == "größer\nzwei"
        assert "tmux buffer" in said
    finally:
        subprocess.run([*tmux, "kill-server"], check=True)


def test_a_pasted_command_does_not_run_by_itself() -> None:
    assert pasteable("\nrm -rf build\n\n") == "rm -rf build"


@given(st.text())
def test_pasting_can_neither_leave_the_paste_nor_control_the_terminal(text: str) -> None:
    pasted = pasteable("a" + text + "\x1b[201~" + "\x9b201~" + "b")
    controls = {c for c in pasted if (ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160}
    assert not controls
