"""Conversations to train the controller on: a scene each, several tasks a scene.

    for conversation in conversations(seed=1, index=0, tools=specs):
        conversation.messages, conversation.tools, conversation.images

Everything is a pure function of (seed, index): workers can take any index in any order. Messages
are those of a live run (``mllm.episode.messages``), so nothing is met at work that was not met in
training. What is learned are the assistant's turns.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from mllm.claims import ClaimDraft, Failed, claims_messages, correction_messages
from mllm.content import Artifact, Message, Text, ToolSpec
from mllm.data import extras
from mllm.data.claim_drafts import drafts, misread, short, slip, statement
from mllm.data.extras import Desk
from mllm.data.gaze import spots, told
from mllm.data.lexicon import BY_NAME, NAMES
from mllm.data.oracle import trace, wanted
from mllm.data.phrasing import carelessly, fill, noun, phrasings, vary
from mllm.data.plans import plan_line
from mllm.data.programs import ReadText, truth
from mllm.data.questions import CHINESE, Question, questions
from mllm.data.scenes import Scene, render, sample_scene
from mllm.data.schemas import Mapped, randomise
from mllm.episode import Episode, messages
from prompts import render as prompt

A_SCENE = 6
"""Conversations of one scene."""
KINDS = {"trace": 0.35, "direct": 0.14, "claims": 0.17, "correct": 0.11, "extra": 0.23}
DESCRIBED = 0.15
"""Share of descriptions where all is answered by looking."""
BARE = 0.3
"""Share of answers that are one word."""
LOOKED = ("existence", "count", "attribute", "relation", "comparison")
"""Families of questions that are answered out of what was looked at and written down."""
RENAMED = 0.65
"""Share of tool conversations whose schemas are made strange."""
LISTINGS = 0.3
"""Share of the texts to be taken apart that list what a picture shows."""
AGAIN = 0.15
"""Share of the kinds in such a list that are named once more, as weak eyes describe."""
OPEN = 0.6
"""Share of the questions about photographs that no scene would be asked."""
_LOOK_MARGIN = 0.25  # of a region's longer side, as the look tool shows it


@dataclass(frozen=True)
class Conversation:
    """One training sample: ``images`` holds the pictures of its media parts by artifact id."""

    messages: list[Message]
    tools: list[ToolSpec]
    images: dict[str, Image.Image]
    kind: str


def conversations(
    seed: int,
    index: int,
    tools: Sequence[ToolSpec],
    *,
    style: str = "train",
    n: int = A_SCENE,
) -> list[Conversation]:
    """The conversations of one scene. ``tools`` are the built-in tools' own descriptions."""
    rng = random.Random(f"instruct/{seed}/{index}")
    scene = sample_scene(seed, index, style=style)
    image = render(scene)
    asked = questions(scene, seed, n=2 * n)
    rng.shuffle(asked)
    out: list[Conversation] = []
    while len(out) < n:
        kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
        if kind == "extra" or not asked:
            out.append(_extra(scene, image, asked, tools, rng))
        elif kind == "trace":
            out.append(_trace(asked.pop(), scene, image, tools, rng))
        elif kind == "direct":
            out.append(_direct(asked.pop(), scene, image, rng))
        elif kind == "claims":
            listing = rng.random() < LISTINGS
            out.append(_listing_claims(scene, rng) if listing else _claims(asked, rng))
        elif rng.random() < 0.2:
            out.append(_listing_corrected(scene, rng))
        elif correction := _correction(_of_place(asked, rng), rng):
            out.append(correction)
    return out


def looking(seed: int, index: int, n: int) -> list[Conversation]:
    """``n`` questions about one scene, all answered by looking alone at the same picture."""
    rng = random.Random(f"looking/{seed}/{index}")
    scene = sample_scene(seed, index)
    image = render(scene)
    artifact = _artifact(image, rng)
    return [
        _described(scene, image, artifact, question.lang, rng)
        if rng.random() < DESCRIBED
        else _looked_at(question, image, artifact, rng)
        for question in questions(scene, seed, n=n)
    ]


def _of_place(asked: list[Question], rng: random.Random) -> Question:
    """The last question, or one about places, which are hard to put right."""
    places = [q for q in asked if q.form in ("side", "rel", "exists_rel")]
    if places and rng.random() < 0.4:
        asked.remove(places[0])
        return places[0]
    return asked.pop()


