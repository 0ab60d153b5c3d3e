"""What the browser did during one action: requests, refusals, questions, new tabs, downloads."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.async_api import (
    BrowserContext,
    Dialog,
    Download,
    Error,
    FileChooser,
    Page,
    Request,
    Response,
)

from tools.gui.approval import Request as Ask
from tools.gui.approval import asked_by_page
from tools.gui.ledger import HARMLESS, Ledger, address
from tools.gui.safety import Limits
from tools.gui.secrets import Secrets
from tools.gui.view import FRAME_PATIENCE, Document, View

FOLLOWED = ("document", "xhr", "fetch")
"""Kinds of requests that are waited for, and whose refusal counts."""


@dataclass(frozen=True)
class Refusal:
    """An answer with status 400 or more, or none at all."""

    method: str
    url: str
    status: int
    """0 when no answer came."""
    decisive: bool
    """Whether it refutes an action: the page itself, or something sent to the page's own site."""

    def words(self) -> str:
        said = f"answered {self.status}" if self.status else "got no answer"
        return f"{self.method} {self.url[:120]} {said}"


@dataclass
class Log:
    """Events since an action began."""

    dialogs: list[str] = field(default_factory=list)
    dismissed: list[str] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    popups: list[Page] = field(default_factory=list)
    downloads: list[str] = field(default_factory=list)
    files: list[Download] = field(default_factory=list)
    """The downloads themselves."""
    stopped: list[tuple[str, str]] = field(default_factory=list)
    """Addresses that a tab was kept from, or a download, and why."""
    blocked: list[tuple[str, str]] = field(default_factory=list)
    """The same for frames, parts of pages, and what scripts send."""
    chooser: asyncio.Future[FileChooser] = field(default_factory=asyncio.Future)
    """Done when the page asks for a file, until one is handed over."""
    pending: set[Request] = field(default_factory=set)
    requests: int = 0
    sent: list[str] = field(default_factory=list)
    """What can have effects, by method and address without the query."""
    kept: list[str] = field(default_factory=list)
    """The same of what was kept from being sent."""
    asks: list[Ask] = field(default_factory=list)
    """Questions that were answered with no because a person must agree first."""

    def eventful(self) -> bool:
        events = self.dialogs or self.popups or self.downloads or self.requests
        return bool(events) or self.chooser.done()

    def effects(self) -> str:
        """What was sent that can have effects."""
        return ", ".join(dict.fromkeys(sent for sent in self.sent if sent not in self.kept))

    def words(self) -> list[str]:
        """What happened, a line each, apart from what the verdict says."""
        told = [f"the page said {said}" for said in self.dialogs]
        told += [r.words() for r in self.refusals if not r.decisive]
        told += [f"downloaded {name!r}" for name in self.downloads]
        told += ["the page asks for a file: upload hands it one"] if self.chooser.done() else []
        left = dict.fromkeys((*self.stopped, *self.blocked))
        told += [f"not loaded: {url} ({why})" for url, why in left]
        return told


