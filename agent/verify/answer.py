"""The verifier inside the agent's loop: the claims of an answer, judged.

The stages are those of Woodpecker (arXiv 2310.16045, figure 2), a file each: ``concepts``,
``questions``, ``validation``, ``checks``, ``correction``; ``findings`` makes verdicts.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.result import Claim, Questions
from agent.verify.concepts import concepts
from agent.verify.findings import judge, weigh
from agent.verify.questions import questions
from agent.verify.replacement import replaced
from agent.verify.sentences import sentences
from agent.verify.validation import Experts
from mllm.backends.protocol import Session
from mllm.claims import ClaimDraft
from mllm.content import Artifact, Usage


def verify_answer(
    question: str,
    answer: str,
    lang: str,
    images: Sequence[Artifact],
    session: Session,
    experts: Experts,
) -> tuple[list[Claim], Questions, Usage]:
    """Check what ``answer`` claims about ``images``, sentence by sentence. Returns the claims with
    their verdicts, each once and in their order, what the experts were asked, and what the
    model's part cost.

    ``session`` must be one of its own: the conversation here is not that of the run.
    A claim that the experts contradict gets the verdict "contradicted"; one that none of them
    can check is "unsupported" with nothing found. Raises ``ModelError``.
    """
    parts = sentences(answer)
    taken, usage = concepts(question, parts, session, lang)
    drafts = list(dict.fromkeys(draft for some in taken for draft in some or ()))
    unread = [part.strip() for part, some in zip(parts, taken, strict=True) if some is None]
    asked = questions(drafts, unread)
    experts.answer(images, asked)
    claims: list[Claim] = []
    for draft in drafts:
        finding = weigh(draft, images, experts)
        first = sum(len(c.evidence) for c in claims)
        claims.append(judge(draft, finding, f"c{len(claims) + 1}", first))
    return claims, asked, usage


def put_right(
    answer: str, claims: Sequence[Claim], images: Sequence[Artifact], experts: Experts
) -> tuple[str, list[Claim]] | None:
    """The answer with words in the place of those of its contradicted claims, and its claims as
    they are then; None where that takes more than words. No model is asked."""
    drafts = [ClaimDraft(**c.model_dump(include=set(ClaimDraft.model_fields))) for c in claims]
    experts.answer(images, questions(drafts))
    parts, out = sentences(answer), list[Claim]()
    for claim, draft in zip(claims, drafts, strict=True):
        if claim.verdict != "contradicted":
            out.append(claim)
            continue
        true = weigh(draft, images, experts).instead
        new = [replaced(part, draft, true) if true else "" for part in parts]
        if true is None or sum(map(bool, new)) != 1:
            return None
        parts = [changed or part for changed, part in zip(new, parts, strict=True)]
        first = sum(len(c.evidence) for c in out)
        held = judge(true, weigh(true, images, experts), claim.id, first)
        if held.verdict != "supported":
            return None
        out.append(held.model_copy(update={"verdict": "corrected", "was": claim.text}))
    return "".join(parts), out
