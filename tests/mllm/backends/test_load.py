"""What people may name as a model, and what they are told when it is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mllm.backends import load
from mllm.backends.protocol import ModelError, generate
from mllm.backends.scripted import Scripted
from tests.mllm.backends.conftest import Pictures, say


def test_a_backend_passes_through() -> None:
    backend = Scripted([])
    assert load(backend) is backend


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("no-such-thing", "no folder 'no-such-thing'"),
        ("./no/such/folder", "no folder './no/such/folder'"),
        ("openai:", "openai:NAME@URL"),
        ("openai:name", "openai:NAME@URL"),
        ("openai:name@localhost:8000", "http"),
        (42, "not int"),
    ],
)
def test_what_is_no_model_is_named_with_the_way_out(model: object, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        load(model)


def test_a_folder_without_a_model_is_refused(tmp_path: Path, pictures: Pictures) -> None:
    with pytest.raises(ModelError, match=r"config\.json"):
        load(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ModelError, match="does not load"):
        load(tmp_path).session(pictures)


def test_a_damaged_model_is_refused(
    tmp_path: Path, tiny_folders: dict[str, Path], pictures: Pictures
) -> None:
    for file in tiny_folders["qwen3_vl"].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(ModelError, match="does not load"):
        load(tmp_path).session(pictures)


def test_a_hub_name_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch, pictures: Pictures) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="hf download nobody/no-such-model"):
        load("nobody/no-such-model").session(pictures)


def test_a_folder_is_a_model(tiny_folders: dict[str, Path], pictures: Pictures) -> None:
    backend = load(str(tiny_folders["llava"]))
    assert backend.name == str(tiny_folders["llava"])
    assert generate(backend.session(pictures), [say("user", "hi")], max_tokens=3).usage.output == 3


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, mllm.backends, mllm.backends.scripted\n"
        "heavy = {'torch', 'transformers', 'langchain_core', 'llguidance'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