def _trace(
    question: Question, scene: Scene, image: Image.Image, tools: Sequence[ToolSpec],
    rng: random.Random,
) -> Conversation:
    """A question worked on with tools."""
    kept = _some(tools, wanted(question), rng)
    specs, mapping = _told(kept, rng)
    artifact = _artifact(image, rng)
    episode = trace(question, scene, specs, rng, artifact=artifact, mapping=mapping)
    return Conversation(messages(episode), specs, {artifact.id: image}, "trace")


def _direct(
    question: Question, scene: Scene, image: Image.Image, rng: random.Random
) -> Conversation:
    """A question answered by looking alone: whole pictures or one object closely."""
    if rng.random() < 0.35 and scene.objects:
        return _closely(scene, image, question.lang, rng)
    described = rng.random() < 0.4
    artifact = _artifact(image, rng)
    if described:
        return _described(scene, image, artifact, question.lang, rng)
    return _looked_at(question, image, artifact, rng)


def _looked_at(
    question: Question, image: Image.Image, artifact: Artifact, rng: random.Random
) -> Conversation:
    """A question answered after what it is about was written down."""
    answer = question.say()
    if any(isinstance(op, ReadText) for op in question.program.ops) and question.form != "any_text":
        answer = str(phrasings(question.lang)["answers"]["unreadable"])
    episode = Episode(
        task=question.text, media=(artifact,), lang=question.lang, answer=answer,
        seen=looked(question),
    )
    if rng.random() < 0.5:  # as a run without tools; else as the look tool asks
        update = {
            "plan": plan_line(question, ()),
            "note": prompt("budget", question.lang, steps=12),
        }
        episode = episode.model_copy(update=update)
    return Conversation(messages(episode), [], {artifact.id: image}, "direct")


def looked(question: Question) -> str:
    """What a model looks at before it answers a question by looking alone."""
    return told(spots(question.boxes), question.lang) if question.family in LOOKED else ""


def _described(
    scene: Scene, image: Image.Image, artifact: Artifact, lang: str, rng: random.Random
) -> Conversation:
    """All that is seen, every kind once with its number."""
    words = phrasings(lang)["extras"]
    shown = spots(truth(scene).objects)
    counts = Counter(spot.label for spot in shown)
    answer = vary(words["nothing"], rng)
    if counts:
        answer = fill(words["described"], {"list": extras.listed(counts.items(), lang)})
    task = carelessly(vary(rng.choice(words["describe"]), rng), rng)
    episode = Episode(
        task=task, media=(artifact,), lang=lang, seen=told(shown, lang), answer=answer
    )
    if rng.random() < 0.3:
        note = prompt("budget", lang, steps=12)
        episode = episode.model_copy(
            update={"plan": str(phrasings(lang)["plan"]["direct"]), "note": note}
        )
    return Conversation(messages(episode), [], {artifact.id: image}, "direct")


def _closely(scene: Scene, image: Image.Image, lang: str, rng: random.Random) -> Conversation:
    """A crop of one object, as the look tool shows a region, and a short question about it."""
    thing = rng.choice(scene.objects)
    words = phrasings(lang)["crops"]
    x0, y0, x1, y1 = thing.box
    more = rng.uniform(0.05, _LOOK_MARGIN) * max(x1 - x0, y1 - y0)
    corners = (
        max(int(x0 - more), 0), max(int(y0 - more), 0),
        min(int(x1 + more) + 1, scene.width), min(int(y1 + more) + 1, scene.height),
    )
    part = image.crop(corners)
    kinds = ["name", "is_name", "is_name"]
    if thing.color:
        kinds += ["color", "color", "is_color"]
    kind = rng.choice(kinds)
    colors = phrasings(lang)["colors"]
    yes = rng.random() < 0.5
    if kind in ("name", "color"):
        answer = colors[thing.color] if kind == "color" else _plain_name(thing.label, lang)
        slots: dict[str, str] = {}
    else:
        named, color = thing.label, thing.color or ""
        if not yes and kind == "is_name":
            named = rng.choice([n for n in NAMES if n != thing.label])
        if not yes and kind == "is_color":
            color = rng.choice([c for c in colors if c != thing.color])
        slots = noun(named, lang, rng).words("x") | {"color": colors.get(color, "")}
        answer = words["yes" if yes else "no"]
    artifact = _artifact(part, rng)
    task = carelessly(fill(vary(rng.choice(words[kind]), rng), slots), rng)
    episode = Episode(task=task, media=(artifact,), lang=lang, answer=answer)
    return Conversation(messages(episode), [], {artifact.id: part}, "direct")


