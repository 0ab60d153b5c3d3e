"""The text that the tokenizer learns its pieces from: the world's words in all their forms, the
phrasings of questions, prompts, tool lines and calls, in both languages."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import prompts
from mllm.data.lexicon import CATEGORIES, GROUPS, Category, Group
from mllm.data.phrasing import phrasings
from mllm.data.scenes import SIGN_COLORS
from mllm.data.signs import sign_text
from mllm.geometry import PICKS, RELATIONS

COMMON = Path(__file__).with_name("common_words.txt").read_text(encoding="utf-8").split()
"""Words of tasks, prompts and tools."""


def texts(seed: int = 1) -> Iterator[str]:
    """A few thousand short texts, the same for the same seed."""
    rng = random.Random(seed)
    words = [*COMMON, *SIGN_COLORS, *RELATIONS, *PICKS]
    nouns: list[str] = []
    entries: list[Category | Group] = [*CATEGORIES, *GROUPS]
    for entry in entries:
        nouns += [entry.name, entry.plural, entry.zh, *entry.aliases, *entry.zh_aliases]
    for word in [*words, *nouns]:
        for _ in range(20):
            yield word
        yield from (word.capitalize(), word.capitalize())
    for lang in prompts.LANGUAGES:
        for phrase in _strings(phrasings(lang)):
            for _ in range(10):
                yield _filled(phrase, rng, nouns)
    for path in sorted(Path(prompts.FOLDER).rglob("*.md")):
        for _ in range(3):
            yield path.read_text(encoding="utf-8")
    for _ in range(3000):
        yield sign_text(rng)
        yield _call(rng, nouns)
        yield _rows(rng, nouns)


def _strings(node: Any) -> Iterator[str]:
    """All text of a phrasings file but what is held out of training."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for item in node:
            yield from _strings(item)
    elif isinstance(node, dict):
        for key, item in node.items():
            if key != "held_out":
                yield from _strings(item)


def _filled(phrase: str, rng: random.Random, nouns: list[str]) -> str:
    parts = phrase.replace("}", "{").split("{")
    return "".join(p if i % 2 == 0 else rng.choice(nouns) for i, p in enumerate(parts))


def _call(rng: random.Random, nouns: list[str]) -> str:
    one, two = rng.sample(nouns, 2)
    number = rng.randint(1, 9)
    name, arguments = rng.choice(
        [
            ("detect", {"image": f"img{number}", "labels": [one, two][: rng.randint(1, 2)]}),
            ("read_text", {"image": f"img{number}", "region": f"boxes{number}.{number}"}),
            ("select", {"boxes": f"boxes{number}", "label": one, "color": rng.choice(SIGN_COLORS)}),
            ("select", {"boxes": f"boxes{number}", "relation": rng.choice(RELATIONS), "of": two}),
            ("select", {"boxes": f"boxes{number}", "pick": rng.choice(PICKS)}),
            ("calculate", {"expression": f"{number} {rng.choice('+-><')} {rng.randint(1, 9)}"}),
            ("look", {"image": f"img{number}.crop1", "question": f"What is left of the {one}?"}),
        ]
    )
    claim = {"kind": "count", "object": one, "color": "red", "of": two, "value": str(number)}
    return json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False) + json.dumps(
        [claim, {**claim, "kind": "attribute"}], ensure_ascii=False
    )


def _rows(rng: random.Random, nouns: list[str]) -> str:
    lines = [f"[img{rng.randint(1, 3)} {rng.randint(100, 640)}x{rng.randint(100, 640)}]"]
    for i in range(1, rng.randint(2, 5)):
        corners = ",".join(str(rng.randint(0, 300)) for _ in range(4))
        lines.append(f"{i} {rng.choice(SIGN_COLORS)} {rng.choice(nouns)} [{corners}]")
    head = f"boxes{rng.randint(1, 4)} on img1: {rng.choice(nouns)}: {rng.randint(0, 5)}, text: 1"
    return "\n".join([lines[0], head, *lines[1:], f'1 "{sign_text(rng)}" [3,4,50,20]'])
