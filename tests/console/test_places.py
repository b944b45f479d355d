"""Settings: servers, directories, names and tokens."""

from pathlib import Path

import pytest

from warroom_console import places as places_module
from warroom_console.known import Known, directory_name
from warroom_console.places import HOST_SOCKET, PlaceError, Places, parse_server, parse_servers


def test_without_settings_the_two_default_sockets_are_looked_for(home: Path) -> None:
    places = Places.find()
    assert [server.path for server in places.servers] == [home / "run/warroom/socket", HOST_SOCKET]
    assert not places.named


def test_whoever_takes_a_runtime_directory_away_takes_no_other_socket_away(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(_name: str) -> Path:
        raise PermissionError("runtime directory /tmp/runtime-1000 is owned by uid 4242")

    monkeypatch.setattr(places_module, "user_runtime_path", taken)
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert [server.path for server in Places.find().servers] == [HOST_SOCKET]


def test_a_flag_goes_before_the_environment_and_the_file(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "config/warroom").mkdir()
    (home / "config/warroom/console.toml").write_text('servers = ["unix:///file"]')
    assert [s.url for s in Places.find().servers] == ["unix:///file"]
    monkeypatch.setenv("WARROOM_SERVER", "unix:///environment")
    assert [s.url for s in Places.find().servers] == ["unix:///environment"]
    assert [s.url for s in Places.find("unix:///flag").servers] == ["unix:///flag"]
    assert Places.find().named


def test_servers_are_kept_in_order_and_once() -> None:
    found = parse_servers("wss://b.example, unix:///a/b ,wss://b.example:8764,")
    assert [server.url for server in found] == ["wss://b.example:8764", "unix:///a/b"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "http://host",
        "unix://host/path",
        "unix://",
        "unix:///",
        "unix:///" + "a" * 200,
        "ws://10.0.0.1:1",
        "ws://example.com",
        "ws://127.0.0.1:notaport",
        "ws://127.0.0.1:99999",
        "wss://",
        "wss://[::1",
        "wss://user:secret@host",
        "wss://host/path",
        "wss://host?token=1",
        "unix:///a\udcff",
        "x[prod] y[/b]",
        "wss://host\x1b]0;x\x07",
    ],
)
def test_a_bad_address_gets_one_clean_sentence(url: str) -> None:
    with pytest.raises(PlaceError) as caught:
        parse_server(url)
    said = str(caught.value)
    assert said.endswith(".")
    assert "\n" not in said
    assert "\x1b" not in said
    assert "secret" not in said


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "[::1]", "localhost"])
def test_plain_websockets_go_to_this_machine_only(host: str) -> None:
    assert parse_server(f"ws://{host}:1").url == f"ws://{host}:1"


def test_too_many_servers_are_refused() -> None:
    with pytest.raises(PlaceError, match="At most"):
        parse_servers(",".join(f"unix:///s{number}" for number in range(17)))


def test_a_token_file_that_others_can_read_is_refused(home: Path) -> None:
    (home / "config/warroom").mkdir()
    path = home / "config/warroom/token"
    path.write_text("wr_secret\n")
    path.chmod(0o644)
    with pytest.raises(PlaceError, match="chmod 600") as caught:
        Places.find()
    assert "wr_secret" not in str(caught.value)
    path.chmod(0o600)
    assert Places.find().token == "wr_secret"


def test_a_token_is_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARROOM_TOKEN", "wr_secret")
    places = Places.find()
    assert places.token == "wr_secret"
    assert "wr_secret" not in repr(places)


@pytest.mark.parametrize("token", ["a b", "x" * 600, "a\x7fb", "ä"])
def test_a_damaged_token_is_refused(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARROOM_TOKEN", token)
    with pytest.raises(PlaceError, match="token is damaged"):
        Places.find()


@pytest.mark.parametrize("user", ["a\x1bb", "x" * 81, "a\nb", "\u202eana"])
def test_a_name_that_nobody_has_is_refused(user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARROOM_USER", user)
    with pytest.raises(PlaceError, match="WARROOM_USER"):
        Places.find()


@pytest.mark.parametrize("content", ["servers = 3", "servers = [1]", "servers = [", "\x00"])
def test_a_damaged_configuration_is_refused_with_its_path(home: Path, content: str) -> None:
    (home / "config/warroom").mkdir()
    (home / "config/warroom/console.toml").write_text(content)
    with pytest.raises(PlaceError, match=r"console\.toml"):
        Places.find()


@pytest.mark.parametrize("room", ["../../etc", "a/b", "", ".", "\udcff", "A" * 300, "x\x00y"])
def test_what_a_server_calls_its_room_never_becomes_a_path(room: str) -> None:
    name = directory_name(room)
    assert len(name) == 16
    assert set(name) <= set("0123456789abcdef")


def test_known_rooms_survive_and_a_damaged_file_knows_none(home: Path) -> None:
    known = Known(home / "state/warroom")
    assert known.rooms() == {}
    known.remember("unix:///a", "one")
    known.remember("unix:///b", "two")
    known.remember("unix:///a", "three")
    assert Known(home / "state/warroom").rooms() == {"unix:///b": "two", "unix:///a": "three"}
    assert known.path.stat().st_mode & 0o077 == 0
    known.path.write_text("[")
    assert known.rooms() == {}


def test_the_machine_has_a_name_that_says_nothing(home: Path) -> None:
    machine = Places.find().machine
    assert machine == Places.find().machine
    assert len(machine) == 16
    assert machine not in Path("/etc/machine-id").read_text()
