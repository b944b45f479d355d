"""Mapping files: those that are shipped keep their examples, those that are wrong say how."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from warroom_incident.alerts import RECORD_BYTES
from warroom_server.intake.kinds import KINDS, find_kinds
from warroom_server.intake.mappings.examples import mistakes
from warroom_server.intake.mappings.file import AlertShape, BadMapping, MappingFile, read_file
from warroom_server.intake.mappings.pointing import BadPointer, Ground, place, pointer
from warroom_server.intake.mappings.reader import mapped
from warroom_server.intake.mappings.shelf import SHIPPED, load, shipped
from warroom_server.intake.post import Post
from warroom_server.intake.reading.form import read_body
from warroom_server.intake.source import Source
from warroom_server.intake.unreadable import Unreadable

NOON = 1_795_262_400_000
FILES = sorted(SHIPPED.glob("*.toml"))

MINIMAL = """
kind = "acme"
sender = "Acme"
[[alert]]
title = "/name"
key = "/id"
state = { at = "/up", map = { true = "resolved", false = "firing" } }
"""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_shipped_mapping_keeps_its_examples(path: Path) -> None:
    file, mapping = load(path)
    assert file.kind == path.stem
    assert file.example
    assert list(mistakes(file, mapping)) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_shipped_mapping_has_an_example_of_each_of_its_shapes(path: Path) -> None:
    file, mapping = load(path)
    used = set()
    for example in file.example:
        post = Post(example.body.encode(), NOON, example.headers)
        whole = read_body(post)
        ground = Ground(whole, whole, post.headers)
        used.add(next(i for i, reader in enumerate(mapping.readers) if reader.fits(ground)))
    assert used == set(range(len(mapping.readers)))


def test_an_example_that_goes_wrong_is_told_in_a_sentence() -> None:
    for signals, sentence in (
        ('[{ key = "8" }]', "alert 1 has key '7', not '8'"),
        ("[]", "it makes 1 alerts, not 0"),
        ('[{ kee = "7" }]', 'an alert has no field "kee"'),
        ('[{ state = "resolved" }]', "alert 1 has state 'firing', not 'resolved'"),
    ):
        text = (
            MINIMAL
            + f"""
