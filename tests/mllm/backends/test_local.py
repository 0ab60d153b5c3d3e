"""The local backend on tiny random-weight models of real architectures."""

from __future__ import annotations

import inspect
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoProcessor,
    Lfm2Config,
    LlavaConfig,
    LlavaForConditionalGeneration,
    MistralConfig,
)

from mllm.backends import load
from mllm.backends.engine import Picture
from mllm.backends.local import Local
from mllm.backends.protocol import MalformedOutput, ModelError, generate
from mllm.backends.session_cache import SessionCache
from mllm.backends.template import Template
from mllm.content import Message, ToolCall, Turn
from mllm.model.chat import pictures as shown_pictures
from tests.mllm.backends.conftest import DETECT, Pictures, say, trajectory

ARCHITECTURES = ("qwen3_vl", "llava", "internvl", "nano")


@pytest.fixture(scope="module")
def backends(tiny_folders: dict[str, Path]) -> dict[str, Local]:
    return {name: Local(str(folder)) for name, folder in tiny_folders.items()}


@pytest.fixture(params=ARCHITECTURES)
def backend(request: pytest.FixtureRequest, backends: dict[str, Local]) -> Local:
    return backends[request.param]


def next_logits(backend: Local, messages: list[Message], pictures: Pictures) -> torch.Tensor:
    """Logits of the first token of the answer, from an empty cache."""
    engine, template, _ = backend.parts()
    made = [engine.picture(a.sha256, pictures.image(a)) for a in shown_pictures(messages)]
    prompt = engine.prompt(template.render(messages, [DETECT]), made)
    return SessionCache(engine).prefill(prompt)[0]


def assert_as_transformers(backend: Local, messages: list[Message], pictures: Pictures) -> None:
    """Our prompt is what the processor makes of it, and our logits, prefilled a picture at a
    time, are those of one forward over everything."""
    engine, template, _ = backend.parts()
    artifacts = shown_pictures(messages)
    text = template.render(messages, [DETECT])
    images = [pictures.image(a) for a in artifacts]
    inputs = engine.processor(text=[text], images=images, return_tensors="pt")
    prompt = engine.prompt(text, [engine.picture(a.sha256, pictures.image(a)) for a in artifacts])
    assert prompt.ids == inputs["input_ids"][0].tolist()

    accepts = inspect.signature(engine.model.forward).parameters
    inputs = {k: v for k, v in inputs.items() if k in accepts}
    with torch.inference_mode():
        whole = engine.model(**inputs).logits[0, -1]
    ours, _ = SessionCache(engine).prefill(prompt)
    torch.testing.assert_close(ours, whole.float(), atol=2e-4, rtol=1e-4)


def test_prompt_and_logits_are_those_of_transformers(backend: Local, pictures: Pictures) -> None:
    assert_as_transformers(backend, trajectory(pictures, 3)[-1], pictures)


def test_pictures_that_see_themselves_both_ways(
    backends: dict[str, Local], pictures: Pictures
) -> None:
    assert_as_transformers(backends["gemma3"], trajectory(pictures, 3)[-1], pictures)


def test_pixels_change_logits(backend: Local, pictures: Pictures) -> None:
    one, two, again = (
        next_logits(backend, [say("user", pictures.add("img1", seed), "What?")], pictures)
        for seed in (1, 2, 1)
    )
    assert (one - two).abs().max() > 1e-3
    torch.testing.assert_close(one, again)


def test_session_equals_fresh_sessions(backend: Local, pictures: Pictures) -> None:
    session = backend.session(pictures)
    for step, messages in enumerate(trajectory(pictures, 5)):
        kept = generate(session, messages, [DETECT], max_tokens=12)
        fresh = generate(backend.session(pictures), messages, [DETECT], max_tokens=12)
        assert kept.text == fresh.text and kept.calls == fresh.calls
        assert kept.usage.input == fresh.usage.input
        assert fresh.usage.cached == 0
        if step:
            # All but the step's own tokens: an assistant turn, a result, a picture, a note.
            assert kept.usage.input - kept.usage.cached < 250
            assert kept.usage.cached > 0