def _claims(asked: list[Question], rng: random.Random) -> Conversation:
    """An answer, right or wrong, taken apart; sometimes of several sentences. Half the time it is
    no answer but a sentence of a description, which stands alone."""
    lang = asked[-1].lang
    several = 1 if rng.random() < 0.8 else rng.randint(2, 3)
    chosen = [q for q in asked if q.lang == lang][-several:]
    alone = rng.random() < 0.5
    said, claims = [], []
    for q in chosen:
        wrong = misread(q, rng) if rng.random() < 0.4 else None
        sentence = q.say(wrong)
        if len(chosen) == 1 and rng.random() < BARE and (bare := short(q, rng, wrong)):
            alone = False
            said.append(bare)
            claims += drafts(q, wrong, q.text)
            continue
        described = alone if len(chosen) == 1 else rng.random() < 0.5
        said.append(statement(sentence) if described else sentence)
        claims += drafts(q, wrong)
    task = "" if alone else chosen[0].text
    if len(chosen) > 1 and rng.random() < 0.5:
        task = vary(rng.choice(phrasings(lang)["extras"]["describe"]), rng)
    answer = ("" if lang == "zh" else " ").join(said)
    # "There are more cups." says more than what only where the question does.
    told_of = [c for c in dict.fromkeys(claims) if c.of in task or c.of in answer]
    return _taken_apart(task, answer, told_of, lang)


def _listing_claims(scene: Scene, rng: random.Random) -> Conversation:
    """A description, right or wrong, taken apart: every number of a kind is a claim."""
    lang = "zh" if rng.random() < CHINESE else "en"
    counts = Counter(o.label for o in scene.objects) or Counter([rng.choice(NAMES)])
    items = [(n, rng.randint(1, 6) if rng.random() < 0.3 else k) for n, k in counts.items()]
    items += [(n, rng.randint(1, 3)) for n in counts if rng.random() < AGAIN]
    items += [(rng.choice(NAMES), rng.randint(1, 3)) for _ in range(rng.choice((0, 0, 1, 2)))]
    rng.shuffle(items)
    words = phrasings(lang)["extras"]
    said = fill(words["described"], {"list": extras.listed(items, lang)})
    claims = [
        ClaimDraft(
            kind="count", value=str(k),
            object=BY_NAME[n].zh if lang == "zh" else n if k == 1 else BY_NAME[n].plural,
        )
        for n, k in dict.fromkeys(items)
    ]
    task = rng.choice(("", vary(rng.choice(words["describe"]), rng)))
    return _taken_apart(task, said, claims, lang)


def _taken_apart(
    task: str, answer: str, claims: Sequence[ClaimDraft], lang: str
) -> Conversation:
    reply = json.dumps([c.words() for c in claims], ensure_ascii=False)
    told = claims_messages(task, answer, lang)
    told.append(Message(role="assistant", content=(Text(text=reply),)))
    return Conversation(told, [], {}, "claims")


def _correction(question: Question, rng: random.Random) -> Conversation | None:
    """A wrong sentence and what a check found, put right; None where there is no near slip."""
    wrong = slip(question, rng)
    if wrong is None or not wrong.truth:
        return None
    said, right = wrong.said, question.say()
    if question.answer in ("yes", "no") and rng.random() < BARE:
        said, right = _bare(question, rng)
    elif rng.random() < 0.6:
        said, right = statement(said), statement(right)
    return _put_right(said, wrong.claim, wrong.truth, right, question.lang)


def _bare(question: Question, rng: random.Random) -> tuple[str, str]:
    """The wrong word and the right one of the same kind: "Yes." and "No."."""
    words = phrasings(question.lang)["bare"]
    right = rng.randrange(len(words["yes"]))
    wrong = "no" if question.answer == "yes" else "yes"
    return words[wrong][right], words[question.answer][right]


