"""Objects in a picture: the nano detector, any YOLO weights, or an open vocabulary."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image as PILImage

from mllm.content import Artifact, Box, Boxes
from mllm.data.lexicon import CATEGORIES, called, in_group, normalize
from mllm.data.observation import ANYTHING, FOREIGN
from mllm.yolo import NANO, NANO_OVERLAP, NANO_SCALES, Detector, Found, WeightsError
from tools.color import dominant_color
from tools.protocol import Image, Tool, ToolContext, ToolError

THRESHOLD = 0.25
"""Least score of a box: what ultralytics takes by default."""
NANO_THRESHOLD = 0.2
"""The same for the nano detector, whose scores are mixed of several opinions."""
FAINT = 0.03
"""Least score of what may be there too: no claim is contradicted that it would make true."""
OVERLAP = 0.6
"""Intersection over union from which two boxes are one object, seen twice."""
MEMORY = 10
"""Bytes in memory per byte of weights: float32 from float16, and what inference needs."""

_IRREGULAR = {"people": "person", "mice": "mouse"}


class Detect(Tool):
    """Finds objects and tells kind, colour, place and score of each.

        Detect()                                      # the nano detector of this project
        Detect("yolo11n.pt", threshold=0.3)           # any ultralytics detector
        Detect("yoloe-11s-seg.pt", classes=["crane"])  # open vocabulary: any words

    Labels may be in any number, English or Chinese, or name a group such as "fruit". What the
    weights do not know is refused by name, never reported as absent; and the nano detector, which
    knows simple drawn scenes, refuses other pictures as a whole.
    """

    name = "detect"

    def __init__(
        self,
        weights: str | Path = "nano",
        *,
        classes: Sequence[str] = (),
        threshold: float | None = None,
        faint: float | None = None,
        iou: float | None = None,
    ) -> None:
        """``classes`` is what open-vocabulary weights look for when a call names no labels.

        Raises ``WeightsError`` when there is no such file; it is loaded at the first call.
        """
        nano = weights == "nano"
        self.weights = path = NANO if nano else Path(weights)
        self.classes = tuple(classes)
        usual = NANO_THRESHOLD if nano else THRESHOLD
        self.threshold = usual if threshold is None else threshold
        self.faint = min(FAINT if faint is None else faint, self.threshold)
        self.iou = (NANO_OVERLAP if nano else OVERLAP) if iou is None else iou
        if not path.is_file():
            raise WeightsError(f"{path} is not there; give 'nano' or the path of a .pt file")

    def run(
        self, image: Image, context: ToolContext, labels: list[str] | None = None
    ) -> list[Boxes | str]:
        """Find objects in an image.

        Args:
            labels: Kinds of objects to find; every known kind when left out.
        """
        picture, path = image.pil(), self.weights
        whole = _whole(image, context).pil() if image.artifact.parent else picture
        size = path.stat().st_size * MEMORY

        def load() -> Detector:
            return Detector(path, NANO_SCALES if path == NANO else (1.0,))

        try:
            with context.pool.get(("detect", path), load, size) as detector:
                if not detector.knows(whole):
                    raise ToolError(FOREIGN)
                if detector.open_vocabulary:
                    wanted = self._any_words(detector, labels)
                else:
                    wanted = known(labels, detector.names)
                asked = frozenset(n for names in wanted.kinds.values() for n in names)
                every = detector.find(picture, self.threshold, self.iou, asked, self.faint)
        except WeightsError as error:
            raise ToolError(f"cannot detect objects: {error}") from error
        found = [row for row in every if wanted.has(row.name)]
        boxes = Boxes(
            artifact=image.artifact.id,
            boxes=tuple(_box(picture, image.artifact, row) for row in found if row.sure),
            counts=wanted.counts([row.name for row in every if row.sure], context.lang),
            unsure=tuple(_box(picture, image.artifact, row) for row in found if not row.sure),
        )
        return [boxes, wanted.refusal] if wanted.refusal else [boxes]

    def _any_words(self, detector: Detector, labels: list[str] | None) -> Wanted:
        words = tuple(labels or self.classes)
        if not words:
            return Wanted({})
        detector.look_for(words)
        return Wanted({word: (word,) for word in words})


def _whole(image: Image, context: ToolContext) -> Image:
    """The picture that this one was cut from: a part says less of whether it is a photograph."""
    while image.artifact.parent:
        image = Image(context.artifact(image.artifact.parent), image.media)
    return image


@dataclass(frozen=True)
class Wanted:
    """What a call asks for."""

    kinds: Mapping[str, tuple[str, ...]]  # the detector's names by the words of the call
    refusal: str = ""  # about labels that the detector does not know

    def has(self, name: str) -> bool:
        """Whether this kind was asked for. Without labels everything is."""
        return not self.kinds or any(name in names for names in self.kinds.values())

    def counts(self, found: Sequence[str], lang: str) -> dict[str, int]:
        """How many there are of what was asked for, in the words of the call; of everything, in
        the words of the person's language."""
        if not self.kinds:
            return dict(Counter(called(name, lang) for name in found)) or {ANYTHING: 0}
        return {
            label: sum(name in names for name in found) for label, names in self.kinds.items()
        }


