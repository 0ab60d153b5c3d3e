"""Corvid's Agent with its browser: verification of the answer off, the rest as it comes, so with a
screenshot a step and the run on the disk. The whole conversation is counted at every step, though
a session reads only what is new in it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

from agent import Agent
from mllm.content import MediaReader, Message, ToolCall, ToolSpec, Turn
from tools import Browser
from tools.gui.observation import read

from .gui_task import SIZE, TASK, Move, Script, main


class Scripted:
    """A backend, and its one session."""

    name = "scripted"

    def __init__(self, script: Script) -> None:
        self.script = script

    def session(self, media: MediaReader) -> Scripted:
        return self

    def stream(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec] = (), **options: Any
    ) -> Iterator[str | Turn]:
        if options["tool_choice"] == "none":
            yield Turn(text="done")
            return
        self.script.arrive()
        told = [m.words() for m in messages if m.role == "tool"]
        said = [m.words() + "".join(c.model_dump_json() for c in m.calls) for m in messages]
        schema = "\n".join(spec.model_dump_json() for spec in tools)
        move = self.script.move("\n".join(said), told[-1], schema)
        turn = Turn(text="done")
        if move is not None:
            call = ToolCall(id="", name="browser", arguments={"action": _action(move, told)})
            turn = Turn(calls=(call,))
        self.script.leave()
        yield turn

    def close(self) -> None:
        pass


def _action(move: Move, told: list[str]) -> dict[str, Any]:
    rows = [read(line) for text in told for line in text.splitlines()]
    refs = [row.ref for row in rows if row and row.acts and row.name == move.name]
    assert refs, f"there is no {move.name!r}: {told[-1][:2000]}"
    action: dict[str, Any] = {"name": move.kind, "target": refs[-1]}
    if move.kind == "type":
        action["text"] = move.text
    elif move.kind == "select":
        action["options"] = [move.text]
    return action


def play(url: str, script: Script) -> None:
    browser = Browser(allowed=("127.0.0.1",), approve=lambda _: True, size=SIZE)
    with browser, tempfile.TemporaryDirectory(dir=".") as runs:
        model = Scripted(script)
        agent = Agent(model, [browser, browser.page], runs=runs, verify=False)
        assert agent.run(TASK, url=url).answer == "done"


if __name__ == "__main__":
    main(play)
