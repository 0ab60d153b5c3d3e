"""What to do in tasks of MiniWoB++, told from the words of the task and what the browser shows.

A teacher sees exactly what a model sees. It shows what is possible through this browser, and the
episodes that it plays are lessons. Tasks that must be looked at or drawn have none: the list of
elements does not say enough.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import ImageColor

from agent.evaluation.pages_policies import Policy
from mllm.backends.protocol import ToolChoice
from mllm.content import Message, Text, ToolCall, Turn
from mllm.data.pages.words import words
from tools.gui.observation import Element, Snapshot, read
from tools.gui.targets import called

GIVE_UP = "I do not know how."
ALL = 10_000, 10_000
"""More pixels than a page has."""

Act = dict[str, Any]
Play = Generator[Act, None, None]


@dataclass
class Screen:
    """What a model knows of the page, in the order of the references."""

    rows: dict[str, Element] = field(default_factory=dict)
    last: str = ""
    """The result of the last action as it was told."""
    _read: int = 0

    def read(self, messages: Sequence[Message]) -> None:
        told = [m for m in messages if m.role == "tool"]
        for message in told[self._read :]:
            self.last = "\n".join(p.text for p in message.content if isinstance(p, Text))
            for line in self.last.splitlines():
                if line.startswith("gone "):
                    for ref in line.split()[1:]:
                        self.rows.pop(ref, None)
                elif row := read(line):
                    self.rows[row.ref] = row
        self._read = len(told)

    def all(self, role: str = "", name: str | None = None, acts: bool = True) -> list[Element]:
        return [
            row
            for row in sorted(self.rows.values(), key=lambda r: int(r.ref[1:]))
            if (not role or row.role in role.split())
            and (name is None or row.name == name)
            and (row.acts or not acts)
        ]

    def called(self, action: Act) -> Act:
        """The action with names in the place of references, where they are enough."""
        seen = Snapshot("", "", *ALL, (0, 0), ALL, tuple(self.rows.values()))
        ends = {end: action.get(end) for end in ("target", "to")}
        return action | {k: called(seen, ref) for k, ref in ends.items() if isinstance(ref, str)}

    def one(self, name: str, role: str = "") -> Element:
        """Raises ``LookupError`` where nothing that can be used is called so."""
        found = self.all(role, name) or [
            r for r in self.all(role) if r.name.casefold() == name.casefold()
        ]
        if not found:
            raise LookupError(name)
        return found[0]

    def fields(self) -> list[Element]:
        return [r for r in self.all("textbox searchbox") if "readonly" not in r.state]

    def labels(self) -> dict[str, str]:
        """The text that stands before each thing that can be used, by reference."""
        before, out = "", {}
        for row in self.all(acts=False):
            if not row.acts:
                before = row.name
            else:
                out[row.ref] = before
        return out

    def texts(self) -> list[str]:
        return [row.name for row in self.all("text heading", acts=False)]


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
        arguments = {"action": screen.called(action)}
        return Turn(calls=(ToolCall(id="c", name="browser", arguments=arguments),))

    return Policy("teacher", say)


def click(row: Element) -> Act:
    return {"name": "click", "target": row.ref}


def fill(row: Element, text: str) -> Act:
    return {"name": "type", "target": row.ref, "text": text}


def _submit(s: Screen) -> Act:
    buttons = [r for r in s.all("button clickable") if r.name.lower() in ("submit", "login", "ok")]
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
    sample, *boxes = [r for r in s.all("clickable") if _paint(r)]
    yield click(_first(r for r in boxes if _paint(r) == _paint(sample)))


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
        row = _first(r for r in s.all("menuitem") if r.ref not in tried)
        tried.add(row.ref)
        yield {"name": "hover", "target": row.ref}
    yield click(s.one(name))


def _tabs(s: Screen, asked: str) -> Play:
    name = _words(asked, r'link "(.+)"')[0]
    for tab in s.all("tab"):
        found = [r for r in s.all() if r.name.strip(".,") == name and r.role != "tab"]
        if found:
            yield click(found[0])
            return
        if "selected" not in tab.state:
            yield click(tab)
    yield click(_first(r for r in s.all() if r.name.strip(".,") == name))


def _copy(s: Screen, asked: str) -> Play:
    fields = s.fields()
    place = re.search(r"(\d)\w\w text area", asked)
    source = fields[_place(place[1]) if place else 0]
    for keys in ("Control+A", "Control+C"):
        yield {"name": "press", "keys": keys, "target": source.ref}
    yield {"name": "press", "keys": "Control+V", "target": fields[-1].ref}
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
    said = dict(zip(("genre", "director", "year"), found, strict=True))
    for ref, label in s.labels().items():
        key = label.rstrip(":").casefold()
        if s.rows[ref].role == "textbox" and key in said:
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
    for text in s.texts():
        if found := re.match(r"(-?\d+) ?([-+x×*]) ?(-?\d+) ?=", text):
            a, b = int(found[1]), int(found[3])
            result = {"+": a + b, "-": a - b}.get(found[2], a * b)
            yield fill(s.fields()[0], str(result))
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


def _typed(pattern: str, times: int = 1) -> Callable[[Screen, str], Play]:
    """Each found word into a field of its own, or one word into several."""

    def play(s: Screen, asked: str) -> Play:
        said: Iterator[str] = iter(_words(asked, pattern) * times)
        for row, text in zip(s.fields(), said, strict=False):
            yield fill(row, text)
        yield _submit(s)

    return play


def _cased(s: Screen, asked: str) -> Play:
    text, case = _words(asked, r'Type "(.+)" in all (upper|lower)')
    yield fill(s.fields()[0], text.upper() if case == "upper" else text.lower())
    yield _submit(s)


def _date(s: Screen, asked: str) -> Play:
    month, day, year = _words(asked, r"(\d+)/(\d+)/(\d+)")
    yield fill(s.all("date textbox")[0], f"{year}-{month}-{day}")
    yield _submit(s)


def _time(s: Screen, asked: str) -> Play:
    hour, minute, half = _words(asked, r"(\d+):(\d+) ([AP]M)")
    said = f"{int(hour) % 12 + (12 if half == 'PM' else 0):02}:{minute}"
    yield fill(s.all("time textbox")[0], said)
    yield _submit(s)


def _focus(s: Screen, asked: str) -> Play:
    found = re.search(r"the (\d\w\w) input", asked)
    yield click(s.fields()[_place(found[1]) if found else 0])


def _scrolled(s: Screen, asked: str) -> Play:
    down = _words(asked, r"to the (top|bottom)")[0] == "bottom"
    action = {"name": "scroll", "direction": "down" if down else "up", "screens": 10.0}
    yield {**action, "target": s.all("textbox")[0].ref}
    yield _submit(s)


TEACHERS: dict[str, Callable[[Screen, str], Play]] = {
    "click-button-sequence": _clicks(r"button (\w+), then click button (\w+)"),
    "click-checkboxes": _boxes,
    "click-checkboxes-large": _boxes,
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
    "enter-date": _date,
    "enter-password": _typed(r'password "(.+)" into', 2),
    "enter-text": _typed(r'Enter "(.+)" into'),
    "enter-text-2": _cased,
    "enter-text-dynamic": _typed(r'Enter "(.+)" into'),
    "enter-time": _time,
    "find-greatest": _greatest,
    "focus-text": _focus,
    "focus-text-2": _focus,
    "form-sequence-2": _sequence_2,
    "form-sequence-3": _sequence_3,
    "login-user": _typed(r'username "(.+)" and the password "(.+)" into'),
    "multi-layouts": _movies,
    "multi-orderings": _movies,
    "odd-or-even": _odd,
    "read-table": _table,
    "read-table-2": _table_2,
    "scroll-text": _last_word,
    "scroll-text-2": _scrolled,
    "search-engine": _search,
    "simple-arithmetic": _sum,
    "terminal": _terminal,
    "unicode-test": _clicks(r'the "(.+)" button'),
    "use-colorwheel": _wheel,
}
