"""What may leave the browser, decided for each request before it goes out.

Every request for a document (redirects, new tabs, frames and downloads too), every one that a
script sends, and every one to a denied domain is paused until it is checked against the limits.
What a browser that ended had posted already is not posted once more unless a person agrees.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, BrowserContext, CDPSession, Error, WebSocketRoute

from tools.gui.approval import Request
from tools.gui.ledger import Ledger, address
from tools.gui.safety import Limits
from tools.gui.secrets import Secrets
from tools.gui.view import View
from tools.gui.watch import Watch, site

SCRIPTED = ("XHR", "Fetch", "EventSource", "Ping")
"""Kinds of requests that scripts send. Pictures, styles, fonts and scripts are loaded from anywhere
that is not denied: sites keep them elsewhere."""
AGAIN = "it was posted before the browser ended and may have arrived"


@dataclass
class Gate:
    """Of one browser. ``tabs`` gives those that are open."""

    limits: Limits
    secrets: Secrets
    ledger: Ledger
    watch: Watch
    tabs: Callable[[], list[View]]
    _checks: set[asyncio.Future[None]] = field(default_factory=set)

    async def open(self, browser: Browser, context: BrowserContext) -> None:
        """Pause what must be checked, in all tabs."""
        cdp = await browser.new_browser_cdp_session()
        kinds = ("Document", *SCRIPTED)
        patterns = [{"urlPattern": "*", "resourceType": kind} for kind in kinds]
        patterns += [{"urlPattern": f"*{domain.lstrip('*')}*"} for domain in self.limits.denied]

        def paused(event: dict[str, Any]) -> None:
            self._checks.add(task := asyncio.ensure_future(self._decide(cdp, event)))
            task.add_done_callback(self._checks.discard)

        cdp.on("Fetch.requestPaused", paused)
        await cdp.send("Fetch.enable", {"patterns": patterns})
        if self.limits != Limits():
            # Web sockets are not paused, and stopped in the page instead.
            await context.route_web_socket(lambda url: bool(self._socket(url)), self._refuse)

    async def _decide(self, cdp: CDPSession, event: dict[str, Any]) -> None:
        """Let a paused request go out, or stop it and note why."""
        request, id, kind = event["request"], event["requestId"], event.get("resourceType")
        document, url = kind == "Document", request["url"]
        if document or (kind in SCRIPTED and url.startswith("http")):
            objection = self.limits.objection(url)
        else:
            objection = "its domain is denied" if self.limits.denies(url) else ""
        with suppress(Error):  # the tab closed meanwhile
            again = not objection and request["method"] == "POST" and self._again(url, document)
            if not objection and not again:
                await cdp.send("Fetch.continueRequest", {"requestId": id})
                return
            self.ledger.stop(request["method"], url)
            if not again:
                in_front = document and event["frameId"] in await _tabs(cdp)
                said = self.watch.log.stopped if in_front else self.watch.log.blocked
                said.append((self.secrets.mask(url)[:120], objection))
            if document:  # no content: the tab stays where it is
                await cdp.send("Fetch.fulfillRequest", {"requestId": id, "responseCode": 204})
            else:
                refused = {"requestId": id, "errorReason": "BlockedByClient"}
                await cdp.send("Fetch.failRequest", refused)

    def _again(self, url: str, document: bool) -> bool:
        """Whether a browser that ended had posted there already, and nobody agreed to doing it
        once more. Else it is noted, before it goes out. What a page sends to other sites (counts
        of its visitors) is none of the task."""
        own = document or any(site(view.page.url) == site(url) for view in self.tabs())
        if own and address(url) in self.ledger.lost:
            place = self.secrets.mask(address(url))[:120]
            ask = Request("submission", AGAIN, "post the same once more", place)
            if ask not in self.watch.approved:
                if self.watch.acting:
                    self.watch.log.asks.append(ask)
                else:
                    self.watch.log.blocked.append((place, AGAIN))
                return True
        if own:
            self.ledger.post(url)
        return False

    def _socket(self, url: str) -> str:
        """The objection to a web socket, or ""."""
        return self.limits.objection(url.replace("ws", "http", 1))

    async def _refuse(self, socket: WebSocketRoute) -> None:
        url = socket.url
        self.watch.log.blocked.append((self.secrets.mask(url)[:120], self._socket(url)))
        await socket.close()


async def _tabs(cdp: CDPSession) -> set[str]:
    """Ids of the main frames of all tabs."""
    targets = (await cdp.send("Target.getTargets"))["targetInfos"]
    return {t["targetId"] for t in targets if t["type"] == "page"}
