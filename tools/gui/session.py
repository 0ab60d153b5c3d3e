"""The browser process and the thread that it is driven from.

Tools are called from a new thread each time, and playwright's objects belong to the one that made
them. So a session owns a thread with an event loop; every call is bounded in time there, also where
the page hangs. What may go out is for ``gate`` to say.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import signal
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import TimeoutError as Late
from contextlib import suppress
from importlib.resources import files
from typing import Any, TypeVar

from playwright.async_api import Browser, CDPSession, Error, Page, Playwright, async_playwright

from tools.gui import failures
from tools.gui.gate import Gate, switches
from tools.gui.ledger import Ledger
from tools.gui.safety import Limits
from tools.gui.secrets import Secrets
from tools.gui.view import References, View
from tools.gui.watch import Watch

T = TypeVar("T")

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""Chromium as installed by the system; without one, playwright's own."""
SWITCHES = ("--disable-gpu", "--disable-background-networking", "--disable-sync")
ENDING = 0.2
"""Seconds in which the end of the browser is heard of, after a call that failed because of it."""
KNOWN = "told"
"""Instead of the reason of a loss that was reported already."""
LISTEN = files("tools.gui").joinpath("listen.js").read_text("utf-8")
HANGS = 5.0
"""Seconds within which a browser answers, after a call that was not done in time."""
CLOSING = 5.0
"""Seconds that the browser gets to end."""
TABS = 8
"""Tabs that may be open; a page that opens more of them is stopped."""


