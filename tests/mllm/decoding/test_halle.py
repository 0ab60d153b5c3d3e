"""HallE-Control in sessions of local models: what the head reads, and what stays as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mllm.backends import load
from mllm.backends.engine import Engine, Prompt
from mllm.backends.local import Local
from mllm.backends.protocol import ModelError, generate
from mllm.decoding import HallE, Reader, named
from mllm.decoding.halle import FILE, write
from mllm.model.chat import pictures as shown_pictures
from tests.mllm.backends.conftest import Pictures, trajectory

SIZE = 64
"""Of the hidden states of all tiny models."""
LINEAR = ("qwen3_vl", "llava", "internvl", "gemma3")
"""Architectures whose logits are a matrix times the hidden state."""


@pytest.fixture(scope="module")
def backends(tiny_folders: dict[str, Path]) -> dict[str, Local]:
    return {name: Local(str(folder)) for name, folder in tiny_folders.items()}


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a projection without any structure."""
    folder = tmp_path_factory.mktemp("some")
    random = torch.randn(SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    write(random * SIZE**-0.5, folder)
    return folder


@pytest.fixture(scope="module")
def same(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That of the identity: c + epsilon c."""
    folder = tmp_path_factory.mktemp("same")
    write(torch.eye(SIZE), folder)
    return folder


def asked(backend: Local, pictures: Pictures) -> tuple[Engine, Prompt]:
    engine, template, _ = backend.parts()
    (messages,) = trajectory(pictures, 1)
    seen = [engine.picture(a.sha256, pictures.image(a)) for a in shown_pictures(messages)]
    return engine, engine.prompt(template.render(messages, []), seen)


@pytest.mark.parametrize("name", [*LINEAR, "nano"])
def test_at_zero_the_model_is_itself_to_the_bit(
    name: str, backends: dict[str, Local], pictures: Pictures, some: Path
) -> None:
    engine, prompt = asked(backends[name], pictures)
    own, zero = Reader(engine), HallE(some, 0.0).reader(engine)
    assert torch.equal(own.prefill(prompt)[0], zero.prefill(prompt)[0])
    assert torch.equal(own.extend([7]), zero.extend([7]))


@pytest.mark.parametrize("name", LINEAR)
def test_the_head_reads_the_moved_state(
    name: str, backends: dict[str, Local], pictures: Pictures, some: Path, same: Path
) -> None:
    engine, prompt = asked(backends[name], pictures)
    own, _ = Reader(engine).prefill(prompt)
    longer, _ = HallE(same, 0.5).reader(engine).prefill(prompt)
    torch.testing.assert_close(longer, 1.5 * own, rtol=1e-4, atol=1e-4)
    down, up = (HallE(some, e).reader(engine).prefill(prompt)[0] for e in (-1.0, 1.0))
    torch.testing.assert_close((down + up) / 2, own, rtol=1e-4, atol=1e-4)
    assert (up - own).abs().max() > 0.01


def test_nano_reads_it_wherever_hidden_states_count(
    backends: dict[str, Local], pictures: Pictures, same: Path
) -> None:
    engine, prompt = asked(backends["nano"], pictures)
    reader = HallE(same, 0.5).reader(engine)
    moved = reader.prefill(prompt)[0], reader.extend([7])
    assert moved[0].logsumexp(-1).item() == pytest.approx(0, abs=1e-4)
    scale = engine.model.decoder.norm.weight
    own = Reader(engine)
    with torch.no_grad():  # The last norm makes all its states 1.5 times as long, as W = 1 does.
        scale.mul_(1.5)
        try:
            expected = own.prefill(prompt)[0], own.extend([7])
        finally:
            scale.div_(1.5)
    for one, other in zip(moved, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(moved[0], Reader(engine).prefill(prompt)[0], atol=1e-3)


@pytest.mark.parametrize("name", ["qwen3_vl", "nano"])
def test_sessions_with_other_settings_do_not_meet(
    name: str, backends: dict[str, Local], pictures: Pictures, some: Path
) -> None:
    engine, prompt = asked(backends[name], pictures)
    alone = {e: HallE(some, e).reader(engine).prefill(prompt)[0] for e in (-1.0, 0.0, 1.0)}
    readers = {e: HallE(some, e).reader(engine) for e in alone}
    for epsilon, reader in readers.items():
        assert torch.equal(reader.prefill(prompt)[0], alone[epsilon])
    after = {epsilon: reader.extend([7]) for epsilon, reader in readers.items()}
    longer = Prompt([*prompt.ids, 7], prompt.blocks)
    for epsilon, logits in after.items():
        whole, _ = HallE(some, epsilon).reader(engine).prefill(longer)
        torch.testing.assert_close(logits, whole, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ["qwen3_vl", "nano"])
def test_side_by_side_it_says_what_it_says_alone(
    name: str, backends: dict[str, Local], pictures: Pictures, some: Path
) -> None:
    engine, shown = asked(backends[name], pictures)
    prompts = [Prompt([*shown.ids, last], shown.blocks) for last in (308, 309, 310)]
    branched = HallE(some, 1.0).reader(engine).branch(prompts)
    assert branched is not None
    branches, first, _ = branched
    second = branches.extend([[311], [312], [313]])
    for row, prompt in enumerate(prompts):
        alone = HallE(some, 1.0).reader(engine)
        torch.testing.assert_close(first[row], alone.prefill(prompt)[0], rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(second[row], alone.extend([311 + row]), rtol=1e-3, atol=1e-3)
        own = Reader(engine).prefill(prompt)[0]
        assert not torch.allclose(first[row], own, rtol=1e-3, atol=1e-3)


def test_it_is_chosen_by_name(
    tiny_folders: dict[str, Path], pictures: Pictures, some: Path
) -> None:
    for word, epsilon in ((f"halle:{some}", -1.0), (f"halle:{some / FILE}@0.25", 0.25)):
        method = named(word)
        assert isinstance(method, HallE) and method.epsilon == epsilon
    backend = load(tiny_folders["llava"], decoding=f"halle:{some}@-0.5")
    (messages,) = trajectory(pictures, 1)
    assert generate(backend.session(pictures), messages, max_tokens=4).usage.output > 0


def test_a_path_may_hold_an_at(tmp_path: Path) -> None:
    folder = tmp_path / "a@home"
    folder.mkdir()
    write(torch.eye(2), folder)
    method = named(f"halle:{folder}")
    assert isinstance(method, HallE) and method.epsilon == -1.0


def test_what_cannot_be_used_is_said_in_a_sentence(
    tmp_path: Path, backends: dict[str, Local], same: Path
) -> None:
    with pytest.raises(ModelError, match="corvid train halle"):
        named(f"halle:{tmp_path}")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no tensors")
    with pytest.raises(ModelError, match="holds no HallE projection"):
        HallE(broken)
    write(torch.zeros(2, 3), tmp_path)
    with pytest.raises(ModelError, match=r"\(2, 3\), not square"):
        HallE(tmp_path)
    write(torch.eye(32), tmp_path)
    with pytest.raises(ModelError, match="of 32 numbers, and those of this model have 64"):
        HallE(tmp_path).reader(backends["llava"].parts()[0])
    with pytest.raises(ValueError, match=r"-1\.\.1, not 1\.5"):
        HallE(same, 1.5)
    with pytest.raises(ModelError, match=r"-1\.\.1, not -3"):
        named(f"halle:{same}@-3")
