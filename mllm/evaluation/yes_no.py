"""Whether a free answer says yes or no, in English or Chinese, and what four peers make of it.

The parsers disagree on plain answers, so a yes/no score means little without the parser's name:

- ``strict`` (ours, the default): the answer must say yes or no, and not both; otherwise it is
  unclear. ``There is a cat`` is unclear: without the question nobody knows whether it says yes.
- ``pope`` (arXiv 2305.10355, evaluate.py): reads the first sentence; one of the words No, no, not
  is no, and *everything else is yes*, also ``NO`` and the empty answer.
- ``vcd`` (arXiv 2311.16922, eval_pope.py): looks for the letters of the gold answer anywhere
  (``snowboard`` holds ``no``) and takes the opposite where they are missing. Needs ``gold``.
- ``vlmevalkit`` (YOrN_Extraction, without its judge): one of the words yes and no, not both.
- ``mme`` (arXiv 2306.13394, calculation.py): ``yes``, else ``no``, within the first four letters.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal, TypeAlias, get_args

YesNo: TypeAlias = Literal["yes", "no"]
Parser: TypeAlias = Literal["strict", "pope", "vcd", "vlmevalkit", "mme"]
PARSERS: tuple[Parser, ...] = get_args(Parser)

_END = r"(?:[的啊呀]|(?=\W|$))"
_YES = (
    r"(?:yes|yeah|yep|yup|true|correct)\b|没错|沒錯|正确|正確|存在|肯定|"
    rf"(?:是|有|对|對){_END}|有(?=[\d一二两三四五六七八九十几])(?!.*[没沒]有)"
)
_NO = (
    r"(?:no|nope|nah|false|incorrect)\b|[没沒]|不[是对對](?![很太])|不存在|不正确|不正確|无|無|"
    rf"否|(?:不|不在|错|錯){_END}"
)
_NEITHER = (  # begins like yes or no
    r"no (?:doubt|idea|clue|way|information|answer|comment|one can)\b|no\.? ?\d|correct me\b|"
    r"是否|没法|没办法|没把握|没问题|没看清|无法|無法|无从|无论|否则"
)
_SAID = rf"(?:(?P<neither>{_NEITHER})|(?P<yes>{_YES})|(?P<no>{_NO}))"
_SO = r"\W*(?:(?:so|thus|therefore|hence)\b\W*|(?:所以|因此|最终)\W*)*"
_ANSWER = (
    r"(?:(?:(?:the|my|final)\W+)*answer\b\W*(?:(?:is|would be)\b\W*)?+"
    r"|答案\W*[是为]?+\W*|回?答\W*)"
)
_FIRST = re.compile(rf"{_SO}{_ANSWER}?{_SAID}")
_LATER = re.compile(rf"{_SO}(?:{_ANSWER}{_SAID}|(?:(?P<yes2>{_YES})|(?P<no2>{_NO}))\W*$)")
_OR_ELSE = re.compile(
    rf"\s*(?:(?:and|or)\b|[/、]|或者?|和|也|还是)\s*(?:{_YES}|{_NO})"
    rf"|\s*,\s*(?:{_YES}|{_NO})\W*$"
)
_SUBJECT = r"\W+(?:there|it|he|she|they|this|that)"
_DENIED = re.compile(
    rf"{_SUBJECT}(?:'s| is| are| do| does| has)(?:n't| not| no\b(?! doubt))|\W+[没沒]有|\W+不[是存]"
)
_AFFIRMED = re.compile(rf"{_SUBJECT}(?: is| are| do| does| has)\W*$|\W+(?:是的|有的)\W*$")


def parse_yes_no(answer: str, parser: Parser = "strict", gold: YesNo | None = None) -> YesNo | None:
    """``"yes"``, ``"no"``, or None where the answer says neither or both.

    ``gold`` is used by the parser ``vcd`` alone. Raises ``ValueError`` for a parser that does not
    exist and for ``vcd`` without gold.
    """
    if parser == "strict":
        return _strict(answer)
    if parser == "pope":
        words = answer.split(".")[0].replace(",", "").split(" ")
        return "no" if {"No", "no", "not"} & set(words) else "yes"
    if parser == "vcd":
        if gold is None:
            raise ValueError("The parser vcd reads an answer only beside its gold answer: give it.")
        opposite: YesNo = "no" if gold == "yes" else "yes"
        return gold if gold in answer.lower() else opposite
    if parser == "vlmevalkit":
        words = _vlmevalkit_words(answer.lower())
        return None if ("yes" in words) == ("no" in words) else "yes" if "yes" in words else "no"
    if parser == "mme":
        start = answer.lower()[:4]
        return "yes" if "yes" in start else "no" if "no" in start else None
    raise ValueError(f"There is no yes/no parser {parser!r}; choose one of {', '.join(PARSERS)}.")


def _strict(answer: str) -> YesNo | None:
    """The first word decides, unless what follows takes it back."""
    low = unicodedata.normalize("NFKC", answer).lower().replace("’", "'").strip()
    first, *later = re.split(r"(?<!no)[.!?;。\n]+|(?<=no)[.!?;。\n]+(?! ?\d)", low)
    votes = {_first_vote(first)}
    for clause in later:
        if found := _LATER.match(clause):
            said = found.groupdict()
            if not said["neither"]:
                votes.add("yes" if said["yes"] or said["yes2"] else "no")
    votes.discard(None)
    return None if len(votes) != 1 or "both" in votes else "yes" if "yes" in votes else "no"


def _first_vote(clause: str) -> Literal["yes", "no", "both"] | None:
    found = _FIRST.match(clause)
    if found is None or found["neither"]:
        return None
    rest = clause[found.end() :]
    taken_back = _DENIED if found["yes"] else _AFFIRMED
    if _OR_ELSE.match(rest) or taken_back.match(rest):
        return "both"
    return "yes" if found["yes"] else "no"


def _vlmevalkit_words(low: str) -> list[str]:
    """Words after that project's cleaning: a mark that touches a space anywhere, or any mark where
    a number has a thousands comma, is deleted everywhere; other marks become spaces."""
    thousands = re.search(r"\d,\d", low) is not None
    text = low
    for mark in ';/[]"{}()=+\\_-><@`,?!':
        joined = thousands or f"{mark} " in low or f" {mark}" in low
        text = text.replace(mark, "" if joined else " ")
    return re.sub(r"\.(?!\d)", "", text, count=32).split()
