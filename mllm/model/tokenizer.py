"""The tokenizer: byte-level BPE whose pieces make copying one to one.

A word is the same token wherever it stands (after a space, a quote, a line break), because spaces
never glue to content words. Digits and Chinese characters stand alone. To save tokens, runs of
function words ("is there a ") and runs of punctuation (`{"name": "`) may be one token each.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor
from transformers import PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import bytes_to_unicode

from mllm.episode import THINK, THINK_END

END, PAD, IMAGE = "<|end|>", "<|pad|>", "<|image|>"
SYSTEM, USER, ASSISTANT, TOOL = "<|system|>", "<|user|>", "<|assistant|>", "<|tool|>"
CALL, CALL_END = "<tool_call>", "</tool_call>"
LOCATIONS = tuple(f"<|loc_{k}|>" for k in range(64))

CONTROL = (PAD, END, SYSTEM, USER, ASSISTANT, IMAGE, TOOL)
VISIBLE = (CALL, CALL_END, *LOCATIONS, THINK, THINK_END)
"""Tokens that are part of what the model says, so decoding keeps them."""

_FUNCTION_WORDS = (
    "a", "an", "the", "is", "are", "was", "were", "be", "been", "do", "does", "did", "has",
    "have", "can", "could", "would", "will", "of", "in", "on", "at", "to", "for", "from",
    "with", "by", "and", "or", "not", "no", "any", "this", "that", "these", "those", "there",
    "it", "its", "you", "i", "we", "he", "she", "they", "me", "my", "your", "our", "what",
    "which", "who", "where", "when", "why", "how", "many", "much", "more", "than", "fewer",
    "less", "as", "if", "so", "please", "exactly", "one", "whether",
)

_FORMS = "|".join(w for word in _FUNCTION_WORDS for w in (word, word.capitalize()))
_WORD = rf"(?<![\p{{L}}\p{{N}}_])(?:{_FORMS})(?![\p{{L}}\p{{N}}_])"
_CLOSING = r'"(?=[.?]|\s|$)|”'
PIECES = (
    rf" ?{_WORD}(?: {_WORD})* ?|\p{{N}}|\p{{Han}}|[\p{{L}}&&[^\p{{Han}}]]+|{_CLOSING}"
    r"|[^\p{L}\p{N}]+"
)
"""What merges never cross: runs of function words with the spaces around them, one digit, one
Chinese character, a word, the quote that closes a text (so that a copy ends as what it copies), a
run of anything else."""


def train_tokenizer(texts: Iterable[str], size: int = 4096) -> PreTrainedTokenizerFast:
    """A tokenizer of at most ``size`` entries, learned from ``texts``. Any unicode text survives
    encoding and decoding, since every byte has a token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(VISIBLE),
        min_frequency=2,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=[AddedToken(t, special=True, normalized=False) for t in CONTROL],
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens([AddedToken(t, special=False, normalized=False) for t in VISIBLE])
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        extra_special_tokens={"image_token": IMAGE},
        clean_up_tokenization_spaces=False,
        padding_side="left",
    )


def letters(tokenizer: PreTrainedTokenizerFast, longest: int) -> Tensor:
    """The first bytes of each token in lower case ``(entries, longest)``, then zeros; the marks of
    who speaks have none."""
    signs: dict[int, str] = bytes_to_unicode()  # type: ignore[no-untyped-call]
    of = {sign: byte for byte, sign in signs.items()}
    out = torch.zeros(len(tokenizer), longest, dtype=torch.uint8)
    for i, token in enumerate(tokenizer.convert_ids_to_tokens([*range(len(tokenizer))])):
        if token not in CONTROL:
            own = bytes(of[sign] for sign in token)
            own = own.decode("utf-8", "surrogateescape").lower().encode("utf-8", "surrogateescape")
            own = own[:longest]
            out[i, : len(own)] = torch.tensor(list(own), dtype=torch.uint8)
    return out
