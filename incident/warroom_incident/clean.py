"""The door between hostile text and every screen, log line, export and command output.

Alert titles, notes and chat lines are written by anyone, and stored as they came. A terminal obeys
what it is sent: one ESC in a title can write the reader's clipboard, one right-to-left override can
make a command read backwards. `clean` gives back text that only ever draws characters; nothing in
warroom shows outside text without it.
"""

import re
import unicodedata

# Three marks on a letter are enough for any living script; a hundred paint over the neighbours.
_MOST_MARKS = 3

# Unicode's Default_Ignorable_Code_Point (zero widths, bidi controls, joiners, variation selectors,
# fillers, tags), the interlinear annotation marks, and emoji skin tones, whose width no two
# terminals agree on.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\U0001f3fb-\U0001f3ff"
)

# Where combining marks live, drawn coarsely: letters caught with them only cost a closer look.
_MARK_BLOCKS = (
    "\u0300-\u036f\u0483-\u0489\u0590-\u109f\u1160-\u11ff\u135d-\u135f\u1700-\u1cff\u1dc0-\u1dff\u20d0-\u20ff"
    "\u2cef-\u2cf1\u2d7f\u2de0-\u2dff\u302a-\u302f\u3099\u309a\ua66f-\ua6f1\ua800-\uabff\ud7b0-\ud7ff\ufb1e"
    "\ufe20-\ufe2f\U00010000-\U00011fff\U00013430-\U0001345f\U00016100-\U00016fff\U0001bc00-\U0001bcff"
    "\U0001cf00-\U0001d2ff\U0001da00-\U0001e9ff"
)

_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
_SUSPECT_IN_LINE = re.compile(f"[\n\t{_CONTROLS}{_INVISIBLE}{_MARK_BLOCKS}]")

# The others are compiled when a text needs them, which most never do: each takes up to a
# millisecond of every command's start.
_SUSPECT = f"[{_CONTROLS}{_INVISIBLE}{_MARK_BLOCKS}]"
_INVISIBLES = f"[{_INVISIBLE}]+"
_LINE_ENDS = "\r\n|[\x85\u2028\u2029]"
_BREAKS = "[\n\t]+"
_MARK_RUN = f"[{_MARK_BLOCKS}]+"

_PICTURES = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"} | {
    0x7F: "\u2421"
}
_BROKEN = "[\x80-\x9f\ud800-\udfff]"
"""What has no picture. There are two thousand surrogates: a table of them would be large."""


def clean(text: str, *, newlines: bool = True) -> str:
    """Return `text` with everything that is not plain drawing made visible or dropped.

    Total (no input raises), idempotent, and the result always encodes to UTF-8. Controls become
    their pictures (ESC is shown as ␛), C1 controls and lone surrogates become U+FFFD, invisible and
    direction characters go, a letter keeps at most three combining marks. Line ends of every kind
    become `\\n`; with `newlines=False` each run of line ends and tabs becomes one space instead, so
    the result is one line.
    """
    if text.isascii() and text.isprintable():
        return text
    found = re.search(_SUSPECT, text) if newlines else _SUSPECT_IN_LINE.search(text)
    if found is None:
        return text
    text = re.sub(_LINE_ENDS, "\n", re.sub(_INVISIBLES, "", text))
    if not newlines:
        text = re.sub(_BREAKS, " ", text)
    text = re.sub(_BROKEN, "\ufffd", text.translate(_PICTURES))
    return re.sub(_MARK_RUN, _cap_marks, text)


def clean_line(text: str, width: int | None = None) -> str:
    """Return `text` cleaned, on one line, and cut with `…` to at most `width` terminal cells."""
    line = clean(text, newlines=False)
    if width is None or cells(line) <= width:
        return line
    if width < 1:
        return ""
    kept: list[str] = []
    room = width - 1
    for character in line:
        room -= _cells_of(character)
        if room < 0:
            break
        kept.append(character)
    return "".join(kept).rstrip() + "…"


def cells(text: str) -> int:
    """Return how many terminal cells one cleaned line takes: wide characters two, marks none."""
    if text.isascii():
        return len(text)
    return sum(map(_cells_of, text))


def _cells_of(character: str) -> int:
    if _rides(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _rides(character: str) -> bool:
    """Say whether the character is drawn onto the one before it."""
    if unicodedata.category(character) in ("Mn", "Me"):
        return True
    return "\u1161" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7fb"


def _cap_marks(run: re.Match[str]) -> str:
    """Keep the first marks on each letter of a run; where no letter carries them, keep none."""
    before = run.string[run.start() - 1] if run.start() else "\n"
    marks = _MOST_MARKS if before in "\n\t" else 0
    kept: list[str] = []
    for character in run.group():
        if not _rides(character):
            marks = 0
        elif marks == _MOST_MARKS:
            continue
        else:
            marks += 1
        kept.append(character)
    return "".join(kept)
