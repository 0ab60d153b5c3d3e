"""Rasterise emoji designs into the sprite atlases of ``mllm/data/sprites``.

    python -m mllm.data.build_sprites FOLDER...

Each folder is an unpacked Iconify JSON package of npm (``npm pack @iconify-json/noto`` and so on;
``sprites/LICENSES.md`` lists which versions were used). One design becomes ``NAME.webp``, a grid
of 96-pixel RGBA cells, and ``NAME.json``, which says which category each cell shows. Needs
``resvg-py``, at build time only.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

from PIL import Image

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
}


def main(folders: list[Path]) -> None:
    """Build one atlas per package folder, in the order given."""
    packages = [json.loads((folder / "icons.json").read_text()) for folder in folders]
    names = _names_by_code_point(folders)
    SPRITES.mkdir(exist_ok=True)
    for package in packages:
        design = str(package["prefix"])
        cells = [
            (category.name, icon)
            for category in CATEGORIES
            for icon in _icons(design, package, category, names)
        ]
        _atlas(package, cells).save(
            SPRITES / f"{design}.webp", lossless=True, quality=100, method=6, exact=False
        )
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
    wanted += EXTRA.get(design, {}).get(category.name, [])
    bodies: dict[str, str] = {}
    for name in wanted:
        icon = package["icons"].get(name)
        if icon and name not in DROP.get(design, set()) and icon["body"] not in bodies.values():
            bodies[name] = icon["body"]
    return list(bodies)


def _atlas(package: dict[str, Any], cells: list[tuple[str, str]]) -> Image.Image:
    rows = -(-len(cells) // COLUMNS)
    sheet = Image.new("RGBA", (COLUMNS * CELL, rows * CELL))
    for number, (_, icon) in enumerate(cells):
        row, column = divmod(number, COLUMNS)
        sheet.paste(_raster(package, icon), (column * CELL, row * CELL))
    return sheet


def _raster(package: dict[str, Any], icon: str) -> Image.Image:
    """One icon, cropped to what it draws and scaled to fill a cell, RGBA."""
    import resvg_py

    entry = package["icons"][icon]
    width, height = (entry.get(k, package.get(k, 16)) for k in ("width", "height"))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {width} {height}">{entry["body"]}</svg>'
    )
    png = resvg_py.svg_to_bytes(svg_string=svg, width=4 * CELL)
    large = Image.open(io.BytesIO(bytes(png))).convert("RGBA")
    solid = large.getchannel("A").point(lambda a: 255 if a > 24 else 0)
    cropped = large.crop(solid.getbbox())
    scale = CELL / max(cropped.size)
    size = (max(1, round(cropped.width * scale)), max(1, round(cropped.height * scale)))
    cell = Image.new("RGBA", (CELL, CELL))
    cell.paste(cropped.resize(size, Image.Resampling.LANCZOS), (0, 0))
    return cell


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
