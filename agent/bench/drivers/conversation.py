"""The conversation of the session bench, which ours and the peer's driver both hold."""

from __future__ import annotations

import random

from PIL import Image

TASK = "How many pages show a cup? Look at every page."
TOOL = "screenshot"
DESCRIPTION = "Take a screenshot of a page."
PAGES = "Which page."
NOTE = "The page is open."
TOKENS = 16
"""Tokens that a model writes at each step."""
SIZE = (320, 256)


def picture(number: int, seed: int) -> Image.Image:
    """The picture of a step, all different."""
    width, height = 20, 16
    pixels = random.Random(f"{seed} {number}").randbytes(3 * width * height)
    return Image.frombytes("RGB", (width, height), pixels).resize(SIZE)
