"""What signs say and how they are drawn: a panel with one to three lines of readable text."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

TRAINING_FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSansMono",
    "DejaVuSansMono-Bold",
)
EVALUATION_FONT = "Pillow"  # Pillow's built-in font, never in training

SMALLEST_FONT = 23  # pixels; capitals of every font above are then at least 16 pixels high
LARGEST_FONT = 31

_WORDS = (
    "OPEN", "CLOSED", "EXIT", "ENTER", "SALE", "CAFE", "BAKERY", "HOTEL", "TAXI", "PARK", "BEACH",
    "MARKET", "SCHOOL", "LIBRARY", "MUSEUM", "PUSH", "PULL", "STOP", "GO", "SLOW", "WAIT",
    "DANGER", "CAUTION", "QUIET", "PRIVATE", "PUBLIC", "FREE", "NEW", "HOT", "COLD", "FRESH",
    "WELCOME", "HELLO", "THANKS", "TICKETS", "INFO", "HELP", "POLICE", "BANK", "POST", "MUSIC",
    "CINEMA", "GARDEN", "RIVER", "BRIDGE", "TOWER", "NORTH", "SOUTH", "EAST", "WEST", "LEFT",
    "RIGHT", "UP", "DOWN", "MONDAY", "FRIDAY", "SUNDAY", "TODAY", "LUNCH", "DINNER", "COFFEE",
    "TEA", "MILK", "BREAD", "FISH", "SOUP", "LEMON", "APPLE", "GREEN", "SILVER", "GOLDEN",
    "HAPPY", "LUCKY", "CITY", "LAKE", "HARBOR", "AIRPORT",
)
_PLACES = ("GATE", "ROOM", "EXIT", "BUS", "LINE", "PLATFORM", "FLOOR", "DESK", "ZONE", "LOT")
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # no I and no O: they read as digits
_DIGITS = "0123456789"


@dataclass(frozen=True)
class SignLook:
    """One sign before it is put into a picture. Lengths in pixels, colours RGB."""

    lines: tuple[str, ...]
    font: str
    font_size: int
    panel: tuple[int, int, int]
    ink: tuple[int, int, int]
    padding: tuple[int, int]
    radius: int
    border: int
    angle: float  # degrees, counter-clockwise


def sign_text(rng: random.Random) -> str:
    """One to three words, a place with a number, or a random code."""
    kind = rng.random()
    if kind < 0.4:
        words = rng.sample(_WORDS, rng.choices((1, 2, 3), (5, 4, 2))[0])
        text = " ".join(words)
        return text.title() if rng.random() < 0.3 else text
    if kind < 0.6:
        return f"{rng.choice(_PLACES)} {rng.randint(1, 99)}"
    if kind < 0.9:
        return "".join(rng.choice(_LETTERS + _DIGITS) for _ in range(rng.randint(3, 6)))
    return "".join(rng.choice(_DIGITS) for _ in range(rng.randint(2, 5)))


def break_lines(text: str) -> tuple[str, ...]:
    """The text on one line when it is short, else one word a line."""
    return (text,) if len(text) <= 8 else tuple(text.split())


def text_size(lines: tuple[str, ...], name: str, font_size: int) -> tuple[int, int]:
    """Width and height of the lines, in pixels, without padding."""
    face = font(name, font_size)
    return max(round(face.getlength(line)) for line in lines), len(lines) * round(font_size * 1.15)


def draw_sign(look: SignLook) -> Image.Image:
    """The sign, RGBA, drawn at twice its size and reduced for smooth edges."""
    width, height = text_size(look.lines, look.font, 2 * look.font_size)
    width, height = width + 4 * look.padding[0], height + 4 * look.padding[1]
    image = Image.new("RGBA", (width, height))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle(
        (0, 0, width - 1, height - 1), 2 * look.radius, look.panel, look.ink, 2 * look.border
    )
    step = round(2 * look.font_size * 1.15)
    top = 2 * look.padding[1] + step / 2
    for number, line in enumerate(look.lines):
        draw.text(
            (width / 2, top + number * step), line, look.ink, font(look.font, 2 * look.font_size),
            anchor="mm",
        )
    turned = image.rotate(look.angle, Image.Resampling.BICUBIC, expand=True)
    return turned.resize(
        (max(1, turned.width // 2), max(1, turned.height // 2)), Image.Resampling.BOX
    )


@lru_cache(maxsize=256)
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    if name == EVALUATION_FONT:
        built_in = ImageFont.load_default(size)
        assert isinstance(built_in, ImageFont.FreeTypeFont)
        return built_in
    return ImageFont.truetype(str(_font_folder() / f"{name}.ttf"), size)


@lru_cache(maxsize=1)
def _font_folder() -> Path:
    spec = find_spec("matplotlib")  # its wheel carries the DejaVu fonts; it is not imported
    if spec is None or spec.origin is None:
        raise RuntimeError("signs need the DejaVu fonts of matplotlib: pip install matplotlib")
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
