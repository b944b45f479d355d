"""The server's log: whatever a record quotes, it is one line that no terminal obeys."""

from __future__ import annotations

import io
import logging

from warroom_server.clean_log import CleanFormatter

HOSTILE = "a\x1b]52;c;ZWNobw==\x07\nERROR warroom_server: the disk is gone\u202e\x9b31m"


def logged(error: Exception | None = None) -> list[str]:
    """The lines that a record with a hostile text leaves."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(CleanFormatter("%(levelname)s %(name)s: %(message)s"))
    exc_info = (type(error), error, error.__traceback__) if error is not None else None
    record = logging.LogRecord("x", logging.WARNING, "f", 1, "said %s", (HOSTILE,), exc_info)
    handler.handle(record)
    return stream.getvalue().splitlines()


def test_a_record_is_one_line_whatever_it_quotes() -> None:
    (line,) = logged()
    assert line.startswith("WARNING x: said a␛]52;c;")
    assert line.isprintable()


def test_no_line_of_a_failures_details_looks_like_a_record() -> None:
    try:
        raise ValueError(HOSTILE)
    except ValueError as error:
        first, *details = logged(error)
    assert first.startswith("WARNING x: said a")
    assert len(details) > 2
    assert all(line.startswith("  ") and line.isprintable() for line in details)
