"""Episodes that oracles played on web pages (``corvid data pages``), as lessons.

Playing costs a second, learning a tenth of it: an episode is met several times, and never twice
alike (``mllm.training.variants``): the wish is said otherwise, the model opened the page itself or
found it open, and other tools lie beside the browser.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from mllm.content import ToolCall, ToolSpec
from mllm.data.pages.words import reworded
from mllm.data.schemas import randomise
from mllm.episode import Episode, messages
from mllm.model import NanoProcessor
from mllm.model.chat import to_chat, to_tools
from mllm.model.tokenizer import ASSISTANT, CALL, CALL_END, TOOL, USER
from mllm.training.actions import in_order, texts
from mllm.training.packing import Sample
from mllm.training.samples import assistant_sample
from mllm.training.variants import Variants

OPENED = 0.65
"""Share of episodes that begin on a page that is open already, as with ``corvid run --url``."""
OWN_TOOLS = ("browser", "page")
FAR, JUMP = 0.5, 2500
"""Share of the episodes that are read as if they were longer, and up to how many tokens each of two
turns then begins later."""
ROW = 250
"""Tokens that a row may have before its reference."""
_NEAR = " near "
"""Between what a control is called and what stands beside it (``tools.gui.observation``)."""
_REFERENCE = re.compile(r"e\d{1,3}")
_ROW = re.compile(r'(?!page )(?:new |changed |moved )?[\w-]+ "')
"""How a row of an observation begins (``tools.gui.observation``)."""


class Recorded:
    """An endless sequence of samples; one is a pure function of its number, the seed and the
    files.

    ``files`` are lines as ``agent.evaluation`` writes them, ``tools`` the descriptions of all tools
    that a run can have, those of the browser among them. Episodes longer than ``limit`` tokens end
    early. Raises ``ValueError`` when no episode in the files succeeded.
    """

    def __init__(
        self,
        processor: NanoProcessor,
        files: Sequence[Path],
        tools: Sequence[ToolSpec],
        seed: int,
        limit: int,
    ) -> None:
        lines = [line for file in files for line in file.read_text("utf-8").splitlines()]
        rows = [json.loads(line) for line in lines]
        self.rows: list[dict[str, Any]] = [row for row in rows if row["success"]]
        if not self.rows:
            raise ValueError(f"no successful episode in {', '.join(map(str, files))}")
        schemas = {tool.name: tool.parameters for tool in tools}
        episodes = [Episode.model_validate(row["episode"]) for row in self.rows]
        self.episodes = [_in_order(episode, schemas) for episode in episodes]
        self.variants = Variants(self.episodes)
        self.processor, self.tools, self.seed, self.limit = processor, tools, seed, limit

    def __getitem__(self, index: int) -> Sample:
        rng = random.Random(f"recorded/{self.seed}/{index}")
        number = rng.randrange(len(self.rows))
        row, episode = self.rows[number], self.episodes[number]
        ended = row["ending"] == "page"  # by the page itself: nothing is said in the end
        opened = ended or rng.random() < OPENED
        if opened and not ended:
            episode = episode.model_copy(update={"task": episode.task.rpartition("\n")[0]})
        wish, line, rest = episode.task.partition("\n")
        wish = reworded(wish, row.get("kind", ""), episode.lang, rng)
        episode = episode.model_copy(update={"task": f"{wish}{line}{rest}"})
        episode = self.variants.of(episode, rng)
        forgotten = {i for i, learn in enumerate(row["learn"]) if not learn}
        forgotten |= {0} if opened else set()
        forgotten |= {len(episode.steps)} if ended else set()
        sample = assistant_sample(
            self.processor,
            to_chat(messages(episode)),
            tools=to_tools(self._some_tools(episode, rng)),
            pictures=[],
            forgotten={n + 1 for n in forgotten},  # the first turn is the plan
        )
        aims, spots = aimed(self.processor, sample, episode)
        end = self.limit
        return Sample(
            sample.ids[:end],
            sample.learned[:end],
            aims=aims[:end],
            spots=spots[:end],
            positions=self._positions(sample.ids[:end], rng),
        )

    def _positions(self, ids: Sequence[int], rng: random.Random) -> list[int]:
        """Positions that jump at the beginning of some turns, so that far more lies between them
        than the episode has tokens: long runs are learned from short ones (positional skip-wise
        training, arXiv 2309.10400)."""
        marks = self.processor.tokenizer.convert_tokens_to_ids([USER, ASSISTANT, TOOL])
        turns = [i for i, token in enumerate(ids) if i and token in marks]
        if not turns or rng.random() > FAR:
            return []
        jumps = {i: rng.randint(0, JUMP) for i in rng.sample(turns, min(2, len(turns)))}
        ahead = accumulate(jumps.get(i, 0) for i in range(len(ids)))
        return [i + more for i, more in enumerate(ahead)]

    def _some_tools(self, episode: Episode, rng: random.Random) -> list[ToolSpec]:
        used = {call.name for step in episode.steps for call in step.calls}
        own = [t for t in self.tools if t.name in OWN_TOOLS or t.name in used]
        others = [t for t in self.tools if t not in own]
        if rng.random() < 0.3:
            own = [t for t in own if t.name in used]
        if rng.random() < 0.5:
            return own
        if rng.random() < 0.5:
            others, _ = randomise(others, rng)
        return [*others, *own] if rng.random() < 0.7 else [*own, *others]


def _in_order(episode: Episode, schemas: Mapping[str, Mapping[str, Any]]) -> Episode:
    """The episode with all arguments in the order of the tools' schemas."""

    def written(call: ToolCall) -> ToolCall:
        return call.model_copy(
            update={"arguments": in_order(call.arguments, schemas.get(call.name, {}))}
        )

    return episode.model_copy(
        update={
            "steps": tuple(
                step.model_copy(update={"calls": tuple(map(written, step.calls))})
                for step in episode.steps
            )
        }
    )


