"""`warroom notify` and `warroom change`: what they send, and that they lose nothing."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from platformdirs import user_state_path

from tests.console.posted import TOKEN, Server
from warroom_console import doctor, posting, spool
from warroom_console.commands import call
from warroom_console.places import Places
from warroom_console.posting import read_target
from warroom_console.saying import Denied, Failure, Unreachable
from warroom_console.spool import Spool


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "PAUSES", (0.0, 0.0))
    monkeypatch.setattr(spool, "LOCK_SECONDS", 0.0)


def waiting() -> list[Path]:
    return sorted(Path(user_state_path("warroom")).glob("notify/*/*.json"))


def nobody() -> str:
    """An address at which nobody listens."""
    server = Server()
    url = server.url()
    server.close()
    return url


# --- sending ---


def test_what_is_given_is_posted_with_the_token_out_of_the_path(server: Server) -> None:
    code = call(
        "notify --title disk-full --key d --severity critical --service db --label rack=7"
        f" --url https://x.example --to {server.url()}".split()
    )
    assert code == 0
    ((path, headers, body),) = server.posts
    assert (path, headers["Authorization"]) == ("/in/generic", f"Bearer {TOKEN}")
    assert body == {
        "title": "disk-full",
        "key": "d",
        "severity": "critical",
        "status": "firing",
        "url": "https://x.example",
        "labels": {"rack": "7", "service": "db"},
    }
    assert waiting() == []


def test_the_address_may_be_in_a_private_file_named_in_three_ways(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "intake.url"
    file.write_text(server.url() + "\n")
    file.chmod(0o600)
    assert call(["notify", "--to", str(file), "--title", "a"]) == 0
    monkeypatch.setenv("WARROOM_INTAKE", str(file))
    assert call(["notify", "--title", "b"]) == 0
    monkeypatch.delenv("WARROOM_INTAKE")
    monkeypatch.setenv("WARROOM_CONFIG", str(tmp_path))
    assert call(["notify", "--title", "c", "--state", "resolved"]) == 0
    assert [(body["title"], body["status"]) for body in server.bodies] == [
        ("a", "firing"),
        ("b", "firing"),
        ("c", "resolved"),
    ]


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1/elsewhere",
        "http://[::1/in/generic/x",
        "http://127.0.0.1:999999/in/generic/x",
        "http:///in/generic/x",
        "ftp://127.0.0.1/in/generic/x",
        "/nowhere/at/all",
        "",
    ],
)
def test_an_address_that_is_none_is_refused_in_a_sentence(address: str) -> None:
    with pytest.raises(Failure, match=r"intake address|cannot be read"):
        read_target(address)


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text(f"http://127.0.0.1:1/in/generic/{TOKEN}")
    file.chmod(0o644)
    with pytest.raises(Failure, match="chmod 600"):
        read_target(str(file))
    file.chmod(0o600)
    assert TOKEN not in repr(read_target(str(file)))
    file.write_text("nothing of use")
    with pytest.raises(Failure, match="holds no address"):
        read_target(str(file))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["notify", "--title", "x", "--label", "odd"], "NAME=VALUE"),
        (["notify"], "nothing to tell"),
        (["change", "  ", "--to", "http://127.0.0.1:1/in/change/x"], "Say what was changed"),
        (["change", "x"], "/in/change/TOKEN"),
        (["change", "x", "--to", "http://127.0.0.1:1/in/change/x", "--at", "soon"], "no time"),
        (["notify", "--title", "x", "--to", "http://127.0.0.1:1/in/change/x"], "warroom change"),
    ],
)
def test_a_command_that_cannot_be_done_says_what_to_do(
    arguments: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("WARROOM_INTAKE", "WARROOM_CHANGE"):
        monkeypatch.setenv(variable, f"http://127.0.0.1:1/in/generic/{TOKEN}")
    with pytest.raises(Failure, match=sentence) as raised:
        call(arguments)
    assert TOKEN not in str(raised.value)


def test_a_change_is_posted_to_its_own_address(server: Server) -> None:
    code = call(
        "change checkout-1.4.2 --service checkout --kind flag --by ana --at 2026-01-02T03:04:05Z"
        f" --url https://x.y --to {server.url('change')}".split()
    )
    assert code == 0
    ((path, _, body),) = server.posts
    assert path == "/in/change"
    assert body == {
        "title": "checkout-1.4.2",
        "service": "checkout",
        "kind": "flag",
        "by": "ana",
        "at": "2026-01-02T03:04:05+00:00",
        "url": "https://x.y",
    }


# --- keeping ---


def test_what_cannot_be_sent_is_kept_privately_and_goes_first_next_time(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answers = [503] * 3
    assert call(["notify", "--to", server.url(), "--title", "first"]) == 0
    said = capsys.readouterr().err
    assert "Kept, to be sent with the next (1 wait)" in said
    assert "answers 503: That is ␛[31mwrong.\n" in said
    assert TOKEN not in said
    (kept,) = waiting()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert TOKEN not in kept.read_text() + str(kept)
    server.posts.clear()
    assert call(["notify", "--to", server.url(), "--title", "second"]) == 0
    assert [body["title"] for body in server.bodies] == ["first", "second"]
    assert waiting() == []
    assert capsys.readouterr().err == ""


def test_a_server_that_does_not_answer_is_a_reason_to_keep(
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = nobody()
    for title in ("a", "b"):
        assert call(["notify", "--to", url, "--title", title]) == 0
    assert "does not answer" in capsys.readouterr().err
    assert [json.loads(path.read_text())["title"] for path in waiting()] == ["a", "b"]


def test_what_is_refused_is_put_aside_and_holds_up_nothing(server: Server) -> None:
    server.answers = [422]
    with pytest.raises(Denied, match="answers 422"):
        call(["notify", "--to", server.url(), "--title", "refused"])
    assert waiting() == []
    (aside,) = Path(user_state_path("warroom")).glob("notify/*/refused/*.json")
    assert json.loads(aside.read_text())["title"] == "refused"
    assert call(["notify", "--to", server.url(), "--title", "next"]) == 0


def test_an_old_one_that_is_refused_does_not_fail_the_new_one(server: Server) -> None:
    server.answers = [500] * 3
    assert call(["notify", "--to", server.url(), "--title", "old"]) == 0
    server.answers = [413]
    assert call(["notify", "--to", server.url(), "--title", "new"]) == 0
    assert waiting() == []


def address_file(home: Path, url: str) -> str:
    """A file that holds an address, as a monitoring system names it."""
    path = home / "intake.url"
    path.touch(0o600)
    path.write_text(url)
    return str(path)


def doctors() -> list[tuple[str, str, str]]:
    """What `doctor` says of notifications: how bad, what, and what to do."""
    found = list(doctor._spools(Places.find(environ=dict(os.environ))))
    return [(each.state, each.says, each.do) for each in found]


def test_what_was_kept_goes_to_the_address_that_its_file_names_by_then(
    server: Server, home: Path
) -> None:
    to = address_file(home, nobody())
    assert call(["notify", "--to", to, "--title", "first"]) == 0
    ((state, says, advice),) = doctors()
    assert state == "note"
    assert says.startswith("1 notifications wait for http://127.0.0.1:")
    assert advice == f"the next `warroom notify` to {to} sends them"
    address_file(home, server.url())
    assert call(["notify", "--to", to, "--title", "second"]) == 0
    assert [body["title"] for body in server.bodies] == ["first", "second"]
    assert waiting() == []
    assert doctors() == []


@pytest.mark.parametrize("status", [401, 404, 410])
def test_a_token_that_is_taken_no_more_keeps_all_until_there_is_another(
    server: Server, home: Path, status: int
) -> None:
    to = address_file(home, server.url())
    server.answers = [status] * 2
    for title in ("first", "second"):
        with pytest.raises(Denied, match=rf"answers {status}.* are kept: mend the address"):
            call(["notify", "--to", to, "--title", title])
    assert [json.loads(path.read_text())["title"] for path in waiting()] == ["first", "second"]
    ((state, says, advice),) = doctors()
    assert state == "wrong"
    assert says.endswith("which takes none with its token")
    assert advice.startswith(f"write a new address into {to}")
    server.posts.clear()
    address_file(home, server.url().replace(TOKEN, "wr_new"))
    assert call(["notify", "--to", to, "--title", "third"]) == 0
    assert [body["title"] for body in server.bodies] == ["first", "second", "third"]
    assert server.posts[0][1]["Authorization"] == "Bearer wr_new"


def test_what_waits_for_any_address_is_sent_again_when_somebody_says_so(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = nobody()
    for title in ("a", "b"):
        assert call(["notify", "--to", lost, "--title", title]) == 0
    assert call(["change", "v2", "--to", lost.replace("generic", "change")]) == 0
    server.answers = [413]
    with pytest.raises(Denied):
        call(["notify", "--to", server.url(), "--title", "refused"])
    assert len(doctors()) == 3
    assert all("notify --resend" in a or "look into" in a for _, _, a in doctors())
    server.posts.clear()
    capsys.readouterr()
    assert call(["notify", "--resend", "--to", server.url()]) == 0
    assert sorted(body["title"] for body in server.bodies) == ["a", "b", "refused"]
    assert capsys.readouterr().err == "3 sent, 0 wait.\n"
    assert call(["notify", "--resend", "--to", server.url("change")]) == 0
    assert server.bodies[-1]["title"] == "v2"
    assert waiting() == []


def test_what_was_kept_before_its_address_was_written_into_a_file_goes_too(
    server: Server, home: Path
) -> None:
    server.answers = [503] * 3
    assert call(["notify", "--to", server.url(), "--title", "first"]) == 0
    server.posts.clear()
    assert call(["notify", "--to", address_file(home, server.url()), "--title", "second"]) == 0
    assert [body["title"] for body in server.bodies] == ["first", "second"]


def test_the_oldest_gives_way_when_too_many_wait(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(spool, "MOST", 2)
    url = nobody()
    for title in ("a", "b", "c"):
        assert call(["notify", "--to", url, "--title", title]) == 0
    assert [json.loads(path.read_text())["title"] for path in waiting()] == ["b", "c"]
    assert "1 old ones that were never sent gave way." in capsys.readouterr().err


def test_while_another_process_sends_ours_is_kept(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    target = read_target(server.url())
    other = Spool(Path(user_state_path("warroom")), target)
    other.put(b'{"title": "theirs"}')
    with (other.path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert call(["notify", "--to", server.url(), "--title", "ours"]) == 0
    assert "another notification is being sent" in capsys.readouterr().err
    assert server.posts == []
    assert call(["notify", "--to", server.url(), "--title", "last"]) == 0
    assert [body["title"] for body in server.bodies] == ["theirs", "ours", "last"]


def test_a_disk_that_takes_nothing_does_not_keep_it_from_being_sent(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Spool, body: bytes) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Spool, "put", full)
    assert call(["notify", "--to", server.url(), "--title", "x"]) == 0
    assert [body["title"] for body in server.bodies] == ["x"]
    with pytest.raises(Unreachable, match=r"neither sent .* nor kept"):
        call(["notify", "--to", nobody(), "--title", "x"])
