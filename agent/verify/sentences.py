"""An answer as sentences that join up to it again: correcting one leaves the others alone."""

from __future__ import annotations

_ENDS = ".!?"
_FULL_WIDTH = "。！？"
_QUOTES = {'"': '"', "“": "”", "「": "」"}


def sentences(text: str) -> list[str]:
    """``text`` cut after each sentence; the white space between two stays with the first.

    ``"".join(sentences(text)) == text``. A mark inside quotes ends nothing, but for the last one
    ("Stop." There ...), nor does the point of ``2.5``, of ``desk.png`` or behind an item's number.
    """
    out: list[str] = []
    start, closing = 0, ""
    for i, char in enumerate(text):
        following = text[i + 1 : i + 2]
        closes = char == closing
        if closing:
            closing = "" if closes else closing
        elif _opens(text, i):
            closing = _QUOTES[char]
        spaced = not following or following.isspace()
        ends = char in _FULL_WIDTH or (char in _ENDS and spaced and not _numbers(text[start:i]))
        ends |= closes and text[i - 1] in _ENDS and text[i + 1 :].lstrip()[:1].isupper() and spaced
        if (ends and not closing) or char == "\n":
            stop = i + 1 + len(text[i + 1 :]) - len(text[i + 1 :].lstrip())
            out.append(text[start:stop])
            start = stop
            closing = ""
    if start < len(text):
        out.append(text[start:])
    return [piece for piece in out if piece]


def _opens(text: str, i: int) -> bool:
    """Whether a quote begins there: it ends in the same line, and is no mark of inches."""
    end = _QUOTES.get(text[i])
    inches = text[i] == '"' and text[i - 1 : i].isdigit()
    return end is not None and not inches and end in text[i + 1 :].partition("\n")[0]


def _numbers(piece: str) -> bool:
    """Whether it is the number of an item of a list."""
    return piece.strip().isdecimal()
