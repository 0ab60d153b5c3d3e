"""HallE-Control, arXiv 2310.01779: a dial between what is seen and what is imagined.

Where the head of the language model reads a hidden state c, it reads c + epsilon W c instead. The
matrix W is trained with all else frozen: at epsilon -1 on descriptions of only what the picture
shows (contextual knowledge), at +1 on such as also name what would go with it (parametric
knowledge). In between, epsilon is chosen freely, and at 0 the model is as it was.

``mllm.training.halle`` trains W, which is one small file.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from mllm.backends.engine import Engine
from mllm.backends.protocol import WrongModel
from mllm.decoding.method import Reader

FILE = "halle.safetensors"
KEY = "projection"


class HallE:
    """The method: ``path`` is the file of W, or the folder with ``halle.safetensors`` in it.
    ``epsilon`` -1 says only what is seen, 1 imagines freely, 0 is the model itself, exactly.

    Raises ``ValueError`` for an ``epsilon`` out of -1..1 and ``ModelError`` for a file that cannot
    be used.
    """

    def __init__(self, path: str | Path, epsilon: float = -1.0) -> None:
        if not -1 <= epsilon <= 1:
            raise ValueError(f"epsilon must lie in -1..1, not {epsilon}")
        self.path, self.epsilon = Path(path).expanduser(), epsilon
        self.projection = read(self.path)

    @classmethod
    def parse(cls, text: str) -> HallE:
        """``PATH`` or ``PATH@EPSILON``. Raises ``ModelError``."""
        path, at, number = text.rpartition("@")
        try:
            return cls(path, float(number)) if at and _is_number(number) else cls(text)
        except ValueError as error:
            raise WrongModel(f"halle:{text} cannot be used: {error}") from error

    def reader(self, engine: Engine) -> Reader:
        """A reader of the model as it is at ``epsilon``. Raises ``ModelError`` when W belongs to
        another model."""
        if not self.epsilon:
            return Reader(engine)
        hidden, size = len(self.projection), _hidden_size(engine.model)
        if hidden != size:
            raise WrongModel(
                f"{self.path} is for hidden states of {hidden} numbers, and those of this model "
                f"have {size}: train one for it with `corvid train halle`"
            )
        projection = self.projection.to(engine.device, engine.model.dtype)
        steered = copy.copy(engine)
        # An engine calls its model under a lock that the copy shares: nobody else meets the hook.
        steered.model = partial(_call, engine.model, projection, self.epsilon)
        return Reader(steered)


@contextmanager
def moved(model: Any, projection: Tensor, epsilon: float) -> Iterator[None]:
    """While it lasts, the head of ``model`` reads c + ``epsilon`` W c for a hidden state c.

    ``projection`` is W, ``(d, d)``. Nano's head also matches earlier positions by their hidden
    states; there all of them are moved. Raises ``ModelError`` for a model without a head.
    """

    def move(hidden: Tensor) -> Tensor:
        return hidden + epsilon * F.linear(hidden, projection)

    if (head := model.get_output_embeddings()) is not None:
        hook = head.register_forward_pre_hook(lambda _, given: (move(given[0]), *given[1:]))
    elif (decoder := getattr(model, "decoder", None)) is not None:
        hook = decoder.register_forward_hook(lambda _, given, made: move(made))
    else:
        raise WrongModel(
            f"HallE cannot find where {type(model).__name__} turns hidden states into words: use "
            f"another model, or no decoding method"
        )
    try:
        yield
    finally:
        hook.remove()


def read(path: Path) -> Tensor:
    """The projection ``(d, d)`` in a file or folder. Raises ``ModelError``."""
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise WrongModel(
            f"there is no HallE projection at {file}: train one with `corvid train halle`"
        )
    try:
        projection = load_file(file)[KEY]
    except (SafetensorError, KeyError, OSError) as error:
        raise WrongModel(
            f"{file} holds no HallE projection: give a file that `corvid train halle` wrote"
        ) from error
    if projection.ndim != 2 or projection.shape[0] != projection.shape[1]:
        raise WrongModel(
            f"the projection in {file} is {tuple(projection.shape)}, not square: give a file that "
            f"`corvid train halle` wrote"
        )
    return projection


def write(projection: Tensor, folder: Path) -> Path:
    """Keep a projection in ``folder``; the file's path."""
    file = folder / FILE
    save_file({KEY: projection.detach().float().cpu().contiguous()}, file)
    return file


def _call(model: Any, projection: Tensor, epsilon: float, **inputs: Any) -> Any:
    with moved(model, projection, epsilon):
        return model(**inputs)


def _hidden_size(model: torch.nn.Module) -> int:
    size: int = model.config.get_text_config(decoder=True).hidden_size  # type: ignore[union-attr,operator]
    return size


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