def _listing_corrected(scene: Scene, rng: random.Random) -> Conversation:
    """A description in which the number of one kind is wrong, or something is too much."""
    lang = "zh" if rng.random() < CHINESE else "en"
    counts = Counter(o.label for o in scene.objects)
    name = rng.choice(sorted(counts) if counts and rng.random() < 0.7 else list(NAMES))
    true = counts[name]
    false = max(1, true + rng.choice((-2, -1, 1, 2)))
    if false == true:
        false += 1
    items = [(n, false if n == name else k) for n, k in counts.items()]
    if not true:
        items.insert(rng.randint(0, len(items)), (name, false))
    said = extras.listed(items, lang)
    right = extras.listed([(n, counts[n]) for n, _ in items if counts[n]], lang)
    words = phrasings(lang)["extras"]
    old = fill(words["described"], {"list": said})
    new = fill(words["described"], {"list": right}) if right else vary(words["nothing"], rng)
    named = [BY_NAME[name].zh] * 2 if lang == "zh" else [name, BY_NAME[name].plural]
    return _put_right(
        old, f"{false} {named[false != 1]}", f"{true} {named[true != 1]}", new, lang
    )


def _put_right(said: str, claim: str, truth: str, right: str, lang: str) -> Conversation:
    told = correction_messages(said, [Failed(claim, truth)], lang)
    told.append(Message(role="assistant", content=(Text(text=right),)))
    return Conversation(told, [], {}, "correct")


def _extra(
    scene: Scene, image: Image.Image, asked: Sequence[Question], tools: Sequence[ToolSpec],
    rng: random.Random,
) -> Conversation:
    """Other tasks, and the limits of what can be told."""
    lang = "zh" if rng.random() < CHINESE else "en"
    specs, mapping = _told(list(tools), rng)
    names = frozenset(t.name for t in tools)
    kind = rng.choices(
        ("describe", "mark", "crop", "read", "stranger", "photo", "talk"), (2, 1, 1, 5, 3, 8, 1)
    )[0]
    needs = {"describe": "detect", "mark": "annotate", "crop": "crop", "read": "read_text"}
    if needs.get(kind, next(iter(names), "")) not in names:
        kind = "talk"
    desk = Desk(specs, mapping, rng, lang, names, budget=rng.choice((12, 12, 12, 8, 20)))
    episode: Episode | None = None
    if kind == "describe":
        episode = extras.describe(desk, scene, image)
    elif kind == "mark":
        episode = extras.mark(desk, scene, image)
    elif kind == "crop":
        episode = extras.crop(desk, scene, image)
    elif kind == "read":
        episode = extras.read_page(desk)
    elif kind == "stranger":
        episode = extras.stranger(desk, image)
    elif kind == "photo":
        closed = next((q for q in asked if q.lang == lang), None)
        episode = extras.of_photo(desk, None if rng.random() < OPEN else closed, image)
    if episode is None:
        desk.pictures.clear()
        episode = extras.talk(desk)
    return Conversation(messages(episode), specs, desk.pictures, f"extra.{kind}")


def _some(
    tools: Sequence[ToolSpec], needed: Sequence[str], rng: random.Random
) -> list[ToolSpec]:
    """Mostly all tools; sometimes fewer, and now and then a needed one is missing."""
    chance = rng.random()
    if chance < 0.7 or not tools:
        return list(tools)
    others = [t for t in tools if t.name not in needed]
    dropped = set(rng.sample([t.name for t in others], rng.randint(0, len(others))))
    if chance > 0.92 and needed:
        dropped.add(rng.choice(needed))
    return [t for t in tools if t.name not in dropped]


def _told(
    tools: list[ToolSpec], rng: random.Random
) -> tuple[list[ToolSpec], Mapped | None]:
    """The tools as they are, or made strange."""
    return randomise(tools, rng) if rng.random() < RENAMED else (tools, None)


def _artifact(image: Image.Image, rng: random.Random) -> Artifact:
    """A reference to the picture; ids other than img1 teach to copy the id."""
    id = "img1" if rng.random() < 0.85 else f"img{rng.randint(2, 12)}"
    return Artifact(
        id=id, kind="image", sha256=f"{rng.getrandbits(64):016x}", mime="image/png",
        width=image.width, height=image.height,
    )


def _plain_name(name: str, lang: str) -> str:
    return BY_NAME[name].zh if lang == "zh" else name