def known(labels: Sequence[str] | None, names: Sequence[str]) -> Wanted:
    """Match what a call asks for with the ``names`` that a detector can tell apart.

    Raises ``ToolError``, with the closest names, when it knows none of the labels.
    """
    if not labels:
        return Wanted({})
    matches = {label: _matches(label, names) for label in labels}
    refusal = " ".join(_refusal(label, names) for label, found in matches.items() if not found)
    kinds = {label: found for label, found in matches.items() if found}
    if not kinds:
        raise ToolError(refusal)
    return Wanted(kinds, refusal)


def _matches(label: str, names: Sequence[str]) -> tuple[str, ...]:
    """The names that a label means: itself, its singular, a synonym, or the members of a group."""
    by_form = {name.lower(): name for name in names}
    text = re.sub(r"^(a|an|the|some) ", "", re.sub(r"[\s_]+", " ", label.strip().lower()))
    singular = (text, _IRREGULAR.get(text, ""), re.sub("ies$", "y", text),
                re.sub("(?<=[sxh])es$", "", text), re.sub("s$", "", text))  # fmt: skip
    for form in (*singular, normalize(label) or ""):
        if form in by_form:
            return (by_form[form],)
    return tuple(by_form[kind] for kind in in_group(label) if kind in by_form)


def _refusal(label: str, names: Sequence[str]) -> str:
    """Why a label cannot be looked for, and what comes close to it."""
    close = _close(label, names)
    ways = f"close to it: {', '.join(close)}" if close else f"for example: {', '.join(names[:5])}"
    return (
        f"cannot detect {label!r}: it is not among the {len(names)} kinds that this detector "
        f"knows ({ways}). Whether there is one in the picture stays open."
    )


def _close(label: str, names: Sequence[str]) -> list[str]:
    """Up to three names that share a word with the label, are spelled alike, or mean the like."""
    spoken = {name.lower(): name for name in names}
    for category in CATEGORIES:
        if category.name in spoken:
            spoken |= {alias: category.name for alias in category.aliases}
    words = [kind for word in label.split() for kind in _matches(word, names)]
    alike = [spoken[form] for form in difflib.get_close_matches(label.lower(), spoken, 5, 0.7)]
    return list(dict.fromkeys([*words, *alike]))[:3]


def _box(picture: PILImage.Image, artifact: Artifact, row: Found) -> Box:
    """A detector's row as a box inside the artifact, with the colour of its pixels."""
    width, height = picture.size
    box = Box(
        artifact=artifact.id,
        width=width,
        height=height,
        x0=min(max(row.x0, 0.0), width),
        y0=min(max(row.y0, 0.0), height),
        x1=min(max(row.x1, 0.0), width),
        y1=min(max(row.y1, 0.0), height),
        label=row.name,
        score=round(row.score, 3),
    )
    return box.model_copy(update={"color": dominant_color(picture, box)})
