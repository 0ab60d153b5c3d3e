"""Scenes as training material: detection data sets on disk."""

from __future__ import annotations

from pathlib import Path

from mllm.data.lexicon import INDEX, NAMES
from mllm.data.scenes import Scene, render, sample_scene


def write_yolo(
    out: str | Path, n: int, seed: int, style: str | Path = "train", *, split: str = "train"
) -> Path:
    """Write ``n`` scenes as one split of an ultralytics detection data set.

    Layout: ``images/SPLIT/*.jpg``, ``labels/SPLIT/*.txt`` (class, then centre and size as shares of
    the picture) and ``data.yaml``, whose path is returned. Until a split ``val`` is written,
    validation points at ``train``. Class numbers are positions in the lexicon.
    """
    root = Path(out).resolve()
    images, labels = root / "images" / split, root / "labels" / split
    images.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    for index in range(n):
        scene = sample_scene(seed, index, style=style)
        render(scene).save(images / f"{index:06d}.jpg", quality=92)
        (labels / f"{index:06d}.txt").write_text("".join(yolo_lines(scene)))
    validation = "val" if (root / "images" / "val").exists() else "train"
    names = "".join(f"  {number}: {name}\n" for number, name in enumerate(NAMES))
    sheet = root / "data.yaml"
    sheet.write_text(
        f"path: {root}\ntrain: images/train\nval: images/{validation}\nnames:\n{names}"
    )
    return sheet


def yolo_lines(scene: Scene) -> list[str]:
    """One line an object: class, x centre, y centre, width, height, the last four in 0-1."""
    lines = []
    for thing in scene.objects:
        x0, y0, x1, y1 = thing.box
        shares = (
            (x0 + x1) / 2 / scene.width,
            (y0 + y1) / 2 / scene.height,
            (x1 - x0) / scene.width,
            (y1 - y0) / scene.height,
        )
        lines.append(f"{INDEX[thing.label]} " + " ".join(f"{s:.6f}" for s in shares) + "\n")
    return lines
