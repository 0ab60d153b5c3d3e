"""Rasterise emoji designs into the sprite atlases of ``mllm/data/sprites``.

    python -m mllm.data.build_sprites FOLDER...

Each folder is an unpacked Iconify JSON package of npm (``npm pack @iconify-json/noto`` and so on;
``sprites/LICENSES.md`` lists which versions were used) or the package ``@fontsource/noto-emoji``.
One design becomes ``NAME.webp``, a grid of 96-pixel RGBA cells, and ``NAME.json``, which says which
category each cell shows. Needs ``resvg-py``, ``scipy`` and ``fonttools``, at build time only.

Three designs are made of several packages and built when all of theirs are given: the icons named
in ``sprites/picks.json``, and emoji in one colour. ``coloring_book`` colours them in, after the
sprites of ``noto``.
"""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from mllm.data import designs
from mllm.data.coloring_book import colored, palette
from mllm.data.lexicon import CATEGORIES, Category

CELL = 96  # pixels, side of a sprite
COLUMNS = 12
SPRITES = Path(__file__).with_name("sprites")

# Icons that sets without a code point table (or with names of their own) call differently.
EXTRA: dict[str, dict[str, list[str]]] = {
    "fxemoji": {
        "cat": ["catside"], "dog": ["dogside", "dog"], "cow": ["cowface"], "bird": ["bird"],
        "rabbit": ["bunny", "bunnyside"], "pig": ["pig", "pigside"], "fish": ["tropicalfish"],
        "horse": ["horseface"], "apple": ["redapple", "greenapple"], "corn": ["earofmaize"],
        "donut": ["doughnut"], "cake": ["birthdaycake"], "ice cream": ["icecream", "softicecream"],
        "car": ["automobile", "oncomingautomobile"], "bus": ["bus", "oncomingbus"],
        "train": ["train", "steamlocomotive", "highspeedtrain"], "boat": ["sailboat"],
        "truck": ["deliverytruck", "articulatedlorry"], "chair": ["seat"],
        "pizza": ["sliceofpizza"],
        "traffic light": ["verticaltrafficlight", "horizontaltrafficlight"],
        "cell phone": ["cellphone"], "camera": ["camera", "camerawithflash"],
        "clock": ["alarmclock", "clock1oclock", "clock3oclock"],
        "cup": ["hotbeverage", "teacupwithouthandle"], "wine glass": ["wineglass"],
        "scissors": ["blackscissors"], "umbrella": ["umbrella", "umbrellawithraindrops"],
        "backpack": ["schoolsatchel"], "glasses": ["glasses", "darksunglasses"],
        "hat": ["tophat", "womanshat"], "shoe": ["mensshoe", "mensrunner", "heels"],
        "shirt": ["womansshirt", "runningshirt"], "tree": ["deciduoustree", "evergreen"],
        "ball": ["soccerball"],
        "book": ["closedbook"], "key": ["key", "oldkey"],
        "cherry": ["cherries"], "airplane": ["airplane"], "motorcycle": ["motorcycle"],
    },
    "noto-v1": {"book": ["green-book"]},
    "streamline-emojis": {
        "cow": ["cow", "cow-face"], "sheep": ["ewe-1", "ewe-2"], "elephant": ["elephant"],
        "bear": ["bear-face"], "frog": ["frog-face"], "donut": ["doughnut-1", "doughnut-2"],
        "boat": ["sailboat"], "wine glass": ["wine-glass", "red-wine-glass"], "shoe": ["mans-shoe"],
        "tree": ["palm-tree"], "ball": ["basketball", "baseball"],
        "book": ["green-book"],
    },
}

# What a look at the contact sheets threw out: icons that do not show the category plainly.
DROP: dict[str, set[str]] = {
    "noto-v1": {"train", "laptop", "laptop-computer", "basketball"},
    "fxemoji": {"sunglasses", "train", "sailboat"},
    "emojione": {"motorcycle", "basketball", "volleyball"},
    "streamline-emojis": {
        "guitar", "rocket", "octopus", "sunglasses", "rose",
        "bottle-with-popping-cork", "wrapped-gift-2",
    },
    "fluent-emoji-high-contrast": {
        "dog-face", "cow-face", "ice-cream", "mobile-phone", "teacup-without-handle",
        "womans-hat", "blossom",
    },
    "emojione-monotone": {
        "rabbit", "rabbit-face", "ice-cream", "mobile-phone", "camera",
        "one-oclock", "hibiscus", "basketball",
    },
    "noto-emoji": {"1f4d5"},
}

ONE_COLOR_EMOJI = ("fluent-emoji-high-contrast", "emojione-monotone", "noto-emoji")

# Icon sets that are coloured already; all others of the composed designs are coloured in.
IN_COLOR = {
    "flat-color-icons", "fluent-color", "streamline-stickies-color", "streamline-ultimate-color",
    "streamline-kameleon-color",
}
ON_A_DISC = {"streamline-kameleon-color"}  # the first shape of each icon is a coloured backdrop


