"""What a step of a long run costs a local model, with a session and without one.

A run of 30 steps that gets a new picture and a short tool result at each step. A step is what a
model does between two tool calls: take in what is new (``session``: one session over the run) or
everything (``fresh``: a new session at each step), then write 16 tokens under a grammar that
leaves them free (tokens of a call that the grammar forces cost next to nothing). Metrics:
``s_step_3`` and ``s_step_30`` in seconds, and their ratio.

Models: ``model``, whose rows are named as it is, and ``qwen3_vl_random``, the Qwen3-VL architecture
at a small size with random weights (80 tokens a picture). ``smolagents.transformers`` is
smolagents' ``TransformersModel`` with that second model, on the same conversation as its own memory
writes it, without a grammar; it takes in everything at each step, and of smolagents 1.26 the pixels
do not reach the model.

``value`` is the median of the repetitions, ``low`` and ``high`` are the smallest and the largest.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from agent.bench import peers
from agent.bench.drivers.conversation import DESCRIPTION, NOTE, PAGES, TASK, TOKENS, TOOL, picture
from agent.bench.measure import CannotRun, Metric, Row, drive, metric, result, say
from mllm.backends.protocol import Backend, MalformedOutput, ModelError, Session, generate
from mllm.content import Artifact, Media, Message, Text, ToolCall, ToolResult, ToolSpec
from mllm.episode import Episode, Step, messages

RANDOM = "qwen3_vl_random"
PEER = "smolagents.transformers"
REPETITIONS = 5
SEED = 0

_SPEC = ToolSpec(
    name=TOOL,
    description=DESCRIPTION,
    parameters={
        "type": "object",
        "properties": {"page": {"type": "string", "description": PAGES}},
        "required": ["page"],
    },
)
_FREE = {"type": "string", "minLength": 1000}
"""Longer than ``TOKENS`` tokens can be."""


def run(
    model: str = "nano",
    steps: tuple[int, int] = (3, 30),
    *,
    peer: bool = True,
    repetitions: int = REPETITIONS,
) -> dict[str, Any]:
    """The benchmark's result. ``steps``: an early and a late one, to be compared. A model or a
    peer that cannot run has rows with ``error``."""
    from mllm.backends import load

    rows: dict[str, Row] = {}
    with tempfile.TemporaryDirectory(prefix="corvid-bench-") as temporary:
        folder = Path(temporary)
        random = _random_model(folder / RANDOM)
        # The whole name: the last part of openai:NAME@URL or of a folder says little.
        for name, source in ((model, model), (RANDOM, str(random))):
            say(f"{name}, {steps[1]} steps, {repetitions} times")
            try:
                rows |= _model_rows(name, load(source), steps, repetitions)
            except ModelError as error:
                rows |= {f"{name}.{row}": {"error": str(error)} for row in ("session", "fresh")}
        if peer:
            say(f"{PEER}, {repetitions} times")
            try:
                arguments: list[str | int] = [random.name, *steps, repetitions, SEED]
                samples = drive(peers.python("local"), "transformers_model", arguments, folder)
                rows[PEER] = _row(steps, samples)
            except CannotRun as error:
                rows[PEER] = {"error": str(error)}
    return result("session", model, SEED, rows)


def _model_rows(
    name: str, backend: Backend, steps: tuple[int, int], repetitions: int
) -> dict[str, Row]:
    run = _Run(steps[1])
    _step(backend.session(run), run, 1)  # loads the model
    kept: list[list[float]] = []
    fresh: list[list[float]] = []
    for _ in range(repetitions):
        session = backend.session(run)
        times = {step: _step(session, run, step) for step in range(1, steps[1] + 1)}
        session.close()
        kept.append([times[step] for step in steps])
        fresh.append([_step(backend.session(run), run, step) for step in steps])
    return {f"{name}.session": _row(steps, kept), f"{name}.fresh": _row(steps, fresh)}


def _row(steps: tuple[int, int], samples: Sequence[Sequence[float]]) -> dict[str, Metric]:
    """``samples``: seconds of the early and of the late step, a pair a repetition."""
    early, late = steps
    return {
        f"s_step_{early}": metric([first for first, _ in samples], 4),
        f"s_step_{late}": metric([last for _, last in samples], 4),
        f"ratio_{late}_{early}": metric([last / first for first, last in samples]),
    }


def _step(session: Session, run: _Run, step: int) -> float:
    """Seconds of a step. What is written is cut off, so that it always has as many tokens."""
    conversation = run.messages(step)
    start = time.perf_counter()
    try:
        generate(session, conversation, [_SPEC], output_schema=_FREE, max_tokens=TOKENS)
    except MalformedOutput:
        return time.perf_counter() - start
    raise AssertionError(f"fewer than {TOKENS} tokens were written: steps cannot be compared")


class _Run:
    """A run with a picture a step, and the reader of its pictures."""

    def __init__(self, steps: int) -> None:
        self._pictures: dict[str, Image.Image] = {}
        self._artifacts = [self._add(number) for number in range(1, steps + 1)]

    def image(self, artifact: Artifact) -> Image.Image:
        return self._pictures[artifact.sha256]

    def messages(self, step: int) -> list[Message]:
        """The conversation that a model is shown at ``step``, counted from 1: with that many
        pictures, the first of them in the task."""
        first, *rest = self._artifacts[:step]
        done = tuple(_done(number, made) for number, made in enumerate(rest, 1))
        return messages(Episode(task=TASK, media=(first,), steps=done))

    def _add(self, number: int) -> Artifact:
        image = picture(number, SEED)
        sha256 = hashlib.sha256(image.tobytes()).hexdigest()
        self._pictures[sha256] = image
        width, height = image.size
        return Artifact(
            id=f"img{number}",
            kind="image",
            sha256=sha256,
            mime="image/png",
            width=width,
            height=height,
        )


def _done(number: int, made: Artifact) -> Step:
    call = ToolCall(id=f"call{number}", name=TOOL, arguments={"page": f"page {number}"})
    content = (Text(text=NOTE), Media(artifact=made))
    return Step(calls=(call,), results=(ToolResult(call_id=call.id, name=TOOL, content=content),))


def _random_model(folder: Path) -> Path:
    """Qwen3-VL with 4 layers of 256, a vision tower of the same size, and random weights."""
    import transformers

    from mllm.backends.tiny import qwen3_vl

    hf: Any = transformers  # its public face is typed only in part
    qwen3_vl(folder)
    config = hf.AutoConfig.from_pretrained(folder).to_dict()
    size = {"hidden_size": 256, "intermediate_size": 768}
    config["text_config"] |= size | {"num_hidden_layers": 4, "head_dim": 64}
    config["text_config"]["rope_parameters"]["mrope_section"] = [12, 10, 10]
    config["vision_config"] |= size | {"depth": 4, "num_heads": 4, "out_hidden_size": 256}
    processor = hf.AutoProcessor.from_pretrained(folder)
    processor.image_processor.size = {"shortest_edge": 32 * 32, "longest_edge": 512 * 512}
    hf.set_seed(SEED)
    model = hf.AutoModelForImageTextToText.from_config(hf.Qwen3VLConfig(**config))
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
