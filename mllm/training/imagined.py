"""Descriptions of scenes, true ones and the same with objects that are only imagined.

What is imagined goes with what is there, as things of one kind do: where there is a fork, a knife.
(The scenes themselves put anything together, so counting in them would teach no habit; LURE, too,
asks a language model and counts in no data set, arXiv 2310.00754, section 3.1.) It comes late in
the description, as hallucinations do.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from mllm.data.captions import caption_of
from mllm.data.claim_drafts import statement
from mllm.data.extras import listed
from mllm.data.lexicon import BY_NAME, NAMES
from mllm.data.phrasing import fill, measure, noun, phrasings, vary
from mllm.data.questions import CHINESE
from mllm.data.scenes import Scene


@dataclass(frozen=True)
class Described:
    """A request for a description, a true one, and one that also names what is not there."""

    scene: Scene
    lang: str
    task: str
    true: str
    imagined: str
    absent: tuple[str, ...]
    """The categories that only ``imagined`` names."""


def described(scene: Scene, rng: random.Random, n: int) -> Described:
    """A description with ``n`` imagined objects; half the time some facts in sentences
    (``mllm.data.captions``), half the time a list of all that is there. A pure function of the
    scene and the state of ``rng``."""
    caption = caption_of(scene, rng.getrandbits(32))
    absent = companions({o.label for o in scene.objects}, rng, n)
    if caption.facts and rng.random() < 0.5:
        lang, sentences = caption.lang, caption.sentences
        true = caption.joined(sentences)
        for name in absent:
            sentences.insert(_late(len(sentences), rng), _there_is(name, lang, rng))
        imagined = caption.joined(sentences)
    else:
        lang = "zh" if rng.random() < CHINESE else "en"
        counts = list(Counter(o.label for o in scene.objects).items())
        rng.shuffle(counts)
        true = _list(counts, lang)
        for name in absent:
            counts.insert(_late(len(counts), rng), (name, 1))
        imagined = _list(counts, lang)
    task = vary(rng.choice(phrasings(lang)["extras"]["describe"]), rng)
    return Described(scene, lang, task, true, imagined, absent)


def companions(there: Collection[str], rng: random.Random, n: int) -> tuple[str, ...]:
    """Up to ``n`` categories that are not ``there``, of the kinds of those that are."""
    groups = {BY_NAME[name].group for name in there}
    near = [name for name in NAMES if BY_NAME[name].group in groups and name not in there]
    return tuple(rng.sample(near, min(n, len(near))))


def _late(length: int, rng: random.Random) -> int:
    return rng.randint((length + 1) // 2, length)


def _there_is(name: str, lang: str, rng: random.Random) -> str:
    words = noun(name, lang, rng).words("x") | {"m": measure(name)}
    return statement(fill(phrasings(lang)["forms"]["exists"]["yes"], words))


def _list(counts: list[tuple[str, int]], lang: str) -> str:
    words = phrasings(lang)["extras"]
    if not counts:
        return str(words["nothing"])
    said = fill(words["described"], {"list": listed(counts, lang)})
    return said
