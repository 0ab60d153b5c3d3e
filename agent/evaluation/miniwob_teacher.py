"""What to do in tasks of MiniWoB++, told from the words of the task and what the browser shows.

A teacher sees exactly what a model sees. It shows what is possible through this browser, and the
episodes that it plays are lessons. Tasks that must be looked at or drawn have none: the list of
elements does not say enough.
"""

from __future__ import annotations

import re
from calendar import month_name
from collections.abc import Callable, Generator, Iterator, Sequence
from importlib.resources import files
from itertools import cycle, islice
from math import dist

from PIL import ImageColor

from agent.evaluation.miniwob_screen import Act, Screen, click, fill
from agent.evaluation.pages_policies import Policy
from mllm.backends.protocol import ToolChoice
from mllm.content import Message, ToolCall, Turn
from mllm.data.pages.words import words
from tools.gui.observation import Element

GIVE_UP = "I do not know how."

Play = Generator[Act | ToolCall, None, None]
"""Actions of the browser, and calls of other tools."""


def teacher(task: str, asked: str) -> Policy:
    """Plays one episode; it gives up where the screen is not as it thought. Raises ``KeyError``
    for a task that has no teacher."""
    screen = Screen()
    play = TEACHERS[task](screen, asked)

    def say(messages: Sequence[Message], choice: ToolChoice, _: object) -> Turn:
        if choice == "none":
            return Turn(text=words("en")["said"]["plan"] if len(messages) < 4 else GIVE_UP)
        screen.read(messages)
        try:
            action = next(play)
        except (StopIteration, LookupError, ValueError):
            return Turn(text=GIVE_UP)
        if isinstance(action, ToolCall):
            return Turn(calls=(action,))
        arguments = {"action": screen.called(action)}
        return Turn(calls=(ToolCall(id="c", name="browser", arguments=arguments),))

    return Policy("teacher", say)


_SENDS = "submit", "login", "ok", "search"


def _submit(s: Screen) -> Act:
    buttons = [r for r in s.all("button clickable") if r.name.lower() in _SENDS]
    buttons = buttons or s.all("button")[-1:]
    if not buttons:
        raise LookupError("submit")
    return click(buttons[0])


def _paint(row: Element) -> str:
    """``#rrggbb`` of an element without a name, else ""."""
    return next((word for word in row.state if word.startswith("#")), "")


def _first(rows: Iterator[Element]) -> Element:
    found = next(rows, None)
    if found is None:
        raise LookupError("nothing fits")
    return found


def _words(asked: str, pattern: str) -> tuple[str, ...]:
    found = re.search(pattern, asked)
    if found is None:
        raise LookupError(asked)
    return found.groups()


def _place(word: str) -> int:
    return int(re.sub(r"\D", "", word)) - 1


def _clicks(pattern: str) -> Callable[[Screen, str], Play]:
    def play(s: Screen, asked: str) -> Play:
        for name in _words(asked, pattern):
            yield click(s.one(name))

    return play


def _boxes(s: Screen, asked: str) -> Play:
    wanted = _words(asked, r"Select (.+) and click")[0]
    if wanted != "nothing":
        for name in wanted.split(", "):
            yield {"name": "check", "target": s.one(name, "checkbox").ref}
    yield _submit(s)


def _option(s: Screen, asked: str) -> Play:
    row = s.one(_words(asked, r"Select (.+) and click")[0], "radio")
    yield {"name": "check", "target": row.ref}
    yield _submit(s)


def _scroll_list(s: Screen, asked: str) -> Play:
    wanted = _words(asked, r"Select (.+) from the")[0].split(", ")
    yield {"name": "select", "target": s.all("combobox listbox")[0].ref, "options": wanted}
    yield _submit(s)


def _color(s: Screen, asked: str) -> Play:
    boxes = [r for r in s.all("clickable") if _paint(r) and not r.name.startswith("#")]
    name = _words(asked, r"the (\w+) colored")[0]
    wanted = ImageColor.getrgb(name)
    yield click(_first(r for r in boxes if ImageColor.getrgb(_paint(r)) == wanted))


