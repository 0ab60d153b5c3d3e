"""Traces are what a careful run gives: replayed on the real exact tools they come out the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from mllm.content import Artifact, Boxes, Text
from mllm.data.lexicon import normalize
from mllm.data.oracle import Chances, trace
from mllm.data.questions import Question, questions
from mllm.data.scenes import Scene, sample_scene
from mllm.data.schemas import randomise
from mllm.episode import Episode, messages
from prompts import render
from tests.mllm.data.specs import TOOLS, fits
from tools.calculate import Calculate
from tools.select import Select

CALM = Chances(
    fails_once=0, fails_again=0, contradicted=0, planless=0, noteless=0, tight=0
)
SAMPLES = [
    (question, scene)
    for i in range(24)
    for scene in [sample_scene(31, i)]
    for question in questions(scene, 31, n=6)
]


def picture(scene: Scene) -> Artifact:
    return Artifact(
        id="img1", kind="image", sha256="0", mime="image/png", width=scene.width,
        height=scene.height,
    )


def traced(
    question: Question,
    scene: Scene,
    chances: Chances = CALM,
    tools: list[Any] = TOOLS,
    seed: int = 0,
) -> Episode:
    return trace(
        question, scene, tools, random.Random(seed), artifact=picture(scene), chances=chances
    )


def steps(episode: Episode) -> Iterator[tuple[Any, Any]]:
    for step in episode.steps:
        yield from zip(step.calls, step.results, strict=True)


def test_exact_steps_agree_with_the_real_tools() -> None:
    checked = {"select": 0, "calculate": 0}
    for question, scene in SAMPLES:
        seen: dict[str, Boxes] = {}
        context: Any = SimpleNamespace(boxes=seen.__getitem__)
        for call, result in steps(traced(question, scene)):
            (part,) = result.content
            if call.name == "select":
                (real,) = Select().call(call.arguments, context)
                assert isinstance(real, Boxes) and real.boxes == part.boxes, question.text
                assert real.model_copy(update={"id": part.id}).words() == part.words()
                checked["select"] += 1
            if call.name == "calculate":
                assert Calculate().call(call.arguments, context) == (part,), question.text
                checked["calculate"] += 1
            if isinstance(part, Boxes):
                seen[part.id] = part
    assert min(checked.values()) > 15


def test_calls_fit_the_schemas_and_name_what_the_user_named() -> None:
    for question, scene in SAMPLES:
        for call, _ in steps(traced(question, scene)):
            assert fits(call, TOOLS)
            for label in call.arguments.get("labels", []):
                assert label.lower() in question.text.lower()
                assert normalize(label) in question.nouns


def test_with_faultless_experts_most_answers_are_the_gold_one() -> None:
    same = [traced(q, s).answer == q.say() for q, s in SAMPLES]
    assert sum(same) > 0.85 * len(same)


def test_one_form_of_question_always_gives_one_program() -> None:
    programs: dict[str, list[tuple[str, ...]]] = {
        "exists": [("detect",), ("detect", "select")],  # of any, of one colour
        "more": [("detect", "calculate")],
        "total": [("detect", "calculate")],
        "largest": [("detect", "select")],
        "count_rel": [("detect", "select")],
    }
    for question, scene in SAMPLES:
        if question.form in programs:
            names = tuple(call.name for call, _ in steps(traced(question, scene)))
            right = programs[question.form]
            assert names in right or (names == ("detect",) and question.answer != "yes")


def test_a_failed_call_is_made_again_and_then_replaced() -> None:
    question, scene = next((q, s) for q, s in SAMPLES if q.form == "exists")
    once = traced(question, scene, Chances(fails_once=1, fails_again=0, contradicted=0, tight=0))
    calls = list(steps(once))
    assert calls[0][1].error and not calls[1][1].error
    assert calls[0][0].arguments == calls[1][0].arguments
    twice = traced(question, scene, Chances(fails_once=1, fails_again=1, contradicted=0, tight=0))
    assert [c.name for c, _ in steps(twice)][:3] == ["detect", "detect", "look"]
    assert twice.answer == question.say()


def test_a_budget_that_ends_is_obeyed() -> None:
    ended = 0
    for seed, (question, scene) in enumerate(SAMPLES):
        episode = traced(
            question, scene, Chances(tight=1, fails_once=0, contradicted=0), seed=seed
        )
        notes = [episode.note, *(s.note for s in episode.steps)]
        left = [render("budget", question.lang, steps=n) for n in range(30)]
        numbers = [left.index(n) for n in notes]
        assert numbers == list(range(numbers[0], numbers[0] - len(numbers), -1))
        ended += numbers[-1] == 0
    assert ended > 20


def test_missing_experts_are_replaced_by_looking_or_admitted() -> None:
    scenes = (sample_scene(31, i) for i in range(100))
    question, scene = next(
        (q, s) for s in scenes for q in questions(s, 1, family="text", n=2) if q.form == "says"
    )
    looking = traced(question, scene, tools=[t for t in TOOLS if t.name != "read_text"])
    assert [c.name for c, _ in steps(looking)] == ["look"]
    neither = [t for t in TOOLS if t.name not in ("read_text", "look")]
    blind = traced(question, scene, tools=neither)
    assert not blind.steps and question.answer not in (blind.answer or "")


def test_a_contradiction_is_told_and_corrected() -> None:
    question, scene = next((q, s) for q, s in SAMPLES if q.form == "count" and q.lang == "en")
    episode = traced(question, scene, Chances(contradicted=1, fails_once=0, tight=0))
    slip = episode.steps[-1]
    assert not slip.calls and slip.thought != episode.answer
    assert "Check failed" in slip.note and question.answer in slip.note
    assert episode.answer == question.say()


def test_questions_that_need_no_tool_get_none() -> None:
    found = [(q, s) for q, s in SAMPLES if q.form in ("setting", "is_setting", "fact")]
    assert found
    for question, scene in found:
        assert traced(question, scene).steps == ()


@pytest.mark.parametrize("held_out", [False, True])
def test_renamed_tools_are_called_by_their_new_names(held_out: bool) -> None:
    renamed = 0
    for seed, (question, scene) in enumerate(SAMPLES[:60]):
        rng = random.Random(seed)
        specs, mapping = randomise(TOOLS, rng, held_out=held_out)
        assert len({s.name for s in specs}) == len(specs)
        episode = trace(
            question, scene, specs, rng, artifact=picture(scene), mapping=mapping, chances=CALM
        )
        for call, result in steps(episode):
            assert fits(call, specs) and result.name == call.name
            renamed += call.name not in {t.name for t in TOOLS}
    assert renamed > 20


def test_words_kept_for_evaluation_are_never_used_in_training() -> None:
    def words(held_out: bool) -> set[str]:
        own = {t.name for t in TOOLS} | {a for t in TOOLS for a in t.parameters["properties"]}
        found = set()
        for seed in range(150):
            specs, _ = randomise(TOOLS, random.Random(seed), held_out=held_out)
            found |= {w for s in specs for w in (s.name, *s.parameters["properties"])}
        return {w for w in found - own if "_" in w}  # others may be random letters

    assert words(False) and words(True)
    assert not words(False) & words(True)


def test_the_conversation_is_that_of_a_live_run() -> None:
    scene = sample_scene(3, 4)
    question = questions(scene, 1, family="count", lang="en")[0]
    said = messages(traced(question, scene))
    assert [m.role for m in said[:6]] == [
        "system", "user", "user", "assistant", "user", "assistant",
    ]
    assert said[1].content[-1] == Text(text=f"{question.text}\n{traced(question, scene).note}")
    last = said[-3].content[0]  # before what the loop says of the budget
    assert isinstance(last, Boxes)
    assert said[-1].words() == f"<think>{last.told()}</think>{traced(question, scene).answer}"
