"""Tasks that are no questions with a program: describing, marking, cropping, reading a page,
small talk, and the limits of a model that knows 80 drawn objects.

Each function gives a finished episode and the pictures in it, by artifact id.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from PIL import Image, ImageDraw

from mllm.content import Artifact, Box, Boxes, Media, Part, Text, ToolCall, ToolResult, ToolSpec
from mllm.data.lexicon import BY_NAME, NAMES, called
from mllm.data.observation import ANYTHING, FOREIGN, observe
from mllm.data.photos import page, photo
from mllm.data.phrasing import Noun, carelessly, fill, measure, noun, phrasings, vary
from mllm.data.plans import plan_line
from mllm.data.programs import Detect, truth
from mllm.data.questions import Question
from mllm.data.scenes import Scene
from mllm.data.schemas import Mapped, renamed
from mllm.episode import Episode, Step
from prompts import render

Pictures = dict[str, Image.Image]

CODE = 0.35
"""Share of lines on a page that are no words."""
MARKED_SIDE = 640
"""Pixels of the longer side of a picture with boxes drawn on it."""
REFUSED = 0.25
"""Share of the pictures that the detector takes for photographs and that are none."""


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
        return vary(self.rng.choice(value) if isinstance(value, list) else str(value), self.rng)

    def form(self, form: str) -> str:
        """A template of a question."""
        return vary(self.rng.choice(phrasings(self.lang)["forms"][form]["ask"]), self.rng)

    def asked(self, template: str, words: Mapping[str, str]) -> str:
        """A task as someone may put it, with words before or after it."""
        around = vary(self.rng.choice(phrasings(self.lang)["wrap"]["ask"]), self.rng)
        return carelessly(fill(around, {"q": fill(template, words)}), self.rng)

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
    counts = Counter(b.label or "" for b in boxes)
    found = Boxes(
        id="boxes1", artifact=artifact.id, boxes=boxes,
        counts={called(name, desk.lang): n for name, n in counts.items()} or {ANYTHING: 0},
    )
    desk.step("detect", found, image=artifact.id)
    answer = desk.template("nothing")
    if counts:
        answer = fill(desk.template("described"), {"list": listed(counts.items(), desk.lang)})
    plan = desk.template("describe_plan")
    return desk.end(desk.asked(desk.template("describe"), {}), answer, [artifact], plan)


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
    found = Boxes(id="boxes1", artifact=artifact.id, boxes=boxes, counts={said: len(boxes)})
    desk.step("detect", found, image=artifact.id, labels=[said])
    plan = fill(desk.template("mark_plan"), words)
    if not boxes:
        answer = fill(desk.template("unmarked"), words)
        return desk.end(desk.asked(task, words), answer, [artifact], plan)
    drawn = desk.show(_drawn(image, boxes), "img1.marked1", artifact.id)
    desk.step("annotate", Media(artifact=drawn), image=artifact.id, boxes="boxes1")
    count = _number(len(boxes), thing, desk.lang)
    answer = fill(desk.template("marked"), {"count": count, "picture": drawn.id})
    return desk.end(desk.asked(task, words), answer, [artifact], plan)


def crop(desk: Desk, scene: Scene, image: Image.Image) -> Episode | None:
    """Cut out the one cup: find, then crop."""
    counts = Counter(o.label for o in scene.objects)
    unique = [o for o in scene.objects if counts[o.label] == 1]
    if not unique:
        return None
    thing = noun(desk.rng.choice(unique).label, desk.lang, desk.rng)
    artifact = desk.show(image)
    boxes = tuple(b for b in truth(scene).objects if b.label == thing.name)
    found = Boxes(id="boxes1", artifact=artifact.id, boxes=boxes, counts={thing.one: 1})
    desk.step("detect", found, image=artifact.id, labels=[thing.one])
    box = boxes[0]
    part = image.crop((int(box.x0), int(box.y0), int(box.x1), int(box.y1)))
    cut = desk.show(part, "img1.crop1", artifact.id)
    desk.step("crop", Media(artifact=cut), image=artifact.id, region="boxes1")
    words = thing.words("x")
    answer = fill(desk.template("cropped"), {**words, "picture": cut.id})
    plan = fill(desk.template("crop_plan"), words)
    return desk.end(desk.asked(desk.template("crop"), words), answer, [artifact], plan)


def read_page(desk: Desk) -> Episode:
    """What does the text say? Many lines, to be copied exactly."""
    words = str(desk.words["words"]).split()
    lines = [_line(words, desk) for _ in range(desk.rng.choice((1, 2, 3, 4, 5, 6, 7, 8)))]
    image, places = page(lines, desk.rng)
    artifact = desk.show(image)
    rows = tuple(
        Box(
            artifact=artifact.id, width=image.width, height=image.height, text=line,
            x0=x0, y0=y0, x1=x1, y1=min(y1, image.height), score=0.9,
        )
        for line, (x0, y0, x1, y1) in zip(lines, places, strict=True)
    )
    read = Boxes(id="boxes1", artifact=artifact.id, boxes=rows, counts={"text": len(rows)})
    desk.step("read_text", read, image=artifact.id)
    form = phrasings(desk.lang)["forms"]["says"]
    answer = fill(form["value"], {"value": " ".join(lines)})
    task = desk.asked(desk.form("says"), {})
    return desk.end(task, answer, [artifact], desk.template("read_plan"))


def stranger(desk: Desk, image: Image.Image) -> Episode:
    """A question about a thing that the detector was never taught."""
    words_ = desk.words["strangers"]
    assert isinstance(words_, list)
    word = desk.rng.choice(words_)
    thing = Noun(word, word, word if desk.lang == "zh" else _plural(word))
    form = desk.rng.choice(("exists", "exists", "count", "color"))
    template = desk.form(form)
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
    return desk.end(desk.asked(template, words), fill(unknown[form], words), [artifact], plan)


def of_photo(desk: Desk, question: Question | None, scene: Image.Image) -> Episode:
    """A question about a picture that is no drawn scene: the limits, not an invention.

    ``question`` would be asked about a scene; without one, the question is open. The detector
    refuses the picture as a whole: that it is a photo is for the expert to say, not for small eyes.
    So now and then it refuses a ``scene``, that what to do is read from the question.
    """
    artifact = desk.show(scene if desk.rng.random() < REFUSED else photo(desk.rng))
    first = question.program.ops[0] if question and question.program.ops else None
    arguments: dict[str, object] = {}
    if question is not None and isinstance(first, Detect):
        task, plan = question.text, plan_line(question, desk.names)
        if first.labels:
            arguments["labels"] = [question.said.get(name, name) for name in first.labels]
    else:
        task, plan = desk.asked(desk.template("photo"), {}), desk.template("describe_plan")
    if "detect" in desk.names:
        desk.step("detect", Text(text=FOREIGN), error=True, image=artifact.id, **arguments)
    else:
        plan = phrasings(desk.lang)["plan"]["unknowable"]
    return desk.end(task, desk.template("photo_limits"), [artifact], plan)


def talk(desk: Desk) -> Episode:
    """Small talk, or a question about a picture that is not there."""
    plan = str(phrasings(desk.lang)["plan"]["direct"])
    if desk.rng.random() < 0.4:
        thing = noun(desk.rng.choice(NAMES), desk.lang, desk.rng)
        template = desk.form(desk.rng.choice(("exists", "count", "color")))
        words = {**thing.words("x"), "m": measure(thing.name)}
        return desk.end(desk.asked(template, words), desk.template("no_picture"), [], plan)
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


def listed(counts: Iterable[tuple[str, int]], lang: str) -> str:
    names = [
        _number(k, Noun(n, BY_NAME[n].zh, "") if lang == "zh" else Noun(n, n, BY_NAME[n].plural),
                lang)
        for n, k in counts
    ]
    last = "和" if lang == "zh" else " and "
    return last.join(w for w in (("、" if lang == "zh" else ", ").join(names[:-1]), names[-1]) if w)


def _number(count: int, thing: Noun, lang: str) -> str:
    if lang == "zh":
        return f"{count}{measure(thing.name)}{thing.one}"
    return f"{count} {thing.one if count == 1 else thing.many}"


def _line(words: Sequence[str], desk: Desk) -> str:
    """A line of print: words, sometimes with capitals, numbers or random letters; or of code."""
    rng = desk.rng
    if rng.random() < CODE:
        return _code(rng)
    chosen = [rng.choice(words) for _ in range(rng.randint(1, 9))]
    if rng.random() < 0.4:
        letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        if rng.random() < 0.4:  # repeats are what copying stumbles over
            letters = "".join(rng.sample(letters, 3))
        chosen.append("".join(rng.choices(letters, k=rng.randint(2, 9))))
    if rng.random() < 0.25:
        chosen.append(f"{rng.randint(1, 9999)}")
    text = ("" if desk.lang == "zh" and rng.random() < 0.5 else " ").join(chosen)
    change = rng.random()
    return text.upper() if change < 0.2 else text.title() if change < 0.4 else text


def _code(rng: random.Random) -> str:
    """A line as programs and addresses have them, or as a reader garbles those: signs inside of
    words, gaps where a sign was lost."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    line = ""
    for _ in range(rng.randint(1, 5)):
        line += "".join(rng.choices(letters, k=rng.randint(1, 8)))
        line += rng.choice((".", ".", " ", " ", " = ", "(", ")", "_", ", ", ": ", " -", "[0]", "/",
                            f"{rng.randint(0, 99)}", "'", '"', " + ", "::"))
    return line.strip()


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
