"""Screenshots of interfaces with their controls: the kinds there are, and how they lie on disk.

What needs a browser to take the pictures lies in ``agent/evaluation/screens_runner.py``.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from PIL import Image

Corners: TypeAlias = tuple[float, float, float, float]
Control: TypeAlias = tuple[str, Corners]
"""A kind and where it is drawn, in pixels of the picture."""

KINDS = {
    "button": ("button", "clickable"),
    "link": ("link",),
    "textbox": (
        "textbox", "searchbox", "spinbutton", "date", "time", "month", "week", "datetime",
    ),
    "checkbox": ("checkbox",),
    "radio": ("radio",),
    "switch": ("switch",),
    "combobox": ("combobox",),
    "slider": ("slider",),
    "tab": ("tab",),
    "menuitem": ("menuitem", "option", "treeitem"),
}  # fmt: skip
"""Roles of elements by what a picture can tell of them."""
NAMES = tuple(KINDS)
SHOWN = 0.6
"""Share of a control that a part of a picture must show."""

_KIND = {role: kind for kind, roles in KINDS.items() for role in roles}


def kind(role: str) -> str:
    """What a picture can tell of a role, "" where that is nothing."""
    return _KIND.get(role, "")


@dataclass(frozen=True)
class Folder:
    """A data set of ultralytics' layout: ``images/SPLIT/*.png``, ``labels/SPLIT/*.txt`` (kind, then
    centre and size as shares of the picture) and ``data.yaml``."""

    path: Path
    split: str

    def has(self, index: int) -> bool:
        """Whether a picture is there as a whole: its labels are written last."""
        return self._labels(index).exists()

    def write(self, index: int, picture: Image.Image, controls: Sequence[Control]) -> None:
        labels, image = self._labels(index), self._image(index)
        for file in (labels, image):
            file.parent.mkdir(parents=True, exist_ok=True)
        picture.save(image, compress_level=1)  # ten thousand parts are written in minutes
        whole = labels.with_suffix(".part")
        whole.write_text("".join(_line(one, picture.size) for one in controls))
        whole.replace(labels)

    def read(self, index: int) -> tuple[Image.Image, list[Control]]:
        picture = Image.open(self._image(index)).convert("RGB")
        rows = self._labels(index).read_text().splitlines()
        return picture, [_control(row, picture.size) for row in rows]

    def indices(self) -> list[int]:
        return sorted(int(file.stem) for file in self._labels(0).parent.glob("*.txt"))

    def sheet(self) -> Path:
        """Write ``data.yaml``; validation points at ``val`` where that split is."""
        other = "val" if (self.path / "images" / "val").exists() else "train"
        names = "".join(f"  {number}: {name}\n" for number, name in enumerate(NAMES))
        out = self.path / "data.yaml"
        out.write_text(
            f"path: {self.path.resolve()}\ntrain: images/train\nval: images/{other}\n"
            f"names:\n{names}"
        )
        return out

    def _image(self, index: int) -> Path:
        return self.path / "images" / self.split / f"{index:06d}.png"

    def _labels(self, index: int) -> Path:
        return self.path / "labels" / self.split / f"{index:06d}.txt"


def part(
    rng: random.Random, picture: Image.Image, controls: Sequence[Control], side: int
) -> tuple[Image.Image, list[Control]]:
    """A square of a screenshot at about its own scale: controls keep the size that they have in
    use, where a whole screen made small would lose the smallest. Beyond the picture it is grey."""
    scale = rng.uniform(0.8, 1.25)
    cut = side / scale
    around = rng.choice(controls)[1] if controls else (0.0, 0.0, *map(float, picture.size))
    x, y = (
        _start(rng, length, cut, (around[axis] + around[axis + 2]) / 2)
        for axis, length in enumerate(picture.size)
    )
    small = Image.new("RGB", (side, side), (114, 114, 114))
    x1, y1 = min(x + cut, picture.width), min(y + cut, picture.height)
    size = max(1, round((x1 - x) * scale)), max(1, round((y1 - y) * scale))
    how = Image.Resampling.BICUBIC if scale > 1 else Image.Resampling.BOX
    small.paste(picture.resize(size, how, box=(x, y, x1, y1)), (0, 0))
    kept = []
    for name, (a, b, c, d) in controls:
        shown = max(a, x), max(b, y), min(c, x1), min(d, y1)
        wide, high = shown[2] - shown[0], shown[3] - shown[1]
        if wide > 0 and high > 0 and wide * high > SHOWN * (c - a) * (d - b):
            at = ((shown[n] - (x, y)[n % 2]) * scale for n in range(4))
            kept.append((name, (next(at), next(at), next(at), next(at))))
    return small, kept


def _start(rng: random.Random, length: int, cut: float, middle: float) -> float:
    """Where a cut begins on an axis so that it holds ``middle`` and lies in the picture."""
    if length <= cut:
        return 0.0
    return min(max(middle - rng.uniform(0.1, 0.9) * cut, 0.0), length - cut)


def _line(control: Control, size: tuple[int, int]) -> str:
    name, (x0, y0, x1, y1) = control
    wide, high = size
    shares = (x0 + x1) / 2 / wide, (y0 + y1) / 2 / high, (x1 - x0) / wide, (y1 - y0) / high
    return f"{NAMES.index(name)} " + " ".join(f"{share:.6f}" for share in shares) + "\n"


def _control(line: str, size: tuple[int, int]) -> Control:
    number, *shares = line.split()
    x, y, w, h = map(float, shares)
    wide, high = size
    return NAMES[int(number)], (
        (x - w / 2) * wide, (y - h / 2) * high, (x + w / 2) * wide, (y + h / 2) * high,
    )  # fmt: skip
