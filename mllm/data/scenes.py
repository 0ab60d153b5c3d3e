"""Scenes: everyday objects on a procedural background, with exact labels.

    scene = sample_scene(seed=1, index=0)     # what is where, and every parameter of the drawing
    image = render(scene)                     # the picture, PIL, RGB

Both are pure functions. Sampling reads top-down: a cast (which categories, how many, in which
colours), a look for each object, a place for each look, then labels measured on what is visible.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from mllm.data import designs, signs
from mllm.data.backdrops import SETTINGS, backdrop
from mllm.data.designs import COLORS, TINTS
from mllm.data.lexicon import BY_NAME, NAMES
from mllm.data.signs import SignLook

SizeWord = Literal["small", "medium", "large"]

# An object's size is sqrt(box area / picture area). Small is below SMALL_BELOW, large from
# LARGE_FROM; no object comes nearer to either threshold than SIZE_GAP.
SMALL_BELOW = 0.185
LARGE_FROM = 0.295
SIZE_GAP = 0.012
_SIZE_RANGES: dict[SizeWord, tuple[float, float]] = {
    "small": (0.115, 0.165), "medium": (0.205, 0.275), "large": (0.315, 0.42),
}
_LONGEST = 0.50  # of the picture's shorter side

SIGN_COLORS = (*COLORS, "white")
MAX_OBJECTS = 12
MAX_COUNT = 6  # of one category
LEAST_VISIBLE = 0.6
MIDDLE_VISIBLE = 0.85  # of the central half of an object, where its colour is looked for
_CROWDING = 0.42  # most of the picture that all objects' boxes may take together
_OCCLUDED_SCENES = 0.35
_PICTURE_SIZES = ((256, 256), (288, 224), (224, 288))


@dataclass(frozen=True)
class SceneObject:
    """One object as it can be seen."""

    label: str
    box: tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels, of the visible part
    color: str | None  # one of COLORS for tintable categories (signs also 'white'), else None
    size: SizeWord
    visible: float  # share of the object's pixels that nothing covers
    text: str | None  # what a sign says, words parted by spaces
    sprite: str  # design/number, the path of a picture, or sign/font


@dataclass(frozen=True)
class SpriteLook:
    """One sprite before it is put into a picture."""

    sprite: str
    tint: tuple[float, float, float] | None  # hue in degrees, saturation, value
    scale: float  # pixels per sprite pixel
    stretch: float  # width by this, height by its inverse
    angle: float  # degrees, clockwise
    flip: bool
    brightness: float
    contrast: float
    edge: int | None  # grey level of a one-pixel outline


@dataclass(frozen=True)
class Placement:
    """A look at a place: the layer's top left corner in pixels, and its shadow."""

    look: SpriteLook | SignLook
    x: int
    y: int
    shadow: tuple[int, int, float] | None  # offset in pixels, opacity


@dataclass(frozen=True)
class Scene:
    """One picture to be: its labels, and in ``placements`` (parallel to objects) its drawing.

    Objects are in drawing order: a later one covers an earlier one. ``focus`` are the categories
    whose counts were drawn uniformly from 0 to MAX_COUNT; the others are distractors.
    """

    width: int
    height: int
    setting: str
    objects: tuple[SceneObject, ...]
    style: str
    seed: int
    index: int
    focus: tuple[str, ...] = ()
    placements: tuple[Placement, ...] = field(default=(), repr=False)


