"""A run as it happens, for a person at a terminal; plain lines where the output is not one.

What models, tools and pictures say is data: it is never read as markup, and control characters
that could drive a terminal are taken out.
"""

from __future__ import annotations

import json
import unicodedata
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.status import Status
from rich.table import Table
from rich.text import Text

from agent import events as ev
from agent import outcome
from agent.result import Claim
from mllm import content
from mllm.content import Artifact, ToolCall, ToolResult, Usage

if TYPE_CHECKING:
    from agent.verify import VerifiedAnswer

LINES = 6
"""Lines shown of one observation; the report has the rest."""

MARKS = {"supported": "✓", "corrected": "~", "unsupported": "?", "contradicted": "✗"}
STYLES = {"supported": "green", "corrected": "yellow", "unsupported": "red", "contradicted": "red"}


class Terminal:
    """Shows events one by one. Use as a context manager: leaving it clears the status line."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or _console()
        self._status: Status | None = None
        self._writing = ""
        self._thought = ""
        self._label = ""
        self._calls: dict[str, ToolCall] = {}
        self._working: dict[str, str] = {}
        self._made = 0
        self._steps = 0
        self._usage = Usage()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._console.status(Text("starting", "dim"), spinner="dots")
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def add(self, event: ev.Event) -> None:
        """Show one event."""
        if isinstance(event, ev.Planned | ev.Decided | ev.Malformed | ev.Verified | ev.Answered):
            self._usage += event.usage
        match event:
            case ev.RunStarted() | ev.Resumed():
                self._print(event.task, "bold", top=1)
                if isinstance(event, ev.RunStarted):
                    self._print(event.model, "dim")
            case ev.Perceived():
                self._print(", ".join(map(_artifact, event.artifacts)), "dim")
            case ev.Token():
                self._token(event)
            case ev.Planned():
                self._writing = ""
                if event.plan:
                    self._label = "plan"
                    self._row(event.plan)
            case ev.Decided():
                self._decided(event)
            case ev.Malformed():
                self._label = str(event.step)
                self._row(Text(f"✗ {_clean(event.error)}", "red"))
            case ev.Called():
                self._working[event.call.id] = event.call.name
                self._say(", ".join(self._working.values()))
            case ev.Observed():
                self._observed(event)
            case ev.Verified():
                self._verified(event)
            case ev.Answered():
                self._answered(event)
            case ev.StepDone():
                self._say("thinking")

    def ask(self, event: ev.ApprovalNeeded) -> str:
        """Ask the person at the terminal; "" when nothing more comes from there."""
        if self._status is not None:
            self._status.stop()
        question = event.question
        keys = {"y": "redo", "n": "skip"} if question is None else {"y": "yes", "n": "no"}
        closed = question is None or question.permission
        self._print(outcome.asked(event), "bold yellow", top=1)
        answer = ""
        try:
            while not answer:
                self._console.print(Text("  y or n: " if closed else "  "), end="")
                said = input().strip()
                answer = keys.get(said.casefold()[:1], "") if closed else said
        except EOFError:
            pass
        if self._status is not None:
            self._status.start()
        return answer

    def _decided(self, event: ev.Decided) -> None:
        self._writing = ""
        self._steps += 1
        self._calls.update({call.id: call for call in event.calls})
        self._made += len(event.calls)
        self._thought = event.thought
        self._label = str(event.step)
        if event.reasoning:
            self._row(Text(_clean(event.reasoning), "dim italic"))
        if event.calls and event.thought:  # without calls it is the answer, shown once verified
            self._row(event.thought)
        self._say("working" if event.calls else "verifying")

    def _token(self, event: ev.Token) -> None:
        self._writing += event.text
        self._say(self._writing)

    def _observed(self, event: ev.Observed) -> None:
        self._working.pop(event.result.call_id, None)
        call = self._calls.get(event.result.call_id)
        name = _signature(call) if call else event.result.name
        head = Text.assemble((f"→ {_clean(name)}", "cyan"))
        head.append(f"  {_seconds(event.seconds)}", "dim")
        self._row(head)
        for question, answer in event.answers.items():
            self._row(Text(_clean(f"{question} You said: {answer}"), "yellow"))
        self._row(Padding(_result(event.result), (0, 0, 0, 2), expand=False))

    def _verified(self, event: ev.Verified) -> None:
        if event.error:
            self._row(Text(f"✗ {_clean(event.error)}", "red"))
        if event.again:
            self._row(self._thought)
            for claim in event.claims:
                self._row(_claim(claim))
            self._row(Text("A claim was contradicted: the model is asked again.", "yellow"))

    def _answered(self, event: ev.Answered) -> None:
        self._print(event.answer, "bold green", top=1)
        for claim in event.claims:
            self._console.print(Padding(_claim(claim), (0, 0, 0, 2), expand=False))
        usage = self._usage
        read, cached = f"{usage.input:,}", f"{usage.cached:,}"
        totals = (
            f"{_many(self._steps, 'step')}, {_many(self._made, 'call')}, "
            f"{_seconds(event.elapsed)}, {read} tokens read ({cached} from the cache), "
            f"{usage.output:,} written"
        )
        self._print(totals, "dim", top=1)

    def _row(self, content: str | RenderableType) -> None:
        """A line beside the step's number, which is said once."""
        if isinstance(content, str):
            content = Text(_clean(content.strip()))
        line = Table.grid(padding=(0, 1))
        line.add_column(width=5, justify="right", style="dim")
        line.add_column()
        line.add_row(self._label, content)
        self._console.print(line)
        self._label = ""

    def _print(self, text: str, style: str, top: int = 0) -> None:
        if text:
            self._console.print(Padding(Text(_clean(text), style), (top, 0, 0, 2), expand=False))

    def _say(self, text: str) -> None:
        if self._status is not None:
            room = max(self._console.width - 6, 10)
            last = _clean(text).strip().rpartition("\n")[2]
            self._status.update(Text(last[-room:], "dim"))


