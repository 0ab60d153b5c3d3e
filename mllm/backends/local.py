"""Any image-text-to-text model of transformers, run in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Lock
from typing import Any

import torch
from torch import Tensor

from mllm.backends.calls import Listener
from mllm.backends.engine import Engine, Picture, Prompt
from mllm.backends.grammar import Grammars
from mllm.backends.protocol import MalformedOutput, ModelError, ToolChoice, WrongModel, attempt
from mllm.backends.template import Template
from mllm.backends.writing import Writing
from mllm.content import MediaReader, Message, ToolSpec, Turn
from mllm.decoding import Branches, Decoding, Reader, named
from mllm.episode import THINK, THINK_END
from mllm.model.chat import pictures

ROWS = 32
"""Prompts that are answered side by side: more would take memory and gain little."""


class Local:
    """A model by folder or hub name. Loaded at the first session, then shared by all."""

    def __init__(
        self,
        model: str,
        *,
        name: str | None = None,
        device: str | None = None,
        dtype: str | None = None,
        temperature: float = 0.0,
        seed: int = 0,
        decoding: str | Decoding | None = None,
    ) -> None:
        """``device`` and ``dtype`` are chosen when not given: bfloat16 on a GPU if there is one,
        else the CPU, in float32 for models of less than a billion parameters. ``temperature`` 0
        is greedy decoding; above it, tokens are drawn with ``seed``. ``decoding``: a method of
        ``mllm.decoding``, or its name. Raises ``ModelError`` for an unknown one."""
        self.name = name or model
        self.temperature = temperature
        self.seed = seed
        self.decoding = None if decoding is None else named(decoding)
        self._model, self._device, self._dtype = model, device, dtype
        self._parts: tuple[Engine, Template, Grammars] | None = None
        self._loading = Lock()

    @property
    def reads_screens(self) -> bool:
        engine, _, _ = self.parts()
        return bool(getattr(engine.model.config, "reads_screens", True))

    def session(self, media: MediaReader) -> LocalSession:
        """Raises ``ModelError`` when the model cannot be loaded."""
        return LocalSession(self, media)

    def reader(self) -> Reader:
        """What a new session reads its conversation with. Raises ``ModelError``."""
        engine, _, _ = self.parts()
        return Reader(engine) if self.decoding is None else self.decoding.reader(engine)

    def parts(self) -> tuple[Engine, Template, Grammars]:
        """Engine, template and grammars, loaded once. Raises ``ModelError``."""
        with self._loading:
            if self._parts is None:
                engine = Engine(self._model, self._device, self._dtype)
                template = Template(engine.processor)
                ends = _ends(engine, template)
                grammars = Grammars(engine.tokenizer, engine.vocabulary, ends, template.call_format)
                self._parts = engine, template, grammars
        return self._parts


class LocalSession:
    """One conversation: its KV cache and its pictures, processed and encoded once."""

    def __init__(self, backend: Local, media: MediaReader) -> None:
        self._backend = backend
        self._engine, self._template, self._grammars = backend.parts()
        self._media = media
        self._reader = backend.reader()
        end = self._engine.tokenizer(THINK_END, add_special_tokens=False)["input_ids"]
        self._thought_end: int | None = end[0] if len(end) == 1 else None
        self._pictures: dict[str, Picture] = {}
        self._temperature = backend.temperature
        self._random = torch.Generator().manual_seed(backend.seed)

    def stream(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        *,
        tool_choice: ToolChoice = "auto",
        output_schema: dict[str, Any] | None = None,
        max_tokens: int = 512,
    ) -> Iterator[str | Turn]:
        prompt, writing = self._begun(messages, tools, tool_choice, output_schema, max_tokens)
        logits, cached = self._reader.prefill(prompt)
        while True:
            new, pieces = writing.write(self._chosen(self._reader.weigh(writing.allowed(logits))))
            yield from pieces
            if writing.over:
                break
            logits = self._reader.extend(new)
        if piece := writing.listener.finish():
            yield piece
        yield writing.turn(len(prompt.ids), cached)

    def batch(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        output_schema: dict[str, Any] | None = None,
        max_tokens: int = 512,
    ) -> list[Turn | MalformedOutput]:
        """As ``generate_many``: up to ``ROWS`` prompts side by side, their common beginning read
        once. Where that cannot be (see ``SessionCache.branch``) and where tokens are drawn, one
        after the other."""
        out: list[Turn | MalformedOutput] = []
        for part in (prompts[i : i + ROWS] for i in range(0, len(prompts), ROWS)):
            out += self._side_by_side(part, output_schema, max_tokens) or [
                attempt(self, one, output_schema=output_schema, max_tokens=max_tokens)
                for one in part
            ]
        return out

    def _side_by_side(
        self,
        conversations: Sequence[Sequence[Message]],
        output_schema: dict[str, Any] | None,
        max_tokens: int,
    ) -> list[Turn | MalformedOutput] | None:
        """A turn for each, or None where they cannot be had together."""
        if len(conversations) < 2 or self._temperature > 0:
            return None
        begun = [self._begun(c, (), "none", output_schema, max_tokens) for c in conversations]
        prompts, writings = [p for p, _ in begun], [w for _, w in begun]
        branched = self._reader.branch(prompts)
        if branched is None:
            return None
        branches, logits, cached = branched
        _write(writings, branches, logits)
        out: list[Turn | MalformedOutput] = []
        for writing, prompt, known in zip(writings, prompts, cached, strict=True):
            writing.listener.finish()
            try:
                out.append(writing.turn(len(prompt.ids), known))
            except MalformedOutput as fault:
                out.append(fault)
        return out

    def close(self) -> None:
        self._reader = self._backend.reader()
        self._pictures.clear()

    def _begun(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        tool_choice: ToolChoice,
        output_schema: dict[str, Any] | None,
        max_tokens: int,
    ) -> tuple[Prompt, Writing]:
        """The prompt of the next turn, and the turn before its first token."""
        text = self._template.render(messages, tools)
        prompt = self._engine.prompt(text, self._processed(messages))
        free = output_schema is None and tool_choice != "required"
        listener = Listener(
            may_call=bool(tools) and tool_choice != "none" and output_schema is None,
            thinking=free and text.rstrip().endswith(THINK),
        )
        return prompt, Writing(
            self._grammars.matcher(tools, tool_choice, output_schema),
            listener,
            self._engine.tokenizer,
            self._grammars.ends,
            room=self._room(prompt, max_tokens),
            must=None if free else "call" if output_schema is None else "JSON",
            earlier=sum(len(m.calls) for m in messages),
            thought_end=self._thought_end,
        )

    def _processed(self, messages: Sequence[Message]) -> list[Picture]:
        """The pictures of the conversation, in order, each processed once."""
        shown = []
        for artifact in pictures(messages):
            if artifact.sha256 not in self._pictures:
                image = self._media.image(artifact)
                self._pictures[artifact.sha256] = self._engine.picture(artifact.sha256, image)
            shown.append(self._pictures[artifact.sha256])
        return shown

    def _room(self, prompt: Prompt, max_tokens: int) -> int:
        """How many tokens may be generated."""
        if max_tokens < 1:
            raise ModelError(f"max_tokens must be at least 1, not {max_tokens}")
        window = self._engine.window
        if window is None:
            return max_tokens
        if len(prompt.ids) >= window:
            raise ModelError(
                f"the conversation has {len(prompt.ids)} tokens and the model's window only "
                f"{window}: use fewer steps, fewer or smaller pictures, or another model"
            )
        return min(max_tokens, window - len(prompt.ids))

    def _chosen(self, logits: Tensor) -> int:
        if self._temperature > 0:
            chances = (logits / self._temperature).softmax(-1).cpu()
            return int(torch.multinomial(chances, 1, generator=self._random))
        return int(logits.argmax())


def _write(writings: Sequence[Writing], branches: Branches, logits: Tensor) -> None:
    """Write every turn to its end, greedily, from the logits ``(b, vocabulary)`` of their first
    tokens on."""
    going = list(writings)
    while True:
        allowed = [one.allowed(row) for one, row in zip(going, logits, strict=True)]
        chosen = branches.weigh(torch.stack(allowed)).argmax(-1).tolist()
        new = [one.write(token)[0] for one, token in zip(going, chosen, strict=True)]
        left = [i for i, writing in enumerate(going) if not writing.over]
        if not left:
            return
        if len(left) < len(going):
            branches.keep(left)
            going, new = [going[i] for i in left], [new[i] for i in left]
        logits = branches.extend(new)


def _ends(engine: Engine, template: Template) -> list[int]:
    """The tokens that end a turn: the model's own, and the one that the template writes after
    an assistant's words."""
    ends: list[int] = []
    for source in (engine.model.generation_config, engine.model.config, engine.tokenizer):
        found = getattr(source, "eos_token_id", None)
        ends += found if isinstance(found, list) else [] if found is None else [found]
    for token in engine.tokenizer.added_tokens_decoder.values():
        if template.end.startswith(token.content):
            ends.append(engine.tokenizer.convert_tokens_to_ids(token.content))
    if not ends:
        raise WrongModel("the model has no end token: set eos_token_id in its generation config")
    return sorted(set(ends))