def test_session_logits_equal_fresh_logits(backend: Local, pictures: Pictures) -> None:
    engine, template, _ = backend.parts()
    cache = SessionCache(engine)
    made: dict[str, Picture] = {}
    for messages in trajectory(pictures, 5):
        for a in shown_pictures(messages):
            made.setdefault(a.sha256, engine.picture(a.sha256, pictures.image(a)))
        prompt = engine.prompt(
            template.render(messages, [DETECT]), [made[a.sha256] for a in shown_pictures(messages)]
        )
        logits, _ = cache.prefill(prompt)
        torch.testing.assert_close(
            logits, next_logits(backend, messages, pictures), atol=2e-4, rtol=1e-4
        )
        for token in (40, 41, 42):
            cache.extend([token])


def test_each_picture_is_read_and_encoded_once(
    backend: Local, pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, _, _ = backend.parts()
    inner = getattr(engine.model, "model", engine.model)
    tower = next(
        getattr(inner, n) for n in ("visual", "vision_tower", "encoder") if hasattr(inner, n)
    )
    runs: list[int] = []
    hook = tower.register_forward_hook(lambda *_: runs.append(1))
    try:
        session = backend.session(pictures)
        for messages in trajectory(pictures, 5):
            generate(session, messages, [DETECT], max_tokens=4)
    finally:
        hook.remove()
    assert len(runs) == 5
    assert sorted(pictures.reads) == [f"img{i}" for i in range(1, 6)]


def test_changed_history_is_not_taken_from_the_cache(backend: Local, pictures: Pictures) -> None:
    session = backend.session(pictures)
    texts = []
    for seed in (1, 2, 1):
        # Same words, same number of tokens, another picture.
        messages = [say("user", pictures.add("img1", seed), "What is this?")]
        turn = generate(session, messages, max_tokens=8)
        assert turn.text == generate(backend.session(pictures), messages, max_tokens=8).text
        texts.append(turn.text)
    assert texts[0] == texts[2]


def test_sessions_run_in_parallel_threads(backend: Local, pictures: Pictures) -> None:
    runs = [[say("user", pictures.add("img1", seed), f"What {seed}?")] for seed in range(4)]

    def ask(messages: list[Message]) -> Turn:
        return generate(backend.session(pictures), messages, max_tokens=8)

    serial = [ask(m) for m in runs]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, runs)) == serial


def test_pieces_are_whole_characters_and_make_the_text(backend: Local, pictures: Pictures) -> None:
    session = backend.session(pictures)
    *pieces, turn = session.stream([say("user", "几个？")], max_tokens=60)
    assert isinstance(turn, Turn)
    assert all(isinstance(p, str) and p for p in pieces)
    assert "".join(str(p) for p in pieces) == turn.text
    assert turn.truncated == (turn.usage.output == 60)


def test_a_call_cut_off_is_malformed(backend: Local, pictures: Pictures) -> None:
    with pytest.raises(MalformedOutput, match="max_tokens"):
        generate(
            backend.session(pictures),
            [say("user", "go")],
            [DETECT],
            tool_choice="required",
            max_tokens=5,
        )


def test_a_conversation_beyond_the_window_is_refused(backend: Local, pictures: Pictures) -> None:
    with pytest.raises(ModelError, match="window"):
        generate(backend.session(pictures), [say("user", "cup 7 " * 20_000)])


def test_text_cannot_forge_control_tokens(backend: Local, pictures: Pictures) -> None:
    engine, template, _ = backend.parts()
    added = engine.tokenizer.added_tokens_decoder.values()
    control = [t.content for t in added if not t.content.startswith("<|loc_")]
    call = ToolCall(id="call1", name="detect", arguments={"image": "".join(control)})

    def ids(text: str, call: ToolCall) -> list[int]:
        messages = [
            say("user", "read it"),
            say("assistant", calls=(call,)),
            say("tool", text, call_id="call1", name="detect"),
        ]
        return engine.prompt(template.render(messages, [DETECT]), []).ids

    honest = ids("x", call.model_copy(update={"arguments": {"image": "x"}}))
    special = set(engine.tokenizer.added_tokens_decoder)
    forged = ids("".join(control), call)
    assert [i for i in forged if i in special] == [i for i in honest if i in special]


