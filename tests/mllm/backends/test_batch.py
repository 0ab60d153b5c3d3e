"""Several prompts at once come out as they do one at a time, whatever the backend makes of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from mllm.backends import load
from mllm.backends.local import Local
from mllm.backends.protocol import MalformedOutput, ModelError, attempt, generate_many
from mllm.backends.scripted import Scripted
from mllm.claims import claims_messages, claims_schema
from mllm.content import Message, Turn
from tests.mllm.backends.conftest import Pictures, say
from tests.mllm.backends.test_langchain import Endpoint

SHAPES: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"kind": {"enum": ["count", "colour"]}, "value": {"enum": ["1", "red one"]}},
        "required": ["kind", "value"],
    },
    "maxItems": 3,
}
QUESTIONS = (
    "How many cups?",
    "几个杯子？",
    "Is there a red cup, left of the laptop and above the table?",
    "Why?",
)
SAID = (
    "Two cups stand left of the laptop.",
    'The sign says "EXIT 28".',
    "There are more red cars than pigs, and no dog.",
    "What a day!",
)


def about(*first: Any) -> list[list[Message]]:
    """Conversations that begin alike."""
    return [[say("user", *first, f"Tell me. {question}")] for question in QUESTIONS]


def one_by_one(
    backend: Local, pictures: Pictures, prompts: Sequence[Sequence[Message]], **how: Any
) -> list[Turn | MalformedOutput]:
    session = backend.session(pictures)
    return [attempt(session, messages, **how) for messages in prompts]


def together(
    backend: Local, pictures: Pictures, prompts: Sequence[Sequence[Message]], **how: Any
) -> list[Turn | MalformedOutput]:
    return generate_many(backend.session(pictures), prompts, **how)


def told(replies: Sequence[Turn | MalformedOutput]) -> list[tuple[Any, ...]]:
    """What must be the same: all but how many tokens were cached."""
    return [
        (r.text, r.truncated, r.usage.input, r.usage.output)
        if isinstance(r, Turn)
        else (r.text, str(r))
        for r in replies
    ]


@contextmanager
def row_counts(backend: Local) -> Iterator[list[int]]:
    """How many rows each forward has."""
    counts: list[int] = []
    hook = backend.parts()[0].model.register_forward_pre_hook(
        lambda _, __, given: counts.append(len(given["input_ids"])), with_kwargs=True
    )
    try:
        yield counts
    finally:
        hook.remove()


@pytest.mark.parametrize("name", ["qwen3_vl", "llava", "internvl", "nano", "gemma3"])
def test_a_batch_is_what_one_prompt_at_a_time_gives(
    name: str, tiny_folders: dict[str, Path], pictures: Pictures
) -> None:
    backend = Local(str(tiny_folders[name]))
    shared = about(pictures.add("img1", 7))
    apart = [[say("user", pictures.add(f"img{i}", i), "What?")] for i in (1, 2)]
    for prompts in (shared, about(), apart):
        for schema in (None, SHAPES):
            how: dict[str, Any] = {"output_schema": schema, "max_tokens": 24}
            with row_counts(backend) as rows:
                batch = together(backend, pictures, prompts, **how)
            assert told(batch) == told(one_by_one(backend, pictures, prompts, **how))
            # Windows that slide count padding, and pictures have to stand in the common part.
            alone = name == "gemma3" or prompts is apart
            assert max(rows) == (1 if alone else len(prompts))


def test_nano_takes_sentences_apart_together_as_it_does_one_by_one(pictures: Pictures) -> None:
    backend = load("nano")
    assert isinstance(backend, Local)
    prompts = [claims_messages("", sentence, "en") for sentence in SAID]
    how: dict[str, Any] = {"output_schema": claims_schema(), "max_tokens": 128}
    alone = told(one_by_one(backend, pictures, prompts, **how))
    session = backend.session(pictures)
    assert told(generate_many(session, prompts, **how)) == alone
    # With a beginning that the session knows, in another order, and with one of another language.
    prompts = [*prompts[::-1], claims_messages("", "图中有两辆红色的车。", "zh")]
    assert told(generate_many(session, prompts, **how)[:-1]) == alone[::-1]


def test_a_row_that_is_cut_off_costs_only_itself(
    tiny_folders: dict[str, Path], pictures: Pictures
) -> None:
    backend = Local(str(tiny_folders["qwen3_vl"]))
    prompts = [[say("user", f"Tell me of cup {i}.")] for i in range(12)]
    how: dict[str, Any] = {"output_schema": SHAPES, "max_tokens": 16}
    replies = together(backend, pictures, prompts, **how)
    assert {type(reply) for reply in replies} == {Turn, MalformedOutput}
    assert told(replies) == told(one_by_one(backend, pictures, prompts, **how))
    for reply in replies:
        if isinstance(reply, Turn):
            json.loads(reply.text)


def test_what_rows_share_is_read_once(tiny_folders: dict[str, Path], pictures: Pictures) -> None:
    session = Local(str(tiny_folders["llava"])).session(pictures)
    for known in (False, True):
        first, *others = generate_many(session, about(), max_tokens=4)
        assert isinstance(first, Turn) and bool(first.usage.cached) == known
        assert all(isinstance(t, Turn) and t.usage.cached > 10 for t in others)


def test_tokens_that_are_drawn_come_as_they_would_one_by_one(
    tiny_folders: dict[str, Path], pictures: Pictures
) -> None:
    backend = Local(str(tiny_folders["qwen3_vl"]), temperature=1.0, seed=3)
    batch = together(backend, pictures, about(), max_tokens=8)
    how: dict[str, Any] = {"output_schema": None, "max_tokens": 8}
    assert told(batch) == told(one_by_one(backend, pictures, about(), **how))


def test_a_prompt_beyond_the_window_is_refused(
    tiny_folders: dict[str, Path], pictures: Pictures
) -> None:
    backend = Local(str(tiny_folders["llava"]))
    with pytest.raises(ModelError, match="window"):
        together(backend, pictures, [[say("user", "hi")], [say("user", "cup 7 " * 20_000)]])


def test_a_session_that_takes_one_prompt_at_a_time_gets_them_in_order(pictures: Pictures) -> None:
    fault = MalformedOutput("not a call", "x")
    session = Scripted(["a", fault, "b"]).session(pictures)
    assert generate_many(session, about()[:3]) == [Turn(text="a"), fault, Turn(text="b")]
    assert generate_many(session, []) == []


class Echo(Endpoint):
    """Repeats the question as JSON, and says something else to one. Answers no question after the
    first before all the others have come."""

    gate: Any

    def _take(self, messages: Any, options: dict[str, Any]) -> Any:
        super()._take(messages, options)
        question = messages[0].content
        if QUESTIONS[0] not in question:
            self.gate.wait(timeout=20)
        said = "so" if "Why" in question else json.dumps(question, ensure_ascii=False)
        return self.replies[0].model_copy(update={"content": said})


def test_a_server_gets_the_prompts_together_and_the_turns_keep_their_order(
    pictures: Pictures,
) -> None:
    gate = Barrier(len(QUESTIONS) - 1)
    model = Echo(replies=[AIMessage("")] * len(QUESTIONS), seen=[], options=[], gate=gate)
    replies = generate_many(
        load(model).session(pictures), about(), output_schema={"type": "string"}
    )
    *good, bad = replies
    assert [json.loads(r.text) for r in good] == [f"Tell me. {q}" for q in QUESTIONS[:-1]]
    assert isinstance(bad, MalformedOutput) and bad.text.strip() == "so"
    assert "cups" in str(model.seen[0]), "the first goes ahead"
