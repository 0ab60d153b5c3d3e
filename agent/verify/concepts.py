"""Stage 1, key concepts: what a text speaks of (Woodpecker, arXiv 2310.16045, section 3.1).

The model takes each sentence apart into drafts of claims: an object, what narrows it down, and
what is said of it. Woodpecker lists the objects first and asks about them later; a draft holds
both. What a sentence lists in so many words is taken from it as it stands (``enumeration``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from agent.verify.enumeration import enumerated
from agent.verify.words import NUMBERS, forms
from mllm.backends.protocol import MalformedOutput, Session, generate_many
from mllm.claims import ClaimDraft, claims_messages, claims_schema, parse_claims
from mllm.content import Turn, Usage
from mllm.wording import stands_in
from prompts import language

SENTENCE_CLAIMS = 16
"""Most claims of a sentence. A model that goes round in circles is stopped there, with a list that
can be read, and what it repeated counts once."""
SENTENCE_TOKENS = 512
"""Most tokens that they take."""

ALIKE = 0.5
"""How much of a quoted text must be in a draft for it to be meant (``difflib``)."""

_QUOTES = re.compile(r'"([^"]+)"|“([^”]+)”|「([^」]+)」')

Drafts = list[ClaimDraft] | None
"""Of a sentence, each once. None where the model did not manage to write them: nothing is known
of such a sentence, which is not the same as that it claims nothing."""


def concepts(
    said: Sequence[tuple[str, str]], session: Session, lang: str = ""
) -> tuple[list[Drafts], Usage]:
    """The drafts of sentences, each given behind the question that it answers, or "". They go to
    the model together, equal ones once; and what they cost.

    They are asked about in ``lang``, or each in its own language. Nobody is asked about white
    space and mere marks. Raises ``ModelError``.
    """
    bare = [(question, sentence.strip()) for question, sentence in said]
    different = [one for one in dict.fromkeys(bare) if any(sign.isalnum() for sign in one[1])]
    turns = generate_many(
        session,
        [claims_messages(question, one, lang or language(one)) for question, one in different],
        output_schema={**claims_schema(), "maxItems": SENTENCE_CLAIMS},
        max_tokens=SENTENCE_TOKENS,
    )
    read = {one: _drafts(one[1], turn) for one, turn in zip(different, turns, strict=True)}
    usage = sum((t.usage for t in turns if isinstance(t, Turn)), Usage())
    return [read.get(one, []) for one in bare], usage


def _drafts(sentence: str, reply: Turn | MalformedOutput) -> Drafts:
    drafts = _parsed(reply)
    # Of an answer to where something is the model also reads the place in the question.
    if (listed := enumerated(sentence)) and not any(draft.relation for draft in drafts or ()):
        return listed
    if drafts is None:
        return None
    return list(dict.fromkeys(_counted(_quoted(draft, sentence), sentence) for draft in drafts))


def _parsed(reply: Turn | MalformedOutput) -> Drafts:
    if isinstance(reply, MalformedOutput):
        return None
    try:
        return parse_claims(reply.text)
    except ValueError:
        return None


def _counted(draft: ClaimDraft, sentence: str) -> ClaimDraft:
    """The draft with the number that stands before its noun: a small model takes another one."""
    if draft.kind != "count" or not draft.object:
        return draft
    lang = language(sentence)
    words = NUMBERS[lang]
    noun = "|".join(map(re.escape, forms(draft.object)))
    between = f"(?:{re.escape(draft.color)}[ 的]?)?" if draft.color else ""
    between = rf"[\u4e00-\u9fff]?{between}" if lang == "zh" else rf" {between}"
    number = rf"(?<![A-Za-z0-9.一二两三四五六七八九十])(\d+|{'|'.join(words)})"
    said = re.findall(f"{number}{between}(?:{noun})", sentence, re.IGNORECASE)
    numbers = {n if n.isdecimal() else str(words.index(n.lower())) for n in said}
    if len(numbers) != 1 or draft.value in numbers:
        return draft
    return draft.model_copy(update={"value": numbers.pop()})


def _quoted(draft: ClaimDraft, sentence: str) -> ClaimDraft:
    """The draft with the words that the sentence quotes: a small model loses letters of them."""
    if draft.kind != "text":
        return draft
    words = ["".join(found) for found in _QUOTES.findall(sentence)]
    said = _QUOTES.sub(" ", sentence)
    if draft.value in words or stands_in(draft.value, said):
        return draft
    part = [one for one in words if draft.value in one]
    part = part or get_close_matches(draft.value, words, 2, ALIKE)
    return draft.model_copy(update={"value": part[0]}) if len(part) == 1 else draft
