"""Pages on which something is chosen: in order, one of several, in a text, behind tabs, by size."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from mllm.data.pages.looks import button, field, js, same
from mllm.data.pages.task import Act, Built, click
from mllm.data.pages.words import Draw


def order(d: Draw) -> Built:
    labels = d.labels(3, 6)
    wanted = d.rng.sample(labels, d.rng.randint(2, min(4, len(labels))))
    done = f"{len(wanted)} / {len(wanted)}"
    body = "".join(button(one, f"note({js(one)});count()") for one in labels)
    script = f"function count(){{out(state.log.length+' / '+{len(wanted)})}}"
    glue = d.rng.choice((", ", ", then ", " and then ")) if d.lang == "en" else "、"
    return Built(
        body, script, {"x": glue.join(wanted)}, tuple(map(click, wanted)),
        same("state.log", wanted), done,
    )  # fmt: skip


def radio(d: Draw) -> Built:
    *labels, lost = d.labels(4, 7)
    x, done = d.rng.choice(labels), f"{d.ui['sent']}!"
    body = "".join(
        f'<label><input type="radio" name="r" value="{escape(one)}">{escape(one)}</label>'
        for one in labels
    ) + button(d.ui["submit"], f"send();out({js(done)})")
    script = "function send(){state.sent=document.querySelector('input:checked')?.value}"
    return Built(
        body, script, {"x": x}, (Act("check", x), click(d.ui["submit"])),
        same("state.sent", x), done, lost,
    )  # fmt: skip


def link(d: Draw) -> Built:
    *labels, lost = d.labels(4, 8)
    x = d.rng.choice(labels)
    parts = []
    for one in labels:
        parts += [d.label(), _link(one, f"state.open={js(one)};out({js(_chosen(d, one))})")]
    body = f"<p>{' '.join(parts)} {d.label()}</p>"
    return Built(body, "", {"x": x}, (click(x),), same("state.open", x), _chosen(d, x), lost)


def section(d: Draw) -> Built:
    """Sections that open under their titles."""
    titles, entries = _in_groups(d)
    at = d.rng.randrange(len(titles))
    y = d.rng.choice(entries[at])
    body = "".join(
        f'<h3>{button(title, f"show(`s{i}`,$(`s{i}`).hidden)")}</h3><div id="s{i}" hidden>'
        + "".join(_entry(d, one) for one in inside)
        + "</div>"
        for i, (title, inside) in enumerate(zip(titles, entries, strict=True))
    )
    acts = (click(titles[at]), click(y))
    slots = {"x": titles[at], "y": y}
    return Built(body, "", slots, acts, same("state.open", y), _chosen(d, y))


def find(d: Draw) -> Built:
    """A link behind one of several tabs or sections: they are opened until it is there."""
    titles, entries = _in_groups(d)
    at = d.rng.randrange(len(titles))
    x = d.rng.choice(entries[at])
    first = d.rng.random() < 0.5
    bar = "".join(
        f'<button role="tab" onclick="tab({i})">{escape(title)}</button>'
        for i, title in enumerate(titles)
    )
    body = f'<div role="tablist">{bar}</div>' + "".join(
        f'<div role="tabpanel" id="t{i}" {"" if first and i == 0 else "hidden"}>'
        + "".join(f"<p>{d.label()} {_entry(d, one)}</p>" for one in inside)
        + "</div>"
        for i, inside in enumerate(entries)
    )
    script = (
        "function tab(n){document.querySelectorAll('[role=tabpanel]')"
        ".forEach((p,i)=>p.hidden=i!==n)}"
    )
    acts = [click(title) for title in titles[1 if first else 0 : at + 1]]
    return Built(body, script, {"x": x}, (*acts, click(x)), same("state.open", x), _chosen(d, x))


def listed(d: Draw) -> Built:
    labels, done = d.labels(4, 9), f"{d.ui['sent']}!"
    wanted = [one for one in labels if d.rng.random() < 0.3][:3] or labels[:1]
    rows = "".join(f"<option>{escape(one)}</option>" for one in labels)
    body = f'<label>{d.ui["choose"]} <select id="l" multiple size="4">{rows}</select></label>'
    body += button(d.ui["submit"], f"send();out({js(done)})")
    script = "function send(){state.sent=[...$('l').selectedOptions].map(o=>o.value)}"
    pick = Act("select", d.ui["choose"], (("options", tuple(wanted)),))
    return Built(
        body, script, {"x": (", " if d.lang == "en" else "、").join(wanted)},
        (pick, click(d.ui["submit"])), same("state.sent", wanted), done,
    )  # fmt: skip


def largest(d: Draw) -> Built:
    return _extreme(d, max)


def smallest(d: Draw) -> Built:
    return _extreme(d, min)


def _extreme(d: Draw, best: Callable[[list[int]], int]) -> Built:
    numbers = d.rng.sample(range(0, 100), d.rng.randint(3, 5))
    x, done = str(best(numbers)), f"{d.ui['sent']}!"
    body = "".join(button(str(n), f"state.open={n}") for n in numbers)
    body += button(d.ui["submit"], f"state.sent=state.open;out({js(done)})")
    return Built(
        body, "", {}, (click(x), click(d.ui["submit"])), same("state.sent", int(x)), done
    )  # fmt: skip


def focus(d: Draw) -> Built:
    *labels, lost = d.labels(3, 5)
    x = d.rng.choice(labels)
    on = [escape(f"state.open={js(one)};out({js(_chosen(d, one))})") for one in labels]
    body = "".join(
        field(one, f"f{i}", f'onfocus="{does}"')
        for i, (one, does) in enumerate(zip(labels, on, strict=True))
    )
    return Built(body, "", {"x": x}, (click(x),), same("state.open", x), _chosen(d, x), lost)


def _in_groups(d: Draw) -> tuple[list[str], list[list[str]]]:
    count = d.rng.randint(2, 4)
    sizes = [d.rng.randint(1, 3) for _ in range(count)]
    every = d.labels(count + sum(sizes), count + sum(sizes))
    titles, rest = every[:count], iter(every[count:])
    return titles, [[next(rest) for _ in range(size)] for size in sizes]


def _entry(d: Draw, label: str) -> str:
    return _link(label, f"state.open={js(label)};out({js(_chosen(d, label))})")


def _link(label: str, does: str) -> str:
    return f'<a href="#" onclick="{escape(does)};return false">{escape(label)}</a>'


def _chosen(d: Draw, label: str) -> str:
    return f"{d.ui['chosen']}: {label}"
