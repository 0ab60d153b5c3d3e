"""What a model asks of an interface, and the rounds until it is done, refused or waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from mllm.content import Record
from tools.gui import failures
from tools.gui.actions import Action, AskPerson, Expect
from tools.gui.approval import Approve, Request, Unapproved
from tools.gui.failures import Failure
from tools.gui.secrets import Secrets
from tools.protocol import PersonNeeded, Picture, Question, ToolContext, ToolError

PERSON = 300.0
"""Seconds that a person gets to answer; a later yes is a no, because the run has gone on."""
QUESTIONS = 3
"""Questions about one action: a page that makes up new ones is not followed further."""
PIECE = 3900
"""Characters of one text part: a run shortens longer ones."""

Seen = list[str | Picture | Record]


@dataclass(frozen=True)
class Wish:
    """What a model asks for: an action, what it expects of it, what to say to questions.
    ``approved`` is what a person agreed to."""

    action: Action
    expect: Expect | None = None
    accept_dialog: bool = False
    answer: str | None = None
    approved: tuple[Request, ...] = ()

    @property
    def short(self) -> str:
        """The action and its target."""
        said = self.action.model_dump(exclude_none=True, exclude={"name"})
        return f"{self.action.name} {said.get('target', '')}".strip()

    def refuse_secrets(self, secrets: Secrets) -> None:
        """Raise ``Failure`` refused: a placeholder is filled in by typing it, and nowhere else."""
        action = self.action
        parts = [self.answer or "", getattr(action, "url", ""), getattr(action, "keys", "")]
        if any(secrets.named(part) for part in parts):
            said = "a secret can only be typed into a field; nothing was done."
            raise Failure("refused", said)


def fulfil(
    wish: Wish,
    act: Callable[[Wish], Seen],
    approve: Approve | None,
    secrets: Secrets,
    context: ToolContext,
) -> Seen:
    """Do what is wished; a person is asked first where one must be. Raises ``Failure``, and
    ``PersonNeeded`` where the run has to ask."""
    if isinstance(wish.action, AskPerson):
        return [_answered(wish.action.question, context)]
    while True:
        try:
            return told(lambda: act(wish), secrets)  # noqa: B023
        except Unapproved as waiting:
            _ask(waiting.request, len(wish.approved), approve, secrets, context)
            wish = replace(wish, approved=(*wish.approved, waiting.request))


def told(work: Callable[[], Seen], secrets: Secrets) -> Seen:
    """What ``work`` saw, in parts that a run takes. Whatever comes out is masked once more."""
    mask = secrets.mask
    try:
        seen = work()
    except Failure as failure:
        raise Failure(failure.kind, mask(failure.text)) from None
    except (ToolError, Unapproved):
        raise
    except Exception as fault:  # of ours: its trace is kept, and what it says may hold a secret
        if not secrets:
            raise
        raise RuntimeError(mask(f"{type(fault).__name__}: {fault}")) from None
    masked: Seen = []
    for part in seen:
        if isinstance(part, Record):
            part = Record(data=mask(part.data))
        masked.append(mask(part) if isinstance(part, str) else part)
    return _in_pieces(masked)


def _ask(
    request: Request, asked: int, approve: Approve | None, secrets: Secrets, context: ToolContext
) -> None:
    """Raises ``Failure`` unapproved unless a person agrees, ``PersonNeeded`` while nobody was
    asked. The page goes on meanwhile: what was asked about is compared with what is there when
    it is done."""
    mask = secrets.mask
    refused = failures.unapproved(mask(request.what), mask(request.words()), True)
    if asked >= QUESTIONS:
        raise refused
    if approve is None:
        question = Question(text=mask(request.question()))
        if question.text not in context.answers:
            nobody = failures.unapproved(mask(request.what), mask(request.words()), False)
            raise PersonNeeded(question, str(nobody))
        if context.answers[question.text] != "yes":
            raise refused
        return
    begun = time.monotonic()
    if approve(request) is not True or time.monotonic() - begun > PERSON:
        raise refused


def _answered(question: str, context: ToolContext) -> str:
    """What the person answers. Raises ``PersonNeeded`` while nobody was asked."""
    wanted = Question(text=question, permission=False)
    if wanted.text not in context.answers:
        nobody = "unapproved: there is nobody to ask. Decide by the task, or end and ask there."
        raise PersonNeeded(wanted, nobody)
    return f"The person answers: {context.answers[wanted.text]}"


def _in_pieces(seen: Seen) -> Seen:
    """Texts in parts of whole lines, none longer than a run gives to the model."""
    parts: Seen = []
    for part in seen:
        if not isinstance(part, str):
            parts.append(part)
            continue
        lines = part.splitlines()
        piece = lines[0]
        for line in lines[1:]:
            if len(piece) + len(line) >= PIECE:
                parts.append(piece)
                piece = line
            else:
                piece += f"\n{line}"
        parts.append(piece)
    return parts
