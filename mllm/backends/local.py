"""Any image-text-to-text model of transformers, run in this process."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from threading import Lock
from typing import Any

import torch
from tokenizers.decoders import DecodeStream
from torch import Tensor

from mllm.backends.calls import THINK, Listener
from mllm.backends.engine import Engine, Picture, Prompt
from mllm.backends.grammar import Grammars
from mllm.backends.protocol import MalformedOutput, ModelError, ToolChoice
from mllm.backends.template import Template
from mllm.content import MediaReader, Message, ToolSpec, Turn, Usage
from mllm.decoding import Decoding, Reader, named
from mllm.model.chat import pictures


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
        text = self._template.render(messages, tools)
        prompt = self._engine.prompt(text, self._processed(messages))
        room = self._room(prompt, max_tokens)
        matcher = self._grammars.matcher(tools, tool_choice, output_schema)
        free = output_schema is None and tool_choice != "required"
        listener = Listener(
            may_call=bool(tools) and tool_choice != "none" and output_schema is None,
            thinking=free and text.rstrip().endswith(THINK),
        )
        detokenise = _Detokeniser(self._engine.tokenizer, self._grammars.ends)

        logits, cached = self._reader.prefill(prompt)
        count, done = 0, False
        while not done and count < room:
            new = self._next(logits, matcher, room - count)
            for token in new:
                count += 1
                if piece := listener.hear(detokenise(token)):
                    yield piece
            done = new[-1] in self._grammars.ends or matcher.is_stopped()
            if not done and count < room:
                logits = self._reader.extend(new)
        if piece := listener.finish():
            yield piece

        complete = done or matcher.is_accepting()
        said = listener.text + (listener.calls_text or "")
        constrained = listener.calls_text is not None or output_schema is not None
        if not complete and (constrained or tool_choice == "required"):
            raise MalformedOutput(
                f"the model's {'JSON' if output_schema is not None else 'call'} was cut off after "
                f"{count} tokens: raise max_tokens or ask for less",
                said,
            )
        yield Turn(
            text=listener.text,
            calls=listener.calls(1 + sum(len(m.calls) for m in messages)),
            usage=Usage(input=len(prompt.ids), cached=cached, output=count),
            truncated=not done,
        )

    def close(self) -> None:
        self._reader = self._backend.reader()
        self._pictures.clear()

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

    def _next(self, logits: Tensor, matcher: Any, room: int) -> list[int]:
        """The next token, and any that the grammar leaves no choice about after it."""
        allowed = torch.frombuffer(bytearray(matcher.compute_logit_bias()), dtype=torch.uint8)
        allowed = allowed[: len(logits)].bool().to(logits.device)
        logits = self._reader.weigh(logits.masked_fill(~allowed, -torch.inf))
        if self._temperature > 0:
            chances = (logits / self._temperature).softmax(-1).cpu()
            token = int(torch.multinomial(chances, 1, generator=self._random))
        else:
            token = int(logits.argmax())
        if not matcher.consume_token(token):
            raise ModelError(f"the grammar stopped: {matcher.get_error()}")
        forced = [] if matcher.is_stopped() else matcher.compute_ff_tokens()[: room - 1]
        if forced:
            matcher.consume_tokens(forced)
        return [token, *forced]


class _Detokeniser:
    """Token ids to whole characters: one of several bytes comes out with its last token."""

    def __init__(self, tokenizer: Any, ends: Collection[int]) -> None:
        self._backend = tokenizer.backend_tokenizer
        self._ends = ends
        self._stream = DecodeStream(skip_special_tokens=False)

    def __call__(self, token: int) -> str:
        if token in self._ends:
            return ""
        return self._stream.step(self._backend, token) or ""


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
        raise ModelError("the model has no end token: set eos_token_id in its generation config")
    return sorted(set(ends))
