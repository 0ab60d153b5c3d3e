"""The two tools that every such screen is: one acts, the other only looks."""

from __future__ import annotations

from abc import abstractmethod
from typing import Self

from tools.gui.actions import Action, Expect
from tools.gui.approval import Approve
from tools.gui.native.driver import Driver
from tools.gui.wish import PERSON, QUESTIONS, Seen, Wish, fulfil, told
from tools.protocol import Tool, ToolContext

LIMIT = 90.0
"""Seconds of an action with all its waiting."""


class ScreenTool(Tool):
    """Acts on a screen; ``screen`` is the tool that looks at it."""

    side_effect = True
    timeout = LIMIT

    def __init__(self, driver: Driver, approve: Approve | None, screen: Screen) -> None:
        self._driver, self._approve, self.screen = driver, approve, screen
        if approve is not None:
            self.timeout = LIMIT * (1 + QUESTIONS) + PERSON * QUESTIONS

    def _do(self, action: Action, expect: Expect | None, context: ToolContext) -> Seen:
        driver = self._driver
        act = lambda wish: driver.act(wish, context)  # noqa: E731
        return fulfil(Wish(action, expect), act, self._approve, driver.secrets, context)

    @abstractmethod
    def close(self) -> None:
        """End what was started. A later goto starts anew."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Screen(Tool):
    """Looks at a screen. Subclasses say in ``run`` which."""

    timeout = LIMIT

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def _look(self, context: ToolContext, find: str, after: str, marks: bool) -> Seen:
        driver = self._driver
        return told(lambda: driver.look(context, find, after, marks), driver.secrets)
