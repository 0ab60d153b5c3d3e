"""The nano controller: vision encoder + connector + decoder + mixture head, as a transformers
model. ``generate``, ``from_pretrained`` and ``save_pretrained`` come from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import DynamicCache, GenerationMixin, PreTrainedModel
from transformers.cache_utils import Cache
from transformers.utils.generic import ModelOutput

from mllm.model.config import NanoConfig
from mllm.model.connector import Connector
from mllm.model.decoder import Decoder
from mllm.model.encoder import VisionEncoder
from mllm.model.heads import RUN_TRUST, MixtureHead
from mllm.model.mentions import Mentions

IGNORED = -100
"""The label of what is not learned."""


@dataclass
class NanoOutput(ModelOutput):
    """``logits`` are log-probabilities of the mixture. ``aligned`` holds the patches of the
    pictures of this call, ``(n, grid * grid, d)``, for the dense loss. ``unfounded`` is how far
    the pointers are from the evidence for what is still unsure, in nats a learned token."""

    loss: Tensor | None = None
    unfounded: Tensor | None = None
    logits: Tensor | None = None
    past_key_values: Cache | None = None
    aligned: Tensor | None = None


class NanoForConditionalGeneration(  # type: ignore[no-untyped-call]
    PreTrainedModel, GenerationMixin
):
    """Pictures and text in, text out."""

    config_class = NanoConfig
    base_model_prefix = ""
    main_input_name = "input_ids"
    _supports_sdpa = True
    _no_split_modules = ["Block"]

    def __init__(self, config: NanoConfig) -> None:
        super().__init__(config)
        self.embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.encoder = VisionEncoder(config)
        self.connector = Connector(config)
        self.decoder = Decoder(config)
        self.head = MixtureHead(config)
        self.mentions = Mentions(config)
        self.post_init()  # type: ignore[no-untyped-call]

    def get_input_embeddings(self) -> nn.Embedding:
        return self.embedding

    def set_input_embeddings(self, value: nn.Module) -> None:
        assert isinstance(value, nn.Embedding)
        self.embedding = value

    def see(self, pixel_values: Tensor) -> tuple[Tensor, Tensor]:
        """Visual tokens ``(n, image_tokens, d)`` and aligned patches ``(n, grid**2, d)``."""
        tokens, aligned = self.connector(self.encoder(pixel_values.to(self.dtype)))
        return tokens, aligned

    def forward(
        self,
        input_ids: Tensor,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        use_cache: bool | None = None,
        labels: Tensor | None = None,
        image_index: Tensor | None = None,
        segments: Tensor | None = None,
        branches: Tensor | None = None,
        aims: Tensor | None = None,
        spots: Tensor | None = None,
        logits_to_keep: int = 0,
        **_: Any,
    ) -> NanoOutput:
        """One pass over ``t`` new tokens.

        Args:
            input_ids: ``(b, t)``; a picture is a run of ``image_tokens`` image ids.
            pixel_values: ``(n, 3, size, size)``, the pictures of this call, in -1..1.
            attention_mask: ``(b, past + t)``, zero where padding stands.
            position_ids: ``(b, t)``; counted over ``attention_mask`` when not given.
            labels: ``(b, t)``, -100 where nothing is learned; only the loss is computed then.
            image_index: which of ``pixel_values`` each picture of ``input_ids`` is, in reading
                order, so that several samples share one encoded picture.
            segments, branches: ``(1, t)``, of a packed row: numbers of its segments, none of which
                sees another, and of the branches in each, which see themselves and branch 0.
            aims, spots: ``(b, t)``, beside ``labels``: where a pointer should look for a label, at
                the places whose spot has its aim's number; where the aim is 0 at the newest tool
                result, or at the visual token that ``<|loc_k|>`` names; nowhere where it is -1.
            logits_to_keep: logits for the last so many positions only; 0 for all.

        Raises ``ValueError`` when pictures and image tokens do not match, and for the logits of a
        row of several segments.
        """
        if use_cache is None:
            use_cache = self.config.use_cache and labels is None
        if use_cache and past_key_values is None:
            past_key_values = DynamicCache(config=self.config)
        past = past_key_values.get_seq_length() if past_key_values is not None else 0

        if segments is not None and branches is not None:
            masks = _segmented(segments[0], branches[0])
        else:
            masks = [_mask(input_ids, past, attention_mask)]
        seen, aligned = self._seen(input_ids, pixel_values, image_index)
        sources = self._sources(input_ids)
        inputs = self._embed(sources, seen, masks, past_key_values)
        if position_ids is None:
            position_ids = _positions(input_ids, past, attention_mask)
        hidden = self.decoder(inputs, position_ids, masks, past_key_values)
        matrix = self.embedding.weight
        states = self.head.states(hidden, inputs, sources, matrix, past_key_values)
        keys, sources = self.head.keys(states, sources, seen, past_key_values)

        loss = unfounded = logits = None
        if labels is None:
            if len(masks) > 1:
                raise ValueError("a row of several segments has a loss, but no logits")
            keep = slice(-logits_to_keep if logits_to_keep else None, None)
            places = torch.arange(past, sources.shape[1], device=sources.device)[keep]
            visible = masks[0][:, :, keep]
            logits = self.head.log_probabilities(
                hidden[:, keep], states[:, keep], matrix, keys, sources,
                places.expand(len(sources), -1), visible,
                self.mentions.pointed(sources, visible[:, 0]),
            )
        else:
            lengths = [mask.shape[2] for mask in masks]

            # Each row and segment by itself: some have a tenth of the labels of others. Split, not
            # sliced: the gradient of a slice is as large as the whole, once for every part.
            def parts(x: Tensor, dim: int = 1) -> list[Tensor]:
                return [p for row in torch.split(x, 1) for p in torch.split(row, lengths, dim)]

            following = torch.nn.functional.pad(labels[:, 1:], (0, 1), value=IGNORED)
            aims = torch.zeros_like(labels) if aims is None else aims
            aims = torch.nn.functional.pad(aims[:, 1:], (0, 1))
            spots = torch.zeros_like(labels) if spots is None else spots
            pictured = input_ids == self.config.image_token_id
            sights = [mask[i : i + 1] for i in range(len(labels)) for mask in masks]
            columns = (hidden, states, sources, pictured, following, aims, spots)
            each = zip(*map(parts, columns), parts(keys, 2), sights, strict=True)
            told = [self._told(*part) for part in each]
            log_p, missed = (torch.cat(some, 1) for some in zip(*told, strict=True))
            number = max(log_p.shape[1], 1)
            loss = -log_p.sum() / number
            unfounded = missed.sum() / number
        return NanoOutput(
            loss=loss, unfounded=unfounded, logits=logits, past_key_values=past_key_values,
            aligned=aligned,
        )

    def _told(
        self, hidden: Tensor, states: Tensor, sources: Tensor, pictured: Tensor, labels: Tensor,
        aims: Tensor, spots: Tensor, keys: Tensor, mask: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """The log-probabilities ``(1, m)`` of what is to be learned in one segment of one row, and
        how far its pointers are from where they should look. ``labels`` and ``aims`` are those of
        the next token."""
        places = (labels[0] != IGNORED).nonzero()[:, 0]
        targets, visible = labels[:, places], mask[:, 0, places]
        located = self._located(targets)[..., None]
        shown = (sources[:, None] == targets[..., None]) & pictured[:, None] & visible
        evidence = torch.where(located, shown, self._evidence(sources, visible))
        aim = aims[:, places, None]
        named = (spots[:, None] == aim) & (aim > 0) & visible
        return self.head.target_log_probability(
            hidden[:, places], states[:, places], self.embedding.weight, keys, sources,
            places[None], visible[:, None], self.mentions.pointed(sources, visible), targets,
            torch.where(aim == 0, evidence, named),
        )

    def represent(
        self,
        input_ids: Tensor,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        image_index: Tensor | None = None,
    ) -> Tensor:
        """The decoder's last hidden states ``(b, t, d)``, for losses on representations. The
        arguments are those of ``forward``."""
        masks = [_mask(input_ids, 0, attention_mask)]
        seen, _ = self._seen(input_ids, pixel_values, image_index)
        inputs = self._embed(self._sources(input_ids), seen, masks, None)
        out: Tensor = self.decoder(inputs, _positions(input_ids, 0, attention_mask), masks, None)
        return out

    def _seen(
        self, input_ids: Tensor, pixel_values: Tensor | None, image_index: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """The visual tokens in their places, ``(b, t, d)``, zero where text stands."""
        seen = self.embedding.weight.new_zeros(*input_ids.shape, self.config.hidden_size)
        places = input_ids == self.config.image_token_id
        if pixel_values is None:
            if places.any():
                raise ValueError("the text has image tokens but no picture came with it")
            return seen, None
        tokens, aligned = self.see(pixel_values)
        if image_index is not None:
            tokens = tokens[image_index]
        if int(places.sum()) != tokens.shape[0] * tokens.shape[1]:
            raise ValueError(
                f"{int(places.sum())} image tokens in the text, but the pictures make "
                f"{tokens.shape[0] * tokens.shape[1]}"
            )
        return seen.masked_scatter(places[..., None], tokens.to(seen.dtype)), aligned

    def _embed(
        self, sources: Tensor, seen: Tensor, masks: Sequence[Tensor], cache: Cache | None
    ) -> Tensor:
        """What the decoder reads, ``(b, t, d)``: words and visual tokens. Visual token k also
        carries the word ``<|loc_k|>``, so that a place can be named; and where ``<|loc_k|>``
        stands in the text, it also carries visual token k of the newest picture, so that a place
        that is named is looked at (the hybrid region representation of Ferret, arXiv 2310.07704,
        with a region that is one visual token)."""
        x: Tensor = self.embedding(sources) * self.config.hidden_size**0.5 + seen
        lengths = [mask.shape[2] for mask in masks]
        xs, those, pictured = (torch.split(y, lengths, 1) for y in (x, sources, seen))
        parts = zip(xs, those, pictured, masks, strict=True)
        return torch.cat([self._looking(*part, cache) for part in parts], 1)

    def _looking(
        self, x: Tensor, sources: Tensor, seen: Tensor, mask: Tensor, cache: Cache | None
    ) -> Tensor:
        """``x`` of a segment, with what is told of it and the visual tokens that its text names."""
        named = self._located(sources) & ~seen.any(-1)
        quoted = self.mentions.quotes(sources)
        if not quoted and not named.any():  # most tokens: what was before need not be gathered
            return x
        before, shown = self.head.shown(sources, seen, cache)
        if quoted:
            x = x + self.mentions(before, mask[:, 0])
        row, place = named.nonzero(as_tuple=True)
        same = (before[row] == sources[row, place][:, None]) & shown.any(-1)[row]
        order = torch.arange(1, before.shape[1] + 1, device=x.device)
        newest = (order * (same & mask[row, 0, place])).amax(-1)
        looked = shown[row, newest - 1] * (newest > 0)[:, None]
        return x.index_put((row, place), x[row, place] + looked)

    def _sources(self, input_ids: Tensor) -> Tensor:
        """What copying each position yields: its token, or ``<|loc_k|>`` for visual token k."""
        places = input_ids == self.config.image_token_id
        k = (places.cumsum(-1) - 1) % self.config.image_tokens
        return torch.where(places, self.config.first_location_id + k, input_ids)

    def _located(self, ids: Tensor) -> Tensor:
        """Which of some tokens are ``<|loc_k|>``."""
        k = ids - self.config.first_location_id
        located: Tensor = (k >= 0) & (k < self.config.image_tokens)
        return located

    def _evidence(self, sources: Tensor, seen: Tensor) -> Tensor:
        """Where the newest evidence stands for queries that see ``seen`` ``(b, m, n)``: from the
        mark of the last tool result on. Nowhere before the first result."""
        place = torch.arange(sources.shape[1], device=sources.device)
        marks = (sources == self.config.tool_token_id)[:, None] & seen
        newest = torch.where(marks, place, -1).amax(-1, keepdim=True)
        return (place >= newest) & (newest >= 0) & seen

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        """Normal, scaled by fan-in; what writes into the residual stream starts smaller."""
        depth = max(self.config.num_hidden_layers, self.config.vision_layers)
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.normal_(module.weight, std=module.weight[0].numel() ** -0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=module.embedding_dim**-0.5)
        elif isinstance(module, nn.LayerNorm | nn.GroupNorm | nn.RMSNorm):
            nn.init.ones_(module.weight)
            if isinstance(bias := getattr(module, "bias", None), Tensor):
                nn.init.zeros_(bias)
        elif isinstance(module, VisionEncoder):
            nn.init.normal_(module.rows, std=0.1)
            nn.init.normal_(module.columns, std=0.1)
        elif isinstance(module, Connector):
            nn.init.zeros_(module.mlp.get_parameter("2.weight"))
        elif isinstance(module, MixtureHead):
            nn.init.constant_(module.run, RUN_TRUST)
            nn.init.zeros_(module.taken)
            nn.init.zeros_(module.mention)
        elif isinstance(module, Mentions):
            nn.init.zeros_(module.said)
            nn.init.zeros_(module.letters)
        for name in ("out", "down"):
            inner = getattr(module, name, None)
            if isinstance(inner, nn.Linear):
                nn.init.normal_(inner.weight, std=(inner.in_features * 2 * depth) ** -0.5)


def _mask(input_ids: Tensor, past: int, attention_mask: Tensor | None) -> Tensor:
    """Who may look where, ``(b, 1, t, past + t)``: backwards, and at no padding."""
    b, t = input_ids.shape
    place = torch.arange(past + t, device=input_ids.device)
    mask = (place[None, :] <= place[past:, None])[None, None].expand(b, 1, t, past + t)
    if attention_mask is not None:
        # A padding query keeps sight of itself, or its softmax would be empty.
        itself = place[None, :] == place[past:, None]
        mask = mask & (attention_mask[:, None, None, :].bool() | itself)
    return mask


def _segmented(segments: Tensor, branches: Tensor) -> list[Tensor]:
    """Who may look where in each segment of a packed row, ``(1, 1, n, n)``."""
    lengths = torch.unique_consecutive(segments, return_counts=True)[1].tolist()
    masks = []
    for own in torch.split(branches, lengths):
        same = (own == own[:, None]) | (own == 0)
        masks.append(same.tril()[None, None])
    return masks


def _positions(input_ids: Tensor, past: int, attention_mask: Tensor | None) -> Tensor:
    b, t = input_ids.shape
    if attention_mask is None:
        return torch.arange(past, past + t, device=input_ids.device)[None].expand(b, t)
    return (attention_mask.long().cumsum(-1) - 1).clamp(min=0)[:, past:]
