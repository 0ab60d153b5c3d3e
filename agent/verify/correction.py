"""Stage 5, correction: sentences of which a claim was contradicted are put right (Woodpecker, arXiv
2310.16045, section 3.5).

Where words can stand in the place of others they do; what takes more, the model rewrites. In the
agent's loop the contradiction goes back to the model as an observation instead, since it may want
to use tools again; see ``agent.graph``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.verify.checks import Finding, Weighed
from agent.verify.listing import relisted
from agent.verify.replacement import added, replaced
from agent.verify.words import kind
from mllm.backends.protocol import Session, generate_many
from mllm.claims import ClaimDraft, Failed, correction_messages
from mllm.content import Turn, Usage
from prompts import language

SENTENCE_TOKENS = 256
"""Most tokens of a corrected sentence."""


@dataclass(frozen=True)
class Correction:
    """A sentence put right, with the white space that it had after it. ``true`` are the claims
    that took the places of the wrong ones; None where only the model knows what it wrote."""

    text: str
    true: tuple[ClaimDraft, ...] | None = None


def correct(
    sentences: Sequence[str], weighed: Sequence[Weighed], session: Session
) -> tuple[list[Correction | None], Usage]:
    """Each sentence put right, and what that cost. None stands for one without wrong claims, and
    where the model fails or changes nothing. Raises ``ModelError``."""
    out = [edited(said, some) for said, some in zip(sentences, weighed, strict=True)]
    wrong = [_wrong(some) for some in weighed]
    left = [i for i, some in enumerate(wrong) if some and out[i] is None]
    turns = generate_many(
        session,
        [
            correction_messages(sentences[i].rstrip(), _failed(wrong[i]), language(sentences[i]))
            for i in left
        ],
        max_tokens=SENTENCE_TOKENS,
    )
    for i, turn in zip(left, turns, strict=True):
        bare = sentences[i].rstrip()
        new = turn.text.strip() if isinstance(turn, Turn) else ""
        if new and new != bare:
            out[i] = Correction(new + sentences[i][len(bare) :])
    return out, sum((t.usage for t in turns if isinstance(t, Turn)), Usage())


def edited(said: str, weighed: Weighed) -> Correction | None:
    """The sentence with words in the place of those of every wrong claim; None where one takes
    more than that, or none is wrong."""
    text, listed = relisted(said.rstrip(), weighed)
    true, besides = list[ClaimDraft](), list[ClaimDraft]()
    for draft, finding in _wrong(weighed):
        if draft in listed and finding.instead:
            true.append(finding.instead)
            continue
        if any(_share(draft, other) for other, found in weighed if found.holds is not False):
            return None
        ways = ((replaced(text, draft, right), right) for right in _ways(draft, finding))
        text, right = next(((new, right) for new, right in ways if new), ("", draft))
        if not text:
            return None
        true.append(right)
        if finding.besides and right.value == "no":
            besides.append(finding.besides)
    if len(besides) == 1:
        text = added(text, besides[0])
        true += besides
    return Correction(text + said[len(said.rstrip()) :], tuple(true)) if true else None


def _wrong(weighed: Weighed) -> Weighed:
    return [one for one in weighed if one[1].holds is False]


def _share(wrong: ClaimDraft, other: ClaimDraft) -> bool:
    """Whether another claim that stands may be said with the same words: "the car and the cup are
    red", "2 cups left of the car and 2 cups right of it"."""
    if wrong.kind == "relation":
        return wrong.relation == other.relation
    if wrong.kind == other.kind == "existence":
        return (kind(wrong.object), wrong.color) == (kind(other.object), other.color)
    if wrong.kind == other.kind == "count":
        return (kind(wrong.object), wrong.value) == (kind(other.object), other.value)
    return wrong.kind in ("attribute", "text") and wrong.value in (other.value, other.color)


def _ways(draft: ClaimDraft, finding: Finding) -> Iterator[ClaimDraft]:
    """How the claim would hold. Where not even the number of what is denied can be said, that it
    is there can."""
    if finding.instead is None:
        return
    yield finding.instead
    if draft.kind == "existence" and finding.instead.kind == "count":
        yield draft.model_copy(update={"value": "yes"})


def _failed(wrong: Weighed) -> list[Failed]:
    """The claims as the model is told of them, and as they would hold where that is known."""
    return [
        Failed(draft.phrase(), found.instead.phrase() if found.instead else found.found)
        for draft, found in wrong
    ]
