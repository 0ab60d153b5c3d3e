"""browser-use's Agent as it comes: a screenshot a step, its own waits. Left out is what asks for
other models or machines: the judge of the answer, telemetry, the cloud."""

from __future__ import annotations

import asyncio
import json
import os
import re
from typing import Any

os.environ |= {
    "ANONYMIZED_TELEMETRY": "false",
    "BROWSER_USE_CLOUD_SYNC": "false",
    "BROWSER_USE_CONFIG_DIR": os.getcwd(),
    "BROWSER_USE_SETUP_LOGGING": "false",
    "SKIP_LLM_API_KEY_VERIFICATION": "true",
}

from browser_use import (  # type: ignore[import-not-found]  # noqa: E402
    Agent,
    BrowserProfile,
    BrowserSession,
)
from browser_use.llm.schema import (  # type: ignore[import-not-found]  # noqa: E402
    SchemaOptimizer,
)
from browser_use.llm.views import (  # type: ignore[import-not-found]  # noqa: E402
    ChatInvokeCompletion,
)

from .gui_task import CHROMIUM, PAGES, SIZE, TASK, Move, Script, main  # noqa: E402


class Scripted:
    provider = name = model = model_name = "scripted"
    _verified_api_keys = True

    def __init__(self, script: Script) -> None:
        self.script = script

    async def ainvoke(self, messages: list[Any], output_format: Any = None, **_: Any) -> Any:
        self.script.arrive()
        texts = [message.text for message in messages]
        state = max(texts[1:], key=len)
        schema = json.dumps(SchemaOptimizer.create_optimized_json_schema(output_format))
        move = self.script.move("\n".join(texts), state, schema)
        action = (
            {"done": {"text": "done", "success": True}} if move is None else _action(move, state)
        )
        said = {"thinking": "", "evaluation_previous_goal": "", "memory": "", "next_goal": ""}
        answer = output_format.model_validate({**said, "action": [action]})
        self.script.leave()
        return ChatInvokeCompletion(completion=answer, usage=None)


def _action(move: Move, state: str) -> dict[str, Any]:
    """Elements stand there as ``[12]<button aria-label=Book />``, with their text behind."""
    called = rf"(?<!\w){re.escape(move.name)}(?!\w)"
    named = re.search(rf"\[(\d+)\]<[^>]*{called}", state)
    found = named or re.search(rf"\[(\d+)\]<[^>]*>\s*{called}", state)
    assert found, f"there is no {move.name!r}"
    index = int(found[1])
    match move.kind:
        case "type":
            return {"input": {"index": index, "text": move.text, "clear": True}}
        case "select":
            return {"select_dropdown": {"index": index, "text": move.text}}
        case "click":
            return {"click": {"index": index}}


async def _play(url: str, script: Script) -> None:
    profile = BrowserProfile(
        executable_path=CHROMIUM,
        headless=True,
        chromium_sandbox=False,
        enable_default_extensions=False,
        viewport={"width": SIZE[0], "height": SIZE[1]},
    )
    agent = Agent(
        TASK,
        Scripted(script),
        browser_session=BrowserSession(browser_profile=profile),
        initial_actions=[{"navigate": {"url": url, "new_tab": False}}],
        use_judge=False,
        max_failures=1,
    )
    await agent.run(max_steps=len(PAGES[script.page][0]) + 2)


def play(url: str, script: Script) -> None:
    asyncio.run(_play(url, script))


if __name__ == "__main__":
    main(play)
