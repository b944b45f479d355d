"""The demo: scripts, their rehearsal, the stage with a real server, and nothing left behind."""

import asyncio
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import pytest

from tests.waiting import wait_for, wait_until
from warroom_console import demo
from warroom_console.demo import NoScene, Scene, run
from warroom_console.demo_cast import Lost
from warroom_console.demo_rehearsal import Rehearsal
from warroom_console.demo_script import DEFAULT, ScriptError, load, names, parse
from warroom_console.desk import Desk
from warroom_console.model import Model
from warroom_incident.incident import IncidentState
from warroom_incident.log import Log
from warroom_incident.vocabulary import NoteAdded

START = 1_800_000_000_000
END = 1e6


@pytest.fixture
def temporary(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary directories are made, so that a test sees what is left of them."""
    place = home / "tmp"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr("tempfile.tempdir", None)
    return place


def rehearse(until: float = END, name: str = DEFAULT) -> Rehearsal:
    rehearsal = Rehearsal(load(name), START, Random(1).randbytes)
    rehearsal.play(until)
    return rehearsal


# Scripts -----------------------------------------------------------------------------------


def script(text: str) -> bytes:
    return f'title = "A drill"\npeople = ["ana"]\n{text}'.encode()


DECLARED = '[[beat]]\nat = -1\nby = "ana"\ndo = "declare"\ntitle = "x"\n'


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"\xff\xfe", "is no TOML file"),
        (b"title = ", "is no TOML file"),
        (script(""), "does not fit"),
        (script('[[beat]]\nat = 1\ndo = "fly"\n'), "Invalid value 'fly' - at `$.beat[0].do`"),
        (script('[[beat]]\nat = 1\nby = "ana"\ndo = "note"\ntext = "x"\n'), "before 0, and first"),
        (script(DECLARED + DECLARED), "more than one incident"),
        (script(DECLARED.replace("-1", "1")), "before 0, and first"),
        (script(DECLARED.replace('"x"', '"x"\ncolour = "red"')), "unknown field `colour`"),
        (script(DECLARED.replace("-1", "nan")), "does not fit"),
        (
            script(DECLARED + '[[beat]]\nat = 1\nby = "eve"\ndo = "note"\ntext = "x"\n'),
            "eve acts and is not among its people",
        ),
        (b"#" * 300_000, "larger than 256 KiB"),
    ],
)
def test_a_script_that_cannot_be_played_gets_one_sentence(raw: bytes, said: str) -> None:
    with pytest.raises(ScriptError) as error:
        parse(raw, "x.toml")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_beats_are_played_in_the_order_of_their_seconds() -> None:
    text = '[[beat]]\nat = 9\nby = "ana"\ndo = "note"\ntext = "later"\n' + DECLARED
    assert [beat.at for beat in parse(script(text), "x.toml").beats] == [-1, 9]


def test_an_unknown_script_names_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="There is no script “lunch”: there are checkout"):
        load("lunch")
    with pytest.raises(ScriptError, match="cannot be read"):
        load(str(tmp_path / "none.toml"))
    own = tmp_path / "own.toml"
    own.write_bytes(script(DECLARED))
    assert load(str(own)).title == "A drill"


# Rehearsals --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", names())
def test_every_shipped_script_plays_to_its_end(name: str) -> None:
    rehearsal = rehearse(name=name)
    state = rehearsal.state
    assert state.drill
    assert state.number == "INC-1"
    assert state.conflicts() == []
    assert {event.head.by for event in state.events.values()} >= set(load(name).people)


def test_the_same_start_gives_the_same_events() -> None:
    assert rehearse().state.state_digest() == rehearse().state.state_digest()


def test_the_room_is_alive_when_it_opens() -> None:
    state = rehearse(0).state
    assert state.holder("commander") == "ana"
    assert (state.severity, state.status) == ("SEV2", "investigating")
    assert len(state.checklists()) == 2
    assert state.started_at is not None
    assert state.started_at < START - 5 * 60_000
    assert sum(isinstance(event.body, NoteAdded) for event in state.events.values()) >= 4


def test_its_people_disagree_once_and_settle_it() -> None:
    rehearsal = rehearse(33)
    (conflict,) = rehearsal.state.conflicts()
    assert conflict.key == ("severity",)
    assert {event.head.by for event in conflict.writes} == {"ana", "bo"}
    rehearsal.play(60)
    assert rehearsal.state.conflicts() == []
    assert rehearsal.state.severity == "SEV1"


def test_a_draft_appears_is_edited_by_another_and_is_marked_ready() -> None:
    rehearsal = rehearse(30)
    assert rehearsal.doing == {"ana": "writing to customers"}
    rehearsal.play(63)
    (draft,) = rehearsal.state.drafts()
    assert (draft.audience, draft.by, draft.saved) == ("customers", "ana", 1)
    assert rehearsal.doing["bo"] == f"editing draft {draft.id}"
    rehearsal.play(END)
    (draft,) = rehearsal.state.drafts()
    assert [version.by for version in draft.versions] == ["bo"]
    assert draft.ready is not None


def test_alerts_fire_and_end_as_told() -> None:
    rehearsal = rehearse(20)
    assert rehearsal.records["OrdersDBConnections"].severity == "SEV1"
    uid = rehearsal.records["OrdersDBConnections"].uid
    acknowledged = rehearsal.board.acknowledged(uid)
    assert acknowledged is not None
    assert acknowledged.by == "bo"
    assert [link.alert.key for link in rehearsal.state.links()]
    rehearsal.play(END)
    states = {name: record.state for name, record in rehearsal.records.items()}
    assert states.pop("DiskFilling") == "firing"
    assert set(states.values()) == {"resolved"}


def test_an_act_about_what_is_not_there_says_so() -> None:
    text = DECLARED + '[[beat]]\nat = 1\nby = "ana"\ndo = "step"\nstep = "Fly"\n'
    rehearsal = Rehearsal(parse(script(text), "x.toml"), START, Random(1).randbytes)
    with pytest.raises(Lost, match="There is no step “Fly”"):
        rehearsal.play(END)


def test_history_is_admitted_at_its_own_time(tmp_path: Path) -> None:
    rehearsal = rehearse(0)
    log = Log.create_or_open(tmp_path / "log.db", new_id="log-1")
    rehearsal.admit_into(log)
    log.close()
    assert all(
        written.event.head.hlc[0] < written.admitted < START for written in rehearsal.written
    )


# The stage ---------------------------------------------------------------------------------


@contextmanager
def scene(speed: float) -> Iterator[Scene]:
    with Scene.open(DEFAULT, speed) as opened:
        yield opened


async def seen(opened: Scene) -> tuple[IncidentState, Model]:
    """Watch the room as a console does until the script has run to its end."""
    async with Desk(opened.places) as desk:
        await desk.open(opened.stream)
        state = desk.model.incident(opened.stream)
        await wait_for(lambda: state.number == "INC-1", "the history")
        await wait_for(lambda: state.status == "mitigated", "the play", 60)
        await wait_for(lambda: state.drafts() and state.drafts()[0].ready, "the draft", 60)
        await wait_for(
            lambda: {p.name for p in desk.model.people} >= {"ana", "bo"}, "the people", 60
        )
        await wait_for(
            lambda: any(
                record.labels.get("alertname") == "OrdersDBConnections"
                and record.state == "resolved"
                for record in desk.model.records.values()
            ),
            "the end of the alert",
            60,
        )
        return state, desk.model


def test_a_console_sees_the_script_being_played_on_a_real_server(temporary: Path) -> None:
    with scene(speed=50) as opened:
        state, model = asyncio.run(seen(opened))
        assert state.drill
        assert state.conflicts() == []
        assert state.set_digest() == model.incident(opened.stream).set_digest()
        assert {model.mark(state.events[id_]) for id_ in state.ordered} == {"durable"}
        root = opened.root
        assert root.stat().st_mode & 0o777 == 0o700
    assert list(temporary.iterdir()) == []
    assert not root.exists()


def gone(pid: int) -> bool:
    """Say whether no process of a group runs any more."""
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return True
    return False


_OPEN = (
    "import sys, time\n"
    "from warroom_console.demo import Scene\n"
    "scene = Scene.open()\n"
    "print(scene.pid, flush=True)\n"
    "sys.stdin.read()\n"
)


def test_nothing_is_left_of_a_demo_that_was_killed(temporary: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _OPEN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    assert list(temporary.iterdir())
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()
    wait_until(lambda: gone(pid), "the end of the stage")
    assert list(temporary.iterdir()) == []


def test_nothing_is_left_when_the_stage_is_killed(temporary: Path) -> None:
    with Scene.open() as opened:
        os.kill(opened.pid, signal.SIGKILL)
        pid = opened.pid
    wait_until(lambda: gone(pid), "the end of the server")
    assert list(temporary.iterdir()) == []


def test_a_stage_that_breaks_says_so_in_one_sentence(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = demo.environment
    broken = temporary.parent / "config"
    (broken / "warroom.toml").write_text("urls = 7")
    monkeypatch.setattr(demo, "environment", lambda r: whole(r) | {"WARROOM_CONFIG": str(broken)})
    with pytest.raises(NoScene) as error:
        Scene.open()
    assert "warroom.toml cannot be used" in str(error.value)
    assert "\n" not in str(error.value)
    assert list(temporary.iterdir()) == []


# The command -------------------------------------------------------------------------------


def test_the_command_refuses_an_unknown_script_and_a_pipe(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("lunch") == 2
    assert run() == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("warroom: There is no script “lunch”")
    assert second == "warroom: The demo needs a terminal: run it in one."


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_the_console_opens_in_the_drill_and_a_hang_up_leaves_nothing(
    temporary: Path, number: signal.Signals
) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "warroom_console", "demo", "--speed", "20"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while b" DRILL " not in shown:
        shown += os.read(ours, 65536)
    process.send_signal(number)
    with suppress(OSError):
        while more := os.read(ours, 65536):
            shown += more
    assert process.wait(30) == 128 + number, shown.decode()
    os.close(ours)
    assert list(temporary.iterdir()) == []
