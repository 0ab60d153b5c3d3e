"""ultralytics detectors, imported quietly and offline, and asked for plain rows.

ultralytics reads its environment at import and would otherwise write settings into the home
folder, report usage, install packages and download weights. ``quiet`` turns that off and imports
it: nothing else may import ultralytics first.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from mllm.familiarity import Familiarity, features
from mllm.voting import vote

if TYPE_CHECKING:
    from mllm.naming import Namer

NANO = Path(__file__).with_name("weights") / "detector" / "nano.pt"
"""The detector trained in this project (``corvid train detector``)."""

ELEMENTS = NANO.parents[1] / "elements" / "nano.pt"
"""The detector of controls on screens (``corvid train detector`` with ``elements.yaml``)."""

NANO_SCALES = (1.0, 1.25, 0.875)
"""Sizes at which the nano detector looks at a picture, of the size it was trained on. Three looks
and a vote count objects better than one, for three times the time; the model card says how they
were chosen."""

NANO_OVERLAP = 0.5
"""Intersection over union from which two of the nano detector's boxes are one object."""

FAMILIAR = "familiar.npz"
"""Statistics of the training pictures, beside weights that know only a small world."""

NAMES = "names.safetensors"
"""A second opinion on what is in a box (``mllm.naming``), beside weights that have one."""

STRIDE = 32
"""YOLO takes pictures of sides that are multiples of this."""

FAINT = 0.05
"""Least score of a box that has a vote."""

MAX_FOUND = 300
"""Objects reported of one picture, the surest ones."""


class WeightsError(Exception):
    """Weights that are missing, broken, or not a detector's. Says what to do."""


@dataclass(frozen=True)
class Found:
    """One object that a detector reports; corners in pixels of the picture. One that is not
    ``sure`` may be something else, or nothing."""

    name: str
    score: float
    x0: float
    y0: float
    x1: float
    y1: float
    sure: bool = True

    @property
    def corners(self) -> tuple[float, float, float, float]:
        return self.x0, self.y0, self.x1, self.y1


class Detector:
    """A loaded detector, on a GPU where there is one. One thread at a time may use it."""

    def __init__(
        self, path: Path, scales: tuple[float, ...] = (1.0,), own_size: int | None = None
    ) -> None:
        """Load a ``.pt`` file of ultralytics: YOLO of any version, YOLO-World, YOLOE.

        ``scales``: sizes at which it looks, of the size it was trained on; several looks vote.
        ``own_size``: pictures of up to so many pixels on the longer side are looked at in the size
        that they have, whatever that of the training was.

        Raises ``WeightsError`` for a file that is missing, broken, or made for another task.
        """
        if path.suffix != ".pt" or not path.is_file():
            raise WeightsError(f"{path} is not there; give the path of a detector's .pt file")
        quiet()
        from ultralytics.models import YOLO

        try:
            self._model: Any = YOLO(str(path))
        except Exception as error:  # unpickling a broken file can raise anything
            reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
            raise WeightsError(
                f"{path.name} cannot be loaded as a YOLO detector; give a .pt file written by "
                f"ultralytics, or download it again ({reason})"
            ) from error
        if self._model.task not in ("detect", "segment", "pose"):
            raise WeightsError(
                f"{path.name} is made for the task {self._model.task}; give a detector's weights"
            )
        self.open_vocabulary = hasattr(self._model, "set_classes")
        self._side = _side(self._model)
        self._scales = scales
        self._own_size = own_size
        beside, names = path.with_name(FAMILIAR), path.with_name(NAMES)
        self._familiarity = Familiarity.load(beside) if beside.is_file() else None
        self._namer = _namer(names) if names.is_file() else None

    @property
    def names(self) -> tuple[str, ...]:
        """What it can tell apart."""
        return tuple(str(name) for name in self._model.names.values())

    def look_for(self, names: tuple[str, ...]) -> None:
        """Make an open-vocabulary detector look for these; they become its ``names``.

        Raises ``WeightsError`` when the text encoder that it needs is not installed.
        """
        if names == self.names:
            return
        try:
            self._model.set_classes(list(names))
        except Exception as error:
            raise WeightsError(
                "these open-vocabulary weights need their text encoder to look for new words; "
                f"install it or store the classes in the weights with set_classes ({error})"
            ) from error

    def knows(self, image: Image.Image) -> bool:
        """Whether an RGB picture is like those that the weights were trained on. Always so for
        weights without such statistics (``familiar.npz``) beside them."""
        if self._familiarity is None:
            return True
        far = self._familiarity.distance(features(self._model.model.model, image))
        return far <= self._familiarity.limit

    def find(
        self,
        image: Image.Image,
        threshold: float,
        iou: float,
        asked: Collection[str] = (),
        faint: float | None = None,
    ) -> list[Found]:
        """Objects in an RGB picture, best first, with scores of at least ``threshold``; with
        ``faint``, those with at least that as well, marked as not ``sure``.

        Where two boxes overlap by more than ``iou`` the surer one stays, whatever their names.
        A detector of several looks favours names that were ``asked`` for, see
        ``mllm.voting.vote``.
        """
        if len(self._scales) == 1:
            least = threshold if faint is None else faint
            found = self._look(image, self._scales[0], least, iou, one_name=True)
            return [replace(one, sure=one.score >= threshold) for one in found]
        # Each look tells all names that it thinks possible, so that the vote can weigh them.
        looks = [self._look(image, s, FAINT, iou, one_name=False) for s in self._scales]
        second = partial(self._namer.names, image) if self._namer else None
        return vote(looks, threshold, iou, asked, faint, second)

    def _look(
        self, image: Image.Image, scale: float, threshold: float, iou: float, *, one_name: bool
    ) -> list[Found]:
        full = self._side if self._own_size is None else min(self._own_size, max(image.size))
        side = max(STRIDE, round(full * scale / STRIDE) * STRIDE)
        small, (wide, high) = _shrunk(image, side)
        result = self._model.predict(
            small,
            imgsz=side,
            conf=threshold,
            iou=iou,
            agnostic_nms=one_name,
            max_det=MAX_FOUND,
            verbose=False,
            save=False,
        )[0]
        rows = result.boxes.data.cpu().numpy().astype(float)  # x0, y0, x1, y1, score, class
        return [
            Found(result.names[int(kind)], score, x0 * wide, y0 * high, x1 * wide, y1 * high)
            for x0, y0, x1, y1, score, kind in rows[(-rows[:, 4]).argsort(kind="stable")].tolist()
        ]


