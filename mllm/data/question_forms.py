"""What can be asked about a scene: a function a form, each giving a draft or None.

A form picks its objects, wants an answer (yes or no as often, counts evenly) and looks for
objects that give it; None means that this scene does not allow the form.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import permutations

from mllm.data import question_chains as chains
from mllm.data.asker import (
    COLORS,
    PLACES,
    SIZES,
    Asker,
    Draft,
    ask_color,
    claimed_text,
    clear,
    colored_draft,
    compares,
    counted,
    even,
    placed_draft,
    plain_pick,
    say_relation,
)
from mllm.data.lexicon import BY_NAME, NAMES
from mllm.data.phrasing import capital
from mllm.data.programs import Detect, Program, ReadText, Select
from mllm.geometry import PICKS, Relation, holds

Form = Callable[[Asker], Draft | None]


# --- existence and counts ------------------------------------------------------------------------


def exists(a: Asker) -> Draft | None:
    """Is there a cup? Half the answers are no: of any absent category, or of a related one."""
    name = a.rng.choice(list(a.counts)) if a.coin() else a.absent()
    return a.draft("exists", Program(((Detect((name,)),),), "any"), x=a.noun(name))


def exists_color(a: Asker) -> Draft | None:
    """Is there a red cup? The no is most often a cup of another colour."""
    tinted = sorted({b.label for b in a.boxes if b.label and b.color})
    if not tinted:
        return None
    yes = a.coin()
    if yes or a.rng.random() < 0.75:
        name = a.rng.choice(tinted)
        there = sorted({b.color for b in a.of(name) if b.color})
        free = [c for c in COLORS if c not in there]
        if not (there if yes else free):
            return None
        color = a.rng.choice(there if yes else free)
    else:
        name = a.rng.choice([n for n in NAMES if BY_NAME[n].tintable and n not in a.counts])
        color = a.rng.choice(COLORS)
    return colored_draft(a, "exists", "any", name, color)


def count(a: Asker) -> Draft | None:
    """How many cups? Mostly of a focus category, whose count was drawn from 0 to 6."""
    name = a.rng.choice(a.scene.focus or tuple(a.counts))
    if a.rng.random() < 0.08:
        name = a.rng.choice(list(a.counts))
    return a.draft("count", Program(((Detect((name,)),),), "count"), x=a.noun(name))


def count_color(a: Asker) -> Draft | None:
    """How many red cups?"""
    groups: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for name in {b.label for b in a.boxes if b.label and b.color}:
        for color in COLORS:
            groups[sum(b.color == color for b in a.of(name))].append((name, color))
    found = even(a, groups)
    return colored_draft(a, "count", "count", *found) if found else None


# --- attributes ----------------------------------------------------------------------------------


def color(a: Asker) -> Draft | None:
    """What colour is the cup?"""
    names = [n for n in a.unique if a.one(n).color]
    if not names:
        return None
    name = a.rng.choice(names)
    program = Program(((Detect((name,)),),), "color", needs=(name,))
    return a.draft("color", program, x=a.noun(name))


def is_color(a: Asker) -> Draft | None:
    """Is the cup red?"""
    draft = color(a)
    if draft is None:
        return None
    name = draft.slots["x"].name
    real = a.one(name).color
    assert real is not None
    return ask_color(a, draft, real)


def largest(a: Asker) -> Draft | None:
    """What is the largest (leftmost, ...) object?"""
    which = a.rng.choice(PICKS)
    if plain_pick(a.boxes, which) is None:
        return None
    program = Program(((Detect(),), (Select(1, pick=which),)), "name")
    draft = a.draft("largest", program)
    draft.words["pick"] = a.pick(which)
    return draft


def setting(a: Asker) -> Draft | None:
    """Where is this? Answered by looking, without a tool."""
    if a.scene.setting not in a.data["settings"]:
        return None
    draft = a.draft("setting", Program((), "known", a.scene.setting))
    draft.words["setting"] = a.data["settings"][a.scene.setting]
    return draft


def is_setting(a: Asker) -> Draft | None:
    """Is it night?"""
    known = a.data["settings"]
    yes = a.coin()
    if yes and a.scene.setting not in known:
        return None
    word = a.scene.setting if yes else a.rng.choice([s for s in known if s != a.scene.setting])
    draft = a.draft("is_setting", Program((), "known", "yes" if yes else "no"))
    draft.words["setting"] = known[word]
    return draft


# --- relations -----------------------------------------------------------------------------------


def rel(a: Asker) -> Draft | None:
    """Is the cup left of the laptop?"""
    return _related(a, "rel", PLACES)


def larger(a: Asker) -> Draft | None:
    """Is the cup larger than the laptop?"""
    return _related(a, "larger", SIZES)


def _related(a: Asker, form: str, relations: tuple[Relation, ...]) -> Draft | None:
    wanted = a.coin()
    pairs = [
        (x, y, r)
        for x, y in permutations(a.unique, 2)
        for r in relations
        if clear(a.one(x), r, a.one(y)) and holds(r, a.one(x), a.one(y)) == wanted
    ]
    if not pairs:
        return None
    x, y, relation = a.rng.choice(pairs)
    steps = ((Detect((x, y)),), (Select(1, label=x, relation=relation, of=y),))
    draft = a.draft(form, Program(steps, "any", needs=(x, y)), x=a.noun(x), y=a.noun(y))
    say_relation(a, draft, relation)
    return draft


def side(a: Asker) -> Draft | None:
    """Is the cup left or right of the laptop?"""
    first: Relation
    second: Relation
    first, second = a.rng.choice((("left of", "right of"), ("above", "below")))
    pairs = [(x, y) for x, y in permutations(a.unique, 2) if clear(a.one(x), first, a.one(y))]
    if not pairs:
        return None
    if a.coin():
        first, second = second, first
    x, y = a.rng.choice(pairs)
    steps = ((Detect((x, y)),), (Select(1, label=x, relation=first, of=y),))
    options = (first.removesuffix(" of"), second.removesuffix(" of"))
    program = Program(steps, "side", options=options, needs=(x, y))
    draft = a.draft("side", program, x=a.noun(x), y=a.noun(y))
    kind = a.rng.randrange(len(a.data["relations"][first]))
    for slot, relation in (("first", first), ("second", second)):
        draft.words[slot] = draft.words[f"say_{slot}"] = a.data["relations"][relation][kind]
    if draft.words["second"].endswith(" of"):  # to the left or to the right of
        draft.words["first"] = draft.words["first"].removesuffix(" of")
    draft.words["First"] = capital(draft.words["first"])
    return draft


def exists_rel(a: Asker) -> Draft | None:
    """Is there a cup left of the laptop?"""
    wanted = a.coin()
    found = [c for c in a.placements if bool(c[3]) == wanted]
    return placed_draft(a, "exists_rel", "any", a.rng.choice(found)) if found else None


# --- comparisons ---------------------------------------------------------------------------------


def more(a: Asker) -> Draft | None:
    """Are there more cups than books? Also fewer, and as many as."""
    form, sign = a.rng.choice((("more", ">"), ("more", ">"), ("fewer", "<"), ("same", "==")))
    pairs: dict[bool, list[tuple[str, str]]] = {True: [], False: []}
    for x, y in permutations([*a.counts, a.absent()], 2):
        pairs[compares(a.counts[x], sign, a.counts[y])].append((x, y))
    if not (pairs[True] and pairs[False]):
        return None
    x, y = a.rng.choice(pairs[a.coin()])
    return counted(a, form, "truth", x, y, f"{{1:{x}}} {sign} {{1:{y}}}")


def which_more(a: Asker) -> Draft | None:
    """Which are there more of?"""
    pairs = [(x, y) for x, y in permutations(a.counts, 2) if a.counts[x] != a.counts[y]]
    if not pairs:
        return None
    x, y = a.rng.choice(pairs)
    return counted(a, "which_more", "which", x, y, f"{{1:{x}}} > {{1:{y}}}", (x, y))


def which_pick(a: Asker) -> Draft | None:
    """Which is larger (higher, further left), the cup or the laptop?"""
    which = a.rng.choice((*PICKS, "largest", "smallest"))
    pairs = [
        (x, y) for x, y in permutations(a.unique, 2) if plain_pick((a.one(x), a.one(y)), which)
    ]
    if not pairs:
        return None
    x, y = a.rng.choice(pairs)
    steps = ((Detect((x, y)),), (Select(1, pick=which),))
    program = Program(steps, "name", options=(x, y), needs=(x, y))
    draft = a.draft("which_pick", program, x=a.noun(x), y=a.noun(y))
    draft.words["comparative"] = a.rng.choice(a.data["comparatives"][which])
    draft.words["pick"] = a.pick(which)
    return draft


# --- text ----------------------------------------------------------------------------------------


def says(a: Asker) -> Draft | None:
    """What does the sign say?"""
    if len(a.world.texts) != 1:
        return None
    return a.draft("says", Program(((ReadText(),),), "text"))


def is_text(a: Asker) -> Draft | None:
    """Does the sign say EXIT? The no is often a near miss."""
    if len(a.world.texts) != 1:
        return None
    value = claimed_text(a)
    draft = a.draft("is_text", Program(((ReadText(find=value),),), "is_text", value))
    draft.words["text"] = value
    return draft


def any_text(a: Asker) -> Draft | None:
    """Is there any text? Mostly asked where there is."""
    if not a.world.texts and a.rng.random() < 0.8:
        return None
    return a.draft("any_text", Program(((ReadText(),),), "any"))


def says_color(a: Asker) -> Draft | None:
    """What does the blue sign say? Only where there are several signs."""
    signs = a.of("sign")
    colors = Counter(b.color for b in signs)
    alone = [c for c, k in colors.items() if k == 1 and c]
    if len(signs) < 2 or not alone:
        return None
    draft = colored_draft(a, "says_x", "text", "sign", a.rng.choice(alone))
    draft.program = Program((*draft.program.steps, (ReadText(2),)), "text", needs=("sign",))
    return draft


FORMS: dict[str, tuple[tuple[Form, float], ...]] = {
    "existence": ((exists, 3), (exists_color, 1)),
    "count": ((count, 3), (count_color, 1)),
    "attribute": ((color, 3), (is_color, 3), (largest, 2), (setting, 1), (is_setting, 1)),
    "relation": ((rel, 3), (side, 2), (exists_rel, 2)),
    "comparison": ((more, 3), (which_more, 1), (larger, 2), (which_pick, 2)),
    "text": ((says, 3), (is_text, 3), (any_text, 0.3), (says_color, 4)),
    "multi_step": (
        (chains.count_rel, 4), (chains.total, 2), (chains.difference, 1), (chains.more_rel, 2),
        (chains.color_rel, 2), (chains.pick_color, 1), (chains.says_rel, 2), (chains.both, 1),
    ),
    "unanswerable": ((chains.fact, 2), (chains.false_premise, 3)),
}
"""The forms of each family, with how often they are asked."""
