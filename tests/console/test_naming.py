"""What people type for somebody's name is who they mean."""

import pytest

from warroom_console.naming import known_name


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ana", "ana (ops)"),
        ("ana (ops)", "ana (ops)"),
        ("bo", "bo"),
        ("cy", "cy"),
        ("dee", "dee"),
    ],
)
def test_a_name_is_completed_only_when_it_can_mean_one_person(typed: str, meant: str) -> None:
    known = ["ana (ops)", "bo", "bo (ops)", "cy (ops)", "cy (web)"]
    assert known_name(typed, known) == meant
