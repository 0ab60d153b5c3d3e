"""How well a model says what the oracle says, on designs and phrasings that it never saw.

Every turn of the assistant is judged by itself, given the true conversation before it: it is exact
when each of its tokens is the most probable one that the tools' grammar allows, which is the same
as greedy decoding in a session giving the whole turn.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mllm.backends.calls import CallFormat
from mllm.backends.grammar import Grammars
from mllm.content import Artifact, ToolSpec
from mllm.data.instruct import Conversation, looked
from mllm.data.oracle import Chances, trace
from mllm.data.questions import questions
from mllm.data.scenes import render, sample_scene
from mllm.data.schemas import randomise
from mllm.episode import Episode, messages
from mllm.model import NanoForConditionalGeneration, NanoProcessor
from mllm.model.tokenizer import CALL
from mllm.training.lessons import lesson
from mllm.training.packing import Sample, pack
from mllm.training.pretrain import as_pixels

STYLE = "twemoji"


def judge(
    folder: Path, tools: Sequence[ToolSpec], n: int = 40, seed: int = 1_000_003
) -> dict[str, dict[str, float]]:
    """Exact turns by row and kind of turn, of ``n`` scenes.

    Rows: ``tools`` as they are, ``strange`` schemas with names never trained on, and ``direct``
    answers without tools. Columns: ``plan, call, answer`` shares and ``turns``, their number.
    """
    jury = Judge(folder)
    out: dict[str, dict[str, float]] = {}
    for row in ("tools", "strange", "direct"):
        right: dict[str, list[bool]] = defaultdict(list)
        for index in range(n):
            talks = list(_talks(row, index, seed, tools))
            made = lesson(jury.processor, talks)
            for talk, sample in zip(talks, made.samples, strict=True):
                for kind, exact in jury.turns(sample, made.pictures, talk.tools):
                    right[kind].append(exact)
        out[row] = {kind: float(np.mean(values)) for kind, values in right.items()}
        out[row]["turns"] = sum(len(v) for v in right.values())
    return out


def _talks(
    row: str, index: int, seed: int, tools: Sequence[ToolSpec]
) -> Iterator[Conversation]:
    """Held-out questions about one scene of the evaluation design, worked on without trouble."""
    rng = random.Random(f"holdout/{row}/{seed}/{index}")
    scene = sample_scene(seed, index, style=STYLE)
    image = render(scene)
    specs, mapping = list(tools), None
    if row == "strange":
        specs, mapping = randomise(tools, rng, held_out=True)
    artifact = Artifact(
        id="img1", kind="image", sha256="", mime="image/png",
        width=image.width, height=image.height,
    )
    smooth = Chances(fails_once=0, contradicted=0, planless=0, noteless=0, tight=0)
    for q in questions(scene, seed, held_out=True, n=4):
        if row == "direct":
            episode = Episode(
                task=q.text, media=(artifact,), lang=q.lang, seen=looked(q), answer=q.say()
            )
        else:
            episode = trace(
                q, scene, specs, rng, artifact=artifact, mapping=mapping, chances=smooth
            )
        told = [] if row == "direct" else specs
        yield Conversation(messages(episode), told, {artifact.id: image}, row)


class Judge:
    """A model and the grammars of its sessions."""

    def __init__(self, folder: Path) -> None:
        self.model = NanoForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
        self.model.train(False)
        self.processor = NanoProcessor.from_pretrained(folder)
        tokenizer = self.processor.tokenizer
        self.call = tokenizer.convert_tokens_to_ids(CALL)
        self.grammars = Grammars(
            tokenizer,
            self.model.config.vocab_size,
            [tokenizer.eos_token_id],
            CallFormat("", "", ""),
        )

    @torch.no_grad()
    def turns(
        self, sample: Sample, pictures: Sequence[NDArray[np.uint8]], tools: Sequence[ToolSpec]
    ) -> Iterator[tuple[str, bool]]:
        """Kind (plan, call, answer) and exactness of each learned turn of a sample."""
        inputs, _ = pack([sample], len(sample.ids))
        if pictures:
            inputs["pixel_values"] = as_pixels(np.stack(pictures))
        labels = inputs.pop("labels")[0, 1:].tolist()
        logits = self.model(**inputs, use_cache=False).logits[0, :-1]
        starts = [i for i, t in enumerate(labels) if t >= 0 and not (i and labels[i - 1] >= 0)]
        for number, start in enumerate(starts):
            said = list(takewhile(lambda t: t >= 0, labels[start:]))
            last = number == len(starts) - 1
            kind = "call" if self.call in said else "answer" if last else "plan"
            matcher = self.grammars.matcher(tools, "none" if kind == "plan" else "auto", None)
            yield kind, self._exact(logits[start : start + len(said)], said, matcher)

    def _exact(self, logits: Tensor, said: Sequence[int], matcher: Any) -> bool:
        for scores, token in zip(logits, said, strict=True):
            allowed = torch.frombuffer(bytearray(matcher.compute_logit_bias()), dtype=torch.uint8)
            if int(scores.masked_fill(allowed == 0, -torch.inf).argmax()) != token:
                return False
            matcher.consume_token(token)
        return True