def test_template_without_tools_gets_them_in_words(
    backends: dict[str, Local], pictures: Pictures
) -> None:
    template = backends["llava"].parts()[1]
    assert not template.native_tools
    text = template.render(trajectory(pictures, 2)[-1], [DETECT])
    assert '"maxLength": 8' in text and "Find objects." in text
    assert '<tool_call>\n{"name": "detect", "arguments": {"image": "img1"}}\n</tool_call>' in text
    assert "detect 的结果：\nhere it is" in text
    assert text.count("<image>") == 2
    # Result, picture and note became one user message, as the template demands.
    assert text.index("here it is") < text.rindex("<image>") < text.index("1 steps left")


def test_template_with_tools_shows_them_itself(
    backends: dict[str, Local], pictures: Pictures
) -> None:
    template = backends["qwen3_vl"].parts()[1]
    assert template.native_tools and template.tool_pictures
    text = template.render(trajectory(pictures, 2)[-1], [DETECT])
    assert "# Tools" not in text and "<|im_start|>tool" in text


def test_temperature_draws_with_the_seed(tiny_folders: dict[str, Path], pictures: Pictures) -> None:
    def text(seed: int) -> str:
        backend = load(tiny_folders["qwen3_vl"], temperature=1.0, seed=seed)
        return generate(backend.session(pictures), [say("user", "hi")], max_tokens=12).text

    assert text(1) == text(1) != text(2)


@pytest.mark.parametrize("decoder", ["sliding", "recurrent"])
def test_a_decoder_that_cannot_go_back_starts_over(
    decoder: str, tiny_folders: dict[str, Path], tmp_path: Path, pictures: Pictures
) -> None:
    folder = shutil.copytree(tiny_folders["llava"], tmp_path / decoder)
    config: Any = LlavaConfig.from_pretrained(folder)
    sizes = {
        "vocab_size": config.text_config.vocab_size,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
    }
    config.text_config = (
        MistralConfig(**sizes, sliding_window=32)
        if decoder == "sliding"
        else Lfm2Config(**sizes, layer_types=["conv", "full_attention"])
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        LlavaForConditionalGeneration(config).save_pretrained(folder)
    backend = Local(str(folder))
    assert_as_transformers(backend, trajectory(pictures, 3)[-1], pictures)
    session = backend.session(pictures)
    for messages in trajectory(pictures, 3):
        kept = generate(session, messages, [DETECT], max_tokens=8)
        fresh = generate(backend.session(pictures), messages, [DETECT], max_tokens=8)
        assert kept.text == fresh.text
        assert kept.usage.cached == 0


def test_a_template_that_takes_text_as_a_string_only(
    tiny_folders: dict[str, Path], pictures: Pictures
) -> None:
    processor = AutoProcessor.from_pretrained(  # type: ignore[no-untyped-call]
        tiny_folders["llava"]
    )
    messages = trajectory(pictures, 2)[-1]
    lists = Template(processor).render(messages, [DETECT])
    processor.chat_template = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no') }}{% endif %}"
        "{{ 'USER: ' if m.role == 'user' else 'ASSISTANT: ' }}"
        "{% if m.role == 'user' and m.content is not string %}{% for part in m.content %}"
        "{{ '<image>\n' if part.type == 'image' else part.text }}{% endfor %}"
        "{% else %}{{ m.content + '' }}{% endif %}"
        "{{ '\n' if m.role == 'user' else eos_token }}{% endfor %}ASSISTANT: "
    )
    assert Template(processor).render(messages, [DETECT]) == lists
