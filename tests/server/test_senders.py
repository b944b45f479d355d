"""What is configured for single senders: their words, their secrets, their topics."""

from __future__ import annotations

from pathlib import Path

import pytest

from warroom_server.config import ConfigError, SourceSettings, read_config
from warroom_server.intake.senders import Senders


def test_a_sender_is_read_as_it_is_configured(tmp_path: Path) -> None:
    (tmp_path / "warroom.toml").write_text(
        '[sources.prod-sentry]\nseverities = { Purple = "SEV1" }\ndefault_severity = "SEV2"\n'
        'secret_file = "sentry.secret"\ntopics = ["arn:1"]\n'
    )
    secret = tmp_path / "sentry.secret"
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    senders = Senders((tmp_path, tmp_path / "data"), read_config(tmp_path).sources)
    source = senders.source("prod-sentry", "sentry")
    assert (source.severities, source.default_severity) == ({"purple": "SEV1"}, "SEV2")
    assert (source.secret, source.topics) == (b"s3cret", ("arn:1",))
    assert senders.source("other", "sentry").secret is None
    assert "s3cret" not in repr(source)


@pytest.mark.parametrize(
    ("content", "mode", "sentence"),
    [(None, 0, "cannot be read"), ("s", 0o640, "chmod 600"), (" \n", 0o600, "is empty")],
)
def test_a_secret_that_cannot_be_used_is_a_reason_not_to_start(
    tmp_path: Path, content: str | None, mode: int, sentence: str
) -> None:
    if content is not None:
        (tmp_path / "x").write_text(content)
        (tmp_path / "x").chmod(mode)
    with pytest.raises(ConfigError, match=sentence):
        Senders((tmp_path,), {"a": SourceSettings(secret_file="x")})


def test_kinds_are_read_anew_when_they_are_looked_at_again(tmp_path: Path) -> None:
    senders = Senders((tmp_path,))
    assert "acme" not in senders
    (tmp_path / "intake").mkdir()
    text = 'kind = "acme"\nsender = "Acme"\n[[alert]]\ntitle = "/name"\n'
    (tmp_path / "intake" / "acme.toml").write_text(text)
    senders.look_again()
    assert "acme" in senders
    assert len(list(senders)) == len(senders)


def test_a_bad_mapping_is_logged_and_kept_as_a_complaint(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "intake").mkdir()
    (tmp_path / "intake" / "bad.toml").write_text("\x1b")
    senders = Senders((tmp_path,))
    (complaint,) = senders.complaints
    assert "bad.toml is not used: it is not TOML" in complaint
    assert "bad.toml is not used" in caplog.text
    assert "\x1b" not in caplog.text
