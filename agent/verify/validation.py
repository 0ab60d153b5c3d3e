"""Stage 3, validation: the experts answer the questions, each running once per picture
(Woodpecker, arXiv 2310.16045, section 3.3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from agent.result import Questions
from agent.verify.words import kind
from mllm.content import Artifact, Box, Boxes, Text
from mllm.geometry import intersection
from tools.look import Look
from tools.protocol import Part, Tool, ToolContext, ToolError
from tools.select import fits

PRINT = 0.5
"""Share of a box that lines of text cover from which on what is in it is print."""
BEAR_PRINT = frozenset({"sign", "book", "clock", "laptop", "tv", "cell phone", "bus"})
"""Kinds of objects that are print in part: what is read on them does not speak against them."""


@dataclass
class Experts:
    """The experts that can be asked, and what they already said.

    ``detect``, ``read_text`` and ``look`` are the tools of those names, or None where the agent
    was not given one: claims that need them stay unsupported, which is the truth.
    """

    context: ToolContext
    detect: Tool | None = None
    read_text: Tool | None = None
    look: Tool | None = None
    _found: dict[tuple[str, str], tuple[Box, ...] | None] = field(default_factory=dict)
    """By picture and label; None where the detector refuses to tell."""
    _unsure: dict[tuple[str, str], tuple[Box, ...]] = field(default_factory=dict)
    _read: dict[str, tuple[Box, ...] | None] = field(default_factory=dict)
    _seen: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def for_another(self) -> Experts:
        """The same experts for another text. What they read and saw they know; the detector looks
        again, because it favours what it is asked for."""
        return Experts(
            self.context, self.detect, self.read_text, self.look, _read=self._read, _seen=self._seen
        )

    def answer(self, images: Sequence[Artifact], questions: Questions) -> None:
        """Have everything that is asked found out about each picture: one pass of the detector
        for all labels, one of the reader, one batch of looks. What was asked before is not asked
        again."""
        for image in images:
            looks: list[Callable[[], None]] = []
            new = [label for label in questions.labels if not self._knows(image, label)]
            if self.detect is not None and new:
                looks.append(partial(self._detect, self.detect, image, new))
            if self.read_text is not None and questions.words and image.id not in self._read:
                looks.append(partial(self._lines, self.read_text, image))
            _side_by_side(looks)
            doubtful = any(self._unsure.get((image.id, label)) for label in questions.labels)
            if self.read_text is not None and doubtful and image.id not in self._read:
                self._lines(self.read_text, image)
            asked = [one for one in questions.looks if (image.id, one) not in self._seen]
            if self.look is not None and asked:
                for question, reply in zip(asked, self._looks(image, asked), strict=True):
                    self._seen[image.id, question] = reply

    def objects(self, image: Artifact, label: str) -> tuple[Box, ...] | None:
        """Boxes of ``label``, or None when no detector here could tell."""
        return self._found.get((image.id, label))

    def unsure(self, image: Artifact, label: str) -> tuple[Box, ...]:
        """Boxes of what may be ``label`` too. Print is not, but of things that bear it: what a
        picture says about itself is to make nothing possible."""
        boxes = self._unsure.get((image.id, label), ())
        if kind(label) in BEAR_PRINT:
            return boxes
        lines = self._read.get(image.id) or ()
        return tuple(b for b in boxes if sum(_covered(b, line) for line in lines) < PRINT)

    def _knows(self, image: Artifact, label: str) -> bool:
        """Whether this was asked before, perhaps in another word for the same."""
        for place, word in list(self._found):
            found = self._found[place, word]
            if place == image.id and found is not None and kind(word) == kind(label):
                self._found[image.id, label] = found
                self._unsure[image.id, label] = self._unsure[place, word]
        return (image.id, label) in self._found

    def lines(self, image: Artifact) -> tuple[Box, ...] | None:
        """The lines of text in the picture, or None when no reader here could tell."""
        return self._read.get(image.id)

    def seen(self, image: Artifact, question: str) -> str | None:
        """What the model itself saw, or None where it could not be asked."""
        return self._seen.get((image.id, question))

    def _lines(self, tool: Tool, image: Artifact) -> None:
        try:
            self._read[image.id] = _boxes(tool.call({"image": image.id}, self.context))
        except ToolError:
            self._read[image.id] = None

    def _looks(self, image: Artifact, questions: Sequence[str]) -> list[str | None]:
        """The model's replies: all at once where the tool is ours, else one after the other."""
        if not isinstance(self.look, Look):
            return [self._look(image, question) for question in questions]
        try:
            return [said or None for said in self.look.ask(image, questions, self.context)]
        except ToolError:
            return [None] * len(questions)

    def _look(self, image: Artifact, question: str) -> str | None:
        assert self.look is not None
        try:
            parts = self.look.call({"image": image.id, "question": question}, self.context)
        except ToolError:
            return None
        return " ".join(p.text for p in parts if isinstance(p, Text)).strip()

    def _detect(self, tool: Tool, image: Artifact, labels: list[str]) -> None:
        # A detector refuses labels that it was not trained for in words, and counts the others. One
        # that refuses the whole set for one of them is asked again label by label.
        try:
            parts = tool.call({"image": image.id, "labels": labels}, self.context)
        except ToolError:
            if len(labels) == 1:
                self._found[image.id, labels[0]] = None
                return
            for label in labels:
                self._detect(tool, image, [label])
            return
        boxes, sets = _boxes(parts), [part for part in parts if isinstance(part, Boxes)]
        unsure = [box for one in sets for box in one.unsure]
        counted = {word: n for one in sets for word, n in one.counts.items()}
        refusal = any(isinstance(part, Text) for part in parts)
        for label in labels:
            found = tuple(b for b in boxes if fits(b, label, None))
            # What is counted and not among the boxes is there in a word that nobody knows here.
            unknown = (refusal and label not in counted) or (counted.get(label) and not found)
            self._found[image.id, label] = None if unknown else found
            self._unsure[image.id, label] = tuple(b for b in unsure if fits(b, label, None))


def _side_by_side(looks: Sequence[Callable[[], None]]) -> None:
    """Experts that do not wait for each other. Raises what one of them raises."""
    if len(looks) < 2:
        for look in looks:
            look()
        return
    with ThreadPoolExecutor(max_workers=len(looks)) as threads:
        for done in [threads.submit(look) for look in looks]:
            done.result()


def _boxes(parts: Sequence[Part]) -> tuple[Box, ...]:
    return tuple(box for part in parts if isinstance(part, Boxes) for box in part.boxes)


def _covered(box: Box, line: Box) -> float:
    """The share of ``box`` that lies in ``line``."""
    area = (box.x1 - box.x0) * (box.y1 - box.y0)
    return intersection(box, line) / area if area > 0 else 0.0
