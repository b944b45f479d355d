"""Regular expressions that take time in proportion to the text, whatever the text is.

Python's own backtrack: one written badly, or for the purpose, holds the event loop for minutes on
a hostile label. This is the part of RE2's language that people use in matchers, always fitted to
the whole text: literals, `.`, classes, groups, `|`, `* + ? {n,m}`, `\\d \\w \\s`, a leading `(?i)`.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from functools import lru_cache

from msgspec import Struct

MAX_PATTERN = 500
"""The longest pattern, in characters."""

MAX_STATES = 250
"""The largest machine that a pattern may become; `{n,m}` multiplies."""

_MAX_STEPS = 20 * MAX_STATES
_MAX_REMEMBERED = 20_000
_MAX_NESTED = 30
_QUANTIFIERS = "*+?{"
_CLASSES = {
    "d": frozenset(string.digits),
    "w": frozenset(string.ascii_letters + string.digits + "_"),
    "s": frozenset(" \t\n\r\f\v"),
}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}

Accepts = Callable[[str], bool]


class BadPattern(ValueError):
    """The pattern cannot be used; the message is one sentence that says why."""


class _One(Struct, frozen=True):
    accepts: Accepts


class _Row(Struct, frozen=True):
    parts: tuple[_Node, ...]


class _Choice(Struct, frozen=True):
    parts: tuple[_Node, ...]


class _Repeat(Struct, frozen=True):
    part: _Node
    least: int
    most: int | None


_Node = _One | _Row | _Choice | _Repeat


class _Reader:
    """Reads a pattern into nodes."""

    def __init__(self, text: str) -> None:
        self._folds = text.startswith("(?i)")
        self._text = text.removeprefix("(?i)").removeprefix("^")
        if self._text.endswith("$") and not self._text.endswith("\\$"):
            self._text = self._text[:-1]
        self._at = 0
        self._depth = 0

    def read(self) -> _Node:
        """The whole pattern."""
        node = self._choice()
        if self._at < len(self._text):
            raise BadPattern("the pattern has a ) too many")
        return node

    def _peek(self) -> str:
        return self._text[self._at] if self._at < len(self._text) else ""

    def _take(self) -> str:
        self._at += 1
        if self._at > len(self._text):
            raise BadPattern("the pattern ends too early")
        return self._text[self._at - 1]

    def _choice(self) -> _Node:
        parts = [self._row()]
        while self._peek() == "|":
            self._take()
            parts.append(self._row())
        return parts[0] if len(parts) == 1 else _Choice(tuple(parts))

    def _row(self) -> _Node:
        parts: list[_Node] = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeat(self._atom()))
        return _Row(tuple(parts))

    def _repeat(self, node: _Node) -> _Node:
        mark = self._peek()
        if not mark or mark not in _QUANTIFIERS:
            return node
        self._take()
        least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(mark) or self._bounds()
        if self._peek() == "?":  # which of several fits is found makes no difference to a yes
            self._take()
        if self._peek() and self._peek() in _QUANTIFIERS:
            raise BadPattern("the pattern repeats a repetition; put it in brackets")
        return _Repeat(node, least, most)

    def _bounds(self) -> tuple[int, int | None]:
        inside = ""
        while (char := self._take()) != "}":
            inside += char
        low, comma, high = inside.partition(",")
        if not (inside.isascii() and low.isdigit() and (high or "0").isdigit()):
            raise BadPattern("the pattern has a { that is no repetition; write \\{ for the sign")
        least = int(low[:5])
        most = (int(high[:5]) if high else None) if comma else least
        if most is not None and most < least:
            raise BadPattern("the pattern repeats at most less often than at least")
        return least, most

    def _atom(self) -> _Node:
        char = self._take()
        match char:
            case "(":
                return self._group()
            case "[":
                return _One(self._class())
            case ".":
                return _One(_anything)
            case "\\":
                return _One(self._accepts(self._escape()))
            case "^" | "$":
                raise BadPattern("the pattern has ^ or $ inside; it fits the whole text anyway")
            case _ if char in _QUANTIFIERS:
                raise BadPattern(f"the pattern has nothing before {char} to repeat")
            case _:
                return _One(self._accepts(frozenset(char)))

    def _group(self) -> _Node:
        if self._peek() == "?":
            self._take()
            if self._take() != ":":
                raise BadPattern("the pattern may have no (? but (?: and a leading (?i)")
        self._depth += 1
        if self._depth > _MAX_NESTED:
            raise BadPattern("the pattern nests too deep")
        node = self._choice()
        self._depth -= 1
        if self._peek() != ")":
            raise BadPattern("the pattern lacks a )")
        self._take()
        return node

    def _escape(self) -> frozenset[str] | Accepts:
        char = self._take()
        if char in _CLASSES:
            return _CLASSES[char]
        if char.lower() in _CLASSES:
            outside = _CLASSES[char.lower()]
            return lambda text: text not in outside
        if char.isalnum() and char not in _ESCAPES:
            raise BadPattern(f"the pattern has \\{char}, which is not known here")
        return frozenset(_ESCAPES.get(char, char))

    def _class(self) -> Accepts:
        negative = self._peek() == "^"
        if negative:
            self._take()
        found: list[Accepts] = []
        first = True
        while (char := self._take()) != "]" or first:
            first = False
            if char == "[" and self._peek() == ":":
                raise BadPattern("the pattern has [:name:], which is not known here; write \\d")
            one = self._escape() if char == "\\" else frozenset(char)
            if self._peek() == "-" and self._text[self._at + 1 : self._at + 2] not in ("]", ""):
                self._take()
                found.append(self._range(one, self._end()))
            else:
                found.append(self._accepts(one))
        accepts = tuple(found)
        if negative:
            return lambda text: not any(each(text) for each in accepts)
        return lambda text: any(each(text) for each in accepts)

    def _end(self) -> frozenset[str] | Accepts:
        char = self._take()
        return self._escape() if char == "\\" else frozenset(char)

    def _range(self, one: frozenset[str] | Accepts, other: frozenset[str] | Accepts) -> Accepts:
        if callable(one) or callable(other) or len(one) != 1 or len(other) != 1:
            raise BadPattern("the pattern has a range of more than single characters")
        (low,), (high,) = one, other
        if high < low:
            raise BadPattern("the pattern has a range that ends before it begins")
        if self._folds:
            return lambda text: any(low <= t <= high for t in (text, text.lower(), text.upper()))
        return lambda text: low <= text <= high

    def _accepts(self, one: frozenset[str] | Accepts) -> Accepts:
        if callable(one):
            return one
        if self._folds:
            folded = frozenset(char.casefold() for char in one)
            return lambda text: text.casefold() in folded
        return one.__contains__


def _anything(_char: str) -> bool:
    return True


class Pattern:
    """A pattern ready to be fitted. Made by `pattern`."""

    def __init__(self, text: str) -> None:
        """Raises `BadPattern`."""
        if len(text) > MAX_PATTERN:
            raise BadPattern(f"a pattern has {MAX_PATTERN} characters at the most")
        self._accepts: list[Accepts | None] = []
        self._then: list[tuple[int, ...]] = []
        self._takers: dict[Accepts, list[int]] = {}
        self._steps = 0
        self._end = self._state(None, ())
        start = self._build(_Reader(text).read(), self._end)
        self._start = self._reach((start,))
        self._forget()

    def fits(self, value: str) -> bool:
        """Whether the whole value fits."""
        states = self._start
        known = self._known
        for char in value:
            following = known.get((states, char))
            if following is None:
                following = self._follow(states, char)
            states = following
            if not states:
                return False
        return self._end in states

    def _forget(self) -> None:
        self._known: dict[tuple[frozenset[int], str], frozenset[int]] = {}
        self._taking: dict[str, frozenset[int]] = {}
        self._remembered = 0

    def _follow(self, states: frozenset[int], char: str) -> frozenset[int]:
        # Large sets are what a hostile text makes: states are counted, not sets.
        if self._remembered >= _MAX_REMEMBERED:
            self._forget()
        found: list[int] = []
        for state in states & self._who_take(char):
            found.extend(self._then[state])
        following = self._known[states, char] = self._reach(found)
        self._remembered += 1 + len(following)
        return following

    def _who_take(self, char: str) -> frozenset[int]:
        """All states that take a character: each class is asked once, however often it stands."""
        taking = self._taking.get(char)
        if taking is None:
            found = [states for accepts, states in self._takers.items() if accepts(char)]
            taking = self._taking[char] = frozenset(state for each in found for state in each)
            self._remembered += 1 + len(taking)
        return taking

    def _reach(self, states: list[int] | tuple[int, ...]) -> frozenset[int]:
        """These states and all that are reached from them without a character."""
        todo, seen = list(states), set(states)
        while todo:
            state = todo.pop()
            if self._accepts[state] is None:
                new = [each for each in self._then[state] if each not in seen]
                seen.update(new)
                todo.extend(new)
        return frozenset(seen)

    def _state(self, accepts: Accepts | None, then: tuple[int, ...]) -> int:
        if len(self._then) >= MAX_STATES:
            raise BadPattern("the pattern is too large; repeat less often")
        self._accepts.append(accepts)
        self._then.append(then)
        state = len(self._then) - 1
        if accepts is not None:
            self._takers.setdefault(accepts, []).append(state)
        return state

    def _build(self, node: _Node, then: int) -> int:
        self._steps += 1
        if self._steps > _MAX_STEPS:  # what is empty takes no states, however often it repeats
            raise BadPattern("the pattern is too large; repeat less often")
        match node:
            case _One():
                return self._state(node.accepts, (then,))
            case _Row():
                for part in reversed(node.parts):
                    then = self._build(part, then)
                return then
            case _Choice():
                ways = dict.fromkeys(self._build(part, then) for part in node.parts)
                return self._state(None, tuple(ways))
            case _Repeat():
                return self._repeat(node, then)

    def _repeat(self, node: _Repeat, then: int) -> int:
        if node.most is None:
            loop = self._state(None, ())
            self._then[loop] = (self._build(node.part, loop), then)
            then = loop
        else:
            end = then
            for _ in range(node.most - node.least):
                then = self._state(None, (self._build(node.part, then), end))
        for _ in range(node.least):
            then = self._build(node.part, then)
        return then


@lru_cache(maxsize=512)
def pattern(text: str) -> Pattern:
    """Compile a pattern, once.

    Raises:
        BadPattern: It is none, or asks for too much.
    """
    return Pattern(text)