def main(folders: list[Path]) -> None:
    """Build one atlas per emoji design, then the composed designs whose packages are all there."""
    packages = {p["prefix"]: p for p in (_package(folder) for folder in folders)}
    names = _names_by_code_point(folders)
    picks = json.loads((SPRITES / "picks.json").read_text())
    for design in (*designs.TRAINING, *designs.EVALUATION):
        if package := packages.get(design):
            cells = [
                (category.name, icon)
                for category in CATEGORIES
                for icon in _icons(design, package, category, names)
            ]
            _write(design, cells, [_raster(package, icon) for _, icon in cells])
    for design, chosen in picks.items():
        cells = [(category, icon) for category, icons in chosen.items() for icon in icons]
        if {icon.split(":")[0] for _, icon in cells} <= set(packages):
            _write(design, cells, [_composed(packages, *cell) for cell in cells])
    if set(ONE_COLOR_EMOJI) <= set(packages):
        cells = [
            (category.name, f"{prefix}:{icon}")
            for category in CATEGORIES
            for prefix in ONE_COLOR_EMOJI
            for icon in _icons(prefix, packages[prefix], category, names)
        ]
        _write("line-emoji", cells, [_composed(packages, *cell) for cell in cells])


def _package(folder: Path) -> dict[str, Any]:
    """The icons of a package; those of a font are named by their code points."""
    if (folder / "icons.json").exists():
        found: dict[str, Any] = json.loads((folder / "icons.json").read_text())
        return found
    from fontTools.pens.svgPathPen import SVGPathPen  # type: ignore[import-untyped]
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

    icons = {}
    for file in sorted(folder.glob("files/*-400-normal.woff")):
        font = TTFont(file)
        glyphs, em = font.getGlyphSet(), 2 * font["head"].unitsPerEm
        for code, glyph in font.getBestCmap().items():
            glyphs[glyph].draw(pen := SVGPathPen(glyphs))
            if outline := pen.getCommands():
                path = f'<path transform="matrix(1 0 0 -1 {em // 4} {3 * em // 4})" d="{outline}"/>'
                icons[f"{code:x}"] = {"body": path, "width": em, "height": em}
    return {"prefix": "noto-emoji", "icons": icons}


def _composed(packages: dict[str, Any], category: str, name: str) -> Image.Image:
    prefix, icon = name.split(":")
    if prefix in IN_COLOR:
        return _raster(packages[prefix], icon, on_a_disc=prefix in ON_A_DISC)
    sprites = designs.drawers("noto")[0][category]
    colors = palette(designs.picture(sprites[sum(name.encode()) % len(sprites)]))
    large = _draw(packages[prefix], icon)
    return _cell(colored(large, colors, category, f"{category}/{name}"))


def _write(design: str, cells: list[tuple[str, str]], pictures: list[Image.Image]) -> None:
    sheet = Image.new("RGBA", (COLUMNS * CELL, -(-len(cells) // COLUMNS) * CELL))
    for number, cell in enumerate(pictures):
        row, column = divmod(number, COLUMNS)
        sheet.paste(cell, (column * CELL, row * CELL))
    sheet.save(SPRITES / f"{design}.webp", lossless=True, quality=100, method=6, exact=False)
    index = {"cell": CELL, "columns": COLUMNS, "sprites": cells}
    (SPRITES / f"{design}.json").write_text(json.dumps(index, indent=0) + "\n")
    print(f"{design}: {len(cells)} sprites, {len({name for name, _ in cells})} categories")


def _names_by_code_point(folders: list[Path]) -> dict[str, set[str]]:
    """What the sets that have a code point table call each code point."""
    names: dict[str, set[str]] = {}
    for folder in folders:
        table = folder / "chars.json"
        for code, name in json.loads(table.read_text()).items() if table.exists() else ():
            names.setdefault(code, set()).add(name)
    return names


def _icons(
    design: str, package: dict[str, Any], category: Category, names: dict[str, set[str]]
) -> list[str]:
    """The icons of one design that show one category, without repeats."""
    wanted = [n for code in category.emoji for n in sorted(names.get(code, set()))]
    wanted += [f"{n}-{k}" for n in wanted for k in (1, 2, 3) if design == "streamline-emojis"]
    wanted += list(category.emoji) if design == "noto-emoji" else []
    wanted += EXTRA.get(design, {}).get(category.name, [])
    bodies: dict[str, str] = {}
    for name in wanted:
        icon = package["icons"].get(name)
        if icon and name not in DROP.get(design, set()) and icon["body"] not in bodies.values():
            bodies[name] = icon["body"]
    return list(bodies)


def _raster(package: dict[str, Any], icon: str, on_a_disc: bool = False) -> Image.Image:
    """One icon, cropped to what it draws and scaled to fill a cell, RGBA."""
    return _cell(_draw(package, icon, on_a_disc))


def _draw(package: dict[str, Any], icon: str, on_a_disc: bool = False) -> Image.Image:
    """One icon, four cells wide, RGBA."""
    import resvg_py

    entry = package["icons"][icon]
    width, height = (entry.get(k, package.get(k, 16)) for k in ("width", "height"))
    body = re.sub(r"<path[^>]*/>", "", entry["body"], count=1) if on_a_disc else entry["body"]
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {width} {height}">{body}</svg>'
    )
    png = resvg_py.svg_to_bytes(svg_string=svg, width=4 * CELL)
    return Image.open(io.BytesIO(bytes(png))).convert("RGBA")


def _cell(large: Image.Image) -> Image.Image:
    """The picture cropped to what it shows and scaled to fill a cell."""
    solid = large.getchannel("A").point(lambda a: 255 if a > 24 else 0)
    cropped = large.crop(solid.getbbox())
    scale = CELL / max(cropped.size)
    size = (max(1, round(cropped.width * scale)), max(1, round(cropped.height * scale)))
    cell = Image.new("RGBA", (CELL, CELL))
    cell.paste(cropped.resize(size, Image.Resampling.LANCZOS), (0, 0))
    return cell


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
