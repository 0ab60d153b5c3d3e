"""Other looks for pages, and what stands around their task on real screens: for pictures alone.

The pages' own styles are few, and a detector would remember them. A *theme* draws colours, forms
and sizes anew; *furniture* adds what no task has: icons without words, switches, menus, lists that
hang open, and things that look like controls and are none. Looks and icons that are listed for
evaluation are never drawn in training.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from mllm.data.pages.task import Split
from mllm.data.pages.words import Draw, draw_for

BARE = 0.3
"""Share of the pages that keep their own style and stand alone."""

Looks = dict[Split, tuple[str, ...]]

BUTTONS: Looks = {
    "train": (
        "",
        "background:var(--a);color:var(--o);border:0",
        "background:none;color:var(--a);border:1px solid var(--a)",
        "background:linear-gradient(#fff6,#0003),var(--s);color:var(--t);border:1px solid var(--l)",
        "background:var(--s);color:var(--t);border:2px outset var(--l)",
        "background:none;color:var(--a);border:0;font-weight:bold;text-transform:uppercase",
    ),
    "eval": (
        "background:var(--s);color:var(--t);border:0;box-shadow:0 1px 4px #0009",
        "background:var(--l);color:var(--t);border:0;border-bottom:3px solid var(--a)",
    ),
}
FIELDS: Looks = {
    "train": (
        "",
        "background:var(--s);color:var(--t);border:1px solid var(--l)",
        "background:var(--s);color:var(--t);border:2px inset var(--l)",
        "background:var(--l);color:var(--t);border:0",
    ),
    "eval": (
        "background:none;color:var(--t);border:0;border-bottom:2px solid var(--a)",
        "background:var(--s);color:var(--t);border:0;box-shadow:0 0 3px var(--t)",
    ),
}
TICK = "appearance:none;width:var(--m);height:var(--m);vertical-align:middle;text-align:center;"
TICK += "font:bold calc(var(--m)*.8)/1 sans-serif;"
MARKS: Looks = {
    "train": (
        "",
        "accent-color:var(--a)",
        "accent-color:var(--a);width:var(--m);height:var(--m)",
        TICK + "border:2px solid var(--l);background:var(--s);--c:'✓'",
        TICK + "border:1px solid var(--t);--f:var(--a);--c:''",
    ),
    "eval": (
        TICK + "border:3px solid var(--a);border-radius:50% 20%;--c:'✕'",
        TICK + "border:0;background:var(--l);--f:var(--a);--c:'–'",
    ),
}
TABS: Looks = {
    "train": (
        "",
        "background:none;color:var(--t);border:0;border-bottom:3px solid transparent",
        "background:var(--s);color:var(--t);border:1px solid var(--l);border-bottom:0;"
        "border-radius:6px 6px 0 0",
    ),
    "eval": ("background:var(--l);color:var(--t);border:0;border-radius:99px;margin:2px",),
}
MENUS: Looks = {
    "train": (
        "",
        "background:var(--s);border:1px solid var(--l);width:max-content;min-width:150px",
        "background:var(--s);box-shadow:0 3px 9px #0006;width:max-content;padding:6px 0",
    ),
    "eval": ("background:var(--l);border-radius:9px;width:max-content;padding:8px",),
}
LINKS: Looks = {
    "train": ("color:var(--a)", "color:var(--a);text-decoration:none", ""),
    "eval": ("color:var(--a);text-decoration:none;border-bottom:1px dotted",),
}
FONTS: Looks = {
    "train": ("DejaVu Sans", "DejaVu Sans Condensed", "DejaVu Sans Mono", "serif"),
    "eval": ("DejaVu Sans Light", "DejaVu Serif Condensed"),
}
ICONS: Looks = {  # lines on a field of 24 by 24
    "train": (
        "M3 6h18M3 12h18M3 18h18",
        "M5 5l14 14M19 5L5 19",
        "M12 4v16M4 12h16",
        "M10 4a6 6 0 100 12 6 6 0 000-12M15 15l6 6",
        "M4 12l8-8 8 8M7 10v10h10V10",
        "M14 4l-8 8 8 8",
        "M10 4l8 8-8 8",
        "M4 9l8 8 8-8",
        "M6 4l14 8-14 8z",
        "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13",
        "M12 3l3 6 6 1-4 5 1 6-6-3-6 3 1-6-4-5 6-1z",
        "M12 4v12M7 11l5 5 5-5M4 20h16",
        "M8 8a4 4 0 108 0 4 4 0 10-8 0M4 21c0-9 16-9 16 0",
    ),
    "eval": (
        "M4 20l2-6L17 3l4 4L10 18z",
        "M12 20C0 10 7 3 12 8c5-5 12 2 0 12z",
        "M6 17V10a6 6 0 0112 0v7l2 2H4zM10 21h4",
        "M4 12h2v1h-2zM11 12h2v1h-2zM18 12h2v1h-2z",
        "M3 6h18v13H3zM3 7l9 7 9-7",
    ),
}


def dressed(html: str, rng: random.Random, split: Split) -> str:
    """The page in another theme, among furniture; one in ``BARE`` as it is."""
    if rng.random() < BARE:
        return html
    draw = draw_for(rng, split)
    kinds = rng.sample(FURNITURE, rng.randint(1, 6))
    racks = [f'<div class="rack">{make(draw)}</div>' for make in kinds]
    at = rng.randint(0, len(racks))
    above, below = "".join(racks[:at]), "".join(racks[at:])
    html = html.replace("</style><body>", f"{theme(rng, split)}</style><body>{above}", 1)
    return html.replace('<p id="out"', f'{below}<p id="out"', 1)


def theme(rng: random.Random, split: Split) -> str:
    """Rules of CSS: colours, light or dark, and a look of each kind of control."""

    def one(looks: Looks) -> str:
        return rng.choice(looks[split])

    hue, dark, grey = rng.randrange(360), rng.random() < 0.35, rng.choice((0, 5, 15, 40))
    light = (12, 20, 34, 93) if dark else (97, 100, 82, 10)
    paper, panel, line, text = (
        f"hsl({hue} {grey}% {max(0, min(100, v + rng.randint(-5, 5)))}%)" for v in light
    )
    bright = rng.randint(60, 78) if dark else rng.randint(28, 48)
    accent = f"hsl({rng.randrange(360)} {rng.choice((0, 50, 70, 90))}% {bright}%)"
    side, radius = rng.randint(13, 24), rng.choice((0, 0, 3, 6, 10, 20))
    size, high, wide = rng.randint(11, 19), rng.randint(1, 12), rng.randint(4, 24)
    field, mark = one(FIELDS), one(MARKS)
    edge = f"padding:{rng.randint(1, 9)}px;font:inherit;border-radius:{min(radius, 10)}px"
    arrow = ""
    if field and rng.random() < 0.6:
        arrow = (
            "select:not([multiple]){appearance:none;padding-right:26px!important;background-image:"
            "linear-gradient(45deg,transparent 50%,currentColor 50%),"
            "linear-gradient(135deg,currentColor 50%,transparent 50%);background-position:"
            "right 13px center,right 8px center;background-size:5px 5px;"
            "background-repeat:no-repeat}"
        )
    knob = rng.choice(("#fff", "var(--t)", "var(--s)"))
    return (
        f":root{{--a:{accent};--o:{paper if dark else '#fff'};--s:{panel};--l:{line};--t:{text};"
        f"--m:{side}px;color-scheme:{'dark' if dark else 'light'}}}"
        f"body{{font:{size}px '{one(FONTS)}';background:{paper};color:{text};"
        f"margin:{rng.randint(4, 40)}px}}.box{{background:{panel};color:{text}}}"
        f".rack{{display:flex;flex-wrap:wrap;align-items:center;gap:{rng.randint(2, 20)}px;"
        f"margin:{rng.randint(4, 24)}px 0}}"
        f".panel{{padding:{rng.randint(6, 18)}px;background:{panel};border:1px solid {line};"
        f"border-radius:{radius}px}}.pic{{width:{rng.randint(30, 160)}px;"
        f"height:{rng.randint(24, 90)}px;background:linear-gradient({hue}deg,{accent},{line})}}"
        f"button{{font:inherit;padding:{high}px {wide}px;border-radius:{radius}px;"
        f"margin:{rng.randint(0, 4)}px;{one(BUTTONS)}}}"
        f"a{{{one(LINKS)}}}svg{{width:{side}px;height:{side}px;fill:none;stroke:currentColor;"
        f"stroke-width:{rng.choice((1.5, 2, 3))};vertical-align:middle}}"
        f".icon{{padding:{rng.randint(0, 8)}px;line-height:0;"
        f"{rng.choice(('', 'background:none;border:0;color:inherit;box-shadow:none'))}}}"
        f"input:not([type=checkbox],[type=radio],[type=range]),select,textarea{{{edge};{field}}}"
        f"{arrow}[type=range]{{accent-color:{accent};width:{rng.randint(80, 240)}px}}"
        f"[type=checkbox],[type=radio]{{{mark}}}[type=radio]{{border-radius:50%!important}}"
        ":is([type=checkbox],[type=radio]):checked{background-color:var(--f)}"
        ":is([type=checkbox],[type=radio]):checked::before{content:var(--c);color:var(--a)}"
        f"[role=tab]{{{one(TABS)}}}[role=tab][aria-selected=true]{{color:var(--a);"
        "border-color:var(--a)}"
        f"[role=menu],[role=listbox]:not(select,:empty){{list-style:none;{one(MENUS)}}}"
        f"[role=menuitem],[role=option],[role=treeitem]{{padding:{rng.randint(0, 8)}px "
        f"{rng.randint(0, 14)}px}}"
        f"[role=switch]{{padding:2px;border:1px solid {line};border-radius:99px;background:{line};"
        f"width:{2 * side}px;height:{side + 4}px;text-align:left;line-height:0}}"
        f"[role=switch]::before{{content:'';display:inline-block;width:{side - 2}px;"
        f"height:{side - 2}px;border-radius:99px;background:{knob}}}"
        "[role=switch][aria-checked=true]{background:var(--a);text-align:right}"
    )


# --- furniture --------------------------------------------------------------------------------
def _icons(d: Draw) -> str:
    return "".join(
        f'<button type="button" class="icon" title="{n}">{icon}</button>'
        for n, icon in enumerate(_icon(d) for _ in range(d.rng.randint(2, 7)))
    )


def _icon_and_words(d: Draw) -> str:
    return "".join(f"<button>{_icon(d)} {one}</button>" for one in d.labels(1, 4))


def _links(d: Draw) -> str:
    glue = d.rng.choice((" ", " | ", " / ", " · ", " › "))
    before = _icon(d) if d.rng.random() < 0.3 else ""
    links = [f'<a href="#">{before}{one}</a>' for one in d.labels(2, 7)]
    return f"<nav>{glue.join(links)}</nav>"


def _icon_links(d: Draw) -> str:
    return "".join(f'<a href="#" title="{n}">{_icon(d)}</a>' for n in range(d.rng.randint(1, 5)))


def _pages(d: Draw) -> str:
    return "".join(f'<a href="#">{n}</a>' for n in range(1, d.rng.randint(4, 9)))


def _tabs(d: Draw) -> str:
    return f'<div role="tablist">{_each(d, "button", "tab", 2, 6)}</div>'


def _menu(d: Draw) -> str:
    return f'<ul role="menu">{_each(d, "li", "menuitem", 2, 7)}</ul>'


def _list(d: Draw) -> str:
    drop = f"<label>{d.label()} <select><option>{d.label()}</option></select></label>"
    return f'<div>{drop}<ul role="listbox">{_each(d, "li", "option", 2, 6)}</ul></div>'


def _switches(d: Draw) -> str:
    return "".join(
        f'<span>{one} <button type="button" role="switch" title="{one}" aria-checked="'
        f'{d.rng.choice(("true", "false"))}"></button></span>'
        for one in d.labels(1, 4)
    )


def _ticks(d: Draw) -> str:
    kind, group = d.rng.choice(("checkbox", "radio")), d.code()
    return "".join(
        f'<label><input type="{kind}" name="{group}" {d.rng.choice(("", "checked"))}> {one}</label>'
        for one in d.labels(2, 6)
    )


def _sliders(d: Draw) -> str:
    return "".join(
        f'<label>{one} <input type="range" value="{d.rng.randrange(101)}"></label>'
        for one in d.labels(1, 3)
    )


def _entries(d: Draw) -> str:
    out = []
    for one in d.labels(1, 4):
        how, wide = d.rng.random(), f'style="width:{d.rng.randint(60, 320)}px"'
        if how < 0.3:
            out.append(f'<input placeholder="{one}" {wide}>')
        elif how < 0.5:
            out.append(f"<label>{one}<br><textarea {wide}>{d.label()}</textarea></label>")
        else:
            value = d.label() if d.rng.random() < 0.5 else ""
            out.append(f'<label>{one} <input value="{value}" {wide}></label>')
    return "".join(out)


def _choices(d: Draw) -> str:
    return "".join(
        f"<label>{one} <select><option>{d.label()}</option></select></label>"
        for one in d.labels(1, 3)
    )


def _card(d: Draw) -> str:
    return "".join(
        f'<div class="panel"><div class="pic"></div><h3>{one}</h3><p>{d.label()} {d.label()}</p>'
        f'<button>{d.label()}</button> <a href="#">{d.label()}</a></div>'
        for one in d.labels(1, 4)
    )


def _rows(d: Draw) -> str:
    rows = "".join(
        f'<tr><td><input type="checkbox" title="{one}"></td><td><a href="#">{one}</a></td>'
        f'<td>{d.label()}</td><td><button class="icon" title="x">{_icon(d)}</button></td></tr>'
        for one in d.labels(2, 5)
    )
    return f'<table class="panel">{rows}</table>'


def _prose(d: Draw) -> str:
    return "".join(
        f"<p>{' '.join(d.label() for _ in range(d.rng.randint(5, 30)))}</p>"
        for _ in range(d.rng.randint(1, 2))
    )


def _lookalikes(d: Draw) -> str:
    """None of these is a control."""
    every = (
        f'<span class="panel">{d.label()}</span>',
        f'<b style="background:var(--l);padding:2px 8px;border-radius:9px">{d.code(1, 3)}</b>',
        '<div class="pic"></div>',
        '<div class="pic" style="border-radius:50%;width:40px;height:40px"></div>',
        f'<progress value="{d.rng.random():.2f}"></progress>',
        f"<span>{_icon(d)} {d.label()}</span>",
        f'<div class="panel"><h2>{d.label()}</h2><p>{d.label()} {d.label()}</p></div>',
    )
    return "".join(d.rng.sample(every, d.rng.randint(1, 4)))


FURNITURE: tuple[Callable[[Draw], str], ...] = (
    _icons, _icon_and_words, _links, _icon_links, _pages, _tabs, _menu, _list, _switches,
    _ticks, _sliders, _entries, _choices, _card, _rows, _prose, _lookalikes,
)  # fmt: skip


def _each(d: Draw, tag: str, role: str, least: int, most: int) -> str:
    """Several of a role, the first of them selected."""
    return "".join(
        f'<{tag} role="{role}" tabindex="0" aria-selected="{str(n == 0).lower()}">{one}</{tag}>'
        for n, one in enumerate(d.labels(least, most))
    )


def _icon(d: Draw) -> str:
    return f'<svg viewBox="0 0 24 24"><path d="{d.rng.choice(ICONS[d.split])}"/></svg>'
