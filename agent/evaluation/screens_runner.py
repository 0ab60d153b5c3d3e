"""Screenshots of pages in the browser, with what is to be seen on them, told by the DOM.

It lies here and not beside the world (``mllm/data/pages``) because imports run down: it needs the
browser of ``tools``, whose own snapshot says which elements there are and what role they have.
"""

from __future__ import annotations

import base64
import io
import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import count
from pathlib import Path

from PIL import Image
from playwright.async_api import CDPSession, Error, Page
from rich.console import Console
from rich.progress import track

from agent.evaluation.stage import Stage
from mllm.data.pages import Act, PageTask, make
from mllm.data.pages.dressing import dressed
from mllm.data.pages.task import Split
from mllm.data.screens import Control, Corners, Folder, kind
from tools.gui.view import View

WIDTHS, HEIGHTS = (90, 320), (75, 200)
"""Pixels of CSS that a window may have, in fours: where a scale gives no whole pixels, Chromium
repeats the first rows of a picture at its end."""
SCALES = (1.0, 1.0, 1.0, 1.25, 1.5, 2.0)
"""Pixels of the picture per pixel of CSS."""
SCROLLED = 0.25
"""Share of the pictures that are taken somewhere down the page, where it is that long."""
SECONDS = 60.0
"""That a picture may take; a busy machine is slow."""
QUICK = 2000
"""Milliseconds that an act may take."""
FOLDER: dict[Split, str] = {"train": "train", "eval": "held_out"}
"""What a split is called on disk."""

_STILL = """<style>*{caret-color:transparent!important}</style><script>{
  const ask = window.fetch;
  window.fetch = (...what) => window.asked = ask(...what);
}</script>"""
"""No caret blinks, and what is asked of the site can be waited for: pictures repeat."""
_DONE = "async () => { await window.asked; await new Promise(done => setTimeout(done, 30)); }"
_SEEN = files("agent.evaluation").joinpath("screens.js").read_text("utf-8")


@dataclass(frozen=True)
class Screen:
    """A screenshot, the controls that can be seen on it and the lines of text outside of them."""

    picture: Image.Image
    controls: Sequence[Control]
    texts: Sequence[Corners]


@dataclass
class Studio(Stage):
    """Takes pictures of pages, each a pure function of its seed, number and split."""

    _numbers: Iterator[int] = field(default_factory=count)
    _devtools: dict[Page, CDPSession] = field(default_factory=dict)

    def screen(self, seed: int, index: int, split: Split) -> Screen:
        """A page as it is after some of the oracle's acts, in a window of any size."""
        rng = random.Random(f"screens/{split}/{seed}/{index}")
        task = make(seed, index, split)
        name = f"screen{next(self._numbers)}"  # an address with a past has links of another colour
        url = self.site.put(name, dressed(task.html, rng, split) + _STILL)
        return self.browser.session.call(lambda: self._take(url, task, rng), SECONDS, "a picture")

    async def _take(self, url: str, task: PageTask, rng: random.Random) -> Screen:
        view = await self.browser.session.view(start=True)
        page, scale = view.page, rng.choice(SCALES)
        size = {"width": 4 * rng.randint(*WIDTHS), "height": 4 * rng.randint(*HEIGHTS)}
        if page not in self._devtools:
            self._devtools[page] = await page.context.new_cdp_session(page)
        devtools = self._devtools[page]
        metrics = {**size, "deviceScaleFactor": scale, "mobile": False}
        await devtools.send("Emulation.setDeviceMetricsOverride", metrics)
        await page.goto(url)
        for act in task.acts[: rng.randint(0, len(task.acts))]:
            await _do(view, act)
        if rng.random() < SCROLLED:
            await page.evaluate("far => scrollTo(0, far)", rng.randrange(size["height"]))
        controls, texts = await _seen(view, scale)
        png = await devtools.send("Page.captureScreenshot", {"format": "png"})
        picture = Image.open(io.BytesIO(base64.b64decode(png["data"]))).convert("RGB")
        return Screen(picture, controls, texts)


def write_screens(out: Path, n: int, seed: int, split: Split = "train") -> Path:
    """Write the screens 0 to ``n`` - 1 in ultralytics' layout (``mllm.data.screens.Folder``) and
    return its ``data.yaml``; those that are there already are not taken again."""
    folder = Folder(out, FOLDER[split])
    missing = [index for index in range(n) if not folder.has(index)]
    with Studio() as studio:
        for index in track(missing, "screens", console=Console(stderr=True)):
            screen = studio.screen(seed, index, split)
            folder.write(index, screen.picture, screen.controls)
    return folder.sheet()


async def _do(view: View, act: Act) -> None:
    """What the oracle does, at once; what is not possible is left out, as slips are not."""
    found = [e for e in (await view.snapshot()).elements if e.name == act.target and e.acts]
    handle = await view.handle(found[act.nth].ref) if act.nth < len(found) else None
    if handle is None:
        return
    more = dict(act.more)
    with suppress(Error):  # another thing may have the name of the target
        if act.name == "type":
            await handle.fill(more["text"], force=True, timeout=QUICK)
        elif act.name == "select":
            await handle.select_option(label=list(more["options"]), force=True, timeout=QUICK)
        elif act.name in ("click", "check"):
            await handle.evaluate("el => { el.focus(); el.click(); }")
    await view.page.evaluate(_DONE)


async def _seen(view: View, scale: float) -> tuple[list[Control], list[Corners]]:
    """Controls and lines of text that nothing hides, in pixels of the picture."""
    listed = [e for e in (await view.snapshot()).elements if e.corners and kind(e.role)]
    numbers, corners = [int(e.ref[1:]) for e in listed], [e.corners for e in listed]
    document = await view.document(view.page.main_frame)
    places, texts = await document.agent.evaluate(_SEEN, [numbers, corners])
    controls = [
        (kind(e.role), _scaled(place, scale))
        for e, place in zip(listed, places, strict=True)
        if place is not None
    ]
    return controls, lines([_scaled(place, scale) for place in texts])


def lines(pieces: Sequence[Corners]) -> list[Corners]:
    """Pieces of text that stand close beside each other, made one, as readers of text see them."""
    found: list[Corners] = []
    for x0, y0, x1, y1 in sorted(pieces):
        for at, (a0, b0, a1, b1) in enumerate(found):
            high = min(y1 - y0, b1 - b0)
            if min(y1, b1) - max(y0, b0) > high / 2 and x0 - a1 < high / 2:
                found[at] = (a0, min(y0, b0), max(x1, a1), max(y1, b1))
                break
        else:
            found.append((x0, y0, x1, y1))
    return found


def _scaled(place: Sequence[float], scale: float) -> Corners:
    x0, y0, x1, y1 = (v * scale for v in place)
    return x0, y0, x1, y1