def _shades(s: Screen, asked: str) -> Play:
    index = ("red", "green", "blue").index(_words(asked, r"shades of (\w+)")[0])
    for row in [r for r in s.all("clickable") if _paint(r)]:
        parts = ImageColor.getrgb(_paint(row))[:3]
        if max(range(3), key=parts.__getitem__) == index:
            yield click(row)
    yield _submit(s)


def _menu(s: Screen, asked: str) -> Play:
    names = _words(asked, r"Select (.+)")[0].split(">")
    for name, after in zip(names, names[1:], strict=False):
        for _ in range(2):  # it opens a moment later
            if not s.all("menuitem", after):
                yield {"name": "hover", "target": s.one(name, "menuitem").ref}
    yield click(s.one(names[-1], "menuitem"))


def _menu_2(s: Screen, asked: str) -> Play:
    name = asked.rsplit('"', 2)[-2]
    yield click(s.one("Menu"))
    tried: set[str] = set()
    while not s.all("", name):
        menus = (r for r in s.all("menuitem") if "haspopup" in r.state)
        row = _first(r for r in menus if r.ref not in tried)
        tried.add(row.ref)
        yield {"name": "hover", "target": row.ref}
    yield click(s.one(name))


def _tabs(s: Screen, asked: str) -> Play:
    name = _words(asked, r'link "(.+)"')[0]
    for tab in s.all("tab"):
        found = [r for r in s.all() if r.name == name and r.role != "tab"]
        if found:
            yield click(found[0])
            return
        if "selected" not in tab.state:
            yield click(tab)
    yield click(_first(r for r in s.all() if r.name == name))


def _copy(s: Screen, asked: str) -> Play:
    fields = s.fields()
    place = re.search(r"(\d)\w\w text area", asked)
    source = [f for f in fields if f.value][_place(place[1]) if place else 0]
    empty = _first(f for f in fields if not f.value)
    for keys in ("Control+A", "Control+C"):
        yield {"name": "press", "keys": keys, "target": source.ref}
    yield {"name": "press", "keys": "Control+V", "target": empty.ref}
    yield _submit(s)


def _greatest(s: Screen, asked: str) -> Play:
    cards = [r for r in s.all("clickable button") if re.fullmatch(r"-?\d+", r.name)]
    yield click(max(cards, key=lambda r: int(r.name)))
    yield _submit(s)


def _sequence_2(s: Screen, asked: str) -> Play:
    radio, number, box = _words(asked, r'the (\w+) radio.*number "(.+)" into the (\w+) textbox')
    yield {"name": "check", "target": s.all("radio")[_place(radio)].ref}
    yield fill(s.fields()[_place(box)], number)
    yield _submit(s)


def _sequence_3(s: Screen, asked: str) -> Play:
    option, name = _words(asked, r'Choose (.+) from .* labeled "(.+)"')
    yield click(s.one("▾"))
    yield click(_first(r for r in s.all(acts=False) if r.name == option))
    yield click(s.one(name, "button"))


def _movies(s: Screen, asked: str) -> Play:
    found = _words(asked, r"Search for (.+) movies directed by (.+) from year (\d+)")
    said = dict(zip(("genre", "direct", "year"), found, strict=True))
    said["date"] = said["year"]
    for ref, label in s.labels().items():
        key = next((k for k in said if k in label.casefold()), "")
        if s.rows[ref].role == "textbox" and key:
            yield fill(s.rows[ref], said[key])
    yield _submit(s)


def _odd(s: Screen, asked: str) -> Play:
    rows = s.all(acts=False)
    for i, row in enumerate(rows):
        if row.role == "text" and re.fullmatch(r"-?\d+", row.name):
            yield click(rows[i + 1] if int(row.name) % 2 == 0 else rows[i - 1])
    yield _submit(s)


