"""The filter behind `/`: words that all must occur, `!word` for one that must not."""

from __future__ import annotations


def fits(wanted: str, *texts: str) -> bool:
    """Say whether texts, taken together, fit a filter; an empty filter fits everything.

    Case makes no difference. A `!` alone asks for nothing.
    """
    return not wanted or fits_text(wanted, "\n".join(texts).casefold())


def fits_text(wanted: str, text: str) -> bool:
    """Say the same of one text that is case-folded already."""
    for word in wanted.casefold().split():
        barred = word.startswith("!")
        if word != "!" and (word[barred:] in text) is barred:
            return False
    return True


def shown(wanted: str) -> str:
    """The filter as a panel's title shows it: `/word`, or nothing."""
    return f"/{wanted}" if wanted.strip() else ""
