"""Decoding methods in sessions of local models, tiny ones with random weights and nano."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch

from agent import Agent
from mllm.backends import NANO, load
from mllm.backends.engine import Engine, Picture
from mllm.backends.local import Local
from mllm.backends.protocol import ModelError, generate, generate_many
from mllm.backends.scripted import Scripted
from mllm.backends.session_cache import SessionCache
from mllm.content import Message, Turn
from mllm.decoding import VCD, Decoding
from mllm.decoding.vcd import contrast
from mllm.model.chat import pictures as shown_pictures
from tests.mllm.backends.conftest import Pictures, say, trajectory
from tests.mllm.backends.test_batch import SHAPES, one_by_one, row_counts, told

ARCHITECTURES = ("qwen3_vl", "llava", "internvl", "gemma3", "nano")
TOKENS = 8


class Models:
    """Local backends that share one loaded model a folder."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self._bases = {name: Local(str(folder)) for name, folder in folders.items()}

    def __call__(self, name: str, decoding: Decoding | None = None, **options: Any) -> Local:
        backend = Local(name, decoding=decoding, **options)
        backend._parts = self._bases[name].parts()
        return backend


@pytest.fixture(scope="module")
def models(tiny_folders: dict[str, Path]) -> Models:
    return Models({**tiny_folders, "shipped": NANO})


def turns(backend: Local, conversations: list[list[Message]], pictures: Pictures) -> list[Turn]:
    session = backend.session(pictures)
    return [generate(session, m, max_tokens=TOKENS) for m in conversations]


def said(turns: list[Turn]) -> list[tuple[str, int]]:
    return [(turn.text, turn.usage.output) for turn in turns]


