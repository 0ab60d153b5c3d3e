"""Pages around one widget: buttons, tabs, menus, trees, sliders, check boxes, dialogs, dates."""

from __future__ import annotations

from html import escape

from mllm.data.pages.looks import button, field, js, same
from mllm.data.pages.task import Built, check, click, fill, slip
from mllm.data.pages.words import Draw, words


def a_button(d: Draw) -> Built:
    *labels, lost = d.some("actions", 4, 7)
    x = d.rng.choice(labels)
    body = "".join(button(one, f"note({js(one)});out({js(_did(d, one))})") for one in labels)
    return Built(
        body, "", {"x": x}, (click(x),), same("state.log", [x]), _did(d, x), lost
    )  # fmt: skip


def tabs(d: Draw) -> Built:
    *labels, lost = d.some("tabs", 4, 6)
    x, other = d.rng.sample(labels, 2)
    texts = {one: f"{one}: {d.code()}" for one in labels}
    body = '<div role="tablist">' + "".join(
        f'<button role="tab" aria-selected="false" onclick="{escape(f"tab({js(one)},this)")}">'
        f"{one}</button>"
        for one in labels
    )
    body += '</div><div role="tabpanel" id="panel"></div>'
    script = (
        f"const texts={js(texts)};function tab(x,b){{state.open=x;$('panel').textContent=texts[x];"
        "document.querySelectorAll('[role=tab]').forEach(t=>"
        "t.setAttribute('aria-selected',t===b))}"
    )
    wrong = slip(click(other))
    return Built(
        body, script, {"x": x}, (click(x),), same("state.open", x), texts[x], lost, wrong
    )


def menu(d: Draw) -> Built:
    groups = d.groups("menus")
    x = d.rng.choice(list(groups))
    *entries, lost = d.rng.sample(groups[x], len(groups[x]))
    groups[x] = entries
    y = d.rng.choice(entries)
    body, out = "", _did(d, y)
    for number, (name, items) in enumerate(groups.items()):
        rows = "".join(
            f'<li role="menuitem" tabindex="0" onclick="'
            f'{escape(f"note({js([name, one])});out({js(_did(d, one))});shut()")}">{one}</li>'
            for one in items
        )
        body += button(name, f"shut();show('m{number}')")
        body += f'<ul role="menu" id="m{number}" hidden>{rows}</ul>'
    script = "function shut(){document.querySelectorAll('[role=menu]').forEach(m=>m.hidden=true)}"
    wrong = next(name for name in groups if name != x)
    return Built(
        body, script, {"x": x, "y": y}, (click(x), click(y)),
        same("state.log", [[x, y]]), out, lost, slip(click(wrong)),
    )  # fmt: skip


def tree(d: Draw) -> Built:
    folders = d.groups("folders")
    x = d.rng.choice(list(folders))
    *entries, lost = d.rng.sample(folders[x], len(folders[x]))
    folders[x] = entries
    y = d.rng.choice(entries)
    chosen = f"{d.ui['chosen']}: {y}"
    body = '<ul role="tree">'
    for number, (name, items) in enumerate(folders.items()):
        inner = "".join(
            f'<li role="treeitem" tabindex="0" onclick="'
            f'{escape(f"choose({js([name, one])})")}">'
            f"{one}</li>"
            for one in items
        )
        body += (
            f"<li>{button(name, f'show(`f{number}`,$(`f{number}`).hidden)')}"
            f'<ul role="group" id="f{number}" hidden>{inner}</ul></li>'
        )
    wrong = next(name for name in folders if name != x)
    script = f"function choose(at){{state.open=at;out({js(d.ui['chosen'])}+': '+at[1])}}"
    return Built(
        f"{body}</ul>", script, {"x": x, "y": y}, (click(x), click(y)),
        same("state.open", [x, y]), chosen, lost, slip(click(wrong)),
    )  # fmt: skip


def slider(d: Draw) -> Built:
    *labels, lost = d.some("ranges", 3, 4)
    x, y = d.rng.choice(labels), d.rng.randrange(0, 101, 5)
    body, script = "", f"const names={js(labels)};"
    for number, one in enumerate(labels):
        start = d.rng.choice([n for n in range(0, 101, 10) if n != y])
        body += field(one, f"r{number}", f'type="range" min="0" max="100" value="{start}"')
        script += f"state.start{number}={start};"
    did = _did(d, d.ui["apply"])
    body += button(d.ui["apply"], f"apply();out({js(did)})")
    script += "function apply(){state.sent=names.map((n,i)=>+$('r'+i).value)}"
    at = labels.index(x)
    rest = "".join(f"&&state.sent[{n}]===state.start{n}" for n in range(len(labels)) if n != at)
    success = f"state.sent!==null&&state.sent[{at}]==={y}{rest}"
    acts = (fill(x, str(y)), click(d.ui["apply"]))
    return Built(body, script, {"x": x, "y": str(y)}, acts, success, did, lost)


