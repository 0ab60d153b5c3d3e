"""Pages on which text is carried over: from a text, from the wish, from a sum, twice."""

from __future__ import annotations

from mllm.data.pages.looks import button, field, js, same
from mllm.data.pages.task import Act, Built, calculate, check, click, fill, select
from mllm.data.pages.words import Draw


def copy(d: Draw) -> Built:
    ui, text = d.ui, " ".join(d.label() for _ in range(d.rng.randint(1, 4)))
    done = f"{ui['sent']}!"
    body = f"<label>{ui['source']} <textarea id=a>{text}</textarea></label>"
    body += field(ui["answer"], "b")
    body += button(ui["submit"], f"state.sent=$('b').value;out({js(done)})")
    acts = (fill(ui["answer"], text), click(ui["submit"]))
    return Built(body, "", {}, acts, same("state.sent", text), done)


def fields(d: Draw) -> Built:
    """Any fields, of any kind, filled in the order in which the wish names them."""
    ui, done = d.ui, f"{d.ui['sent']}!"
    names = d.labels(2, 5)
    rows: list[tuple[str, str, Act, object]] = []
    for number, name in enumerate(names):
        kind = d.rng.choice(("text", "text", "code", "number", "choice", "check"))
        if kind == "choice":
            options = d.labels(2, 5)
            said = d.rng.choice(options)
            listed = "".join(f"<option>{o}</option>" for o in ("", *options))
            html = f'<label>{name} <select id="f{number}">{listed}</select></label>'
            rows.append((name, html, select(name, said), said))
        elif kind == "check":
            html = field(name, f"f{number}", 'type="checkbox"')
            rows.append((name, html, check(name), True))
        else:
            number_said = str(d.rng.randint(0, 9999))
            said = {"text": d.label(), "code": d.code(), "number": number_said}[kind]
            rows.append((name, field(name, f"f{number}"), fill(name, said), said))
    spare = field(d.label() + " ?", "spare") if d.rng.random() < 0.3 else ""
    send = d.rng.choice((ui["submit"], *d.labels(1, 1)))
    body = "".join(html for _, html, _, _ in rows) + spare
    body += button(send, f"send();out({js(done)})")
    script = (
        f"function send(){{state.sent=[...Array({len(rows)}).keys()].map(i=>$('f'+i))"
        ".map(e=>e.type==='checkbox'?e.checked:e.value)}"
    )
    yes = ui["yes"] if d.rng.random() < 0.5 else ui["on"]
    wished = d.rng.sample(rows, len(rows)) if d.rng.random() < 0.4 else rows
    parts = [(name, yes if said is True else str(said)) for name, _, _, said in wished]
    form = d.rng.choice(("{n}: {v}", "{n} = {v}", "{n} \"{v}\"", "{v} ({n})"))
    glue = d.rng.choice((", ", "; ")) if d.lang == "en" else "，"
    told = glue.join(form.replace("{n}", n).replace("{v}", v) for n, v in parts)
    acts = (*(act for _, _, act, _ in wished), click(send))
    success = same("state.sent", [said for _, _, _, said in rows])
    return Built(body, script, {"x": told, "y": send}, acts, success, done)


def total(d: Draw) -> Built:
    ui, done = d.ui, f"{d.ui['sent']}!"
    a, b, sign = d.rng.randint(0, 12), d.rng.randint(0, 12), d.rng.choice("+-×")
    answer = str({"+": a + b, "-": a - b, "×": a * b}[sign])
    asked = f"{a} {sign} {b} ="
    body = f"<p>{asked}</p>{field(ui['answer'], 'n')}"
    body += button(ui["submit"], f"state.sent=$('n').value;out({js(done)})")
    acts = (calculate(asked), fill(ui["answer"], answer), click(ui["submit"]))
    return Built(body, "", {}, acts, same("state.sent", answer), done)


def twice(d: Draw) -> Built:
    ui, x, done = d.ui, d.code(), f"{d.ui['sent']}!"
    body = field(ui["code"], "a") + field(ui["again"], "b")
    body += button(ui["submit"], f"state.sent=[$('a').value,$('b').value];out({js(done)})")
    acts = (fill(ui["code"], x), fill(ui["again"], x), click(ui["submit"]))
    return Built(body, "", {"x": x}, acts, same("state.sent", [x, x]), done)


def result(d: Draw) -> Built:
    """A list of results in which the place counts and not the name."""
    ui, x = d.ui, d.label()
    found = d.labels(3, 6)
    at = d.rng.randrange(len(found))
    y = d.rng.choice(d.all("ordinals")[at])
    body = field(ui["query"], "q") + button(ui["search"], "find()") + "<ol id=list></ol>"
    script = (
        f"function find(){{$('list').replaceChildren();for(const p of {js(found)}){{"
        "const li=document.createElement('li'),a=document.createElement('a');a.href='#';"
        f"a.textContent=p;a.onclick=()=>{{state.open=[$('q').value,p];out({js(ui['chosen'])}"
        "+': '+p);return false};li.append(a);$('list').append(li)}}"
    )
    acts = (fill(ui["query"], x), click(ui["search"]), click(found[at]))
    done = f"{ui['chosen']}: {found[at]}"
    return Built(body, script, {"x": x, "y": y}, acts, same("state.open", [x, found[at]]), done)
