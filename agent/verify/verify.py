"""The verifier: an answer is taken apart into claims, each claim is checked by experts.

After Woodpecker (arXiv 2310.16045), inside the agent's loop: the model writes the claims, the
experts that the agent already has check them, every verdict carries the boxes that show it.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.result import Claim, Evidence, Verdict
from agent.verify.check import CANNOT_TELL, Finding, check
from agent.verify.experts import Experts
from mllm.backends.protocol import MalformedOutput, Session, generate
from mllm.claims import ClaimDraft, claims_messages, claims_schema, parse_claims
from mllm.content import Artifact, Box, Usage

TRIES = 2
"""How often the model may write the list of claims before the answer counts as claimless."""


def verify_answer(
    question: str,
    answer: str,
    lang: str,
    images: Sequence[Artifact],
    session: Session,
    experts: Experts,
) -> tuple[list[Claim], Usage]:
    """Check what ``answer`` claims about ``images``.

    ``session`` must be one of its own: the conversation here is not that of the run.
    A claim that the experts contradict gets the verdict "contradicted"; one that none of them
    can check is "unsupported" with nothing found. Raises ``ModelError``.
    """
    drafts, usage = write_claims(question, answer, lang, session)
    if images:
        experts.prepare(images, labels(drafts))
    claims: list[Claim] = []
    for draft in drafts:
        finding = weigh(draft, images, experts)
        first = sum(len(c.evidence) for c in claims)
        claims.append(judge(draft, finding, f"c{len(claims) + 1}", first))
    return claims, usage


def write_claims(
    question: str, answer: str, lang: str, session: Session
) -> tuple[list[ClaimDraft], Usage]:
    """Let the model take the answer apart."""
    usage = Usage()
    for _ in range(TRIES):
        try:
            turn = generate(
                session, claims_messages(question, answer, lang), output_schema=claims_schema()
            )
            usage += turn.usage
            return list(dict.fromkeys(parse_claims(turn.text))), usage
        except (MalformedOutput, ValueError):
            continue
    return [], usage


def labels(drafts: Sequence[ClaimDraft]) -> list[str]:
    """Every object that the claims name, once, for one pass of the detector."""
    named = (name for d in drafts if d.kind != "text" for name in (d.object, d.of) if name)
    return list(dict.fromkeys(named))


def weigh(draft: ClaimDraft, images: Sequence[Artifact], experts: Experts) -> Finding:
    """The finding over all pictures: something is there if one picture shows it, and absent
    only if none does."""
    findings = [check(draft, image, experts) for image in images]
    denies = draft.value.strip().lower() == "no"
    for wanted in (False, True) if denies else (True, False):
        for finding in findings:
            if finding.holds is wanted:
                return finding
    return CANNOT_TELL


def judge(draft: ClaimDraft, finding: Finding, id: str, first: int) -> Claim:
    """A finding as a verdict, with a piece of evidence a box; ``first`` were numbered before."""
    verdicts: dict[bool | None, Verdict] = {
        True: "supported",
        False: "contradicted",
        None: "unsupported",
    }
    # That something is absent is seen in the whole picture, not in a box of it.
    seen: Sequence[Box | None] = finding.boxes or ([] if finding.holds is None else [None])
    evidence = tuple(
        Evidence(
            id=f"e{first + i}",
            artifact=finding.artifact,
            tool=finding.tool,
            box=box,
            score=box.score if box else None,
        )
        for i, box in enumerate(seen, 1)
    )
    return Claim(
        **draft.model_dump(),
        id=id,
        text=draft.phrase(),
        verdict=verdicts[finding.holds],
        found=finding.found,
        evidence=evidence,
    )
