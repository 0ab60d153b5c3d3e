"""Forms: fields to be filled, signing in, suggestions, and a booking that a server may refuse."""

from __future__ import annotations

from mllm.data.pages.looks import button, field, js, same
from mllm.data.pages.task import Built, check, click, fill, select
from mllm.data.pages.words import Draw

REFUSED = 0.15
"""Share of bookings that the server refuses."""


def form(d: Draw) -> Built:
    ui, done = d.ui, f"{d.ui['sent']}!"
    cities = d.some("cities", 3, 5)
    name, city = d.one("names"), d.rng.choice(cities)
    mail = f"{d.code()}@{d.rng.choice(('mail', 'post', 'web'))}.example"
    rows = [
        (field(ui["name"], "name"), fill(ui["name"], name)),
        (field(ui["email"], "email"), fill(ui["email"], mail)),
        (_choice(ui["city"], "city", cities), select(ui["city"], city)),
    ]
    acts = [act for _, act in rows]
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
    acts += [check(ui["terms"])] * terms + [click(ui["submit"])]
    success = same("state.sent", [name, mail, city, False])
    return Built(body, script, {"x": name, "y": mail, "z": city}, tuple(acts), success, done)


def login(d: Draw) -> Built:
    ui, user, code = d.ui, d.one("names"), d.code()
    if d.rng.random() < 0.5:
        user = d.code()
    done = f"{ui['welcome']} {user}"
    body = field(ui["user"], "user") + field(ui["code"], "code") + button(ui["enter"], "enter()")
    script = (
        "function enter(){state.sent=[$('user').value,$('code').value];"
        f"out({js(ui['welcome'])}+' '+$('user').value)}}"
    )
    acts = (fill(ui["user"], user), fill(ui["code"], code), click(ui["enter"]))
    slots = {"x": user, "y": code}
    return Built(body, script, slots, acts, same("state.sent", [user, code]), done)


def suggestions(d: Draw) -> Built:
    ui, done = d.ui, f"{d.ui['sent']}!"
    cities = d.some("cities", 8, 14)
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
    acts = (fill(ui["city"], start), click(x), click(ui["submit"]))
    return Built(body, script, {"x": x}, acts, same("state.sent", x), done)


_STEPS = ("one", "two"), ("two", "three")
"""Pages of a booking that one can go back from: to which, and which."""


