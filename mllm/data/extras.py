"""Tasks that are no questions with a program: describing, marking, cropping, reading a page,
small talk, and the limits of a model that knows 80 drawn objects.

Each function gives a finished episode and the pictures in it, by artifact id.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image, ImageDraw

from mllm.content import Artifact, Box, Boxes, Media, Part, Text, ToolCall, ToolResult, ToolSpec
from mllm.data.lexicon import BY_NAME, NAMES
from mllm.data.observation import observe
from mllm.data.oracle import ANYTHING
from mllm.data.photos import page, photo
from mllm.data.phrasing import Noun, fill, measure, noun, phrasings
from mllm.data.programs import truth
from mllm.data.scenes import Scene
from mllm.data.schemas import Mapped, renamed
from mllm.episode import Episode, Step
from prompts import render

Pictures = dict[str, Image.Image]

MARKED_SIDE = 640
"""Pixels of the longer side of a picture with boxes drawn on it."""


@dataclass
class Desk:
    """What a task is worked on with: tools as the model is told of them, chance, a language."""

    specs: Sequence[ToolSpec]
    mapping: Mapped | None
    rng: random.Random
    lang: str
    names: frozenset[str]  # built-in tools that are there
    pictures: Pictures = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    calls: int = 0
    budget: int = 12

    @property
    def words(self) -> dict[str, object]:
        found: dict[str, object] = phrasings(self.lang)["extras"]
        return found

    def template(self, key: str) -> str:
        value = self.words[key]
        return str(self.rng.choice(value)) if isinstance(value, list) else str(value)

    def show(self, image: Image.Image, id: str = "img1", parent: str | None = None) -> Artifact:
        self.pictures[id] = image
        return Artifact(
            id=id, kind="image", sha256=f"{self.rng.getrandbits(64):016x}", mime="image/png",
            width=image.width, height=image.height, parent=parent,
        )

    def step(self, name: str, part: Part, *, error: bool = False, **arguments: object) -> None:
        """One call and what came back."""
        self.calls += 1
        call = ToolCall(id=f"call{self.calls}", name=name, arguments=arguments)
        call = renamed(call, self.mapping or {}, self.specs)
        result = ToolResult(call_id=call.id, name=call.name, content=(part,), error=error)
        note = render("budget", self.lang, steps=self.budget - len(self.steps) - 1)
        self.steps.append(Step(calls=(call,), results=(result,), note=note))

    def end(self, task: str, answer: str, media: Sequence[Artifact], plan: str | None) -> Episode:
        return Episode(
            task=task, media=tuple(media), lang=self.lang, plan=plan, steps=tuple(self.steps),
            note=render("budget", self.lang, steps=self.budget), answer=answer,
        )


def describe(desk: Desk, scene: Scene, image: Image.Image) -> Episode:
    """What is in the picture? A list of what the detector finds."""
    artifact = desk.show(image)
    boxes = observe(truth(scene), desk.rng, artifact.id).objects
    found = Boxes(id="boxes1", artifact=artifact.id, boxes=boxes, what=ANYTHING)
    desk.step("detect", found, image=artifact.id)
    counts = Counter(b.label or "" for b in boxes)
    answer = desk.template("nothing")
    if counts:
        answer = fill(desk.template("described"), {"list": _listed(counts, desk.lang)})
    plan = desk.template("describe_plan")
    return desk.end(desk.template("describe"), answer, [artifact], plan)


def mark(desk: Desk, scene: Scene, image: Image.Image) -> Episode:
    """Draw boxes around the cups: find, then annotate."""
    artifact = desk.show(image)
    present = sorted({o.label for o in scene.objects})
    name = desk.rng.choice(present if desk.rng.random() < 0.85 else NAMES)
    thing = noun(name, desk.lang, desk.rng)
    words = thing.words("x")
    task = desk.template("mark")
    said = thing.many if "{xs}" in task else thing.one
    boxes = tuple(
        b for b in observe(truth(scene), desk.rng, artifact.id).objects if b.label == name
    )
    found = Boxes(id="boxes1", artifact=artifact.id, boxes=boxes, what=said)
    desk.step("detect", found, image=artifact.id, labels=[said])
    plan = fill(desk.template("mark_plan"), words)
    if not boxes:
        answer = fill(desk.template("unmarked"), words)
        return desk.end(fill(task, words), answer, [artifact], plan)
    drawn = desk.show(_drawn(image, boxes), "img1.marked1", artifact.id)
    desk.step("annotate", Media(artifact=drawn), image=artifact.id, boxes="boxes1")
    count = _number(len(boxes), thing, desk.lang)
    answer = fill(desk.template("marked"), {"count": count, "picture": drawn.id})
    return desk.end(fill(task, words), answer, [artifact], plan)


def crop(desk: Desk, scene: Scene, image: Image.Image) -> Episode | None:
    """Cut out the one cup: find, then crop."""
    counts = Counter(o.label for o in scene.objects)
    unique = [o for o in scene.objects if counts[o.label] == 1]
    if not unique:
        return None
    thing = noun(desk.rng.choice(unique).label, desk.lang, desk.rng)
    artifact = desk.show(image)
    boxes = tuple(b for b in truth(scene).objects if b.label == thing.name)
    found = Boxes(id="boxes1", artifact=artifact.id, boxes=boxes, what=thing.one)
    desk.step("detect", found, image=artifact.id, labels=[thing.one])
    box = boxes[0]
    part = image.crop((int(box.x0), int(box.y0), int(box.x1), int(box.y1)))
    cut = desk.show(part, "img1.crop1", artifact.id)
    desk.step("crop", Media(artifact=cut), image=artifact.id, region="boxes1")
    words = thing.words("x")
    answer = fill(desk.template("cropped"), {**words, "picture": cut.id})
    plan = fill(desk.template("crop_plan"), words)
    return desk.end(fill(desk.template("crop"), words), answer, [artifact], plan)


def read_page(desk: Desk) -> Episode:
    """What does the text say? Many lines, to be copied exactly."""
    words = str(desk.words["words"]).split()
    lines = [_line(words, desk) for _ in range(desk.rng.choice((1, 2, 2, 3, 3, 4, 5, 6, 8)))]
    image, places = page(lines, desk.rng)
    artifact = desk.show(image)
    rows = tuple(
        Box(
            artifact=artifact.id, width=image.width, height=image.height, text=line,
            x0=x0, y0=y0, x1=x1, y1=min(y1, image.height), score=0.9,
        )
        for line, (x0, y0, x1, y1) in zip(lines, places, strict=True)
    )
    desk.step("read_text", Boxes(id="boxes1", artifact=artifact.id, boxes=rows), image=artifact.id)
    form = phrasings(desk.lang)["forms"]["says"]
    answer = fill(form["value"], {"value": " ".join(lines)})
    task = desk.rng.choice(form["ask"])
    return desk.end(task, answer, [artifact], desk.template("read_plan"))


def stranger(desk: Desk, image: Image.Image) -> Episode:
    """A question about a thing that the detector was never taught."""
    words_ = desk.words["strangers"]
    assert isinstance(words_, list)
    word = desk.rng.choice(words_)
    thing = Noun(word, word, word if desk.lang == "zh" else _plural(word))
    form = desk.rng.choice(("exists", "exists", "count", "color"))
    template = desk.rng.choice(phrasings(desk.lang)["forms"][form]["ask"])
    words = {**thing.words("x"), "m": "个"}
    artifact = desk.show(image)
    plan = phrasings(desk.lang)["plan"]["unknowable"]
    if "detect" in desk.names:
        said = thing.many if "{xs}" in template else thing.one
        refusal = Text(text=unknown_label(said, desk.rng))
        desk.step("detect", refusal, error=True, image=artifact.id, labels=[said])
        plan = fill(desk.template("find_plan"), {"said": said})
    unknown = desk.words["unknown"]
    assert isinstance(unknown, dict)
    return desk.end(fill(template, words), fill(unknown[form], words), [artifact], plan)


def of_photo(desk: Desk) -> Episode:
    """A question about a picture that is no drawn scene: the limits, not an invention."""
    image = photo(desk.rng)
    artifact = desk.show(image)
    if desk.rng.random() < 0.5 or "detect" not in desk.names:
        plan = phrasings(desk.lang)["plan"]["unknowable"]
        return desk.end(desk.template("photo"), desk.template("photo_limits"), [artifact], plan)
    thing = noun(desk.rng.choice(NAMES), desk.lang, desk.rng)
    template = desk.rng.choice(phrasings(desk.lang)["forms"]["exists"]["ask"])
    said = thing.many if "{xs}" in template else thing.one
    boxes: tuple[Box, ...] = ()
    if desk.rng.random() < 0.3:
        x0, y0 = desk.rng.randint(0, 100), desk.rng.randint(0, 100)
        boxes = (
            Box(
                artifact=artifact.id, width=image.width, height=image.height, x0=x0, y0=y0,
                x1=x0 + 60, y1=y0 + 50, label=thing.name, color="brown", score=0.4,
            ),
        )
    found = Boxes(id="boxes1", artifact=artifact.id, boxes=boxes, what=said)
    desk.step("detect", found, image=artifact.id, labels=[said])
    words = thing.words("x")
    answer = fill(desk.template("photo_some" if boxes else "photo_none"), words)
    plan = fill(desk.template("find_plan"), {"said": said})
    return desk.end(fill(template, words), answer, [artifact], plan)


def talk(desk: Desk) -> Episode:
    """Small talk, or a question about a picture that is not there."""
    plan = str(phrasings(desk.lang)["plan"]["direct"])
    if desk.rng.random() < 0.4:
        thing = noun(desk.rng.choice(NAMES), desk.lang, desk.rng)
        forms = phrasings(desk.lang)["forms"]
        template = desk.rng.choice(forms[desk.rng.choice(("exists", "count", "color"))]["ask"])
        words = {**thing.words("x"), "m": measure(thing.name)}
        return desk.end(fill(template, words), desk.template("no_picture"), [], plan)
    pairs = desk.words["talk"]
    assert isinstance(pairs, list)
    task, answer = desk.rng.choice(pairs)
    return desk.end(task, answer, [], plan)


def unknown_label(label: str, rng: random.Random) -> str:
    """What the detector says of a label that it was not trained for."""
    close = ", ".join(rng.sample(NAMES, rng.randint(1, 3)))
    ways = f"close to it: {close}" if rng.random() < 0.5 else f"for example: {', '.join(NAMES[:5])}"
    return (
        f"cannot detect {label!r}: it is not among the {len(NAMES)} kinds that this detector "
        f"knows ({ways}). Whether there is one in the picture stays open."
    )


def _listed(counts: Counter[str], lang: str) -> str:
    names = [
        _number(k, Noun(n, BY_NAME[n].zh, "") if lang == "zh" else Noun(n, n, BY_NAME[n].plural),
                lang)
        for n, k in counts.items()
    ]
    last = "和" if lang == "zh" else " and "
    return last.join(w for w in (("、" if lang == "zh" else ", ").join(names[:-1]), names[-1]) if w)


def _number(count: int, thing: Noun, lang: str) -> str:
    if lang == "zh":
        return f"{count}{measure(thing.name)}{thing.one}"
    return f"{count} {thing.one if count == 1 else thing.many}"


def _line(words: Sequence[str], desk: Desk) -> str:
    """A line of print: words, sometimes with capitals, numbers or random letters."""
    rng = desk.rng
    chosen = [rng.choice(words) for _ in range(rng.randint(1, 6))]
    if rng.random() < 0.4:
        letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        chosen.append("".join(rng.choices(letters, k=rng.randint(2, 9))))
    if rng.random() < 0.25:
        chosen.append(f"{rng.randint(1, 9999)}")
    text = ("" if desk.lang == "zh" and rng.random() < 0.5 else " ").join(chosen)
    change = rng.random()
    return text.upper() if change < 0.2 else text.title() if change < 0.4 else text


def _plural(word: str) -> str:
    if word.endswith(("s", "x", "ch", "sh")):
        return word + "es"
    return {"mouse": "mice", "tomato": "tomatoes", "potato": "potatoes"}.get(word, word + "s")


def _drawn(image: Image.Image, boxes: Sequence[Box]) -> Image.Image:
    scale = MARKED_SIDE / max(image.size)
    drawn = image.resize((round(image.width * scale), round(image.height * scale)))
    pen = ImageDraw.Draw(drawn)
    for b in boxes:
        corners = tuple(v * scale for v in (b.x0, b.y0, b.x1, b.y1))
        pen.rectangle(corners, outline=(0, 114, 178), width=3)
    return drawn
