"""Ways to choose the next token, for any local model: ``load(model, decoding="vcd")``.

LURE (``mllm.decoding.lure``) is no such way: it rewrites what was said.
"""

from __future__ import annotations

from mllm.backends.protocol import WrongModel
from mllm.decoding.halle import HallE
from mllm.decoding.method import Branches, Decoding, Reader
from mllm.decoding.vcd import VCD

__all__ = ["METHODS", "VCD", "Branches", "Decoding", "HallE", "Reader", "named"]

METHODS = ("vcd", "halle:PATH[@EPSILON]")
"""How methods are named, each with the values that its authors use."""


def named(decoding: str | Decoding) -> Decoding:
    """The method of that name, or the one given. Raises ``ModelError`` for an unknown name."""
    if not isinstance(decoding, str):
        return decoding
    if decoding == "vcd":
        return VCD()
    if decoding.startswith("halle:"):
        return HallE.parse(decoding.removeprefix("halle:"))
    raise WrongModel(f"no decoding method {decoding!r}: there is {', '.join(METHODS)}")