class Watch:
    """Listens to a browser context; ``begin`` opens the log of the next action."""

    def __init__(
        self, context: BrowserContext, limits: Limits, secrets: Secrets, ledger: Ledger
    ) -> None:
        self.log = Log()
        self.acting = False
        """Whether tabs that open now are the doing of an action."""
        self._limits, self._mask, self._ledger = limits, secrets.mask, ledger
        self._accept = False
        self.approved: tuple[Ask, ...] = ()
        """What a person agreed to, of the action at work."""
        self._answer: str | None = None
        self._begun: set[Request] = set()
        self._holders: list[Document] = []
        """Documents in which a secret was typed."""
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("requestfinished", self._finished)
        context.on("requestfailed", self._failed)
        context.on("dialog", self._dialog)
        context.on("page", self._page)

    def begin(
        self,
        accept_dialog: bool = False,
        answer: str | None = None,
        approved: tuple[Ask, ...] = (),
        opens: bool = True,
    ) -> Log:
        """``opens``: whether tabs that open meanwhile are the action's doing.
        ``accept_dialog``: questions of the page (not mere alerts) are answered with yes, where a
        person ``approved`` the matter or it needs nobody's approval."""
        self._accept, self._answer, self.approved = accept_dialog, answer, approved
        self.acting = opens
        self.log, self._begun = Log(), set()
        return self.log

    def rest(self) -> None:
        """The action is over: nothing is agreed to, and what opens now opened by itself."""
        self._accept, self._answer, self.approved = False, None, ()
        self.acting = False

    async def hold(self, view: View) -> None:
        """A secret is about to be typed in this tab. Raises as ``View.document``."""
        self._holders.append(await view.document(view.page.main_frame))

    async def keeps_secrets(self) -> bool:
        """Whether a page is open in which a secret was typed. One that does not answer may be."""
        for holder in list(self._holders):
            try:
                await asyncio.wait_for(holder.agent.evaluate("() => 0"), FRAME_PATIENCE)
            except TimeoutError:
                return True
            except Error:  # it was left
                with suppress(ValueError):
                    self._holders.remove(holder)
            else:
                return True
        return False

    def _request(self, request: Request) -> None:
        if _decisive(request):
            self._ledger.send(request, self.acting)
        if request.method not in HARMLESS:
            self.log.sent.append(f"{request.method} {self._mask(address(request.url))[:120]}")
        if request.resource_type in FOLLOWED:
            self._begun.add(request)
            self.log.pending.add(request)
            self.log.requests += 1

    def _response(self, response: Response) -> None:
        self._answered(response.request, response.status)

    def _finished(self, request: Request) -> None:
        self.log.pending.discard(request)

    def _failed(self, request: Request) -> None:
        self.log.pending.discard(request)
        why = request.failure or ""
        aborted = "ABORTED" in why or "BLOCKED_BY_CLIENT" in why
        self._answered(request, 0, aborted)

    def _answered(self, request: Request, status: int, aborted: bool = False) -> None:
        refusal = Refusal(request.method, self._mask(request.url), status, _decisive(request))
        self._ledger.answer(request, status, "" if aborted else refusal.words())
        if request in self._begun and not aborted and not 0 < status < 400:
            self.log.refusals.append(refusal)

    async def _dialog(self, dialog: Dialog) -> None:
        message = self._mask(dialog.message)
        said = f"{dialog.type} {json.dumps(message[:200], ensure_ascii=False)}"
        self.log.dialogs.append(said)
        page = dialog.page
        ask = asked_by_page(message, self._mask(page.url if page else ""))
        agreed = {request.matter for request in self.approved}
        if self._accept and ask and ask.matter not in agreed and dialog.type != "alert":
            self.log.asks.append(ask)
        try:
            if dialog.type == "alert":
                await dialog.accept()
            elif self._accept and not self.log.asks:
                prompt = dialog.type == "prompt"
                given = dialog.default_value if self._answer is None else self._answer
                await dialog.accept(given if prompt else "")
            else:
                self.log.dismissed.append(said)
                await dialog.dismiss()
        except Error:  # the page closed with its dialog
            pass

    def _page(self, page: Page) -> None:
        self.log.popups.append(page)
        # From the first moment on: playwright does not wait for the browser to know of a listener,
        # so one that is added just before a click may come too late for it.
        page.on("filechooser", self._chooser)
        page.on("download", self._download)

    def _chooser(self, chooser: FileChooser) -> None:
        if not self.log.chooser.done():
            self.log.chooser.set_result(chooser)

    async def _download(self, download: Download) -> None:
        if objection := self._limits.objection(download.url):
            self.log.stopped.append((self._mask(download.url)[:120], objection))
            await download.cancel()
        else:
            self.log.downloads.append(self._mask(download.suggested_filename))
            self.log.files.append(download)


def _decisive(request: Request) -> bool:
    """Whether an action stands or falls with it: a page in front, or something sent to its site."""
    try:
        page = request.frame.page.url
        navigates = request.is_navigation_request() and request.frame.parent_frame is None
    except Error as error:  # it opens a tab, which is not there yet, or the tab is gone
        return request.is_navigation_request() and "not available" in error.message
    return navigates or (request.method not in HARMLESS and site(page) == site(request.url))


def site(url: str) -> str:
    """``shop.example.com`` and ``api.example.com`` are one site."""
    host = urlsplit(url).hostname or ""
    labels = host.split(".")
    return host if labels[-1].isdigit() else ".".join(labels[-2:])
