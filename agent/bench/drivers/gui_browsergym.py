"""BrowserGym's environment with the prompt of its demo agent: goal, accessibility tree, actions.

Its wait of 500 ms before each look is its own. Its delay of a second before every call of
Playwright, meant for people who watch, is switched off.
"""

from __future__ import annotations

import re
from typing import Any

from browsergym.core.action.highlevel import (  # type: ignore[import-not-found]
    HighLevelActionSet,
)
from browsergym.core.env import BrowserEnv  # type: ignore[import-not-found]
from browsergym.core.task import OpenEndedTask  # type: ignore[import-not-found]
from browsergym.utils.obs import flatten_axtree_to_str  # type: ignore[import-not-found]
from playwright.sync_api import BrowserType

from .gui_task import CHROMIUM, TASK, Move, Script, main

_launch = BrowserType.launch


def _launch_installed(kind: BrowserType, **options: Any) -> Any:
    """Also the window of its chat, which it gives no way to configure."""
    return _launch(kind, **{"executable_path": CHROMIUM, **options})


def play(url: str, script: Script) -> None:
    actions = HighLevelActionSet(["chat", "infeas", "bid", "nav", "tab"], multiaction=False)
    described = actions.describe(with_long_description=False, with_examples=True)
    env = BrowserEnv(
        OpenEndedTask,
        task_kwargs={"start_url": url, "goal": TASK},
        slow_mo=0,
        action_mapping=actions.to_python_code,
    )
    done: list[str] = []
    seen, _ = env.reset()
    while True:
        tree = flatten_axtree_to_str(seen["axtree_object"])
        prompt = "\n".join((TASK, tree, described, *done))
        script.arrive()
        move = script.move(prompt, tree)
        action = "" if move is None else _action(move, tree)
        script.leave()
        if not action:
            break
        seen, *_ = env.step(action)
        assert not seen["last_action_error"], seen["last_action_error"]
        done.append(action)
    env.close()


def _action(move: Move, tree: str) -> str:
    """Elements stand there as ``[12] button 'Book'``."""
    found = re.search(rf"\[(\w+)\] (?!heading |LabelText )\w+ '{re.escape(move.name)}'", tree)
    assert found, f"there is no {move.name!r}"
    match move.kind:
        case "type":
            return f"fill({found[1]!r}, {move.text!r})"
        case "select":
            return f"select_option({found[1]!r}, {move.text!r})"
        case "click":
            return f"click({found[1]!r})"


if __name__ == "__main__":
    BrowserType.launch = _launch_installed  # type: ignore[assignment, method-assign]
    main(play)