def _table(s: Screen, asked: str) -> Play:
    name = _words(asked, r"value of (.+) into")[0]
    texts = s.texts()
    yield fill(s.fields()[0], texts[texts.index(name) + 1])
    yield _submit(s)


def _table_2(s: Screen, asked: str) -> Play:
    texts, labels = s.texts(), s.labels()
    for row in s.fields():
        yield fill(row, texts[texts.index(labels[row.ref].rstrip(":")) + 1])
    yield _submit(s)


def _last_word(s: Screen, asked: str) -> Play:
    first, second = s.fields()[:2]
    text = first.value or ""
    if text.endswith("…"):
        yield {"name": "extract", "target": first.ref}
        text = s.last.partition("\npage ")[0]
    yield fill(second, re.findall(r"\w+", text)[-1])
    yield _submit(s)


def _search(s: Screen, asked: str) -> Play:
    text, place = _words(asked, r'enter "(.+)" and press .* the (\w+) search')
    yield fill(s.fields()[0], text)
    yield click(s.one("Search"))
    at, seen = _place(place), 0
    while True:
        links = [r for r in s.all("link clickable") if re.search(r"[A-Za-z]", r.name)]
        if at - seen < len(links):
            yield click(links[at - seen])
            return
        seen += len(links)
        yield click(s.one(">"))


def _sum(s: Screen, asked: str) -> Play:
    problem = _first(r for r in s.all("text", acts=False) if re.fullmatch(r"\d.*=", r.name))
    expression = problem.name.rstrip("= ")
    yield ToolCall(id="c", name="calculate", arguments={"expression": expression})
    yield fill(s.fields()[0], s.last)
    yield _submit(s)


def _wheel(s: Screen, asked: str) -> Play:
    name = _words(asked, r"Select (\w+) with")[0]
    line = s.fields()[0]
    yield fill(line, "{:02X}{:02X}{:02X}".format(*ImageColor.getrgb(name)[:3]))
    yield click(_first(r for r in s.all("text", acts=False)))
    yield _submit(s)


def _terminal(s: Screen, asked: str) -> Play:
    line = s.all("textbox")[0]
    ending = asked.rpartition(" ")[2] if "extension" in asked else ""
    yield fill(line, "ls")
    yield {"name": "press", "keys": "Enter", "target": line.ref}
    names = [w for text in s.texts()[5:] for w in text.split() if re.search(r"\w", w)]
    fit = [w for w in names if (w.endswith(ending) if ending else "." not in w)]
    if not fit:
        raise LookupError(ending)
    yield fill(line, f"rm {fit[0]}")
    yield {"name": "press", "keys": "Enter", "target": line.ref}


def _typed(
    pattern: str, times: int = 1, role: str = "textbox searchbox"
) -> Callable[[Screen, str], Play]:
    """Each found word into a field of its own, or one word into several."""

    def play(s: Screen, asked: str) -> Play:
        said: Iterator[str] = iter(_words(asked, pattern) * times)
        for row, text in zip(s.fields(role), said, strict=False):
            yield fill(row, text)
        yield _submit(s)

    return play


def _cased(s: Screen, asked: str) -> Play:
    text, case = _words(asked, r'Type "(.+)" in all (upper|lower)')
    yield fill(s.fields()[0], text.upper() if case == "upper" else text.lower())
    yield _submit(s)


def _circle(s: Screen, asked: str) -> Play:
    yield click(s.all("shape")[0])
    yield _submit(s)


def _line(s: Screen, asked: str) -> Play:
    direction = {"horizontal": "right", "vertical": "down"}[_words(asked, r"Draw a (\w+)")[0]]
    dot = s.all("shape")[0]
    yield {"name": "drag_by", "target": dot.ref, "direction": direction, "pixels": 30}
    yield _submit(s)