class Session:
    """One browser with one context. Not started before the first call."""

    def __init__(
        self, limits: Limits, secrets: Secrets, size: tuple[int, int], headless: bool
    ) -> None:
        self.limits, self.secrets = limits, secrets
        self.ledger = Ledger()
        self._size, self._headless = size, headless
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turn = threading.Lock()
        self._references = References(secrets)
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._root: CDPSession | None = None
        """To the browser as a whole, which is the process ``_pid``."""
        self._pid = 0
        self._views: list[View] = []
        self._lost = ""
        self.watch: Watch | None = None

    def call(self, work: Callable[[], Coroutine[Any, Any, T]], seconds: float, what: str) -> T:
        """Run ``work`` in the session's thread, one at a time. Raises ``Failure`` timeout or
        crashed, and whatever ``work`` raises."""
        with self._turn:
            future = asyncio.run_coroutine_threadsafe(
                asyncio.wait_for(_heard(work()), seconds), self._running()
            )
            try:
                return future.result(seconds + 1)
            except (TimeoutError, Late):
                future.cancel()
                self._refuse_hung()
                raise failures.timeout(what) from None
            except failures.Failure as failure:
                if failure.kind == "timeout":
                    self._refuse_hung()
                raise
            except Error as error:
                if self._gone():
                    raise self._crash() from None
                reason = self.secrets.mask(error.message).splitlines()[0][:200]
                raise failures.Failure("failed", f"{what} was not possible: {reason}") from None

    async def view(self, start: bool = False) -> View:
        """The tab in front. With ``start`` a browser is started where there is none; without,
        raises ``Failure`` crashed or not_found."""
        if self._gone():
            lost = self._lost
            await self._close_browser()
            if not start:
                if lost not in ("", KNOWN):
                    raise failures.crashed(lost)
                raise failures.Failure("not_found", "no page is open. Begin with goto.")
            await self._start()
        self._views = [v for v in self._views if not v.page.is_closed()]
        if not self._views:
            await self.new_tab()
        return self._views[-1]

    async def new_tab(self) -> View:
        """An empty tab in front: the way out of a page that hangs. Raises ``Failure`` failed where
        no more tabs may be open."""
        assert self._browser is not None
        page = await self._browser.contexts[0].new_page()
        view = next((view for view in self._views if view.page == page), None)
        if view is None:  # it was one too many
            raise failures.Failure(
                "failed",
                f"{TABS} tabs are open already, and the one in front does not answer; close one "
                "with tabs.",
            )
        return self.front(view)

    def tabs(self) -> list[View]:
        """In the order in which they were opened; ``view`` is the one in front."""
        open = (view for view in self._views if not view.page.is_closed())
        return sorted(open, key=lambda view: int(view.tab[1:]))

    async def clear(self) -> None:
        """Close all tabs, and number tabs and elements from one on, as in a new browser."""
        views = self.tabs()
        self._references.next = 1
        self._references.homes.clear()
        self._references.tabs.clear()
        for view in views:
            await view.page.close()

    def in_front(self) -> View | None:
        return self._views[-1] if self._views else None

    def front(self, view: View) -> View:
        """Bring a tab to the front, for everything that follows."""
        self._views.remove(view)
        self._views.append(view)
        return view

    def close(self) -> None:
        """End the browser; the next call would start another."""
        with self._turn:
            if self._loop is None:
                return
            loop, self._loop = self._loop, None
            with suppress(TimeoutError, Late, Error):
                asyncio.run_coroutine_threadsafe(self._end(), loop).result(2 * CLOSING)
            loop.call_soon_threadsafe(loop.stop)
        atexit.unregister(self.close)

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, name="browser", daemon=True).start()
            atexit.register(self.close)
        return self._loop

    async def _start(self) -> None:
        if self._playwright is None:
            self._playwright = await async_playwright().start()
        path = next(filter(None, map(shutil.which, NAMES)), None)
        try:
            self._browser = await self._playwright.chromium.launch(
                executable_path=path,
                headless=self._headless,
                chromium_sandbox=False,
                args=[*SWITCHES, *switches(self.limits)],
            )
        except Error as error:
            reason = error.message.splitlines()[0][:200]
            raise failures.Failure(
                "crashed",
                f"no browser could be started ({reason}); `corvid doctor` tells how to get one",
            ) from None
        self._browser.on("disconnected", lambda _: self._lose("the browser ended"))
        self._lost = ""
        self._root = await self._browser.new_browser_cdp_session()
        told = await self._root.send("SystemInfo.getProcessInfo")
        self._pid = next(p["id"] for p in told["processInfo"] if p["type"] == "browser")
        width, height = self._size
        context = await self._browser.new_context(
            viewport={"width": width, "height": height},
            service_workers="block",  # they would send requests past the check
            accept_downloads=True,
        )
        context.set_default_timeout(10_000)
        await context.add_init_script(script=LISTEN)
        self.watch = Watch(context, self.limits, self.secrets, self.ledger)
        gate = Gate(self.limits, self.secrets, self.ledger, self.watch, self.tabs)
        await gate.open(self._browser, context)
        context.on("page", self._add)

    def _add(self, page: Page) -> None:
        """A new tab: in front when an action opened it, behind when the page did so by itself."""
        assert self.watch is not None
        if len(self._views) >= TABS:
            self.watch.log.blocked.append(("another tab", f"{TABS} tabs are open already"))
            self._closing = asyncio.ensure_future(page.close())
            return
        view = View(page, self._references, f"t{len(self._references.tabs) + 1}")
        self._views.insert(len(self._views) - (0 if self.watch.acting else 1), view)
        page.on("crash", lambda _: self._lose("the page crashed"))

    def _lose(self, why: str) -> None:
        if posted := ", ".join(sorted(self.ledger.posted)):
            why += f" after something was posted to {self.secrets.mask(posted)[:200]}"
        self._lost = self._lost or why
        self.ledger.lose()

    def _gone(self) -> bool:
        return bool(self._lost) or self._browser is None or not self._browser.is_connected()

    def _crash(self) -> failures.Failure:
        lost, self._lost = self._lost, KNOWN
        return failures.crashed(lost or "the browser ended")

    def _refuse_hung(self) -> None:
        """End a browser that hangs as a whole, rather than one of its pages, and raise ``Failure``
        crashed then."""
        ending = asyncio.run_coroutine_threadsafe(self._end_if_hung(), self._running())
        if ending.result():
            raise self._crash() from None

    async def _end_if_hung(self) -> bool:
        if self._root is None or self._gone():
            return False
        try:
            await asyncio.wait_for(self._root.send("Browser.getVersion"), HANGS)
        except TimeoutError:
            self._lose("the browser did not answer any more and was ended")
            with suppress(OSError):
                os.kill(self._pid, signal.SIGKILL)
            return True
        except Error:  # it has just ended
            pass
        return False

    async def _close_browser(self) -> None:
        browser, self._browser, self._views = self._browser, None, []
        if browser is not None:
            with suppress(Error, TimeoutError):
                await asyncio.wait_for(browser.close(), CLOSING)
        self._lost = ""

    async def _end(self) -> None:
        await self._close_browser()
        if self._playwright is not None:
            await self._playwright.stop()
            self._playwright = None


async def _heard(work: Coroutine[Any, Any, T]) -> T:
    """``work``. When it fails because the browser ended, that is known afterwards."""
    try:
        return await work
    except Error as error:
        if "closed" in error.message or "crashed" in error.message:
            await asyncio.sleep(ENDING)
        raise