def show_verified(verified: VerifiedAnswer, console: Console | None = None) -> None:
    """A checked text sentence by sentence: what was wrong struck out, then the claims."""
    console = console or _console()
    for sentence in verified.sentences:
        line = Text()
        if sentence.text != sentence.said:
            line.append(_clean(sentence.said.strip()), "strike red")
            line.append(" → ")
        holds = all(c.verdict != "unsupported" for c in sentence.claims)
        style = "bold green" if sentence.claims and holds else ""
        line.append(_clean(sentence.text.strip()), style)
        if sentence.unread:
            line.append(" (not checked: it could not be taken apart into claims)", "yellow")
        console.print(line)
        for claim in sentence.claims:
            console.print(Padding(_claim(claim), (0, 0, 0, 2), expand=False))


def _console() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal:  # whoever reads a pipe wants whole lines
        console.width = 10_000
    return console


def _claim(claim: Claim) -> Text:
    line = Text()
    line.append(f"{MARKS[claim.verdict]} ", STYLES[claim.verdict])
    if claim.was:
        line.append(_clean(claim.was), "strike red")
        line.append(" → ")
    line.append(_clean(claim.text))
    found = f"found {claim.found}" if claim.found else ""
    by = " and ".join(dict.fromkeys(evidence.tool for evidence in claim.evidence))
    detail = ", ".join(w for w in (claim.verdict, found, by and f"by {by}") if w)
    line.append(f"  {_clean(detail)}", "dim")
    return line


def _result(result: ToolResult) -> Text:
    lines = _clean(result.words()).splitlines() or [""]
    # Boxes open with their counts, which is all that a glance needs.
    kept = 1 if any(isinstance(p, content.Boxes) for p in result.content) else LINES
    text = "\n".join(lines[:kept])
    if kept < len(lines) and kept > 1:
        text += f"\n… {len(lines) - kept} more lines"
    return Text(f"✗ {text}", "red") if result.error else Text(text)


def _signature(call: ToolCall) -> str:
    return f"{call.name}({', '.join(f'{k}={_value(v)}' for k, v in call.arguments.items())})"


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"


def _artifact(artifact: Artifact) -> str:
    size = f" {artifact.width}x{artifact.height}" if artifact.width else ""
    return f"{artifact.id} {artifact.origin}{size}"


def _clean(text: str) -> str:
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc")


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _seconds(value: float) -> str:
    return f"{1000 * value:.0f} ms" if value < 1 else f"{value:.1f} s"