def _resize(s: Screen, asked: str) -> Play:
    side, how = _words(asked, r"the (width|height) is (smaller|larger)")
    ways = {"width": ("left", "right"), "height": ("up", "down")}[side]
    handle = s.one({"width": "right edge", "height": "bottom edge"}[side], "handle")
    way = ways[how == "larger"]
    yield {"name": "drag_by", "target": handle.ref, "direction": way, "pixels": 30}
    yield _submit(s)


def _focus(s: Screen, asked: str) -> Play:
    found = re.search(r"the (\d\w\w) input", asked)
    yield click(s.fields()[_place(found[1]) if found else 0])


def _agreement(s: Screen, asked: str) -> Play:
    if said := re.search(r'"(.+)" then', asked):
        text = _first(r for r in s.all("textbox") if not r.name)
        yield {"name": "scroll", "direction": "down", "screens": 10.0, "target": text.ref}
        yield fill(s.one("Name", "textbox"), said[1])
    yield click(s.one(_words(asked.lower(), "(agree|cancel)[^a-z]*(?:button|$)")[0], "button"))


def _scrolled(s: Screen, asked: str) -> Play:
    down = _words(asked, r"to the (top|bottom)")[0] == "bottom"
    action = {"name": "scroll", "direction": "down" if down else "up", "screens": 10.0}
    yield {**action, "target": s.all("textbox")[0].ref}
    yield _submit(s)


def _similar(s: Screen, asked: str) -> Play:
    table = files("agent.evaluation").joinpath("miniwob_synonyms.txt").read_text("utf-8")
    group = {word: line for line in table.splitlines() for word in line.split()}
    wanted = {group[w] for w in _words(asked, r"similar to (.+) and click")[0].split(", ")}
    for row in s.all("checkbox"):
        if group[row.name] in wanted:
            yield {"name": "check", "target": row.ref}
    yield _submit(s)


def _popup(s: Screen, asked: str) -> Play:
    said = _words(asked, r'username "(.+)" and the password "(.+)" into')
    for row, text in zip(s.fields(), said, strict=True):
        yield fill(row, text)
        if s.last.startswith("no_effect"):
            yield click(s.one("Cancel", "button"))
            yield fill(row, text)
    yield _submit(s)


def _sequence(s: Screen, asked: str) -> Play:
    wanted, box = _words(asked, r"Select (-?\d+) with the slider, click the (\w+) checkbox")
    yield fill(s.all("slider")[0], wanted)
    yield {"name": "check", "target": s.all("checkbox")[_place(box)].ref}
    yield _submit(s)


def _order(s: Screen, asked: str) -> Play:
    kind = re.match(r"Order (\d) items that are (.+)", asked)
    names = [kind[2]] if kind else asked.partition(":")[2].split(",")
    said: list[str] = []
    menu: list[tuple[list[str], Element]] = []
    for row in s.all(acts=False):
        if row.role == "text":
            said = [row.name]
        elif row.role == "img":
            said.append(row.name)
        elif row.name == "+":
            menu.append((said, row))
    fit = [row for name in names for about, row in menu if name.strip() in about]
    for row in islice(cycle(fit), int(kind[1]) if kind else len(fit)):
        yield click(row)
    yield click(s.one("Order!"))


def _flight(s: Screen, asked: str) -> Play:
    pattern = r"the (\w+) .* from: (.+) to: (.+) on (\d+)/(\d+)/\d+"
    best, *places, month, day = _words(asked, pattern)
    for name, place in zip(("From:", "To:"), places, strict=True):
        yield fill(s.one(name, "textbox"), place)
        part = f"({place})" if re.fullmatch("[A-Z]{3}", place) else f"{place} ("
        if not [r for r in s.all("clickable") if part in r.name]:
            yield {"name": "wait_for", "until": {"text": part}}
        yield click(_first(r for r in s.all("clickable") if part in r.name))
    yield click(_first(r for r in s.all("textbox") if "readonly" in r.state))
    while month_name[int(month)] not in s.texts():
        yield click(s.one("Prev"))
    yield click(s.one(str(int(day)), "link"))
    yield click(s.one("Search"))
    yield {"name": "extract"}  # most flights stand below what is in view
    times = [60 * int(h) + int(m) for h, m in re.findall(r"(\d+)h (\d+)m", s.last)]
    prices = [int(price) for price in re.findall(r"flight for \$(\d+)", s.last)]
    cost = prices if best == "cheapest" else times
    price = prices[min(range(len(prices)), key=cost.__getitem__)]
    yield {"name": "click", "target": f"Book flight for ${price}"}


