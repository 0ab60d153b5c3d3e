"""Small sites: tables, mail, search and a shop. Rows share their buttons' names."""

from __future__ import annotations

from html import escape

from mllm.data.pages.looks import button, field, js, same
from mllm.data.pages.task import Act, Built, click, fill, slip
from mllm.data.pages.words import Draw


def table(d: Draw) -> Built:
    people, ages, ui = _people(d), _ages(d), d.ui
    lost, people = people[-1], people[:-1]
    at = d.rng.randrange(len(people))
    x, done = people[at], f"{ui['chosen']}: {people[at]}"
    rows = "".join(
        f"<tr><td>{who}</td><td>{age}</td><td>"
        f"{button(ui['select'], f'choose({js(who)})')}"
        "</td></tr>"
        for who, age in zip(people, ages, strict=False)
    )
    wrong = slip(click(ui["select"], nth=(at + 1) % len(people)))
    acts = (click(ui["select"], nth=at),)
    script = f"function choose(who){{state.open=who;out({js(ui['chosen'])}+': '+who)}}"
    success = same("state.open", x)
    return Built(_table(d, rows), script, {"x": x}, acts, success, done, lost, wrong)


def reading(d: Draw) -> Built:
    people, ages, ui = _people(d), _ages(d), d.ui
    at, done = d.rng.randrange(len(people)), f"{d.ui['sent']}!"
    rows = "".join(
        f"<tr><td>{who}</td><td>{age}</td></tr>" for who, age in zip(people, ages, strict=False)
    )
    body = _table(d, rows) + field(ui["age"], "n")
    body += button(ui["submit"], f"state.sent=$('n').value;out({js(done)})")
    acts = (fill(ui["age"], str(ages[at])), click(ui["submit"]))
    success = same("state.sent", str(ages[at]))
    return Built(body, "", {"x": people[at]}, acts, success, done)


def mail(d: Draw) -> Built:
    return _mail(d, answer=False)


def reply(d: Draw) -> Built:
    return _mail(d, answer=True)


def _mail(d: Draw, *, answer: bool) -> Built:
    ui, people, subjects = d.ui, _people(d)[:5], d.some("subjects", 4, 5)
    *people, lost = people[: len(subjects) + 1]
    at = d.rng.randrange(min(len(people), len(subjects)))
    x, subject, text = people[at], subjects[at], d.code(5, 9)
    rows = "".join(
        f"<li>{button(f'{who}: {what}', f'read({js(who)},{js(what)})')}</li>"
        for who, what in zip(people, subjects, strict=False)
    )
    body = (
        f"<ul>{rows}</ul><section id=one hidden><h2 id=title></h2>"
        f"{button(ui['star'], 'note(`star`)')}{button(ui['archive'], 'put()')}"
        f"{button(ui['reply'], 'show(`box`)')}<div id=box hidden>"
        f"<label>{ui['message']} <textarea id=text></textarea></label>"
        f"{button(ui['sendmail'], 'send()')}</div></section>"
    )
    did = ": " + ui["done"]
    script = (
        "let from='';function read(w,s){from=w;$('title').textContent=s+' ('+w+')';show('one')}"
        f"function put(){{note(['archive',from]);out({js(ui['archive'] + did)})}}"
        f"function send(){{note(['reply',from,$('text').value]);out({js(ui['reply'] + did)})}}"
    )
    opening = click(f"{x}: {subject}")
    if answer:
        done = ui["reply"] + did
        acts: tuple[Act, ...] = (
            opening,
            click(ui["reply"]),
            fill(ui["message"], text),
            click(ui["sendmail"]),
        )
        success = same("state.log", [["reply", x, text]])
    else:
        done = ui["archive"] + did
        acts = (opening, click(ui["archive"]))
        success = same("state.log", [["archive", x]])
    other = (at + 1) % min(len(people), len(subjects))
    wrong = slip(click(f"{people[other]}: {subjects[other]}"))
    return Built(body, script, {"x": x, "y": text}, acts, success, done, lost, wrong)


def search(d: Draw) -> Built:
    ui = d.ui
    x, *others = d.some("products", 3, 3)
    body = (
        field(ui["search"], "q", 'type="search"') + button(ui["open"] + " ?", "note('help')")
        + button("🔍 " + ui["search"], "find()") + "<p id=head></p><ul id=list></ul>"
    )  # fmt: skip
    script = (
        f"const all={js(d.rng.sample([x, *others], 3))};function find(){{const q=$('q').value;"
        f"$('head').textContent={js(ui['results'])}+' '+q;$('list').replaceChildren();"
        "for(const p of all.filter(p=>p===q)){const a=document.createElement('a');a.href='#'+p;"
        f"a.textContent=p;a.onclick=()=>{{state.open=p;out({js(ui['chosen'])}+': '+p)}};"
        "$('list').append(a)}}"
    )
    done = f"{ui['chosen']}: {x}"
    acts = (fill(ui["search"], x), click("🔍 " + ui["search"]), click(x))
    success = same("state.open", x) + "&&state.log.length===0"
    return Built(body, script, {"x": x}, acts, success, done)


def shop(d: Draw) -> Built:
    ui = d.ui
    *items, lost = d.some("products", 4, 5)
    at, y = d.rng.randrange(len(items)), d.rng.randint(1, 9)
    x = items[at]
    body = "".join(
        f"<section><h3>{escape(one)}</h3><p>{d.rng.randint(3, 90)} €</p>"
        f'<label>{ui["amount"]} <input id="n{i}" value="0"></label>'
        f"{button(ui['add'], f'add({i},{js(one)})')}</section>"
        for i, one in enumerate(items)
    )
    script = (
        "function add(i,p){const n=+$('n'+i).value;note([p,n]);"
        f"out({js(ui['basket'])}+': '+n+' × '+p)}}"
    )
    done = f"{ui['basket']}: {y} × {x}"
    amount = fill(ui["amount"], str(y))
    acts = (
        type(amount)(amount.name, amount.target, amount.more, nth=at),
        click(ui["add"], nth=at),
    )
    slots = {"x": x, "y": str(y)}
    return Built(body, script, slots, acts, same("state.log", [[x, y]]), done, lost)


def _people(d: Draw) -> list[str]:
    return d.some("names", 5, 6)


def _ages(d: Draw) -> list[int]:
    return d.rng.sample(range(18, 90), 6)


def _table(d: Draw, rows: str) -> str:
    ui = d.ui
    return f"<table><tr><th>{ui['person']}</th><th>{ui['age']}</th></tr>{rows}</table>"
