"""The verifier inside the agent's loop: the claims of an answer, judged.

The stages are those of Woodpecker (arXiv 2310.16045, figure 2), a file each: ``concepts``,
``questions``, ``validation``, ``checks``, ``correction``; ``findings`` makes verdicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.result import Claim, Questions
from agent.verify.checks import Finding, Weighed
from agent.verify.concepts import concepts
from agent.verify.correction import edited
from agent.verify.findings import judge, weigh, weigh_all
from agent.verify.questions import questions
from agent.verify.sentences import sentences
from agent.verify.validation import Experts
from agent.verify.words import kind
from mllm.backends.protocol import Session
from mllm.claims import ClaimDraft
from mllm.content import Artifact, Usage


@dataclass(frozen=True)
class Judged:
    """The sentences of an answer with their claims, what the experts were asked, and what the
    model's part cost."""

    sentences: tuple[str, ...]
    weighed: Sequence[Weighed]
    asked: Questions
    usage: Usage

    def claims(self) -> list[Claim]:
        """Each once, in their order. One that the experts contradict has the verdict
        "contradicted"; one that none of them can check is "unsupported" with nothing found."""
        return _judged([one for some in self.weighed for one in some])


def verify_answer(
    question: str,
    answer: str,
    lang: str,
    images: Sequence[Artifact],
    session: Session,
    experts: Experts,
) -> Judged:
    """Check what ``answer`` claims about ``images``, sentence by sentence.

    ``session`` must be one of its own: the conversation here is not that of the run. Raises
    ``ModelError``.
    """
    parts = sentences(answer)
    taken, usage = concepts([(question, part) for part in parts], session, lang)
    unread = [part.strip() for part, some in zip(parts, taken, strict=True) if some is None]
    asked = questions([draft for some in taken for draft in some or ()], unread)
    experts.answer(images, asked)
    weighed = tuple(tuple(weigh_all(some or (), images, experts)) for some in taken)
    return Judged(tuple(parts), weighed, asked, usage)


def put_right(
    judged: Judged, images: Sequence[Artifact], experts: Experts
) -> tuple[str, list[Claim]] | None:
    """The answer with words in the place of those of its contradicted claims, and its claims as
    they are then; None where that takes more than words. No model is asked."""
    text, held, was = "", list[tuple[ClaimDraft, Finding]](), dict[ClaimDraft, str]()
    for said, some in zip(judged.sentences, judged.weighed, strict=True):
        new = edited(said, some)
        if new is None or new.true is None:
            if any(finding.holds is False for _, finding in some):
                return None
            text, held = text + said, [*held, *some]
            continue
        text += new.text
        experts.answer(images, questions(new.true))
        true = iter(new.true)
        for draft, finding in some:
            if finding.holds is False:
                right = next(true)
                was[right] = draft.phrase()
                draft, finding = right, weigh(right, images, experts)
                if not finding.holds:
                    return None
            held.append((draft, finding))
    return text, [
        claim.model_copy(update={"verdict": "corrected", "was": was[draft]})
        if draft in was
        else claim
        for draft, claim in zip(dict(held), _judged(held), strict=True)
    ]


def things(claims: Iterable[Claim]) -> set[str]:
    """What claims speak of, however it is called."""
    return {kind(word) for claim in claims for word in (claim.object, claim.of) if word.strip()}


def _judged(weighed: Weighed) -> list[Claim]:
    """The claims, each once, numbered from 1 as is their evidence."""
    claims: list[Claim] = []
    for draft, finding in dict(weighed).items():
        first = sum(len(c.evidence) for c in claims)
        claims.append(judge(draft, finding, f"c{len(claims) + 1}", first))
    return claims
