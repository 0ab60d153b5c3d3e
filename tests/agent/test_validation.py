"""What the experts are asked costs a call a picture, however much is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.result import Questions
from agent.verify import Experts
from mllm.backends import load
from mllm.backends.local import LocalSession
from mllm.data.scenes import render, sample_scene
from tests.tools.conftest import Context, Files
from tools import Look
from tools.protocol import Text

SCENE = sample_scene(1_000_003, 3, style="twemoji")
ASKED = ("Is the pig wooden?", "Is the sign old?", "Is the car wet?")


def test_what_only_eyes_can_tell_is_asked_in_one_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, sizes = LocalSession.batch, []

    def noted(session: LocalSession, prompts: Any, **given: Any) -> Any:
        sizes.append(len(prompts))
        return batch(session, prompts, **given)

    monkeypatch.setattr(LocalSession, "batch", noted)
    context = Context(Files(tmp_path), load("nano"))
    shown = context.add_image(render(SCENE)).artifact
    experts = Experts(context, look=Look())
    for _ in range(2):
        experts.answer([shown], Questions(looks=ASKED))
    assert sizes == [len(ASKED)], "together, and once"
    (alone,) = Look().call({"image": shown.id, "question": ASKED[1]}, context)
    assert isinstance(alone, Text) and experts.seen(shown, ASKED[1]) == alone.text