def checks(d: Draw) -> Built:
    *labels, lost = d.some("extras", 5, 7)
    wanted = d.rng.sample(labels, d.rng.randint(1, 3))
    done = f"{d.ui['sent']}!"
    body = "".join(f'<label><input type="checkbox" value="{one}">{one}</label>' for one in labels)
    body += button(d.ui["submit"], f"send();out({js(done)})")
    script = (
        "function send(){state.sent="
        "[...document.querySelectorAll('input:checked')].map(c=>c.value)}"
    )
    glue = ", " if d.lang == "en" else "、"
    acts = (*map(check, wanted), click(d.ui["submit"]))
    ticked = [one for one in labels if one in wanted]
    return Built(
        body, script, {"x": glue.join(wanted)}, acts, same("state.sent", ticked), done, lost
    )


def dialog(d: Draw) -> Built:
    *labels, lost = d.some("actions", 4, 6)
    x = d.rng.choice(labels)
    did, ui = _did(d, x), d.ui
    body = "".join(button(one, f"what={js(one)};show('ask')") for one in labels)
    body += (
        f'<div class="box" role="dialog" aria-label="{ui["sure"]}" id="ask" hidden><p>{ui["sure"]}'
        f"</p>{button(ui['close'], 'show(`ask`,false)')}"
        f"{button(ui['yes'], 'note(what);out(what+tail);show(`ask`,false)')}</div>"
    )
    script = f"let what='';const tail={js(_did(d, ''))};"
    acts = (click(x), click(ui["yes"]))
    return Built(body, script, {"x": x}, acts, same("state.log", [x]), did, lost)


def date(d: Draw) -> Built:
    """A calendar that is turned month by month, or the browser's own field."""
    year, month, day = d.rng.randint(2024, 2029), d.rng.randint(1, 12), d.rng.randint(1, 28)
    turns, ui, done = d.rng.randint(-2, 2), d.ui, f"{d.ui['sent']}!"
    x = _spoken(d, year, month, day)
    send = button(ui["submit"], f"state.sent=[Y,M,D];out({js(done)})")
    last = click(ui["submit"])
    success = same("state.sent", [year, month, day])
    if d.rng.random() < 0.4:
        iso = f"{year}-{month:02}-{day:02}"
        body = field(ui["date"], "date", 'type="date"') + send
        script = "let Y,M,D;$('date').oninput=e=>{[Y,M,D]=e.target.value.split('-').map(Number)}"
        return Built(body, script, {"x": x}, (fill(ui["date"], iso), last), success, done)
    at = year * 12 + month - 1 - turns
    body = (
        f"{button(ui['previous'], 'turn(-1)')}<b id=when></b>{button(ui['following'], 'turn(1)')}"
        f"<div id=days></div>{send}"
    )
    script = (
        f"let Y,M,D=null,at={at};const names={js(words(d.lang)['months'])};"
        "function turn(n){at+=n;D=null;Y=Math.floor(at/12);M=at%12+1;"
        "$('when').textContent=names[M-1]+' '+Y;$('days').replaceChildren();"
        "for(let i=1;i<=new Date(Y,M,0).getDate();i++){const b=document.createElement('button');"
        f"b.textContent=i;b.onclick=()=>{{D=i;out({js(ui['chosen'])}+': '+i+'.'+M+'.'+Y)}};"
        "$('days').append(b)}}turn(0);"
    )
    turning = []
    for _ in range(abs(turns)):
        turning.append(click(ui["following" if turns > 0 else "previous"]))
    pick = click(str(day))
    return Built(body, script, {"x": x}, (*turning, pick, last), success, done)


def _spoken(d: Draw, year: int, month: int, day: int) -> str:
    if d.lang == "zh":
        return f"{year}年{month}月{day}日"
    name = words("en")["months"][month - 1]
    return d.rng.choice((f"{name} {day}, {year}", f"{day} {name} {year}"))


def _did(d: Draw, label: str) -> str:
    return f"{label}: {d.ui['done']}" if d.lang == "en" else f"{label}：{d.ui['done']}"
