"""The one-line plan of a question's program: what to find, how to narrow it down, what to say."""

from __future__ import annotations

from collections.abc import Collection

from mllm.data.phrasing import capital, fill, phrasings
from mllm.data.programs import Calculate, Detect, Op, ReadText, Select, Step
from mllm.data.questions import Question


def plan_line(question: Question, present: Collection[str]) -> str:
    """The plan with the tools that are there. Nouns are those of the question."""
    words = phrasings(question.lang)["plan"]
    program = question.program
    if program.reading == "known":
        return str(words["direct"])
    if program.reading == "unknowable":
        return str(words["unknowable"])
    experts = {"detect": Detect, "read_text": ReadText}
    blind = [n for n, op in experts.items() if n not in present and _uses(question, op)]
    if blind:
        if "look" not in present:
            return str(words["direct"])
        parts = [words["look"]]
    else:
        parts = [_said(question, step) for step in program.steps]
        if program.reading in words:
            parts.append(fill(words[program.reading], {"value": _value(question)}))
    return capital(words["join"].join(parts) + words["end"])


def _said(question: Question, step: Step) -> str:
    """One step in a few words."""
    words = phrasings(question.lang)["plan"]
    between = {"en": " and ", "zh": "和"}[question.lang]
    op = step[0]
    if isinstance(op, Select):
        if op.pick:
            return fill(words["pick"], {"pick": question.words.get("pick", op.pick)})
        names = [question.said.get(o.label, "") if isinstance(o, Select) and o.label else ""
                 for o in step]
        return fill(words["select"], {"what": _kept(question, op, between.join(names))})
    if isinstance(op, Calculate):
        kind = "sum" if "+" in op.expression else "minus" if "-" in op.expression else "compare"
        return str(words[kind])
    return between.join(_sensed(question, o) for o in step)


def _sensed(question: Question, op: Op) -> str:
    words = phrasings(question.lang)["plan"]
    if isinstance(op, Detect):
        if not op.labels:
            return str(words["detect_all"])
        between = {"en": " and ", "zh": "和"}[question.lang]
        labels = between.join(question.said.get(name, name) for name in op.labels)
        return fill(words["detect"], {"labels": labels})
    return str(words["read_on"] if isinstance(op, ReadText) and op.on else words["read"])


def _kept(question: Question, op: Select, names: str) -> str:
    """``red cups left of laptop``, ``电脑左边的红色杯子``."""
    colors = phrasings(question.lang)["colors"]
    color = colors[op.color] if op.color else ""
    of = question.said.get(op.of, op.of) if op.of else ""
    if question.lang == "zh":
        place = f"{of}{phrasings('zh')['relations'][op.relation][0]}" if op.relation else ""
        if op.relation in ("larger than", "smaller than"):
            place = f"比{of}{'大' if op.relation == 'larger than' else '小'}"
        return "的".join(w for w in (place, color, names) if w)
    return " ".join(w for w in (color, names, op.relation or "", of or "") if w)


def _value(question: Question) -> str:
    return question.program.value


def _uses(question: Question, kind: type) -> bool:
    return any(isinstance(op, kind) for op in question.program.ops)