def sample_scene(seed: int, index: int, *, style: str | Path = "train") -> Scene:
    """The scene of that number, a pure function of its arguments (and a folder's pictures)."""
    style = str(style)
    rng = random.Random(f"{seed}/{index}/{Path(style).name}")
    size = rng.choices(_PICTURE_SIZES, (8, 1, 1))[0]
    setting = rng.choice(SETTINGS)
    drawers = designs.drawers(style)
    focus, cast = _cast(rng, _labels(style))
    whole_design = rng.choice(drawers) if rng.random() < 0.3 else None
    held_out = style not in (*designs.TRAINING, "train")

    wanted: list[tuple[str, str | None, str | None, SpriteLook | SignLook]] = []
    for (label, color), word in zip(cast, _sizes(rng, cast), strict=True):
        if label == "sign":
            assert color is not None
            text = signs.sign_text(rng)
            wanted.append((label, color, text, _sign_look(rng, text, color, size, held_out)))
        else:
            sprite = _sprite(rng, label, whole_design, drawers)
            wanted.append((label, color, None, _sprite_look(rng, sprite, color, word, size)))
    wanted.sort(key=lambda item: -_layer(item[3]).solid.size)

    canvas = _Canvas(size, crowded=rng.random() < _OCCLUDED_SCENES)
    placed = []
    for name, paint, says, look in wanted:
        spot = canvas.place(rng, look, alone=name == "sign")
        if spot is not None:
            placed.append((name, paint, says, Placement(look, *spot, _shadow(rng))))

    owners = _owners(size, [placement for *_, placement in placed])
    objects = tuple(
        _measured(owners, number, label, color, text, placement.look)
        for number, (label, color, text, placement) in enumerate(placed)
    )
    placements = tuple(placement for *_, placement in placed)
    return Scene(*size, setting, objects, style, seed, index, focus, placements)


def render(scene: Scene) -> Image.Image:
    """The picture of a scene, RGB, ``scene.width`` x ``scene.height``."""
    rng = random.Random(f"{scene.seed}/{scene.index}/backdrop")
    image = backdrop(scene.setting, rng, (scene.width, scene.height))
    for placement in scene.placements:
        layer = _layer(placement.look)
        if placement.shadow:
            dx, dy, opacity = placement.shadow
            alpha = np.asarray(layer.image.getchannel("A"))
            dark = Image.fromarray((alpha * opacity).astype(np.uint8))
            image.paste((0, 0, 0), (placement.x + dx, placement.y + dy), dark)
        image.paste(layer.image, (placement.x, placement.y), layer.image)
    return image


def owner_map(scene: Scene) -> NDArray[np.int16]:
    """Per pixel (height, width) the number in ``scene.objects`` of what shows there, else -1."""
    return _owners((scene.width, scene.height), list(scene.placements))


def size_word(box: tuple[float, float, float, float], width: int, height: int) -> SizeWord:
    """How large a box in pixels is called in a picture of that size."""
    ratio = math.sqrt((box[2] - box[0]) * (box[3] - box[1]) / (width * height))
    return "small" if ratio < SMALL_BELOW else "large" if ratio >= LARGE_FROM else "medium"


# --- the cast ------------------------------------------------------------------------------------


def _cast(
    rng: random.Random, known: tuple[str, ...]
) -> tuple[tuple[str, ...], list[tuple[str, str | None]]]:
    """Focus categories, and label and colour of every object that should appear."""
    labels = rng.sample(known, len(known))
    focus = tuple(labels[: 2 if rng.random() < 0.3 and len(labels) > 1 else 1])
    cast: list[tuple[str, str | None]] = []
    for label in focus:
        cast += _group(rng, label, rng.randint(0, MAX_COUNT))
    if rng.random() < 0.3:
        cast += [("sign", rng.choice(SIGN_COLORS)) for _ in range(rng.choice((1, 1, 2)))]
    room = min(MAX_OBJECTS - len(cast), 6)
    others = rng.randint(0 if cast else 1, max(room, 0)) if room > 0 else 0
    for label in labels[len(focus) :]:
        if others <= 0:
            break
        number = min(others, rng.choices((1, 2, 3, 4), (10, 4, 2, 1))[0])
        cast += _group(rng, label, number)
        others -= number
    return focus, cast[:MAX_OBJECTS] or _group(rng, focus[0], 1)


@lru_cache(maxsize=64)
def _labels(style: str) -> tuple[str, ...]:
    """The categories that the style can draw from pictures; signs are drawn without."""
    found = {label for drawer in designs.drawers(style) for label in drawer}
    return tuple(name for name in NAMES if name in found and name != "sign")