def _namer(weights: Path) -> Namer:
    from mllm.naming import Namer  # torch, which this module can do without until it looks

    try:
        return Namer.load(weights)
    except Exception as error:  # unreadable, of another format, or of another network
        raise WeightsError(
            f"{weights.name} beside the detector cannot be loaded: install it again, or remove the "
            f"file to do without a second opinion ({error})"
        ) from error


def quiet(verbose: bool = False) -> None:
    """Import ultralytics, offline and silent; ``verbose`` lets it show the progress of a training.

    Has an effect only before the first import of ultralytics.
    """
    folder = Path(tempfile.gettempdir()) / f"corvid-ultralytics-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for name, value in {
        "YOLO_CONFIG_DIR": str(folder),
        "YOLO_OFFLINE": "true",  # no usage reports, no look for updates
        "YOLO_AUTOINSTALL": "false",
        "YOLO_VERBOSE": str(verbose),
        "ULTRALYTICS_SAFE_LOAD": "true",  # weights cannot run code
    }.items():
        os.environ.setdefault(name, value)
    # ultralytics replaces PIL's open, for the whole process, by one that installs packages when a
    # picture is damaged. Whoever opens pictures beside it must get PIL's own.
    own = Image.open
    import ultralytics.utils  # noqa: F401

    Image.open = own


def _side(model: Any) -> int:
    """Pixels of the longer side that the weights were trained on."""
    side = model.overrides.get("imgsz") or 640
    return int(max(side) if isinstance(side, list | tuple) else side)


def _shrunk(image: Image.Image, side: int) -> tuple[Image.Image, tuple[float, float]]:
    """The picture, no larger than ``side``, and pixels of the original per pixel of it, x and y.

    Averaging beats the bilinear sampling of ultralytics where much is lost, and keeps memory low.
    """
    share = side / max(image.size)
    if share >= 1:
        return image, (1.0, 1.0)
    size = max(1, round(image.width * share)), max(1, round(image.height * share))
    small = image.resize(size, reducing_gap=2.0)
    return small, (image.width / size[0], image.height / size[1])