def _right_angle(s: Screen, asked: str) -> Play:
    """A point straight above, below or beside the vertex: within 45 degrees of the right one."""
    vertex, end = _dots(s, "blue")[0], _dots(s, "black")[0]
    (x, y), (u, v) = _middle(vertex), _middle(end)
    left, top, right, bottom = _box(s.one("#svg-grid"))
    level = abs(u - x) >= abs(v - y)
    ways = ("down", "up") if level else ("right", "left")  # to where there is more room
    way = ways[y > (top + bottom) / 2 if level else x > (left + right) / 2]
    yield {"name": "drag_by", "target": vertex.ref, "direction": way, "pixels": 30}
    yield _submit(s)


def _bisected(s: Screen, asked: str) -> Play:
    """A point off one end towards the other, along the axis on which they are further apart."""
    end, other = _dots(s, "black")
    (x, y), (u, v) = _middle(end), _middle(other)
    level = abs(u - x) >= abs(v - y)
    ways = ("left", "right") if level else ("up", "down")
    way = ways[u > x if level else v > y]
    yield {"name": "drag_by", "target": end.ref, "direction": way, "pixels": 20}
    yield _submit(s)


def _dots(s: Screen, paint: str) -> list[Element]:
    return [row for row in s.all("shape", "circle", acts=False) if paint in row.state]


def _box(row: Element) -> tuple[float, float, float, float]:
    if row.corners is None:
        raise LookupError(row.ref)
    return row.corners


def _middle(row: Element) -> tuple[float, float]:
    left, top, right, bottom = _box(row)
    return (left + right) / 2, (top + bottom) / 2


def _count(s: Screen, asked: str) -> Play:
    """Of a sort, colour and size; small ones are 10 pixels high, large ones 20."""
    size, colour, kind = _words(asked, r"How many (small |large )?(\w+ (?=\w+s are))?(\w+)s are")
    count = 0
    for row in s.all("clickable shape", acts=False):
        sign = row.name
        sort = "shape" if len(sign) > 1 else "digit" if sign.isdigit() else "letter"
        left, top, right, bottom = _box(row)
        high = "large " if bottom - top > 18 else "small "
        same = not colour or ImageColor.getrgb(colour.strip()) == ImageColor.getrgb(_paint(row))
        count += kind in ("item", sort, sign) and size in (None, high) and same
    yield click(s.one(str(count), "button"))


def _drag(s: Screen, asked: str) -> Play:
    direction = _words(asked, r"Drag the \w+ (\w+)")[0]
    shape = s.all("clickable")[0]
    yield {"name": "drag_by", "target": shape.ref, "direction": direction, "pixels": 30}
    yield _submit(s)


def _sort(s: Screen, asked: str) -> Play:
    rows = [r for r in s.all("text", acts=False) if re.fullmatch(r"-?\d+", r.name)]
    for i in range(len(rows)):
        least = min(range(i, len(rows)), key=lambda k: int(rows[k].name))
        if least != i:
            yield {"name": "drag", "target": rows[least].ref, "to": rows[i].ref}  # to before it
            rows.insert(i, rows.pop(least))
    yield _submit(s)