def _group(rng: random.Random, label: str, number: int) -> list[tuple[str, str | None]]:
    """Several objects of one category: of one colour, of two, or of any."""
    if not BY_NAME[label].tintable:
        return [(label, None)] * number
    palette = rng.sample(COLORS, rng.choice((1, 2, len(COLORS))))
    return [(label, rng.choice(palette)) for _ in range(number)]


def _sprite(
    rng: random.Random,
    label: str,
    whole_design: designs.Drawer | None,
    drawers: tuple[designs.Drawer, ...],
) -> str:
    """A sprite of the category, from the scene's own design where that has one."""
    drawer = whole_design
    if drawer is None or label not in drawer:
        drawer = rng.choice([d for d in drawers if label in d])
    return rng.choice(drawer[label])


# --- looks ---------------------------------------------------------------------------------------


def _sizes(rng: random.Random, cast: list[tuple[str, str | None]]) -> list[SizeWord]:
    """A size for each of the cast such that all of them fit into the picture."""
    step: dict[SizeWord, SizeWord] = {"large": "medium", "medium": "small"}
    area: dict[SizeWord, float] = {"small": 0.02, "medium": 0.058, "large": 0.135}
    sizes = [rng.choice(tuple(area)) for _ in cast]
    while sum(area[s] for s in sizes) > _CROWDING:
        shrinkable = [k for k, s in enumerate(sizes) if s != "small"]
        if not shrinkable:
            break
        number = rng.choice(shrinkable)
        sizes[number] = step[sizes[number]]
    return sizes


def _sprite_look(
    rng: random.Random, sprite: str, color: str | None, word: SizeWord, size: tuple[int, int]
) -> SpriteLook:
    stretch = math.sqrt(rng.uniform(0.9, 1.1))
    angle = rng.uniform(-15, 15) if rng.random() < 0.7 else 0.0
    flip = rng.random() < 0.5
    extremes = designs.outline(sprite) @ _turn(angle, stretch, flip)
    wide, high = extremes.max(axis=0) - extremes.min(axis=0)
    unit = math.sqrt(wide * high / (size[0] * size[1]))  # size of the object at scale 1
    limit = _LONGEST * min(size) / max(wide, high) * unit
    if limit < _SIZE_RANGES[word][0]:  # too long and thin for that word
        word = "medium" if word == "large" and limit >= _SIZE_RANGES["medium"][0] else "small"
    low, high_end = _SIZE_RANGES[word]
    tint = None
    if color is not None:
        hue, saturation, value = TINTS[color]
        tint = (
            hue + rng.uniform(-4, 4),
            saturation + rng.uniform(-0.06, 0.06),
            value + rng.uniform(-0.06, 0.06),
        )
    return SpriteLook(
        sprite=sprite,
        tint=tint,
        scale=min(rng.uniform(low, high_end), max(limit, low)) / unit,
        stretch=stretch,
        angle=angle,
        flip=flip,
        brightness=rng.uniform(0.88, 1.1) if rng.random() < 0.5 else 1.0,
        contrast=rng.uniform(0.88, 1.12) if rng.random() < 0.3 else 1.0,
        edge=rng.choice((0, 255)) if rng.random() < 0.12 else None,
    )


def _sign_look(
    rng: random.Random, text: str, color: str, size: tuple[int, int], held_out: bool
) -> SignLook:
    """A sign that fits into the picture and whose size is well inside one of the size words."""
    font = signs.EVALUATION_FONT if held_out else rng.choice(signs.TRAINING_FONTS)
    panel = (248, 248, 245)
    if color != "white":
        hue, saturation, value = TINTS[color]
        panel = designs.rgb((hue + rng.uniform(-4, 4), saturation, value))
    light = (panel[0] * 299 + panel[1] * 587 + panel[2] * 114) / 1000
    lines = signs.break_lines(text)
    font_size = rng.randint(signs.SMALLEST_FONT, signs.LARGEST_FONT)
    while font_size > signs.SMALLEST_FONT and signs.text_size(lines, font, font_size)[0] > 150:
        font_size -= 1
    padding = rng.randint(5, 9)
    while True:
        look = SignLook(
            lines=lines,
            font=font,
            font_size=font_size,
            panel=panel,
            ink=(20, 20, 24) if light > 140 else (252, 252, 252),
            padding=(padding + 2, padding),
            radius=rng.choice((0, 4, 9)),
            border=rng.choice((0, 0, 2)),
            angle=rng.uniform(-5, 5) if rng.random() < 0.5 else 0.0,
        )
        high, wide = _layer(look).solid.shape
        if _clear_size(wide * high / (size[0] * size[1])):
            return look
        padding += 1