def booking(d: Draw) -> Built:
    """Two or three pages with ways back, a button that misleads and one that waits until all is
    filled in, what must be chosen though nobody named it, and a server that accepts or refuses."""
    ui, rng = d.ui, d.rng
    name, refused = d.one("names"), rng.random() < REFUSED
    n, day = rng.randint(2, 6), rng.choice(d.all("days"))
    forms = [str(n), d.all("guests")[n - 2]]
    plain = [str(i) for i in range(1, 8)]
    options = rng.choice([d.all("guests"), plain, [f"{i} {ui['people']}" for i in plain]])
    guests = next(o for o in options if o in forms or o == f"{n} {ui['people']}")
    done, full = f"{ui['booked']}: {name}, {day}", ui["full"]
    days = d.all("days")[: rng.randint(5, 6)] if day != d.all("days")[-1] else d.all("days")
    none = rng.choice(("", ui["please"]))
    first = [
        (_choice(ui["guests"], "guests", options, none), select(ui["guests"], guests)),
        (_choice(ui["day"], "day", days, none), select(ui["day"], day)),
    ]
    rng.shuffle(first)
    acts = [act for _, act in first]
    times = rng.sample([f"{hour}:{half}" for hour in range(11, 22) for half in ("00", "30")], 4)
    timed, terms, review = rng.random() < 0.5, rng.random() < 0.4, rng.random() < 0.4
    more = ""
    if timed:
        rows = "".join(button(t, f"pick(this,{js(t)})") for t in sorted(times))
        more = f'<div role="group" aria-label="{ui["time"]}">{rows}</div>'
        acts.append(click(sorted(times)[0]))
    lure = button(ui["lure"], "note('lure');location.hash='offer'") if rng.random() < 0.5 else ""
    extra = field(ui["wishes"], "wishes") if rng.random() < 0.4 else ""
    agree = field(ui["terms"], "terms", 'type="checkbox"') if terms else ""
    on = "show(`two`,false),show(`three`)" if review else "send()"
    goes_back, waits = rng.random() < 0.6, rng.random() < 0.4
    back = [button(ui["back"], f"show('{b}',false);show('{a}')") * goes_back for a, b in _STEPS]
    further = button(ui["next"] if review else ui["confirm"], f"ready()&&({on},1)")
    if waits:
        further = further.replace("<button ", "<button id=further disabled ", 1)
    summed, closes = rng.random() < 0.5, rng.random() < 0.5
    body = (
        f"<div id=all>{lure}<div id=one>{''.join(h for h, _ in first)}{more}"
        f"{button(ui['next'], 'go()')}</div>"
        f"<div id=two hidden><h2>{ui['details']}</h2>{field(ui['name'], 'name')}{extra}{agree}"
        f"{back[0]}{further}</div>"
        f"<div id=three hidden><h2>{ui['review']}</h2><dl id=sum></dl>{back[1]}"
        f"{button(ui['confirm'], 'send()')}</div></div>"
        f"<section id=end hidden><h2>{ui['booked']}</h2><p id=receipt></p></section>"
    )
    told = [[ui["guests"], "guests"], [ui["day"], "day"], [ui["name"], "name"]]
    accepted = f"out({js(ui['booked'])}+': '+sent[2]+', '+sent[1])"
    if closes:  # nothing is left but what was booked
        done = ui["booked"]
        accepted = "show('all',false);show('end');out('');$('receipt').textContent=sent.join(', ')"
    ask, must = js(ui["missing"]), js(ui["terms"] + "?")
    script = (
        "let time='';function pick(b,t){time=t;document.querySelectorAll('[role=group] button')"
        ".forEach(o=>o.setAttribute('aria-pressed',o===b))}"
        f"function go(){{if(!$('guests').value||!$('day').value||({js(timed)}&&!time))"
        f"{{out({ask});return}}out('');show('one',false);show('two')}}"
        f"function ready(){{const t=$('terms');if(t&&!t.checked){{out({must});return false}}"
        f"$('sum').innerHTML={js(told)}.map(([k,i])=>{js(summed)}?`<dt>${{k}}</dt><dd>${{$(i).value}}"
        "</dd>`:'').join('');out('');return true}"
        "document.oninput=()=>{const b=$('further'),t=$('terms');"
        "if(b)b.disabled=!$('name').value||(t&&!t.checked)};"
        "async function send(){const sent=[$('guests').value,$('day').value,$('name').value];"
        f"const r=await fetch({js('refuse' if refused else 'accept')},"
        "{method:'POST',body:JSON.stringify(sent)});"
        f"if(r.ok){{state.sent=sent;{accepted}}}else{{note(sent);out({js(full)})}}}}"
    )
    acts += [click(ui["next"]), fill(ui["name"], name)]
    acts += [check(ui["terms"])] * terms + [click(ui["next"])] * review + [click(ui["confirm"])]
    slots = {"x": name, "y": rng.choice(forms), "z": day}
    if refused:
        success = same("state.log", [[guests, day, name]]) + "&&state.sent===null"
        return Built(body, script, slots, tuple(acts), success, full, ending="refused")
    success = same("state.sent", [guests, day, name]) + "&&state.log.length===0"
    return Built(body, script, slots, tuple(acts), success, done)


def _choice(label: str, id: str, options: list[str], none: str = "") -> str:
    rows = "".join(f"<option>{one}</option>" for one in options)
    rows = f'<option value="">{none}</option>{rows}'
    return f'<label>{label} <select id="{id}">{rows}</select></label>'
