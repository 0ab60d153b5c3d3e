"""Questions about a scene, with exact answers and the tool program that finds them.

    for question in questions(scene, seed=1):
        question.text, question.answer, question.program

A question is asked only when it has one answer: anchors ("the laptop") stand alone, centres are
at least ``MARGIN`` pixels apart, sizes differ by ``SIZE_RATIO``, colours are those that were
painted. The answer is the program's reading of the scene's true boxes.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mllm.content import Box
from mllm.data.asker import Asker, Draft
from mllm.data.lexicon import BY_NAME
from mllm.data.phrasing import Noun, carelessly, fill, phrasings, vary, with_article
from mllm.data.programs import Conclusion, Program, Value, World, conclude, run
from mllm.data.question_forms import FORMS
from mllm.data.scenes import Scene

FAMILIES = (
    "existence", "count", "attribute", "relation", "comparison", "text", "multi_step",
    "unanswerable",
)
UNANSWERABLE = "unanswerable"
CHINESE = 0.2
_TRIES = 12


@dataclass(frozen=True)
class Question:
    """A question and everything known about it.

    ``answer`` is the short gold: yes, no, a number, a colour, a category, left/right/above/below,
    a setting, a text, or ``unanswerable``. ``boxes`` justify it. ``form`` and ``words`` name the
    template and what fills its slots; ``said`` maps categories to the user's word for them.
    """

    text: str
    answer: str
    family: str
    lang: str
    program: Program
    boxes: tuple[Box, ...]
    choices: tuple[str, ...] | None
    form: str
    words: Mapping[str, str]
    nouns: Mapping[str, Noun]
    said: Mapping[str, str]
    many: bool  # asked in the plural ("any cups?")
    absent: str | None = None  # the false premise, if that is why there is no answer

    def say(self, conclusion: Conclusion | None = None) -> str:
        """The answer as a short sentence, the gold one or that of another conclusion."""
        return _say(self, conclusion or Conclusion(self.answer, self.absent))


def questions(
    scene: Scene,
    seed: int,
    *,
    held_out: bool = False,
    n: int = 6,
    lang: str | None = None,
    family: str | None = None,
) -> list[Question]:
    """Up to ``n`` different questions about a scene, a pure function of the arguments.

    ``held_out``: phrasings that training never shows. ``family`` and ``lang`` restrict what is
    asked; a scene may not allow a family (no sign, no text), then the list is shorter.
    Raises ``ValueError`` for an unknown family.
    """
    if family is not None and family not in FAMILIES:
        raise ValueError(f"unknown family {family!r}: use one of {', '.join(FAMILIES)}")
    rng = random.Random(f"questions/{seed}/{scene.seed}/{scene.index}/{held_out}/{family}/{lang}")
    asker = Asker(scene, rng)
    asked: dict[str, Question] = {}
    for _ in range(n * 4):
        if len(asked) == n:
            break
        asker.lang = lang or ("zh" if rng.random() < CHINESE else "en")
        found = _question(asker, held_out, family)
        if found is not None:
            asked.setdefault(found.text, found)
    return list(asked.values())


def _question(asker: Asker, held_out: bool, family: str | None) -> Question | None:
    rng = asker.rng
    family = family or rng.choice(FAMILIES)
    forms, weights = zip(*FORMS[family], strict=True)
    for _ in range(_TRIES):
        draft = rng.choices(forms, weights)[0](asker)
        if draft is not None:
            return _word(draft, asker, family, held_out)
    return None


def _word(draft: Draft, asker: Asker, family: str, held_out: bool) -> Question:
    rng, data, world = asker.rng, asker.data, asker.world
    key = "held_out" if held_out else "ask"
    words = dict(draft.words)
    if draft.form == "fact":
        template = rng.choice(data["facts"][key])
    else:
        template = vary(rng.choice(data["forms"][draft.form][key]), rng)
    plural = {slot for slot in draft.slots if f"{{{slot}s}}" in template.lower()}
    results = run(draft.program, world)
    gold = conclude(draft.program, results)
    text = fill(vary(rng.choice(data["wrap"][key]), rng), {"q": fill(template, words)})
    return Question(
        text=text if held_out else carelessly(text, rng),
        answer=gold.gold,
        family=family,
        lang=asker.lang,
        program=draft.program,
        boxes=_evidence(draft, world, results),
        choices=draft.program.options or None,
        form=draft.form,
        words=words,
        nouns={n.name: n for n in draft.slots.values()},
        said={n.name: n.many if slot in plural else n.one for slot, n in draft.slots.items()},
        many="x" in plural,
        absent=gold.absent,
    )


def _evidence(draft: Draft, world: World, results: Sequence[Value]) -> tuple[Box, ...]:
    """What the answer rests on: the last boxes that were kept, and the anchors."""
    last = results[-1] if results else ()
    names = {n.name for n in draft.slots.values()} if isinstance(last, str) else set()
    names |= set(draft.program.needs)
    kept = () if isinstance(last, str) else last
    return (*kept, *(b for b in world.objects if b.label in names and b not in kept))


def _say(question: Question, conclusion: Conclusion) -> str:
    data = phrasings(question.lang)
    words = dict(question.words)
    gold = conclusion.gold
    if gold == UNANSWERABLE:
        return _limits(question, conclusion.absent)
    answers = data["forms"][question.form]
    if gold in ("yes", "no"):
        form = f"{gold}_many" if question.many and f"{gold}_many" in answers else gold
        return fill(answers[form], words)
    form = {"0": "zero", "1": "one"}.get(gold, "value")
    words["value"] = _value(question, gold)
    words["a_value"] = with_article(words["value"])
    words["value_many"] = question.nouns[gold].many if gold in question.nouns else gold
    return fill(answers.get(form, answers["value"]), words)


def _value(question: Question, gold: str) -> str:
    """The short answer as it is said in the sentence."""
    reading, options = question.program.reading, question.program.options
    if reading == "side":
        return question.words["say_first" if gold == options[0] else "say_second"]
    if reading in ("name", "which"):
        if gold in question.nouns:
            return question.nouns[gold].one
        return BY_NAME[gold].zh if question.lang == "zh" else BY_NAME[gold].name
    if reading == "color":
        return str(phrasings(question.lang)["colors"].get(gold, gold))
    return gold


def _limits(question: Question, absent: str | None) -> str:
    answers = phrasings(question.lang)["answers"]
    if absent is None:
        return str(answers["cannot"])
    if absent == "text":
        return str(answers["absent_text"])
    thing = question.nouns.get(absent)
    return fill(answers["absent"], {"absent": thing.one if thing else absent})