def _shadow(rng: random.Random) -> tuple[int, int, float] | None:
    if rng.random() < 0.65:
        return None
    return rng.randint(-3, 3), rng.randint(1, 4), rng.uniform(0.15, 0.4)


def _clear_size(share: float) -> SizeWord | None:
    """The size word of a box with that share of the picture; None too near to a threshold."""
    ratio = math.sqrt(share)
    if min(abs(ratio - SMALL_BELOW), abs(ratio - LARGE_FROM)) < SIZE_GAP:
        return None
    return "small" if ratio < SMALL_BELOW else "large" if ratio >= LARGE_FROM else "medium"


# --- drawing one object --------------------------------------------------------------------------


@dataclass(frozen=True)
class _Layer:
    """A drawn look: RGBA picture, and where in it the object is solid (a tight mask)."""

    image: Image.Image
    left: int  # of the mask in the picture
    top: int
    solid: NDArray[np.bool_]  # (height, width) of the tight box, alpha at least one half


@lru_cache(maxsize=64)
def _layer(look: SpriteLook | SignLook) -> _Layer:
    image = signs.draw_sign(look) if isinstance(look, SignLook) else _draw_sprite(look)
    mask = np.asarray(image.getchannel("A")) >= 128
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    return _Layer(image, left, top, mask[top : rows[-1] + 1, left : columns[-1] + 1])


def _draw_sprite(look: SpriteLook) -> Image.Image:
    source = designs.tinted(look.sprite, look.tint) if look.tint else designs.picture(look.sprite)
    scale = look.scale
    while scale < 0.5:
        source, scale = source.reduce(2), scale * 2
    matrix = _turn(look.angle, look.stretch, look.flip) * scale  # row vectors: source -> picture
    half = np.abs(np.array([source.width, source.height]) / 2) @ np.abs(matrix) + 2
    wide, high = (int(v) for v in np.ceil(2 * half))
    back = np.linalg.inv(matrix).T
    shift = np.array([source.width, source.height]) / 2 - back @ np.array([wide / 2, high / 2])
    image = source.transform(
        (wide, high),
        Image.Transform.AFFINE,
        (back[0, 0], back[0, 1], shift[0], back[1, 0], back[1, 1], shift[1]),
        Image.Resampling.BILINEAR,
    )
    if look.brightness != 1.0 or look.contrast != 1.0:
        values = (np.arange(256) - 128) * look.contrast + 128
        ramp = np.clip(values * look.brightness, 0, 255).astype(np.uint8)
        adjusted = Image.fromarray(ramp[np.asarray(image)[..., :3]])
        adjusted.putalpha(image.getchannel("A"))
        image = adjusted
    if look.edge is not None:
        grown = image.getchannel("A").filter(ImageFilter.MaxFilter(3))
        edged = Image.new("RGBA", image.size, (look.edge,) * 3)
        edged.putalpha(grown)
        image = Image.alpha_composite(edged, image)
    return image


def _turn(angle: float, stretch: float, flip: bool) -> NDArray[np.float64]:
    """2x2 matrix for row vectors (x, y): flip and stretch, then turn clockwise by degrees."""
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    width = -stretch if flip else stretch
    return np.array([[width * cos, width * sin], [-sin / stretch, cos / stretch]])


# --- placing -------------------------------------------------------------------------------------


