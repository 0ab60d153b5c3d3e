"""What experts report of a scene: its truth with a detector's and a reader's usual faults."""

from __future__ import annotations

import random
import string
from dataclasses import dataclass

from mllm.content import Box
from mllm.data.lexicon import NAMES
from mllm.data.programs import World
from mllm.data.signs import break_lines

TERMS = (
    "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "gray",
)
"""Colours that a measurement can give to things that nobody painted."""


FOREIGN = (
    "cannot judge this picture: it is unlike those that this detector was trained on, so what it "
    "finds or misses would prove nothing. What the picture shows stays open."
)
"""What the nano detector says of a picture from outside its world, such as a photograph."""


ANYTHING = "object of a kind that this detector knows"
"""What a detector says that it looked for when a call names no label."""


@dataclass(frozen=True)
class Noise:
    """How often experts err. Shares of objects, or of the box's side for ``jitter``."""

    jitter: float = 0.03
    missed: float = 0.015
    doubled: float = 0.008
    spurious: float = 0.03  # a scene
    miscolored: float = 0.01
    merged: float = 0.1  # of texts of several lines, read as one
    misread: float = 0.2  # of lines of text, in one to three places


def observe(world: World, rng: random.Random, artifact: str, noise: Noise | None = None) -> World:
    """The world as boxes on ``artifact`` with whole pixels, best score first."""
    noise = noise or Noise()
    objects = []
    for box in world.objects:
        if rng.random() < noise.missed:
            continue
        for _ in range(2 if rng.random() < noise.doubled else 1):
            objects.append(_seen(box, rng, artifact, noise))
    if world.objects and rng.random() < noise.spurious:
        ghost = rng.choice(world.objects).model_copy(update={"label": rng.choice(NAMES)})
        objects.append(_seen(ghost, rng, artifact, noise))
    objects.sort(key=lambda b: -(b.score or 0.0))
    texts = [line for box in world.texts for line in _lines(box, rng, artifact, noise)]
    return World(tuple(objects), tuple(texts))


def _seen(box: Box, rng: random.Random, artifact: str, noise: Noise) -> Box:
    color = box.color
    if color is None or rng.random() < noise.miscolored:
        color = rng.choice(TERMS)
    score = round(min(0.98, rng.betavariate(6, 1.6)), 2)
    return _moved(box, rng, artifact, noise.jitter, color=color, score=max(score, 0.3))


def _lines(box: Box, rng: random.Random, artifact: str, noise: Noise) -> list[Box]:
    """A reader gives a box a line, and a sign breaks its text into lines."""
    text = box.text or ""
    parts = (text,) if rng.random() < noise.merged else break_lines(text)
    high = (box.y1 - box.y0) / len(parts)
    lines = []
    for i, part in enumerate(parts):
        if rng.random() < noise.misread:
            part = _misread(part, rng)
        place = {"y0": box.y0 + i * high, "y1": box.y0 + (i + 1) * high, "text": part}
        line = box.model_copy(update=place)
        lines.append(_moved(line, rng, artifact, noise.jitter, score=round(rng.uniform(0.8, 1), 2)))
    return lines


def _misread(text: str, rng: random.Random) -> str:
    """The text with characters doubled, lost or taken for others. Whoever reads it must copy what
    is there, not what it should be."""
    letters = list(text)
    for _ in range(rng.randint(1, 3)):
        spot = rng.randrange(len(letters))
        wrong = rng.choice(string.ascii_uppercase + string.digits)
        letters[spot] = rng.choice((letters[spot] * 2, wrong, wrong + letters[spot], ""))
    return " ".join("".join(letters).split()) or text


def _moved(
    box: Box, rng: random.Random, artifact: str, jitter: float, **update: str | float | None
) -> Box:
    dx, dy = jitter * (box.x1 - box.x0), jitter * (box.y1 - box.y0)
    x0, x1 = (round(rng.gauss(v, dx)) for v in (box.x0, box.x1))
    y0, y1 = (round(rng.gauss(v, dy)) for v in (box.y0, box.y1))
    place = {
        "artifact": artifact,
        "x0": float(min(max(x0, 0), box.width - 1)),
        "y0": float(min(max(y0, 0), box.height - 1)),
        "x1": float(min(max(x1, x0 + 1, 1), box.width)),
        "y1": float(min(max(y1, y0 + 1, 1), box.height)),
    }
    return box.model_copy(update={**place, **update})