def aimed(
    processor: NanoProcessor, sample: Sample, episode: Episode
) -> tuple[list[int], list[int]]:
    """Aims and spots of a sample: where each value of a call was to be read.

    A reference stands in a row. Words stand in the wish, and in the newest place that has them:
    the wish says what to look for, and the page what there is. The digits of references are
    everywhere on a page (places are numbers too), so that a pointer left to itself never finds out
    which of them it was meant to look at.
    """
    tokenizer, ids = processor.tokenizer, sample.ids
    aims, spots, number = [-1] * len(ids), [0] * len(ids), 0
    call, call_end = tokenizer.convert_tokens_to_ids([CALL, CALL_END])
    wish = tokenizer(episode.task)["input_ids"]
    # Its last sign may be one token with what follows.
    wished = range(0)
    if found := _places(ids, wish[:-1], 0, len(ids)):
        wished = range(found[0], found[0] + len(wish))
    begin = 0
    for step in episode.steps:
        for made in step.calls:
            begin = ids.index(call, begin)
            end = ids.index(call_end, begin)
            at = begin
            for value in (part for text in texts(made.arguments) for part in text.split(_NEAR)):
                tokens: list[int] = tokenizer(value)["input_ids"]
                is_ref = bool(_REFERENCE.fullmatch(value))
                for length in (len(tokens), len(tokens) - 1):  # a last sign may join the quote
                    said = tokens[:length]
                    stands = _places(ids, said, at, end) if said else []
                    if not stands:
                        continue
                    at = stands[0]
                    found = _places(ids, said, 0, begin)
                    if is_ref:
                        found = [i for i in found if _in_row(processor, ids, i, length)][-1:]
                    else:
                        asked = [i for i in found if i in wished][:1]
                        found = asked + [i for i in found if i not in wished][-1:]
                    for k in range(length if found else 0):
                        places = [place + k for place in found]
                        spot = next((spots[i] for i in places if spots[i]), number + 1)
                        number = max(number, spot)
                        for i in places:
                            spots[i] = spots[i] or spot
                        aims[at + k] = spot
                    at += length
                    break
            begin = end
    return aims, spots


def _in_row(processor: NanoProcessor, ids: Sequence[int], place: int, length: int) -> bool:
    """Whether the reference at ``place`` is that of a row, not of what was done or is gone."""
    before = processor.tokenizer.decode(ids[max(0, place - ROW) : place])
    after = processor.tokenizer.decode(ids[place + length : place + length + 1])
    return bool(_ROW.match(before.rpartition("\n")[2])) and after[:1] in (" ", "\n", "")


def _places(ids: Sequence[int], part: Sequence[int], start: int, end: int) -> list[int]:
    """Where ``part`` stands in ``ids[start:end]``."""
    part, size = list(part), len(part)
    return [
        i
        for i in range(start, end - size + 1)
        if ids[i] == part[0] and list(ids[i : i + size]) == part
    ] if part else []