def _editor(s: Screen, asked: str) -> Play:
    word, what, how = _words(asked, r"(?:text (\S+)|everything) the (style|color) +(\w+)")
    page = s.fields()[0]
    for keys in _selecting((page.value or "").split(), word):
        yield {"name": "press", "keys": keys, "target": page.ref}
    if what == "style":
        tools = s.all("button")
        yield click(_first(r for r in tools if how.startswith(r.name.removeprefix(".ql-"))))
    else:
        yield click(s.one(".ql-picker-label"))
        paints = [r for r in s.all("clickable") if _paint(r)]
        wanted = ImageColor.getrgb(how)
        yield click(min(paints, key=lambda r: dist(wanted, ImageColor.getrgb(_paint(r)))))
    yield _submit(s)


def _selecting(text: list[str], word: str | None) -> list[str]:
    """The keys that select a word with the signs behind it, from the nearer end; or all."""
    if word is None:
        return ["Control+A"]
    at = text.index(word)
    fore = at < len(text) / 2
    end, way, beside = ("Home", "Right", text[:at]) if fore else ("End", "Left", text[at + 1 :])
    leaps = sum(map(_pieces, beside))
    over = [*[f"Control+Arrow{way}"] * leaps, f"Arrow{way}"] if beside else []
    return [f"Control+{end}", *over, *[f"Control+Shift+Arrow{way}"] * _pieces(word)]


def _pieces(word: str) -> int:
    """Control+Arrow stops between a word and the signs behind it."""
    return len(re.findall(r"\w+|\W+", word))


TEACHERS: dict[str, Callable[[Screen, str], Play]] = {
    "bisect-angle": _bisected,
    "book-flight": _flight,
    "book-flight-nodelay": _flight,
    "circle-center": _circle,
    "click-button-sequence": _clicks(r"button (\w+), then click button (\w+)"),
    "click-checkboxes": _boxes,
    "click-checkboxes-large": _boxes,
    "click-checkboxes-soft": _similar,
    "click-checkboxes-transfer": _boxes,
    "click-color": _color,
    "click-link": _clicks(r'link "(.+)"'),
    "click-menu": _menu,
    "click-menu-2": _menu_2,
    "click-option": _option,
    "click-scroll-list": _scroll_list,
    "click-shades": _shades,
    "click-tab": _clicks(r"(Tab #\d)"),
    "click-tab-2": _tabs,
    "click-tab-2-easy": _tabs,
    "click-tab-2-hard": _tabs,
    "click-tab-2-medium": _tabs,
    "copy-paste": _copy,
    "copy-paste-2": _copy,
    "count-shape": _count,
    "drag-circle": _drag,
    "drag-single-shape": _drag,
    "drag-sort-numbers": _sort,
    "draw-line": _line,
    "enter-date": _typed(r"Enter (\S+) as the date", role="date textbox"),
    "enter-password": _typed(r'password "(.+)" into', 2),
    "enter-text": _typed(r'Enter "(.+)" into'),
    "enter-text-2": _cased,
    "enter-text-dynamic": _typed(r'Enter "(.+)" into'),
    "enter-time": _typed(r"Enter (.+) as the time", role="time textbox"),
    "find-greatest": _greatest,
    "focus-text": _focus,
    "focus-text-2": _focus,
    "form-sequence": _sequence,
    "form-sequence-2": _sequence_2,
    "form-sequence-3": _sequence_3,
    "login-user": _typed(r'username "(.+)" and the password "(.+)" into'),
    "login-user-popup": _popup,
    "multi-layouts": _movies,
    "multi-orderings": _movies,
    "odd-or-even": _odd,
    "order-food": _order,
    "read-table": _table,
    "read-table-2": _table_2,
    "resize-textarea": _resize,
    "right-angle": _right_angle,
    "scroll-text": _last_word,
    "scroll-text-2": _scrolled,
    "search-engine": _search,
    "sign-agreement": _agreement,
    "simple-arithmetic": _sum,
    "terminal": _terminal,
    "text-editor": _editor,
    "unicode-test": _clicks(r'the "(.+)" button'),
    "use-colorwheel": _wheel,
}
