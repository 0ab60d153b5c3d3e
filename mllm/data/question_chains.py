"""What takes several tools to answer, and what no tool can answer: forms like those of
``question_forms``, a function each."""

from __future__ import annotations

from collections import defaultdict
from itertools import permutations

from mllm.data.asker import (
    PLACES,
    Asker,
    Draft,
    Placed,
    ask_color,
    counted,
    even,
    placed_draft,
    plain_pick,
    say_relation,
)
from mllm.data.phrasing import placed
from mllm.data.programs import Calculate, Detect, Program, ReadText, Select
from mllm.data.signs import sign_text
from mllm.geometry import PICKS, Relation


def count_rel(a: Asker) -> Draft | None:
    """How many (red) cups are left of the laptop?"""
    groups: dict[int, list[Placed]] = defaultdict(list)
    for found in a.placements:
        groups[len(found[3])].append(found)
    chosen = even(a, groups)
    return placed_draft(a, "count_rel", "count", chosen) if chosen else None


def total(a: Asker) -> Draft | None:
    """How many cups and books are there in total?"""
    if not a.counts:
        return None
    names = [*a.counts, a.absent()]
    x, y = a.rng.sample(names, 2)
    return counted(a, "total", "number", x, y, f"{{1:{x}}} + {{1:{y}}}")


def difference(a: Asker) -> Draft | None:
    """How many more cups than books?"""
    pairs = [(x, y) for x, y in permutations(a.counts, 2) if a.counts[x] > a.counts[y]]
    if not pairs:
        return None
    x, y = a.rng.choice(pairs)
    return counted(a, "difference", "number", x, y, f"{{1:{x}}} - {{1:{y}}}")


def more_rel(a: Asker) -> Draft | None:
    """Are there more cups than books left of the laptop?"""
    wanted = a.coin()
    places: dict[tuple[str, Relation], dict[str, int]] = defaultdict(dict)
    for name, relation, anchor, inside, color_ in a.placements:
        if color_ is None:
            places[anchor, relation][name] = len(inside)
    options = [
        (x, y, relation, z)
        for (z, relation), there in places.items()
        for x, y in permutations(there, 2)
        if (there[x] > there[y]) == wanted and (there[x] or there[y])
    ]
    if not options:
        return None
    x, y, relation, z = a.rng.choice(options)
    steps = (
        (Detect((x, y, z)),),
        tuple(Select(1, label=n, relation=relation, of=z) for n in (x, y)),
        (Calculate("{2} > {3}"),),
    )
    program = Program(steps, "truth", needs=(z,))
    draft = a.draft("more_rel", program, x=a.noun(x), y=a.noun(y), z=a.noun(z))
    say_relation(a, draft, relation)
    return draft


def color_rel(a: Asker) -> Draft | None:
    """What colour is the cup left of the laptop? Is it red? The only one there, of several."""
    found = [
        c for c in a.placements
        if c[4] is None and len(c[3]) == 1 and c[3][0].color and a.counts[c[0]] > 1
    ]
    if not found:
        return None
    name, relation, anchor, inside, _ = a.rng.choice(found)
    bare, other = a.noun(name), a.noun(anchor)
    steps = (
        (Detect((name, anchor)),), (Select(1, label=name, relation=relation, of=anchor),),
    )
    program = Program(steps, "color", needs=(name, anchor))
    phrase = placed(bare, a.relation(relation), other, a.lang)
    draft = a.draft("color", program, x=phrase)
    draft.slots |= {"x": bare, "anchor": other}
    real = inside[0].color
    assert real is not None
    return draft if a.coin() else ask_color(a, draft, real)


def pick_color(a: Asker) -> Draft | None:
    """What colour is the largest cup?"""
    which = a.rng.choice(PICKS)
    names = [
        n for n in a.counts
        if a.counts[n] > 1 and all(b.color for b in a.of(n)) and plain_pick(a.of(n), which)
    ]
    if not names:
        return None
    name = a.rng.choice(names)
    steps = ((Detect((name,)),), (Select(1, pick=which),))
    draft = a.draft("pick_color", Program(steps, "color", needs=(name,)), x=a.noun(name))
    draft.words["pick"] = a.pick(which)
    return draft


def says_rel(a: Asker) -> Draft | None:
    """What does the sign left of the tree say?"""
    if len(a.world.texts) < 2:
        return None
    found = [
        c for c in a.placements if c[0] == "sign" and c[4] is None and len(c[3]) == 1
    ]
    if not found:
        return None
    _, relation, anchor, _, _ = a.rng.choice(found)
    bare, other = a.noun("sign"), a.noun(anchor)
    steps = (
        (Detect(("sign", anchor)),),
        (Select(1, label="sign", relation=relation, of=anchor),),
        (ReadText(2),),
    )
    phrase = placed(bare, a.relation(relation), other, a.lang)
    draft = a.draft("says_x", Program(steps, "text", needs=("sign", anchor)), x=phrase)
    draft.slots |= {"x": bare, "anchor": other}
    return draft


def both(a: Asker) -> Draft | None:
    """Is there a cup and does the sign say EXIT?"""
    if len(a.world.texts) != 1:
        return None
    yes = a.coin()
    value = a.world.texts[0].text or ""
    name = a.rng.choice(list(a.counts))
    if not yes:
        if a.coin():
            name = a.absent()
        else:
            value = sign_text(a.rng)
    program = Program(((Detect((name,)), ReadText(find=value)),), "both", value)
    draft = a.draft("both", program, x=a.noun(name))
    draft.words["text"] = value
    return draft


# --- what cannot be answered ---------------------------------------------------------------------


def fact(a: Asker) -> Draft | None:
    """Who owns the cup? No picture can tell."""
    if not a.unique:
        return None
    return a.draft("fact", Program((), "unknowable"), x=a.noun(a.rng.choice(a.unique)))


def false_premise(a: Asker) -> Draft | None:
    """What colour is the zebra, where there is none? Of every form that names an object."""
    name = a.absent()
    kind = a.rng.choice(("color", "color", "is_color", "rel", "side", "which_pick", "says"))
    if kind == "says":
        if a.world.texts:
            return None
        return a.draft("says", Program(((ReadText(),),), "text"))
    if kind in ("color", "is_color"):
        program = Program(((Detect((name,)),),), "color", needs=(name,))
        draft = a.draft("color", program, x=a.noun(name))
        return draft if kind == "color" else ask_color(a, draft, "")
    if not a.unique:
        return None
    x, y = a.rng.sample((name, a.rng.choice(a.unique)), 2)
    if kind == "which_pick":
        steps = ((Detect((x, y)),), (Select(1, pick="largest"),))
        program = Program(steps, "name", options=(x, y), needs=(x, y))
        draft = a.draft("which_pick", program, x=a.noun(x), y=a.noun(y))
        draft.words["comparative"] = a.rng.choice(a.data["comparatives"]["largest"])
        draft.words["pick"] = a.pick("largest")
        return draft
    relation = a.rng.choice(PLACES)
    steps = ((Detect((x, y)),), (Select(1, label=x, relation=relation, of=y),))
    program = Program(steps, "any", needs=(x, y))
    draft = a.draft("rel", program, x=a.noun(x), y=a.noun(y))
    say_relation(a, draft, relation)
    return draft
