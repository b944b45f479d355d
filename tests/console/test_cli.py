"""The command line as a user runs it: what it prints, how it exits, and what it never does."""

import json
import os
import re
from pathlib import Path

import msgspec
import pytest

from tests.console.commanding import TITLE, Ran, declare, files, only, run
from tests.console.fake_room import fake_room
from tests.waiting import wait_for
from warroom_console.places import Places
from warroom_incident.alerts import AlertRecord
from warroom_incident.outbox import Outbox
from warroom_incident.room import hash_token
from warroom_incident.vocabulary import IncidentDeclared, TokenCreated

# Everything well -----------------------------------------------------------------------------


async def test_an_incident_is_driven_by_commands(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        name = await declare(room, "Checkout fails", "--severity", "2", "--drill")
        assert name == "INC-1"
        assert (await run("set", name, "--severity", "sev1", "--status", "ident", room=room)) == (
            Ran(0, "", "")
        )
        assert (await run("set", name, "--title", "Payments fail", room=room)).code == 0
        assert (await run("role", name, "ic", "bo", room=room)).code == 0
        assert (await run("note", name, "two", "words", room=room)).code == 0
        assert (await run("note", name, "-", room=room, typed=b"typed\nlines\n")).code == 0
        early = await run("note", name, "--at", "-10m", "--", "-5% less", room=room)
        assert early.code == 0
        assert early.sentence().endswith("before the incident began.")
        assert early.sentence().startswith("Dated ")
        state = only(room)
        assert (state.title, state.severity, state.status) == (
            "Payments fail",
            "SEV1",
            "identified",
        )
        assert state.drill
        assert state.holder("commander") == "bo"
        shown = await run("show", name, "--json", room=room)
        value = json.loads(shown.out)
        assert value["roles"]["commander"]["holder"] == "bo"
        notes = [e for e in value["timeline"] if e["kind"] == "note"]
        assert [e["text"] for e in notes] == ["-5% less", "two words", "typed\nlines"]
        assert notes[0]["at"] < notes[0]["recorded_at"]
        assert {e["mark"] for e in value["timeline"]} == {"durable"}
        assert value["set_digest"] == state.set_digest()
        assert value["state_digest"] == state.state_digest()
        assert (await run("role", name, "commander", "--clear", room=room)).code == 0
        assert only(room).holder("commander") is None
        assert (await run("set", name, "--status", "closed", room=room)).code == 0
        assert (await run("list", room=room)).out == ""
        listed = json.loads((await run("list", "--all", "--json", room=room)).out)
        assert [(i["title"], i["status"]) for i in listed] == [("Payments fail", "closed")]


async def test_hostile_text_is_shown_harmless_and_exported_harmless(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        name = await declare(room, TITLE)
        assert (await run("note", name, TITLE + "<script>&\u202e", room=room)).code == 0
        for arguments in (
            ("list",), ("show", name), ("export", name), ("export", name, "--format", "html"),
            ("show", name, "--json"), ("export", name, "--format", "json"),
        ):  # fmt: skip
            ran = await run(*arguments, room=room)
            assert ran.code == 0, ran.err
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", ran.out)
        html = (await run("export", name, "--format", "html", room=room)).out
        assert "<script>" not in html
        assert "&lt;script&gt;&amp;" in html
        assert "http" not in html.replace("http-equiv", "")
        value = json.loads((await run("show", name, "--json", room=room)).out)
        assert value["title"] == TITLE


async def test_alerts_are_listed_the_worst_first(tmp_path: Path) -> None:
    def record(uid: str, severity: str, state: str = "firing") -> AlertRecord:
        return AlertRecord(
            uid=uid, key=uid, source="am", kind="generic", episode=1, title=f"{TITLE} {uid}",
            severity=severity, state=state, first_seen=1, last_seen=1, starts_at=1,
        )  # fmt: skip

    async with fake_room(tmp_path) as room:
        room.records = [record("a", "SEV3"), record("b", "SEV1"), record("c", "SEV1", "resolved")]
        ran = await run("alerts", room=room)
        assert [line.rpartition(" ")[2] for line in ran.out.splitlines()] == ["TITLE", "b", "a"]
        found = json.loads((await run("alerts", "--all", "--json", room=room)).out)
        assert {(a["uid"], a["state"]) for a in found} == {
            ("a", "firing"), ("b", "firing"), ("c", "resolved"),
        }  # fmt: skip


async def test_a_server_that_cannot_tell_noise_says_so(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        ran = await run("alerts", "--noise", room=room)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err == "warroom: This server is too old to know.\n"


async def test_an_export_file_is_for_its_owner_and_replaced_whole(tmp_path: Path) -> None:
    async with fake_room(tmp_path / "server") as room:
        name = await declare(room)
        path = tmp_path / "report.html"
        path.write_text("older")
        ran = await run("export", name, "--format", "html", "-o", str(path), room=room)
        assert ran == Ran(0, "", "")
        assert path.read_text().startswith("<!doctype html>")
        assert path.stat().st_mode & 0o077 == 0
        assert sorted(files(tmp_path)) == [path]


# Without a server ----------------------------------------------------------------------------


async def test_with_nothing_to_show_every_command_says_what_to_do(tmp_path: Path) -> None:
    for arguments in (("list",), ("show", "1"), ("declare", "x"), ("note", "1", "x"), ()):
        ran = await run("--server", f"unix://{tmp_path}/none", *arguments)
        assert ran.code == 3
        assert "warroom demo" in ran.sentence()
        assert ran.out == ""


async def test_a_write_without_a_server_is_kept_and_sent_by_the_next_command(
    tmp_path: Path,
) -> None:
    async with fake_room(tmp_path) as room:
        name = await declare(room)
        assert (await run("show", name, room=room)).code == 0
        await room.stop()
        noted = await run("note", name, "offline", room=room)
        assert noted.code == 0
        assert "Kept on this machine" in noted.sentence()
        declared = await run("declare", "Another", room=room)
        assert declared.code == 0
        assert re.fullmatch(r"INC-~[a-z2-7]{4}\n", declared.out)
        shown = await run("show", name, "--json", room=room)
        assert shown.code == 0
        assert "as it was at" in shown.sentence()
        marks = {e["text"]: e["mark"] for e in json.loads(shown.out)["timeline"]}
        assert marks["offline"] == "pending"
        await room.start()
        assert (await run("note", name, "online", room=room)) == Ran(0, "", "")
        await wait_for(lambda: len(room.log.streams()) >= 2)
        texts = [e.body for s in room.log.streams() for e in room.state(s).events.values()]
        assert any(getattr(body, "text", "") == "offline" for body in texts)
        assert any(isinstance(b, IncidentDeclared) and b.title == "Another" for b in texts)


async def test_an_incident_declared_offline_goes_by_both_of_its_names_once_it_has_a_number(
    tmp_path: Path,
) -> None:
    async with fake_room(tmp_path) as room:
        assert (await run("list", room=room)).code == 0
        await room.stop()
        name = (await run("declare", "Checkout fails", room=room)).out.strip()
        assert name.startswith("INC-~")
        assert (await run("list", room=room)).out.splitlines()[1].startswith(name)
        assert (await run("note", name, "offline", room=room)).code == 0
        assert (await run("show", name, room=room)).out.startswith(f"{name} SEV? started")
        await room.start()
        assert (await run("note", name, "the link from before", room=room)) == Ran(0, "", "")
        for called in (name, name.lower(), name[4:], "INC-1", "1"):
            shown = await run("show", called, room=room)
            assert shown.out.startswith("INC-1 SEV? started: Checkout fails"), called
            assert "the link from before" in shown.out


async def test_a_command_that_only_reads_empties_the_outbox_too(tmp_path: Path) -> None:
    async with fake_room(tmp_path / "server") as room:
        name = await declare(room)
        assert (await run("show", name, room=room)).code == 0
        await room.stop()
        assert (await run("note", name, "offline", room=room)).code == 0
        assert (await run("declare", "Another", room=room)).code == 0
        outbox = Outbox(Places.find(room.url).room_directory(room.welcome.room))
        assert outbox.ids()
        await room.start()
        listed = await run("list", room=room)
        assert (listed.code, listed.err) == (0, "")
        assert not outbox.ids()
        assert len([s for s in room.log.streams() if s.startswith("i-")]) == 2


async def test_an_incident_known_by_its_line_alone_can_be_written_to_but_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fake_room(tmp_path / "server") as room:
        name = await declare(room)
        monkeypatch.setenv("WARROOM_REPLICA", str(tmp_path / "other"))
        assert (await run("list", room=room)).code == 0
        await room.stop()
        assert (await run("note", name, "x", room=room)).code == 0
        shown = await run("show", name, room=room)
        assert shown.code == 3
        assert "never opened" in shown.sentence()


# Refusals ------------------------------------------------------------------------------------


async def test_what_the_server_refuses_exits_with_4_and_is_kept(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        name = await declare(room)
        room.refuses = lambda _event: "only the IC may do that"
        ran = await run("set", name, "--status", "closed", room=room)
        assert ran.code == 4
        assert "only the IC may do that" in ran.sentence()
        directory = Path(ran.sentence().rpartition(" kept in ")[2].rstrip("."))
        (kept,) = files(directory)
        assert "closed" in kept.read_text()


async def test_a_viewer_is_told_before_anything_is_written(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        name = await declare(room)
        room.welcome = msgspec.structs.replace(room.welcome, right="viewer")
        ran = await run("note", name, "x", room=room)
        assert ran.code == 4
        assert "viewer" in ran.sentence()


async def test_an_unwelcome_user_exits_with_4(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        room.shut_out = (4001, "unknown token")
        assert (await run("list", room=room)).code == 4
        room.shut_out = None
        assert (await run("list", room=room)).code == 0
        room.shut_out = (4003, "you left")
        ran = await run("list", room=room)
        assert ran.code == 4
        assert "you left" in ran.sentence()


# Tokens --------------------------------------------------------------------------------------


async def test_a_token_is_shown_once_and_only_its_hash_is_sent(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        ran = await run(
            "token", "create", "am", "--kind", "alertmanager", "--expires", "30d", room=room
        )
        assert ran.code == 0
        secret = ran.out.strip()
        assert re.fullmatch(r"wr_[\w-]{43}", secret)
        assert secret not in ran.err
        (event,) = room.state("room").events.values()
        assert isinstance(event.body, TokenCreated)
        assert event.body.hash == hash_token(secret)
        assert event.body.expires is not None
        listed = await run("token", "list", "--json", room=room)
        assert [t["name"] for t in json.loads(listed.out)] == ["am"]
        again = await run("token", "create", "am", "--role", "viewer", room=room)
        assert again.code == 2
        assert (await run("token", "revoke", "am", room=room)) == Ran(0, "", "")
        assert (await run("token", "revoke", "am", room=room)).code == 2
        assert json.loads((await run("token", "list", "--json", room=room)).out) == []
        for path in files(Path(os.environ["HOME"])):
            assert secret.encode() not in path.read_bytes()


async def test_only_an_admin_handles_tokens_and_only_with_a_server(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        room.welcome = msgspec.structs.replace(room.welcome, right="commander")
        ran = await run("token", "list", room=room)
        assert ran.code == 4
        assert "admin" in ran.sentence()
        await room.stop()
        assert (await run("token", "create", "x", "--kind", "generic", room=room)).code == 3


async def test_an_admin_grants_lists_and_takes_back_rights(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        assert (await run("member", "grant", "ana", "admin", room=room)).code == 0
        granted = await run("member", "grant", "bo", "commander", "--json", room=room)
        assert granted.code == 0
        shown = json.loads(granted.out)
        assert (shown["account"], shown["role"], shown["granted_by"]) == ("bo", "commander", "ana")
        listed = await run("member", "list", room=room)
        assert [line.split()[:2] for line in listed.out.splitlines()[1:]] == [
            ["ana", "admin"],
            ["bo", "commander"],
        ]
        again = await run("member", "grant", "bo", "commander", room=room)
        assert (again.code, again.sentence()) == (0, "bo has that right already.")
        last = await run("member", "grant", "ana", "viewer", room=room)
        assert last.code == 2
        assert "the only admin" in last.sentence()
        taken = await run("member", "grant", "bo", "default", "--json", room=room)
        assert json.loads(taken.out) == {"account": "bo", "role": None}
        assert [
            m["account"] for m in json.loads((await run("member", "list", "--json", room=room)).out)
        ] == ["ana"]


async def test_only_an_admin_grants_and_a_bad_role_is_one_sentence(tmp_path: Path) -> None:
    async with fake_room(tmp_path) as room:
        assert (
            "say one of viewer"
            in (await run("member", "grant", "bo", "king", room=room)).sentence()
        )
        assert (await run("member", "grant", "\x1b[2J", "viewer", room=room)).code == 2
        room.welcome = msgspec.structs.replace(room.welcome, right="commander")
        for arguments in (("list",), ("grant", "bo", "viewer")):
            ran = await run("member", *arguments, room=room)
            assert (ran.code, "Only an admin" in ran.sentence()) == (4, True)
