"""How well a detector sees scenes: boxes, and the counts that answers are made of.

    python -m mllm.evaluation.detection --style twemoji --n 500 --seed 1000003 --threshold 0.4

A box is right when it has the object's name and overlaps it by an IoU of at least 0.5; each object
is claimed by one box, the surest first.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mllm import geometry
from mllm.data.scenes import Scene, render, sample_scene
from mllm.yolo import NANO, NANO_OVERLAP, NANO_SCALES, Detector, Found

RIGHT = 0.5
"""Least IoU of a right box."""


@dataclass
class Tally:
    """Boxes and counts of one category, or of all."""

    objects: int = 0
    boxes: int = 0
    right: int = 0
    asked: int = 0  # pictures that show the category
    exact: int = 0  # of these, with its count right
    phantom: int = 0  # pictures without it in which it was seen

    @property
    def recall(self) -> float:
        return self.right / max(self.objects, 1)

    @property
    def precision(self) -> float:
        return self.right / max(self.boxes, 1)

    @property
    def counted(self) -> float:
        """Share of exact counts over (picture, category) where either side has one."""
        return self.exact / max(self.asked + self.phantom, 1)


@dataclass
class Score:
    """What a threshold gives on a set of scenes."""

    threshold: float
    scenes: int = 0
    perfect: int = 0  # pictures with every count right and nothing invented
    all: Tally = field(default_factory=Tally)
    by_category: dict[str, Tally] = field(default_factory=dict)

    def add(self, scene: Scene, found: Sequence[Found]) -> None:
        """Count one picture in."""
        found = [f for f in found if f.score >= self.threshold]
        right = _right(scene, found)
        clean = True
        for name in {o.label for o in scene.objects} | {f.name for f in found}:
            objects = sum(o.label == name for o in scene.objects)
            boxes = sum(f.name == name for f in found)
            clean &= objects == boxes
            for tally in (self.all, self.by_category.setdefault(name, Tally())):
                tally.objects += objects
                tally.boxes += boxes
                tally.right += sum(f.name == name for f in right)
                tally.asked += objects > 0
                tally.exact += objects == boxes
                tally.phantom += objects == 0
        self.scenes += 1
        self.perfect += clean

    def lines(self, worst: int = 20) -> list[str]:
        """The score in words, with the categories that are counted worst."""
        a = self.all
        lines = [
            f"{self.scenes} scenes at threshold {self.threshold:.2f}: precision {a.precision:.4f}, "
            f"recall {a.recall:.4f}, exact counts {a.counted:.4f}, "
            f"whole pictures {self.perfect / max(self.scenes, 1):.4f}"
        ]
        order = sorted(self.by_category.items(), key=lambda item: item[1].counted)
        return lines + [
            f"{name:15} precision {t.precision:.3f} recall {t.recall:.3f} counts {t.counted:.3f} "
            f"({t.objects} objects, {t.phantom} phantoms)"
            for name, t in order[:worst]
        ]


def look(
    detector: Detector, n: int, seed: int, style: str, iou: float, least: float = 0.05
) -> list[tuple[Scene, list[Found]]]:
    """Scenes 0 to ``n`` of a seed and style, with all that the detector reports of each."""
    scenes = (sample_scene(seed, index, style=style) for index in range(n))
    return [(scene, detector.find(render(scene), least, iou)) for scene in scenes]


def score(seen: Iterable[tuple[Scene, Sequence[Found]]], threshold: float) -> Score:
    """Judge the boxes from ``threshold`` up."""
    result = Score(threshold)
    for scene, found in seen:
        result.add(scene, found)
    return result


def best_threshold(seen: Sequence[tuple[Scene, Sequence[Found]]]) -> Score:
    """The score at the threshold with most exact counts. Choose it on training designs."""
    return max((score(seen, k / 50) for k in range(5, 41)), key=lambda s: s.all.counted)


def _right(scene: Scene, found: Sequence[Found]) -> list[Found]:
    free = list(scene.objects)
    right = []
    for box in sorted(found, key=lambda f: -f.score):
        same = [o for o in free if o.label == box.name]
        overlaps = [geometry.iou(box.corners, o.box) for o in same]
        if overlaps and max(overlaps) >= RIGHT:
            right.append(box)
            free.remove(same[overlaps.index(max(overlaps))])
    return right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=NANO)
    parser.add_argument("--style", default="twemoji")
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1_000_003)
    parser.add_argument("--iou", type=float, default=NANO_OVERLAP)
    parser.add_argument("--threshold", type=float, help="the best one on these scenes by default")
    given = parser.parse_args()
    seen = look(Detector(given.weights, NANO_SCALES), given.n, given.seed, given.style, given.iou)
    result = score(seen, given.threshold) if given.threshold else best_threshold(seen)
    print("\n".join(result.lines()))


if __name__ == "__main__":
    main()
