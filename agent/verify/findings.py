"""The findings on a claim from all pictures, and the verdict that they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.result import Claim, Evidence, Verdict
from agent.verify.checks import CANNOT_TELL, Finding, Weighed, check, denied
from agent.verify.validation import Experts
from agent.verify.words import kind
from mllm.claims import ClaimDraft
from mllm.content import Artifact, Box


def weigh_all(
    drafts: Sequence[ClaimDraft], images: Sequence[Artifact], experts: Experts
) -> Weighed:
    """The claims of a sentence, each with what was found of it. Of a thing of two colours only one
    is measured: another one that is claimed beside it cannot be told."""
    weighed = [(draft, weigh(draft, images, experts)) for draft in drafts]
    right = {_thing(d) for d, f in weighed if d.kind == "attribute" and f.holds}
    return [
        (d, replace(f, holds=None, instead=None, boxes=()))
        if d.kind == "attribute" and f.holds is False and f.boxes and _thing(d) in right
        else (d, f)
        for d, f in weighed
    ]


def weigh(draft: ClaimDraft, images: Sequence[Artifact], experts: Experts) -> Finding:
    """The finding over all pictures: something is there if one picture shows it, and absent
    only if none does or may. Against a claim speaks rather the picture that shows the thing; how
    the claim would hold is not known where such pictures differ."""
    findings = [check(draft, image, experts) for image in images]
    order = (False, None, True) if denied(draft) else (True, None, False)
    best = min(
        findings,
        key=lambda f: (order.index(f.holds), not f.boxes, not f.found),
        default=CANNOT_TELL,
    )
    ways = {f.instead for f in findings if f.holds is False and bool(f.boxes) == bool(best.boxes)}
    several = best.holds is False and len(ways) > 1
    return replace(best, instead=None, besides=None) if several else best


def _thing(draft: ClaimDraft) -> tuple[str, str, str]:
    return kind(draft.object), draft.relation, kind(draft.of)


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
