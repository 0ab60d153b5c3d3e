"""What the answer to a generated question claims, and answers that claim something wrong."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass

from mllm.claims import ClaimDraft, ClaimKind, ClaimRelation
from mllm.data.asker import COLORS
from mllm.data.lexicon import BY_NAME
from mllm.data.phrasing import phrasings
from mllm.data.programs import Conclusion, Select
from mllm.data.questions import UNANSWERABLE, Question
from mllm.data.signs import sign_text
from mllm.geometry import Relation

_BY_PICK: dict[str, Relation] = {
    "largest": "larger than", "smallest": "smaller than", "leftmost": "left of",
    "rightmost": "right of", "topmost": "above", "bottommost": "below",
}
_SIDES: dict[str, ClaimRelation] = {
    "left": "left of", "right": "right of", "above": "above", "below": "below",
}
_NUMBERS: dict[str, ClaimRelation] = {
    "more": "more than", "fewer": "fewer than", "same": "as many as",
}


def drafts(
    question: Question, conclusion: Conclusion | None = None, sentence: str = ""
) -> list[ClaimDraft]:
    """The claims of ``question.say(conclusion)``, the gold answer by default.

    Objects and colours are named as in the answer, or as in ``sentence``; numbers, yes and no are
    as experts say them. What no claim can express (sums, missing words) is left out.
    """
    sentence = sentence or question.say(conclusion)
    return [_in_words_of(sentence, draft, question) for draft in _drafts(question, conclusion)]


def _in_words_of(sentence: str, draft: ClaimDraft, question: Question) -> ClaimDraft:
    """The draft with its objects in the singular or plural that the sentence has."""
    forms = {question.said[n]: noun for n, noun in question.nouns.items() if n in question.said}
    update = {}
    for slot in ("object", "of"):
        said = getattr(draft, slot)
        if (noun := forms.get(said)) is not None:
            both = sorted({noun.one, noun.many}, key=len, reverse=True)
            update[slot] = next((form for form in both if form in sentence), said)
    return draft.model_copy(update=update)


def _drafts(question: Question, conclusion: Conclusion | None) -> list[ClaimDraft]:
    c = conclusion or Conclusion(question.answer, question.absent)
    if c.gold == UNANSWERABLE:
        if c.absent in question.nouns:
            return [_claim(question, "existence", c.absent or "", value="no")]
        return []
    kind = question.form
    if kind in ("exists", "exists_rel", "rel", "larger"):
        relation = _select(question).relation
        return [_asked(question, "relation" if relation else "existence", c.gold)]
    if kind in ("count", "count_rel"):
        # "There are no cups." says the same whoever asks.
        denied = c.gold == "0"
        return [_asked(question, "existence" if denied else "count", "no" if denied else c.gold)]
    if kind in ("color", "pick_color"):
        return [_asked(question, "attribute", _hue(question, c.gold))]
    if kind == "is_color":
        value = _hue(question, question.program.value)
        if c.gold == "yes":
            return [_asked(question, "attribute", value).model_copy(update={"color": ""})]
        return [_asked(question, "existence", "no")]
    if kind == "side":
        return [_side(question, c.gold)]
    if kind in _NUMBERS:
        x, y = _pair(question)
        return [_claim(question, "relation", x, relation=_NUMBERS[kind], of=y, value=c.gold)]
    if kind in ("which_more", "which_pick"):
        x, y = _pair(question)
        first, second = (x, y) if c.gold == x else (y, x)
        pick = _select(question).pick
        relation_: ClaimRelation = _BY_PICK[pick] if pick else "more than"
        return [_claim(question, "relation", first, relation=relation_, of=second, value="yes")]
    if kind == "difference":
        x, y = _pair(question)
        relation_ = "as many as" if c.gold == "0" else "more than"
        return [_claim(question, "relation", x, relation=relation_, of=y, value="yes")]
    if kind == "largest":
        return [ClaimDraft(kind="existence", object=_named(question, c.gold), value="yes")]
    return _of_text(question, c.gold)


def _of_text(question: Question, gold: str) -> list[ClaimDraft]:
    """Claims of text, of what is written and of the setting."""
    kind = question.form
    sign = _named(question, "sign") if "sign" in question.nouns else _usual(question, "sign")
    if kind in ("says", "says_x"):
        return [ClaimDraft(kind="text", object=sign, value=gold)]
    if kind == "is_text" and gold == "yes":
        return [ClaimDraft(kind="text", object=sign, value=question.program.value)]
    if kind == "both" and gold == "yes":
        x = next(iter(question.nouns))
        text = ClaimDraft(kind="text", object=sign, value=question.program.value)
        return [_claim(question, "existence", x, value="yes"), text]
    return []


@dataclass(frozen=True)
class Slip:
    """A wrong answer, what it claims and what a check finds instead, in words; ``truth`` is the
    claim as it would be true, "" where that is another kind of claim."""

    said: str
    claim: str
    found: str
    truth: str


def slip(question: Question, rng: random.Random) -> Slip | None:
    """An answer that misreads what the tools said, as the verifier would catch it."""
    wrong = misread(question, rng)
    if wrong is None:
        return None
    claimed = drafts(question, wrong)
    right = drafts(question)
    if not claimed or not right:
        return None
    claim = claimed[0]
    things = " ".join(w for w in (claim.color, claim.object, claim.relation, claim.of) if w)
    if claim.kind == "count":
        found = f"{question.answer} {things}"
    elif claim.kind == "attribute":
        found = question.answer if question.answer in COLORS else ""
    elif claim.kind == "text":
        found = f'"{question.answer}"'
    elif claim.relation in _NUMBERS.values():
        counts = Counter(_named(question, box.label or "") for box in question.boxes)
        found = ", ".join(f"{counts[name]} {name}" for name in (claim.object, claim.of))
    else:
        found = f"{'0' if claim.value == 'yes' else '1'} {things}"
    if not found:
        return None
    return Slip(question.say(wrong), claim.phrase(), found, _truth(question, claim, right[0]))


def _truth(question: Question, claim: ClaimDraft, right: ClaimDraft) -> str:
    """The claim with what is true in place of what is not."""
    if claim.kind == "count" and question.answer.isdigit():
        forms = {n.one: n for n in question.nouns.values()} | {
            n.many: n for n in question.nouns.values()
        }
        noun = forms.get(claim.object)
        named = (noun.one if question.answer == "1" else noun.many) if noun else claim.object
        return claim.model_copy(update={"object": named, "value": question.answer}).phrase()
    if claim.relation in _NUMBERS.values():
        counts = Counter(_named(question, box.label or "") for box in question.boxes)
        a, b = counts[claim.object], counts[claim.of]
        relation = _NUMBERS["more" if a > b else "fewer" if a < b else "same"]
        return claim.model_copy(update={"relation": relation, "value": "yes"}).phrase()
    if (right.kind, right.object, right.of) == (claim.kind, claim.object, claim.of):
        return right.phrase()
    if question.form in ("count", "count_rel") or claim.value not in ("yes", "no"):
        return ""
    return claim.model_copy(update={"value": "no" if claim.value == "yes" else "yes"}).phrase()


def short(question: Question, rng: random.Random, conclusion: Conclusion | None = None) -> str:
    """The answer in one word, as many models give it; "" where one word does not do."""
    gold = (conclusion or Conclusion(question.answer, question.absent)).gold
    if gold in ("yes", "no"):
        return str(rng.choice(phrasings(question.lang)["bare"][gold]))
    if gold.isdigit() or (gold in COLORS and question.form in ("color", "pick_color")):
        return _hue(question, gold) + rng.choice(("", "", ".", "。"[: question.lang == "zh"]))
    return gold if question.form in ("says", "says_x") and gold != UNANSWERABLE else ""


def statement(answer: str) -> str:
    """An answer as it would stand in a description: without the yes or no in front."""
    bare = _YES_NO.sub("", answer)
    return bare[:1].upper() + bare[1:]


_YES_NO = re.compile(r"^(Yes|No), |^(是的|不|有|没有)，")


def misread(question: Question, rng: random.Random) -> Conclusion | None:
    """Another conclusion than the gold one, of the same kind; None where there is no near one."""
    gold = question.answer
    if gold in ("yes", "no"):
        return Conclusion("no" if gold == "yes" else "yes")
    if gold.isdigit() and question.form in ("count", "count_rel", "total", "difference"):
        return Conclusion(str(max(0, int(gold) + rng.choice((-2, -1, 1, 1, 2)))))
    if gold in COLORS and question.form in ("color", "pick_color"):
        return Conclusion(rng.choice([c for c in COLORS if c != gold]))
    if question.program.options:
        others = [o for o in question.program.options if o != gold]
        return Conclusion(others[0]) if gold != UNANSWERABLE and others else None
    if question.form in ("says", "says_x") and gold != UNANSWERABLE:
        return Conclusion(sign_text(rng))
    return None


def _asked(question: Question, kind: ClaimKind, value: str) -> ClaimDraft:
    """A claim of just the object that the question is about, with its colour and place."""
    select = _select(question)
    name = select.label or next(iter(question.nouns))
    return _claim(
        question, kind, name, color=_hue(question, select.color or ""),
        relation=select.relation or "", of=select.of or "", value=value,
    )


def _claim(
    question: Question, kind: ClaimKind, name: str, *, color: str = "",
    relation: ClaimRelation = "", of: str = "", value: str,
) -> ClaimDraft:
    return ClaimDraft(
        kind=kind, object=_named(question, name), color=color, relation=relation,
        of=_named(question, of) if of else "", value=value,
    )


def _side(question: Question, gold: str) -> ClaimDraft:
    x, y = _pair(question)
    return _claim(question, "relation", x, relation=_SIDES[gold], of=y, value="yes")


def _pair(question: Question) -> tuple[str, str]:
    x, y, *_ = question.nouns
    return x, y


def _select(question: Question) -> Select:
    """The narrowing of the question's program, or none."""
    found = [op for op in question.program.ops if isinstance(op, Select)]
    return found[0] if found else Select()


def _hue(question: Question, color: str) -> str:
    return str(phrasings(question.lang)["colors"].get(color, color))


def _named(question: Question, name: str) -> str:
    if name in question.said:
        return question.said[name]
    return _usual(question, name)


def _usual(question: Question, name: str) -> str:
    if name not in BY_NAME:
        return name
    return BY_NAME[name].zh if question.lang == "zh" else name