class Forwards:
    """Counts what an engine computes: forwards, and how many of them read a picture."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.all = self.pictures = 0
        forward = Engine.forward

        def counted(engine: Engine, ids: Any, cache: Any, positions: Any, picture: Any) -> Any:
            self.all += 1
            self.pictures += picture is not None
            return forward(engine, ids, cache, positions, picture)

        monkeypatch.setattr(Engine, "forward", counted)


@pytest.mark.parametrize("name", [*ARCHITECTURES, "shipped"])
def test_alpha_zero_gives_the_models_own_tokens(
    name: str, models: Models, pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversations = trajectory(pictures, 2)
    forwards = Forwards(monkeypatch)
    base = turns(models(name), conversations, pictures)
    alone = forwards.all
    # So small a beta that the second reading takes part all the time.
    none = turns(models(name, VCD(alpha=0, beta=1e-6)), conversations, pictures)
    assert said(none) == said(base)
    assert forwards.all - alone > alone


def test_the_same_pictures_twice_give_the_models_own_tokens(
    models: Models, pictures: Pictures
) -> None:
    @dataclass(frozen=True)
    class Clear(VCD):
        def distorted(self, picture: Picture, frames: int) -> Picture:
            return replace(picture, inputs=dict(picture.inputs))

    conversations = trajectory(pictures, 3)
    base = turns(models("qwen3_vl"), conversations, pictures)
    assert said(turns(models("qwen3_vl", Clear()), conversations, pictures)) == said(base)
    assert said(turns(models("qwen3_vl", VCD(2.0)), conversations, pictures)) != said(base)


@pytest.mark.parametrize(
    ("name", "beta"),
    # So that the second reading is needed for some of the tokens (of Gemma, for all).
    [("qwen3_vl", 0.6), ("llava", 0.6), ("internvl", 0.6), ("gemma3", 0.1), ("nano", 0.1)],
)
def test_tokens_are_those_of_two_whole_readings(
    name: str, beta: float, models: Models, pictures: Pictures
) -> None:
    """Where the second reading is skipped or made up for, and what the caches keep between
    turns, changes no token."""
    method = VCD(alpha=2.0, beta=beta)
    backend = models(name, method)
    session = backend.session(pictures)
    engine, template, grammars = backend.parts()
    frames = 2 if name == "qwen3_vl" else 1
    for messages in trajectory(pictures, 3):
        turn = generate(session, messages, max_tokens=TOKENS)
        seen = [engine.picture(a.sha256, pictures.image(a)) for a in shown_pictures(messages)]
        noised = [method.distorted(picture, frames) for picture in seen]
        text = template.render(messages, [])
        clear, blurred = SessionCache(engine), SessionCache(engine)
        one, _ = clear.prefill(engine.prompt(text, seen))
        two, _ = blurred.prefill(engine.prompt(text, noised))
        matcher = grammars.matcher([], "auto", None)
        ids: list[int] = []
        while len(ids) < turn.usage.output:
            allowed = torch.tensor(list(matcher.compute_logit_bias()))[: len(one)] > 0
            scores = contrast(one.masked_fill(~allowed, -torch.inf), two, 2.0, beta)
            ids.append(int(scores.argmax()))
            matcher.consume_token(ids[-1])
            one, two = clear.extend(ids[-1:]), blurred.extend(ids[-1:])
        words = [i for i in ids if i not in grammars.ends]
        # A turn leaves off a last character of which only the first bytes were generated.
        expected = engine.tokenizer.decode(words).rstrip("\ufffd")
        assert turn.text.strip() == expected.strip()


@pytest.mark.parametrize("name", [*ARCHITECTURES, "shipped"])
def test_side_by_side_it_says_what_it_says_alone(
    name: str, models: Models, pictures: Pictures
) -> None:
    shown = pictures.add("img1", 1)
    questions = ("How many cups?", "几个杯子？", "Why? Tell me at length.")
    for media, schema in product(((shown,), ()), (None, SHAPES)):
        prompts = [[say("user", *media, question)] for question in questions]
        how: dict[str, Any] = {"output_schema": schema, "max_tokens": 24}
        backend = models(name, VCD(alpha=2.0, beta=0.1))
        alone = told(one_by_one(backend, pictures, prompts, **how))
        session = backend.session(pictures)
        with row_counts(backend) as rows:
            assert told(generate_many(session, prompts, **how)) == alone
        # Gemma's sliding windows count padding: its prompts are read one after the other.
        assert max(rows) == (1 if name == "gemma3" else len(prompts))
        # With beginnings that both readings know already.
        assert told(generate_many(session, prompts[::-1], **how)) == alone[::-1]
        plain = told(generate_many(models(name).session(pictures), prompts, **how))
        assert media or plain == alone
        assert not media or schema or name in ("gemma3", "shipped") or plain != alone


def test_without_a_picture_nothing_changes_and_nothing_is_paid(
    models: Models, pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    forwards = Forwards(monkeypatch)
    conversations = [[say("user", "How many cups?")], [say("user", "How many cups? 几个？")]]
    base = turns(models("qwen3_vl"), conversations, pictures)
    alone = forwards.all
    contrasted = turns(models("qwen3_vl", VCD(alpha=3)), conversations, pictures)
    assert contrasted == base
    assert forwards.all == 2 * alone


def test_it_costs_a_forward_a_token_at_most_and_keeps_both_caches(
    models: Models, pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    forwards = Forwards(monkeypatch)
    conversations = trajectory(pictures, 4)
    backend = models("qwen3_vl", VCD(beta=1e-6))
    done = turns(backend, conversations, pictures)
    assert forwards.pictures == 2 * 4
    tokens = sum(turn.usage.output for turn in done)
    assert forwards.all <= 2 * (tokens + forwards.pictures)
    assert done[-1].usage.cached > 0

    before = forwards.all
    sure = turns(models("qwen3_vl", VCD(beta=1)), conversations, pictures)
    # Only one token is ever plausible: there is nothing to contrast.
    assert forwards.all - before <= sum(turn.usage.output for turn in sure) + 4
    assert said(sure) == said(turns(models("qwen3_vl"), conversations, pictures))


def test_noise_is_the_pictures_own(models: Models, pictures: Pictures) -> None:
    engine, _, _ = models("qwen3_vl").parts()
    artifact = pictures.add("img1", 1)
    picture = engine.picture(artifact.sha256, pictures.image(artifact))

    def noised(picture: Picture) -> torch.Tensor:
        changed = VCD().distorted(picture, 2)
        assert changed.ids == picture.ids and changed.sha256 == picture.sha256
        return changed.inputs["pixel_values"]

    assert torch.equal(noised(picture), noised(picture))
    assert not torch.equal(noised(picture), picture.inputs["pixel_values"])
    # The hash alone decides on the noise.
    assert not torch.equal(noised(picture), noised(replace(picture, sha256="f" * 64)))
    # Qwen lays the picture into a patch twice, as two frames: (channel, frame, place).
    film = noised(picture).view(-1, 3, 2, 16 * 16)
    assert torch.equal(film[:, :, 0], film[:, :, 1])


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_grammar_has_the_last_word(name: str, models: Models, pictures: Pictures) -> None:
    schema = {
        "type": "object",
        "properties": {"seen": {"enum": ["yes", "no"]}},
        "required": ["seen"],
    }
    messages = [say("user", pictures.add("img1", 1), "Is there a cup?")]
    for temperature in (0.0, 2.0):
        backend = models(name, VCD(alpha=5, beta=0.5), temperature=temperature)
        turn = generate(backend.session(pictures), messages, output_schema=schema)
        assert turn.text in ('{"seen": "yes"}', '{"seen": "no"}')


def test_a_session_goes_on_after_it_was_closed_or_broken_off(
    models: Models, pictures: Pictures
) -> None:
    backend = models("qwen3_vl", VCD(beta=1e-6))
    *_, messages = trajectory(pictures, 2)
    expected = generate(backend.session(pictures), messages, max_tokens=TOKENS)
    session = backend.session(pictures)
    stream = session.stream(messages, max_tokens=TOKENS)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert generate(session, messages, max_tokens=TOKENS).text == expected.text
    session.close()
    assert generate(session, messages, max_tokens=TOKENS) == expected


def test_a_model_whose_pictures_are_no_pixels_is_refused() -> None:
    picture = Picture("0" * 64, [1], [1], {"image_patches": torch.zeros(1)})
    with pytest.raises(ModelError, match="pixel_values"):
        VCD().distorted(picture, 1)


def test_a_method_is_chosen_by_name_or_given(tiny_folders: dict[str, Path]) -> None:
    folder = tiny_folders["qwen3_vl"]
    assert load(folder).decoding is None  # type: ignore[attr-defined]
    assert load(folder, decoding="vcd").decoding == VCD(1.0, 0.1, 500)  # type: ignore[attr-defined]
    method = VCD(alpha=0.5)
    assert load(folder, decoding=method).decoding is method  # type: ignore[attr-defined]
    with pytest.raises(ModelError, match="no decoding method 'vdc': there is vcd"):
        load(folder, decoding="vdc")


@pytest.mark.parametrize("model", [Scripted([]), "openai:gpt-5@http://localhost:1/v1"])
def test_other_models_are_refused(model: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="decoding methods need a local model"):
        load(model, decoding="vcd")
    with pytest.raises(ModelError, match="decoding methods need a local model"):
        Agent(model, [], runs=tmp_path, decoding="vcd").run("What is this?")