class _Canvas:
    """Finds places for looks: apart from each other, or, if crowded, with mild occlusion."""

    def __init__(self, size: tuple[int, int], *, crowded: bool) -> None:
        self.size = size
        self.crowded = crowded
        self.boxes: list[tuple[int, int, int, int]] = []  # solid boxes so far
        self.masks: list[NDArray[np.bool_]] = []
        self.closed: list[bool] = []  # may not be covered (further)

    def place(
        self, rng: random.Random, look: SpriteLook | SignLook, *, alone: bool
    ) -> tuple[int, int] | None:
        """Top left corner of the look's layer, or None where nothing fits."""
        layer = _layer(look)
        for x, y in self._spots(rng, layer):
            box = (x, y, x + layer.solid.shape[1], y + layer.solid.shape[0])
            met = [k for k, other in enumerate(self.boxes) if _near(box, other)]
            if not met or self._may_cover(met, box, layer.solid, alone):
                for k in met:
                    self.closed[k] = True
                self.boxes.append(box)
                self.masks.append(layer.solid)
                self.closed.append(alone or bool(met))
                return x - layer.left, y - layer.top
        return None

    def _spots(self, rng: random.Random, layer: _Layer) -> Iterator[tuple[int, int]]:
        high, wide = layer.solid.shape
        across, down = self.size[0] - wide - 2, self.size[1] - high - 2
        for _ in range(60 if min(across, down) >= 0 else 0):
            yield 1 + int(rng.random() * (across + 1)), 1 + int(rng.random() * (down + 1))

    def _may_cover(
        self,
        met: list[int],
        box: tuple[int, int, int, int],
        solid: NDArray[np.bool_],
        alone: bool,
    ) -> bool:
        """Whether the new object may overlap the only other one that it meets."""
        if not self.crowded or alone or len(met) > 1 or self.closed[met[0]]:
            return False
        below, mask = self.boxes[met[0]], self.masks[met[0]].copy()
        x0, y0 = max(box[0], below[0]), max(box[1], below[1])
        x1, y1 = min(box[2], below[2]), min(box[3], below[3])
        if x0 >= x1 or y0 >= y1:
            return True
        total, middle = np.count_nonzero(mask), np.count_nonzero(_middle(mask))
        hidden = solid[y0 - box[1] : y1 - box[1], x0 - box[0] : x1 - box[0]]
        mask[y0 - below[1] : y1 - below[1], x0 - below[0] : x1 - below[0]] &= ~hidden
        if np.count_nonzero(mask) < LEAST_VISIBLE * total:
            return False
        if np.count_nonzero(_middle(mask)) < MIDDLE_VISIBLE * middle:
            return False
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        seen = (rows[-1] + 1 - rows[0]) * (columns[-1] + 1 - columns[0])
        return _clear_size(float(seen) / (self.size[0] * self.size[1])) is not None


def _middle(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The central half of a mask, each way."""
    high, wide = mask.shape
    return mask[high // 4 : high - high // 4, wide // 4 : wide - wide // 4]


def _near(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    """Whether two boxes overlap or lie within two pixels of each other."""
    return a[0] < b[2] + 2 and b[0] < a[2] + 2 and a[1] < b[3] + 2 and b[1] < a[3] + 2


# --- measuring -----------------------------------------------------------------------------------


def _owners(size: tuple[int, int], placements: list[Placement]) -> NDArray[np.int16]:
    owners = np.full((size[1], size[0]), -1, dtype=np.int16)
    for number, placement in enumerate(placements):
        layer = _layer(placement.look)
        top, left = placement.y + layer.top, placement.x + layer.left
        high, wide = layer.solid.shape
        owners[top : top + high, left : left + wide][layer.solid] = number
    return owners


def _measured(
    owners: NDArray[np.int16],
    number: int,
    label: str,
    color: str | None,
    text: str | None,
    look: SpriteLook | SignLook,
) -> SceneObject:
    """The labels of one object, from the pixels that show it."""
    shown = owners == number
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    box = (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    return SceneObject(
        label=label,
        box=box,
        color=color,
        size=size_word(box, owners.shape[1], owners.shape[0]),
        visible=float(np.count_nonzero(shown) / np.count_nonzero(_layer(look).solid)),
        text=text,
        sprite=f"sign/{look.font}" if isinstance(look, SignLook) else look.sprite,
    )
