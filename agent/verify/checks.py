"""Stage 4, visual claims: what the experts' answers say of each kind of claim (Woodpecker, arXiv
2310.16045, section 3.4): does it hold in a picture, what was found instead, on which boxes.

A check answers with a ``Finding``. Its ``holds`` is True or False where an expert could tell,
and None where none could: a claim that cannot be checked is never taken for a true one. A claim
that would hold with what the detector saw but is not sure of is not contradicted, nor one that
something is not there by boxes that are hardly likely.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, product
from typing import TypeAlias, get_args

from agent.verify.questions import look, needs_look
from agent.verify.validation import Experts
from agent.verify.words import color_word, forms, legible, numbered
from mllm.claims import ClaimDraft, ClaimKind
from mllm.content import Artifact, Box
from mllm.evaluation.yes_no import parse_yes_no
from mllm.geometry import RELATIONS, Relation, relate
from mllm.wording import stands_in
from tools.color import color_term
from tools.select import fits

LIKELY = 0.35
"""Least score of a box that speaks against a claim that there is no such thing."""

POSSIBLE = 0.1
"""Least score of a box by which a thing may be there at all."""

_MORE: dict[str, Callable[[int, int], bool]] = {
    "more than": lambda a, b: a > b,
    "fewer than": lambda a, b: a < b,
    "as many as": lambda a, b: a == b,
}
_OPPOSITES: dict[str, Relation] = {
    "left of": "right of", "right of": "left of", "above": "below", "below": "above",
    "larger than": "smaller than", "smaller than": "larger than",
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """``found`` says in a few words what ``tool`` saw in ``artifact``; ``boxes`` shows it.
    ``instead`` is how a claim that does not hold would, where the experts can tell, and ``besides``
    what is there of what it says: the hat of which there is no orange one."""

    holds: bool | None
    found: str
    tool: str = ""
    boxes: tuple[Box, ...] = ()
    artifact: str = ""
    instead: ClaimDraft | None = None
    besides: ClaimDraft | None = None


CANNOT_TELL = Finding(None, "")

Weighed: TypeAlias = Sequence[tuple[ClaimDraft, Finding]]
"""Claims, of a sentence for instance, each with what was found of it."""


def check(draft: ClaimDraft, image: Artifact, experts: Experts) -> Finding:
    """The finding of the experts on ``draft`` in ``image``."""
    if bool(draft.relation) != bool(draft.of):
        return CANNOT_TELL
    if draft.relation in _MORE and draft.kind != "relation":
        return CANNOT_TELL
    return replace(_CHECKS[draft.kind](draft, image, experts), artifact=image.id)


def _existence(draft: ClaimDraft, image: Artifact, experts: Experts) -> Finding:
    boxes = _described(draft, image, experts)
    if boxes is None:
        return CANNOT_TELL
    found = f"{len(boxes)} {_thing(draft)}"
    if unclear := _unclear(draft, boxes, found, image, experts):
        return unclear
    finding = _yes_no(draft, bool(boxes), found, boxes)
    one, many = forms(draft.object)
    if finding.holds is False and boxes and draft.object.lower() == many != one:
        # "There are no cups": how many there are is the answer to that.
        number = {"value": str(len(boxes)), "object": numbered(draft.object, len(boxes))}
        return replace(finding, instead=_changed(draft, kind="count", **number))
    if finding.holds is False and not boxes and draft.color and not draft.relation:
        return _of_another_color(draft, finding, experts.objects(image, draft.object) or ())
    return finding


def _of_another_color(draft: ClaimDraft, finding: Finding, boxes: tuple[Box, ...]) -> Finding:
    """The finding on a thing of which there are none of that colour, but some of another one."""
    colors = {b.color or "" for b in boxes}
    if len(colors) != 1 or "" in colors:
        return finding
    color = color_word(min(colors), draft.color)
    there = _changed(draft, color=color, object=numbered(draft.object, len(boxes)))
    return replace(finding, boxes=boxes, besides=there)


def _count(draft: ClaimDraft, image: Artifact, experts: Experts) -> Finding:
    boxes = _described(draft, image, experts)
    if boxes is None or not draft.value.strip().isdecimal():
        return CANNOT_TELL
    there = len(boxes)
    if there == int(draft.value):
        return Finding(True, f"{there} {_thing(draft)}", "detect", boxes)
    if int(draft.value) == 0 and _hardly(boxes):
        return Finding(None, f"perhaps {there} {_thing(draft)}", "detect")
    most = len(_perhaps(draft, image, experts))
    if there < int(draft.value) <= most:
        return Finding(None, f"{there} {_thing(draft)}, perhaps {most}", "detect")
    true = _changed(draft, value=str(there), object=numbered(draft.object, there))
    return Finding(False, f"{there} {_thing(draft)}", "detect", boxes, instead=true)


def _attribute(draft: ClaimDraft, image: Artifact, experts: Experts) -> Finding:
    boxes = _described(draft, image, experts)
    if boxes is None:
        return CANNOT_TELL
    if not boxes and (more := _perhaps(draft, image, experts)):
        return Finding(None, f"no {_thing(draft)}, perhaps {len(more)}", "detect")
    if not boxes:
        absent = _changed(draft, kind="existence", value="no")
        return Finding(False, f"no {_thing(draft)}", "detect", instead=absent)
    if needs_look(draft):
        return _seen(draft, image, experts, boxes)
    colors = sorted({b.color for b in boxes if b.color})
    found = ", ".join(colors) or "no colour"
    if right := tuple(b for b in boxes if fits(b, None, draft.value)):
        one, many = forms(draft.object)
        if len(right) < len(boxes) and draft.object.lower() == many != one:  # "The cups are red."
            return Finding(None, found, "detect")
        return Finding(True, found, "detect", right)
    word = color_word(colors[0], draft.value) if len(colors) == 1 else ""
    true = _changed(draft, value=word) if word else None
    return Finding(False, found, "detect", boxes, instead=true)


def _relation(draft: ClaimDraft, image: Artifact, experts: Experts) -> Finding:
    if draft.relation in _MORE:
        return _numbers(draft, image, experts)
    boxes = _described(draft, image, experts)
    others = experts.objects(image, draft.of)
    if boxes is None or others is None or draft.relation not in RELATIONS:
        return CANNOT_TELL
    found = f"{len(boxes)} {_thing(draft)}"
    if unclear := _unclear(draft, boxes, found, image, experts):
        return unclear
    # Where nothing stands so, its place is shown all the same.
    shown = boxes or experts.objects(image, draft.object) or ()
    finding = _yes_no(draft, bool(boxes), found, shown + others)
    opposite = _OPPOSITES.get(draft.relation)
    if finding.holds is False and not boxes and opposite:
        other = _changed(draft, relation=opposite)
        if _described(other, image, experts):
            return replace(finding, instead=other)
    return finding


def _numbers(draft: ClaimDraft, image: Artifact, experts: Experts) -> Finding:
    mine, others = experts.objects(image, draft.object), experts.objects(image, draft.of)
    if mine is None or others is None:
        return CANNOT_TELL
    numbers = len(mine), len(others)
    found = f"{len(mine)} {draft.object}, {len(others)} {draft.of}"
    finding = _yes_no(draft, _MORE[draft.relation](*numbers), found, mine + others)
    perhaps = [len(experts.unsure(image, label)) for label in (draft.object, draft.of)]
    possible = product(*(range(n, n + more + 1) for n, more in zip(numbers, perhaps, strict=True)))
    if finding.holds is False and any(
        _MORE[draft.relation](a, b) is not denied(draft) for a, b in possible
    ):
        return Finding(None, f"{found}, perhaps {perhaps[0]} and {perhaps[1]} more", "detect")
    if finding.instead is not None and finding.instead.value == "no":
        true = next(name for name, holds in _MORE.items() if holds(*numbers))
        return replace(finding, instead=_changed(draft, relation=true))
    return finding


def _text(draft: ClaimDraft, image: Artifact, experts: Experts) -> Finding:
    lines = experts.lines(image)
    if lines is None:
        return CANNOT_TELL
    # What stands beside a sign is not what the sign says. Where no such object is known, as on a
    # page, all lines are one text.
    texts, true = [lines], None
    if experts.objects(image, draft.object):
        things = _described(draft, image, experts)
        if things is None:
            return CANNOT_TELL
        texts = [tuple(b for b in lines if _on(b, thing)) for thing in things]
        if len(texts) == 1 and texts[0]:
            true = _changed(draft, value=_joined(texts[0]))
    found = "; ".join(f'"{_joined(some)}"' for some in texts if some) or "no text"
    said = legible(draft.value)
    for some in texts:
        if stands_in(said, legible(_joined(some))):
            return Finding(True, found, "read_text", some)
    return Finding(False, found, "read_text", tuple(chain(*texts)), instead=true)


def _joined(lines: Sequence[Box]) -> str:
    return " ".join(b.text or "" for b in lines)


def _on(line: Box, thing: Box) -> bool:
    x, y = line.center
    return thing.x0 <= x <= thing.x1 and thing.y0 <= y <= thing.y1


def _seen(draft: ClaimDraft, image: Artifact, experts: Experts, boxes: tuple[Box, ...]) -> Finding:
    reply = experts.seen(image, look(draft))
    said = parse_yes_no(reply or "")
    if reply is None or said is None:
        return CANNOT_TELL
    return Finding(said == "yes", reply, "look", boxes)


def _described(draft: ClaimDraft, image: Artifact, experts: Experts) -> tuple[Box, ...] | None:
    """The boxes that the claim speaks of: its object, narrowed down by colour and relation. None
    where that takes a word that nobody knows, a shade of a colour for instance."""
    boxes, anchors = experts.objects(image, draft.object), experts.objects(image, draft.of)
    if boxes is None or (anchors is None and draft.relation in RELATIONS):
        return None
    if draft.color and color_term(draft.color) is None:
        return None
    return _narrowed(draft, boxes, anchors or ())


def _perhaps(draft: ClaimDraft, image: Artifact, experts: Experts) -> tuple[Box, ...]:
    """The same, were all that the detector is not sure of there too. That such a thing is there at
    all, where none is sure, takes likelier boxes than what is said of one."""
    boxes, anchors = (
        (experts.objects(image, label) or ()) + experts.unsure(image, label)
        for label in (draft.object, draft.of)
    )
    bare = draft.kind in ("existence", "count") and not (draft.color or draft.relation)
    if bare and not experts.objects(image, draft.object):
        boxes = tuple(b for b in boxes if b.score is None or b.score >= POSSIBLE)
    return _narrowed(draft, boxes, anchors)


def _narrowed(
    draft: ClaimDraft, boxes: tuple[Box, ...], anchors: tuple[Box, ...]
) -> tuple[Box, ...]:
    if draft.color:
        boxes = tuple(b for b in boxes if fits(b, None, draft.color))
    relation: Relation | None = next((r for r in RELATIONS if r == draft.relation), None)
    return boxes if relation is None else relate(boxes, relation, anchors)


def _unclear(
    draft: ClaimDraft, boxes: tuple[Box, ...], found: str, image: Artifact, experts: Experts
) -> Finding | None:
    """The finding where the detector is not sure enough to speak against the claim."""
    if denied(draft):
        return Finding(None, f"perhaps {found}", "detect") if _hardly(boxes) else None
    more = () if boxes else _perhaps(draft, image, experts)
    return Finding(None, f"{found}, perhaps {len(more)}", "detect") if more else None


def _hardly(boxes: Sequence[Box]) -> bool:
    """Whether there are boxes, but none that is likely."""
    return bool(boxes) and all(b.score is not None and b.score < LIKELY for b in boxes)


def denied(draft: ClaimDraft) -> bool:
    """Whether the claim says that something is not so."""
    return draft.value.strip().lower() == ("0" if draft.kind == "count" else "no")


def _yes_no(draft: ClaimDraft, truth: bool, found: str, boxes: tuple[Box, ...]) -> Finding:
    value = draft.value.strip().lower()
    if value not in ("yes", "no"):
        return CANNOT_TELL
    if truth == (value == "yes"):
        return Finding(True, found, "detect", boxes)
    true = _changed(draft, value="yes" if truth else "no")
    return Finding(False, found, "detect", boxes, instead=true)


def _changed(draft: ClaimDraft, **update: str) -> ClaimDraft:
    return draft.model_copy(update=update)


def _thing(draft: ClaimDraft) -> str:
    return " ".join(w for w in (draft.color, draft.object, draft.relation, draft.of) if w)


_CHECKS: dict[ClaimKind, Callable[[ClaimDraft, Artifact, Experts], Finding]] = {
    "existence": _existence,
    "count": _count,
    "attribute": _attribute,
    "relation": _relation,
    "text": _text,
}
assert set(_CHECKS) == set(get_args(ClaimKind))
