"""The findings on a claim from all pictures, and the verdict that they make."""

from __future__ import annotations

from collections.abc import Sequence

from agent.result import Claim, Evidence, Verdict
from agent.verify.checks import CANNOT_TELL, Finding, check, denied
from agent.verify.validation import Experts
from mllm.claims import ClaimDraft
from mllm.content import Artifact, Box


def weigh(draft: ClaimDraft, images: Sequence[Artifact], experts: Experts) -> Finding:
    """The finding over all pictures: something is there if one picture shows it, and absent
    only if none does or may."""
    findings = [check(draft, image, experts) for image in images]
    order = (False, None, True) if denied(draft) else (True, None, False)
    return min(findings, key=lambda f: (order.index(f.holds), not f.found), default=CANNOT_TELL)


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