[[example]]
name = "one"
body = '{{"id": 7, "name": "x", "up": false}}'
signals = {signals}
"""
        )
        file = read_file(text.encode())
        assert list(mistakes(file, mapped(file))) == [f'example "one": {sentence}']


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ('kind = "acme"', "sender"),
        ("", "Object missing required field"),
        ("kind = ", "not TOML"),
        (MINIMAL.replace("acme", "Not A Kind"), "kind"),
        (MINIMAL.replace('key = "/id"', 'kee = "/id"'), "kee"),
        (MINIMAL.replace('"/id"', '"id"'), '"id" points nowhere'),
        (MINIMAL.replace('"/id"', '"/a~2"'), "no JSON Pointer"),
        (MINIMAL.replace('"firing"', '"burning"'), "burning"),
        (MINIMAL.replace('"/id"', "7"), "key"),
        (MINIMAL + 'when = { "up" = "*" }\n', "begin it with /"),
        (MINIMAL + 'each = "alerts"\n', "begin it with /"),
        ("max_bytes = 9999999999\n" + MINIMAL, "max_bytes"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_why(change: str, reason: str) -> None:
    with pytest.raises(BadMapping, match=r".") as raised:
        mapped(read_file(change.encode()))
    assert reason in str(raised.value)


def test_an_operators_file_adds_a_kind_or_replaces_a_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "intake").mkdir()
    (tmp_path / "intake" / "acme.toml").write_text(MINIMAL)
    (tmp_path / "intake" / "ping.toml").write_text(MINIMAL.replace("acme", "pingdom"))
    kinds, complaints = find_kinds([tmp_path / "nowhere", tmp_path])
    assert complaints == ()
    post = Post(b'{"id": 7, "name": "x", "up": true}', NOON)
    for kind in ("acme", "pingdom"):
        (signal,) = kinds[kind].read(post, Source("a", kind))
        assert (signal.key, signal.title, signal.state) == ("7", "x", "resolved")


def test_a_bad_file_is_named_and_the_others_are_used(tmp_path: Path) -> None:
    folder = tmp_path / "intake"
    folder.mkdir()
    (folder / "a.toml").write_text("kind = 7")
    (folder / "b.toml").write_text(MINIMAL)
    (folder / "c.toml").write_text(MINIMAL.replace("acme", "alertmanager"))
    (folder / "d.toml").mkdir()
    (folder / "e.toml").write_text(
        MINIMAL.replace("acme", "odd") + '[[example]]\nname = "n"\nbody = "x"\n'
    )
    kinds, complaints = find_kinds([tmp_path])
    assert {"acme", "odd"} < set(kinds)
    assert [c.split("/")[-1][:6] for c in complaints] == ["a.toml", "c.toml", "d.toml", "e.toml"]
    assert 'the kind "alertmanager" is built in' in complaints[1]
    assert complaints[3].endswith(
        'is used, but its example "n" cannot be read: it is not JSON '
        "(Expecting value: line 1 column 1 (char 0))."
    )


# --- pointers ---

BODY: dict[str, Any] = {
    "a": {"b/c": ["x", {"~": 7}]},
    "n": None,
    "": "empty",
    "zero": 0,
    "list": [],
}
GROUND = Ground({"inner": "i"}, BODY, {"x-name": "h"})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("^/a/b~1c/0", "x"),
        ("^/a/b~1c/1/~0", 7),
        ("^/a/b~1c/2", None),
        ("^/a/b~1c/-1", None),
        ("^/a/b~1c/01", None),
        ("^/n", None),
        ("^/n/x", None),
        ("^/", "empty"),
        ("/inner", "i"),
        ("/inner/0", None),
        ("@X-Name", "h"),
        ("@other", None),
    ],
)
def test_a_pointer_finds_what_is_there_and_nothing_else(text: str, found: object) -> None:
    assert pointer(text).find(GROUND) == found


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("{^/a/b~1c/0}!{/inner}", "x!i"),
        ("{/nothing}!{/inner}", "!i"),
        ("{/nothing}!{^/n}", ""),
        ("=constant", "constant"),
        ("={/inner}", "{/inner}"),
        ("^/zero", "0"),
        ("{@x-name} here", "h here"),
        ("{x} {/inner}", "{x} i"),
    ],
)
def test_a_text_with_pointers_is_empty_where_none_of_them_finds_anything(
    text: str, written: str
) -> None:
    assert place(text).text(GROUND) == written


@pytest.mark.parametrize("text", ["", "name", "{name}", "@", "@a b", "{}"])
def test_a_place_that_points_nowhere_is_refused(text: str) -> None:
    with pytest.raises(BadPointer):
        place(text)


@pytest.mark.parametrize(
    ("text", "body", "said"),
    [
        ("{/a}: {/b}", {"a": "x", "b": "y"}, "x: y"),
        ("{/a}: {/b}", {"b": "y"}, "y"),
        ("{/a}: {/b}", {"a": "x"}, "x"),
        ("{/a}: {/b}", {}, ""),
        ("{/a} ({/b})", {"a": "x"}, "x"),
        ("{/a} ({/b})", {"b": "y"}, "y"),
        ("{/a} ({/b})", {"a": "x", "b": "y"}, "x (y)"),
        ("{/a} {/b}{/c}: {/d}", {"a": "x", "c": "z", "d": "w"}, "x z: w"),
        ("{/a} {/b}{/c}: {/d}", {"a": "x", "b": "y", "d": "w"}, "x y: w"),
        ("{/a} {/b}{/c}: {/d}", {"a": "x", "d": "w"}, "x: w"),
        ("{/a}: it ends in {/b} days", {"b": "5"}, "it ends in 5 days"),
        ("alert {/a}", {"a": "x"}, "alert x"),
        ("{/a}", {"a": "x"}, "x"),
        ("=web", {}, "web"),
    ],
)
def test_a_missing_field_leaves_nothing_that_would_have_joined_it(
    text: str, body: dict[str, str], said: str
) -> None:
    assert place(text).tidy(Ground(body, body, {})) == said


def test_texts_that_hold_json_are_taken_apart_where_the_mapping_says() -> None:
    text = MINIMAL.replace('"/name"', '"/inner/deep/name"') + 'decode = ["/inner", "/other/x"]\n'
    mapping = mapped(read_file(text.encode()))
    for inner, title in (('{"deep": {"name": "x"}}', "x"), ("no JSON", "alert from a")):
        body = json.dumps({"id": 1, "up": False, "inner": inner, "other": 7}).encode()
        (signal,) = mapping.parse(Post(body, NOON), Source("a", "acme"))
        assert signal.title == title


def test_an_annotation_has_no_joints_where_its_parts_are_missing() -> None:
    text = MINIMAL + 'annotations = { metric = "{/metric} {/op} {/limit}, is {/now}" }\n'
    mapping = mapped(read_file(text.encode()))
    for body, said in (
        ({"metric": "cpu"}, {"metric": "cpu"}),
        ({"metric": "cpu", "op": ">", "limit": 9, "now": 10}, {"metric": "cpu > 9, is 10"}),
        ({}, {}),
    ):
        raw = json.dumps({"id": 1, "name": "n", **body}).encode()
        (signal,) = mapping.parse(Post(raw, NOON), Source("a", "acme"))
        assert signal.annotations == said


def test_a_variable_that_its_sender_did_not_fill_in_is_no_label() -> None:
    mapping = mapped(read_file((MINIMAL + 'labels_in = ["/fields"]\n').encode()))
    fields = {"a": "$METRIC_KEY", "b": "$5", "c": "x $Y", "d": "$metric"}
    body = json.dumps({"id": 1, "name": "n", "fields": fields}).encode()
    (signal,) = mapping.parse(Post(body, NOON), Source("a", "acme"))
    assert signal.labels == {"b": "$5", "c": "x $Y", "d": "$metric"}


def test_a_list_is_read_alert_by_alert_and_odd_values_are_reported_last() -> None:
    text = MINIMAL + 'each = "/all"\ngroup = "^/group"\n'
    mapping = mapped(read_file(text.encode()))
    body = {"group": "g", "all": [{"id": 1, "name": "a", "up": False}, 7, {"id": 2, "up": True}]}
    signals = mapping.parse(Post(json.dumps(body).encode(), NOON), Source("a", "acme"))
    found = [(s.key, s.state, s.group) for s in islice(signals, 2)]
    assert found == [("1", "firing", "g"), ("2", "resolved", "g")]
    with pytest.raises(Unreadable, match="1 of its 3 values"):
        next(signals)
    with pytest.raises(Unreadable, match="nothing at /all"):
        list(mapping.parse(Post(b"{}", NOON), Source("a", "acme")))


def test_a_tokens_own_severities_go_before_a_mappings() -> None:
    text = MINIMAL + 'severity = { at = "/grade", map = { bad = "SEV2" }, else = "SEV4" }\n'
    mapping = mapped(read_file(text.encode()))
    body = b'{"id": 1, "name": "x", "up": false, "grade": "Bad"}'
    for own, severity in (({}, "SEV2"), ({"bad": "SEV1"}, "SEV1")):
        (signal,) = mapping.parse(Post(body, NOON), Source("a", "acme", own))
        assert signal.severity == severity


# --- anything at all ---

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def _bodies() -> Iterator[tuple[str, Any, dict[str, str]]]:
    for kind, (file, _) in shipped().items():
        for example in file.example:
            if not example.headers:
                yield kind, json.loads(example.body), {}
    for path in sorted((Path(__file__).parent / "payloads").glob("*.json")):
        for kind in ("alertmanager", "grafana", "pagerduty", "opsgenie", "victorops", "generic"):
            if path.stat().st_size < 5000:
                yield kind, json.loads(path.read_bytes()), {}
    for kind, body in SHAPES:
        yield kind, body, {}
        yield kind, body, {"ce-type": "a.resolved", "ce-source": "s", ":path": "/v2/alerts/a/close"}


SHAPES: list[tuple[str, Any]] = [
    ("datadog", {"title": "[P1] [Triggered] x", "tags": "a:b", "alert_id": 1, "body": "b"}),
    ("aws-sns", {"Type": "Notification", "TopicArn": "t", "Message": '{"AlarmName": "a"}'}),
    ("aws-sns", {"AlarmName": "a", "Trigger": {"Dimensions": [{"name": "n", "value": "v"}]}}),
    ("aws-sns", {"resources": ["arn"], "detail": {"alarmName": "a", "state": {"value": "OK"}}}),
    ("aws-sns", {"Type": "SubscriptionConfirmation", "SubscribeURL": "https://x"}),
    ("sentry", {"action": "created", "data": {"issue": {"id": 1, "tags": [["a", "b"]]}}}),
    ("sentry", {"data": {"metric_alert": {"id": 1, "projects": ["a"], "alert_rule": {}}}}),
    ("cloudevents", [{"type": "a.b", "source": "s", "data": {"alerts": [{"title": "x"}]}}]),
    ("grafana", {"ruleId": 1, "evalMatches": [{"metric": "m", "value": 1}], "tags": {"a": "b"}}),
    ("pagerduty", {"event": {"event_type": "incident.x", "data": {"id": "i", "service": {}}}}),
    ("pagerduty", {"event_action": "trigger", "links": [{"href": "h"}], "payload": {"x": 1}}),
    ("opsgenie", {"action": "Create", "alert": {"alias": "a", "tags": ["x"], "details": {}}}),
    ("opsgenie", {"message": "m", "note": "n", "tags": "a,b", "details": {"c": "d"}}),
    ("victorops", {"message_type": "CRITICAL", "entity_id": "e", "x": 1}),
]
BODIES = list(_bodies())


def _mutate(value: Any, data: st.DataObject) -> Any:
    """Put any JSON in the place of some part of a body."""
    if data.draw(st.integers(0, 5)) == 0:
        return data.draw(JSON)
    if isinstance(value, dict) and value:
        name = data.draw(st.sampled_from(sorted(value)))
        return {**value, name: _mutate(value[name], data)}
    if isinstance(value, list) and value:
        at = data.draw(st.integers(0, len(value) - 1))
        return [*value[:at], _mutate(value[at], data), *value[at + 1 :]]
    return data.draw(JSON)


@settings(max_examples=400)
@given(st.sampled_from(BODIES), st.data())
def test_a_body_with_anything_in_it_is_read_or_refused_with_a_reason(
    of: tuple[str, Any, dict[str, str]], data: st.DataObject
) -> None:
    kind, body, headers = of
    for _ in range(data.draw(st.integers(1, 3))):
        body = _mutate(body, data)
    raw = json.dumps(body).encode()
    try:
        signals = list(KINDS[kind].read(Post(raw, NOON, headers), Source("x", kind)))
    except Unreadable:
        return
    for signal in signals:
        assert len(msgspec.json.encode(signal)) <= RECORD_BYTES
        assert signal.title or signal.says == "words"


@given(st.dictionaries(st.text(max_size=20), JSON, max_size=5))
def test_a_file_with_anything_in_it_is_refused_with_a_sentence(values: dict[str, Any]) -> None:
    try:
        file = msgspec.convert(values, MappingFile)
    except msgspec.ValidationError:
        return
    raise AssertionError(f"{file} was taken")


def test_a_file_is_read_as_it_was_written() -> None:
    text = FILES[0].read_bytes()
    assert read_file(text).kind == tomllib.loads(text.decode())["kind"]


DOCS = Path(__file__).parents[2] / "docs"


def test_every_kind_is_in_the_documentation() -> None:
    text = (DOCS / "alerts.md").read_text()
    assert [kind for kind in KINDS if f"`{kind}`" not in text] == []


def test_the_mapping_in_the_documentation_keeps_its_example() -> None:
    text = (DOCS / "mappings.md").read_text().split("```toml\n")[1].split("```")[0]
    file = read_file(text.encode())
    assert file.example
    assert list(mistakes(file, mapped(file))) == []
    fields = set(AlertShape.__struct_fields__)
    page = (DOCS / "mappings.md").read_text()
    assert {field for field in fields if f"`{field}`" not in page} == set()


@pytest.mark.parametrize(
    ("heading", "kind"),
    [("Datadog", "datadog"), ("Zabbix", "zabbix"), ("Senders that want a template", "kibana")],
)
def test_a_template_in_the_documentation_is_one_that_is_read(heading: str, kind: str) -> None:
    section = (DOCS / "alerts.md").read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    template = section.split("```json\n")[-1].split("```")[0].replace("$", "")
    fields = json.loads(template)
    used = json.dumps(SHAPES_READ[kind])
    assert [name for name in fields if name not in used] == []
    assert list(KINDS[kind].read(Post(template.encode(), NOON), Source("x", kind)))


SHAPES_READ: dict[str, Any] = {
    "datadog": [
        *("alert_cycle_key", "alert_id", "alert_scope", "alert_title", "alert_transition"),
        *("alert_priority", "alert_type", "body", "hostname", "tags", "link", "snapshot"),
    ],
    "zabbix": (SHIPPED / "zabbix.toml").read_text(),
    "kibana": (SHIPPED / "kibana.toml").read_text(),
}
