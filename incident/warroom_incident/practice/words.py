"""Finding what a person meant by a word they typed, or saying in one sentence what exists."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from ..clean import clean_line

T = TypeVar("T")


def counted(number: int, one: str, many: str = "") -> str:
    """How many there are of something: `1 alert`, `1,200 alerts`. `many` is for odd plurals."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def find(text: str, known: Mapping[str, T], noun: str, choices: Iterable[str]) -> T:
    """Return what `text` names: a word of `known`, or the beginning of words for one thing only.

    Case, surrounding space, and `-`, `_` or a space between words make no difference.

    Raises:
        ValueError: Nothing, or more than one thing, is called that; the message lists `choices`.
    """
    word = _plain(text)
    if word in known:
        return known[word]
    meant: list[T] = []
    for name, value in known.items():
        if word and name.startswith(word) and value not in meant:
            meant.append(value)
    if len(meant) == 1:
        return meant[0]
    listed = ", ".join(choices)
    said = clean_line(text.strip(), 40)
    if not said:
        raise ValueError(f"No {noun} given: say one of {listed}.")
    if meant:
        raise ValueError(f"“{said}” could be more than one {noun}: say one of {listed}.")
    raise ValueError(f"There is no {noun} “{said}”: say one of {listed}.")


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("-", " ").replace("_", " ").split())
