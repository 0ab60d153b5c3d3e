"""How familiar a picture looks to a detector: the limit of what its silence means.

A detector that never saw a photograph finds nothing in one, or nonsense, and is as sure as ever.
The statistics of its own features tell: Mahalanobis distance to the features of its training
pictures (Lee et al., arXiv 1807.03888), here of channel means and deviations at several depths.
Nothing but training pictures is needed to fit it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

DEPTHS = (2, 4, 6, 10)
"""Layers of YOLO11 whose outputs are looked at: from textures to things."""
SIDE = 256
DIRECTIONS = 96
"""Principal directions that are kept; along all others a picture varies as little as the least."""
SHRINKAGE = 0.3
"""Added to every variance (features are scaled to 1), so that rare directions do not decide."""

FALSE_ALARMS = 0.001
"""Share of the pictures of its own world that a detector may take for foreign."""

Features = NDArray[np.float32]


@dataclass(frozen=True)
class Familiarity:
    """What the features of familiar pictures look like. For ``n`` features: their ``mean`` and
    ``scale`` ``(n,)``, the principal ``directions`` ``(k, n)`` with ``variances`` ``(k,)``, and
    the ``limit``, the distance up to which a picture is familiar."""

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    variances: NDArray[np.float32]
    directions: NDArray[np.float16]
    limit: float

    @classmethod
    def fit(cls, features: Iterable[Features], held: Iterable[Features]) -> Familiarity:
        """From features of training pictures. The limit is where ``FALSE_ALARMS`` of other such
        pictures, ``held``, lie beyond it."""
        rows = np.stack(list(features)).astype(np.float64)
        mean, scale = rows.mean(0), rows.std(0) + 1e-6
        variances, directions = np.linalg.eigh(np.cov(((rows - mean) / scale).T))
        chosen = np.argsort(variances)[::-1][:DIRECTIONS]
        found = cls(
            mean=mean.astype(np.float32),
            scale=scale.astype(np.float32),
            variances=variances[chosen].astype(np.float32),
            directions=directions[:, chosen].T.astype(np.float16),
            limit=math.inf,
        )
        limit = np.quantile([found.distance(row) for row in held], 1 - FALSE_ALARMS)
        return replace(found, limit=float(limit))

    @classmethod
    def load(cls, path: Path) -> Familiarity:
        """What ``save`` wrote. Raises ``OSError`` or ``ValueError`` for a file that is not that."""
        with np.load(path) as stored:
            values: dict[str, Any] = dict(stored)
        return cls(**values | {"limit": float(values["limit"])})

    def save(self, path: Path) -> None:
        np.savez_compressed(path, **asdict(self))

    def distance(self, features: Features) -> float:
        """Mahalanobis distance, per square root of the number of features."""
        z = (features - self.mean) / self.scale
        along = self.directions.astype(np.float32) @ z
        rest = max(float(z @ z - along @ along), 0.0)
        far = (along**2 / (self.variances + SHRINKAGE)).sum() + rest / SHRINKAGE
        return float(np.sqrt(far / z.size))


def features(model: Any, image: Image.Image) -> Features:
    """Channel means and deviations of a YOLO network's layers (its ``Sequential``) for an RGB
    picture."""
    import torch

    share = SIDE / max(image.size)
    size = max(1, round(image.width * share)), max(1, round(image.height * share))
    small = np.asarray(image.resize(size, Image.Resampling.BICUBIC))
    framed = np.full((SIDE, SIDE, 3), 114, np.uint8)  # the grey that ultralytics pads with
    framed[: size[1], : size[0]] = small
    x = torch.from_numpy(framed).permute(2, 0, 1)[None].float() / 255
    out = []
    with torch.inference_mode():
        x = x.to(next(model.parameters()))
        for depth, layer in enumerate(model.eval()[: max(DEPTHS) + 1]):
            x = layer(x)
            if depth in DEPTHS:
                cell = SIDE // x.shape[-1]
                seen = x[0, :, : max(1, size[1] // cell), : max(1, size[0] // cell)].float()
                out += [seen.mean((1, 2)), seen.std((1, 2), correction=0)]
    found: Features = torch.cat(out).cpu().numpy()
    return found
