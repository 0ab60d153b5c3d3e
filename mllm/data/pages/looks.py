"""What pages look like: styles and layouts, some of them for evaluation alone."""

from __future__ import annotations

import json
from html import escape

from mllm.data.pages.words import Draw

STYLES = {
    "train": {
        "plain": "body{font:16px serif;margin:16px}",
        "soft": "body{font:15px sans-serif;background:#f4f6fb;margin:24px}"
        "button{background:#3b6fe0;color:#fff;border:0;border-radius:6px;padding:8px 14px}",
        "dark": "body{font:15px sans-serif;background:#1d2026;color:#eee;margin:20px}"
        "a{color:#8cf}button{background:#444;color:#fff;border:1px solid #777;padding:6px}",
        "dense": "body{font:12px monospace;margin:6px}button{padding:1px 4px}",
    },
    "eval": {
        "warm": "body{font:17px Georgia;background:#fff7ec;margin:40px}"
        "button{background:#b5532a;color:#fff;border-radius:20px;border:0;padding:10px 22px}",
        "sharp": "body{font:14px 'Trebuchet MS';margin:0 10%;border-left:6px solid #093}"
        "button{background:#fff;border:2px solid #093;text-transform:none;padding:5px 18px}",
    },
}
COMMON = (
    "label{display:block;margin:6px 0}[role=tabpanel],ul{margin:8px 0}"
    ".veil{position:fixed;inset:0;background:#0008}"
    ".box{position:fixed;left:15%;top:25%;width:60%;padding:20px;background:#fff;color:#000}"
    "[hidden]{display:none!important}"
)
LAYOUTS = {"train": ("top", "bare", "left"), "eval": ("right", "bottom")}
SCRIPT = """
const state = {sent: null, log: []};
const $ = id => document.getElementById(id);
const out = text => { $('out').textContent = text; };
const note = what => { state.log.push(what); };
const show = (id, on = true) => { $(id).hidden = !on; };
"""


def page(body: str, script: str, draw: Draw, banner: bool) -> tuple[str, str, str]:
    """The HTML of a page, the name of its style and that of its layout."""
    rng, ui = draw.rng, draw.ui
    style = rng.choice(list(STYLES[draw.split]))
    layout = rng.choice(LAYOUTS[draw.split])
    title = rng.choice(draw.all("sites"))
    links = draw.some("nav", 1, 3)
    nav = (
        "<nav>" + " ".join(f'<a href="#{i}">{link}</a>' for i, link in enumerate(links)) + "</nav>"
    )
    head, main = f"<h1>{escape(title)}</h1>", f"<main>{body}</main>"
    inside = {
        "bare": main,
        "top": f"{head}{nav}{main}",
        "left": f'<div style="display:flex;gap:30px">{nav}<div>{head}{main}</div></div>',
        "right": f'<div style="display:flex;gap:60px"><div>{main}</div><aside>{nav}</aside></div>',
        "bottom": f"<section>{main}</section><footer>{nav}<p>{escape(title)}</p></footer>",
    }[layout]
    over = (
        f'<div class="veil" id="veil"><div class="box" role="dialog" aria-label="{ui["privacy"]}">'
        f"<p>{ui['privacy']}</p>{button(ui['agree'], 'show(`veil`,false)')}"
        f"{button(ui['refuse'], 'show(`veil`,false)')}</div></div>"
        if banner
        else ""
    )
    html = (
        f'<!doctype html><html lang="{draw.lang}"><meta charset="utf-8"><title>{escape(title)}'
        f"</title><style>{COMMON}{STYLES[draw.split][style]}</style><body>{inside}"
        f'<p id="out" role="status"></p>{over}<script>{SCRIPT}{script}</script></body></html>'
    )
    return html, style, layout


def button(label: str, does: str) -> str:
    return f'<button type="button" onclick="{escape(does)}">{escape(label)}</button>'


def field(label: str, id: str, more: str = "") -> str:
    return f'<label>{escape(label)} <input id="{id}" {more}></label>'


def js(value: object) -> str:
    """A value as JavaScript says it, for scripts and predicates."""
    return json.dumps(value, ensure_ascii=False)


def same(what: str, value: object) -> str:
    """A predicate: ``what`` is exactly ``value``."""
    said = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"JSON.stringify({what})==={js(said)}"
