"""What may leave the browser, decided for each request before it goes out.

Every request for a document (redirects, new tabs, frames and downloads too), every one that a
script sends, and every one to a denied domain is paused until it is checked against the limits.
While a document is open that a secret was typed in, pictures, styles and scripts too come from the
allowed domains alone: their addresses could carry it away. What the browser does not pause (web
sockets of workers, pages that it fetches ahead of a click) is stopped by its own switches, or left
again when it is shown; a page fetched ahead by speculation rules is asked for all the same, unless
its domain is denied. What a browser that ended had sent already, by any method but GET, is not sent
once more unless a person agrees.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.request import getproxies

from playwright.async_api import Browser, BrowserContext, CDPSession, Error, Frame, WebSocketRoute

from tools.gui.approval import Request
from tools.gui.ledger import HARMLESS, Ledger, address
from tools.gui.safety import Limits, canonical
from tools.gui.secrets import Secrets
from tools.gui.view import View
from tools.gui.watch import Watch, site

SCRIPTED = ("XHR", "Fetch", "EventSource", "Ping")
"""Kinds of requests that scripts send. Pictures, styles, fonts and scripts are loaded from anywhere
that is not denied: sites keep them elsewhere."""
TYPED = "until the page is left on which a secret was typed"
NOWHERE = "127.0.0.1:9"
"""A proxy that nobody runs."""
AGAIN = "it was sent before the browser ended and may have arrived"


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
        patterns += [{"urlPattern": f"*{canonical(domain)}*"} for domain in self.limits.denied]
        if self.secrets and self._narrow:
            patterns = [{"urlPattern": "*"}]
        cdp.on("Fetch.requestPaused", lambda event: self._start(self._decide(cdp, event)))
        context.on("page", lambda page: page.on("framenavigated", self._arrived))
        await cdp.send("Fetch.enable", {"patterns": patterns})
        if self.limits != Limits():
            # Web sockets are not paused, and stopped in the page instead.
            await context.route_web_socket(lambda url: bool(self._socket(url)), self._refuse)

    @property
    def _narrow(self) -> bool:
        return bool(self.limits.allowed or self.limits.folders)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._checks.add(task := asyncio.ensure_future(work))
        task.add_done_callback(self._checks.discard)

    def _arrived(self, frame: Frame) -> None:
        """Leave a page that was fetched ahead, so that no request was paused when it came."""
        objection = self.limits.objection(frame.url) if frame.url.startswith("http") else ""
        if objection:
            self._note(frame.url, objection, frame.parent_frame is None)
            self._start(_leave(frame))

    async def _decide(self, cdp: CDPSession, event: dict[str, Any]) -> None:
        """Let a paused request go out, or stop it and note why."""
        request, id, kind = event["request"], event["requestId"], event.get("resourceType")
        document, url = kind == "Document", request["url"]
        told = url
        if document or (kind in SCRIPTED and url.startswith("http")):
            objection = self.limits.objection(url)
        else:
            objection = "its domain is denied" if self.limits.denies(url) else ""
            if not objection and self._narrow and url.startswith("http"):
                beyond = self.limits.objection(url)
                if beyond and await self.watch.keeps_secrets():
                    objection, told = f"{beyond} {TYPED}", "/".join(url.split("/")[:3])
        with suppress(Error):  # the tab closed meanwhile
            harmless = request["method"] in HARMLESS
            again = not objection and not harmless and self._again(url, document)
            if not objection and not again:
                await cdp.send("Fetch.continueRequest", {"requestId": id})
                return
            self.ledger.stop(request["method"], url)
            kept = f"{request['method']} {self.secrets.mask(address(url))[:120]}"
            self.watch.log.kept.append(kept)
            if not again:
                in_front = document and event["frameId"] in await _tabs(cdp)
                self._note(told, objection, in_front)
            if document:  # no content: the tab stays where it is
                await cdp.send("Fetch.fulfillRequest", {"requestId": id, "responseCode": 204})
            else:
                refused = {"requestId": id, "errorReason": "BlockedByClient"}
                await cdp.send("Fetch.failRequest", refused)

    def _note(self, url: str, objection: str, in_front: bool) -> None:
        said = self.watch.log.stopped if in_front else self.watch.log.blocked
        said.append((self.secrets.mask(url)[:120], objection))

    def _again(self, url: str, document: bool) -> bool:
        """Whether a browser that ended had sent something there already, and nobody agreed to
        doing it once more. Else it is noted, before it goes out. What a page sends to other sites
        (counts of its visitors) is none of the task."""
        own = document or any(site(view.page.url) == site(url) for view in self.tabs())
        if own and address(url) in self.ledger.lost:
            place = self.secrets.mask(address(url))[:120]
            ask = Request("submission", AGAIN, "send the same once more", place)
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
        self._note(socket.url, self._socket(socket.url), False)
        await socket.close()


def switches(limits: Limits) -> list[str]:
    """Of a browser, for what it does not pause. Denied hosts have no address in it; where only some
    hosts are allowed, web sockets to all others go to a proxy that nobody runs. Proxies of the
    environment go on working for the rest."""
    denied, allowed = _covered(limits.denied), _covered(limits.allowed)
    narrow = bool(limits.allowed or limits.folders)
    own = getproxies()
    proxied = any(own.get(kind) for kind in ("http", "https", "all"))
    found = []
    if denied:
        rules = (f"MAP {host} ~NOTFOUND" for host in denied)
        found.append(f"--host-resolver-rules={','.join(rules)}")
    if narrow or (denied and proxied):  # another proxy would look up what is denied
        kinds = ("http", "https")
        ways = [f"{kind}={own.get(kind) or own.get('all', 'direct://')}" for kind in kinds]
        ways += [f"socks={NOWHERE}"] if narrow else []
        past = own.get("no", "").split(",") if proxied else ["<-loopback>", *allowed]
        found.append(f"--proxy-server={';'.join(ways)}")
        found.append(f"--proxy-bypass-list={';'.join(filter(None, (*past, *denied)))}")
    return found


def _covered(domains: Iterable[str]) -> list[str]:
    hosts = filter(None, map(canonical, domains))
    return [host for domain in hosts for host in (domain, f"*.{domain}")]


async def _leave(frame: Frame) -> None:
    with suppress(Error):  # the tab closed meanwhile
        await frame.goto("about:blank")


async def _tabs(cdp: CDPSession) -> set[str]:
    """Ids of the main frames of all tabs."""
    targets = (await cdp.send("Target.getTargets"))["targetInfos"]
    return {t["targetId"] for t in targets if t["type"] == "page"}
