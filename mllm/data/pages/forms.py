"""Forms: fields to be filled, signing in, suggestions, and a booking that a server may refuse."""

from __future__ import annotations

from mllm.data.pages.looks import button, field, js, same
from mllm.data.pages.task import Built, check, click, fill, select
from mllm.data.pages.words import Draw, words

REFUSED = 0.15
"""Share of bookings that the server refuses."""


def form(d: Draw) -> Built:
    ui, done = d.ui, f"{d.ui['sent']}!"
    cities = d.some("cities", 3, 5)
    name, city = d.rng.choice(d.all("names")), d.rng.choice(cities)
    mail = f"{d.code()}@{d.rng.choice(('mail', 'post', 'web'))}.example"
    rows = [
        (field(ui["name"], "name"), fill(ui["name"], name)),
        (field(ui["email"], "email"), fill(ui["email"], mail)),
        (_choice(ui["city"], "city", cities), select(ui["city"], city)),
    ]
    d.rng.shuffle(rows)
    terms = d.rng.random() < 0.4
    body = "".join(html for html, _ in rows) + field(ui["news"], "news", 'type="checkbox"')
    if terms:
        body += field(ui["terms"], "terms", 'type="checkbox"')
    body += button(ui["submit"], "send()")
    guard = f"if(!$('terms').checked){{out({js(ui['terms'])}+'?');return}}" if terms else ""
    script = (
        f"function send(){{{guard}state.sent=[$('name').value,$('email').value,$('city').value,"
        f"$('news').checked];out({js(done)})}}"
    )
    acts = [act for _, act in rows] + [check(ui["terms"])] * terms + [click(ui["submit"], done)]
    success = same("state.sent", [name, mail, city, False])
    return Built(body, script, {"x": name, "y": mail, "z": city}, tuple(acts), success, done)


def login(d: Draw) -> Built:
    ui, user, code = d.ui, d.rng.choice(d.all("names")), d.code()
    if d.rng.random() < 0.5:
        user = d.code()
    done = f"{ui['welcome']} {user}"
    body = field(ui["user"], "user") + field(ui["code"], "code") + button(ui["enter"], "enter()")
    script = (
        "function enter(){state.sent=[$('user').value,$('code').value];"
        f"out({js(ui['welcome'])}+' '+$('user').value)}}"
    )
    acts = (fill(ui["user"], user), fill(ui["code"], code), click(ui["enter"], done))
    slots = {"x": user, "y": code}
    return Built(body, script, slots, acts, same("state.sent", [user, code]), done)


def suggestions(d: Draw) -> Built:
    ui, done = d.ui, f"{d.ui['sent']}!"
    cities: list[str] = words(d.lang)["cities"]
    x = d.rng.choice(cities)
    start = x[: 2 if d.lang == "en" else 1]
    body = (
        field(ui["city"], "city", 'autocomplete="off"')
        + '<ul role="listbox" id="list"></ul>'
        + button(ui["submit"], f"state.sent=picked;out({js(done)})")
    )
    script = (
        f"let picked=null;const all={js(cities)};$('city').oninput=e=>{{picked=null;"
        "$('list').replaceChildren();for(const c of all.filter(c=>e.target.value&&"
        "c.toLowerCase().startsWith(e.target.value.toLowerCase()))){"
        "const li=document.createElement('li');li.textContent=c;li.setAttribute('role','option');"
        f"li.onclick=()=>{{picked=c;$('city').value=c;$('list').replaceChildren();"
        f"out({js(ui['chosen'])}+': '+c)}};$('list').append(li)}}}}"
    )
    acts = (fill(ui["city"], start), click(x, f"{ui['chosen']}: {x}"), click(ui["submit"], done))
    return Built(body, script, {"x": x}, acts, same("state.sent", x), done)


def booking(d: Draw) -> Built:
    """Two pages, a button that misleads, and a server that accepts or refuses."""
    ui, name = d.ui, d.rng.choice(d.all("names"))
    guests, day = d.rng.choice(d.all("guests")), d.rng.choice(d.all("days"))
    refused = d.rng.random() < REFUSED
    done, full = f"{ui['booked']}: {name}, {day}", ui["full"]
    first = [
        (_choice(ui["guests"], "guests", d.all("guests")), select(ui["guests"], guests)),
        (_choice(ui["day"], "day", d.all("days")), select(ui["day"], day)),
    ]
    d.rng.shuffle(first)
    lure = button(ui["lure"], "note('lure');location.hash='offer'") if d.rng.random() < 0.5 else ""
    body = (
        f"<div id=one>{''.join(h for h, _ in first)}{lure}"
        f"{button(ui['next'], 'show(`one`,false);show(`two`)')}</div>"
        f"<div id=two hidden><h2>{ui['details']}</h2>{field(ui['name'], 'name')}"
        f"{button(ui['confirm'], 'send()')}</div>"
    )
    script = (
        "async function send(){const sent=[$('guests').value,$('day').value,$('name').value];"
        f"const r=await fetch({js('refuse' if refused else 'accept')},"
        "{method:'POST',body:JSON.stringify(sent)});"
        "if(r.ok){state.sent=sent;"
        f"out({js(ui['booked'])}+': '+sent[2]+', '+sent[1])}}"
        f"else{{note(sent);out({js(full)})}}}}"
    )
    acts = (
        *(a for _, a in first),
        click(ui["next"], ui["details"]),
        fill(ui["name"], name),
        click(ui["confirm"], done),
    )
    slots = {"x": name, "y": guests, "z": day}
    if refused:
        success = same("state.log", [[guests, day, name]]) + "&&state.sent===null"
        return Built(body, script, slots, acts, success, full, ending="refused")
    success = same("state.sent", [guests, day, name]) + "&&state.log.length===0"
    return Built(body, script, slots, acts, success, done)


def _choice(label: str, id: str, options: list[str]) -> str:
    rows = "".join(f"<option>{one}</option>" for one in ("", *options))
    return f'<label>{label} <select id="{id}">{rows}</select></label>'
