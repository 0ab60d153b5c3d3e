"""The processor: chat messages with pictures to model inputs, through transformers' own protocol.

``chat_template.jinja`` renders a conversation. What it renders of the first k messages is a prefix
of what it renders of more, so a session can keep its KV cache. It leaves out system text, which is
the same in every run and which nano is not trained on, and lists the tools in one line each.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerFast, SiglipImageProcessor
from transformers.processing_utils import ProcessorMixin

from mllm.model.config import NanoConfig
from mllm.model.tokenizer import IMAGE, LOCATIONS


class NanoProcessor(ProcessorMixin):
    """Tokenizer and picture processor in one. A picture is resized to a square, not cropped, so
    that every place of it has its patch."""

    def __init__(
        self,
        image_processor: Any = None,
        tokenizer: Any = None,
        chat_template: str | None = None,
    ) -> None:
        self.image_token = IMAGE
        self.image_token_id = tokenizer.convert_tokens_to_ids(IMAGE)
        super().__init__(  # type: ignore[no-untyped-call]
            image_processor, tokenizer, chat_template=chat_template
        )

    def replace_image_token(self, image_inputs: Any, image_idx: int, **_: Any) -> str:
        """A picture's placeholder in the text grows to one token a visual token."""
        return IMAGE * len(LOCATIONS)


def build_processor(tokenizer: PreTrainedTokenizerFast, config: NanoConfig) -> NanoProcessor:
    """The processor for a model of that configuration. Raises ``ValueError`` when the model makes
    another number of visual tokens than the tokenizer has location tokens."""
    if config.image_tokens != len(LOCATIONS):
        raise ValueError(
            f"the configuration makes {config.image_tokens} visual tokens a picture; "
            f"the tokenizer has {len(LOCATIONS)} locations"
        )
    pictures = SiglipImageProcessor(size={"height": config.image_size, "width": config.image_size})
    template = Path(__file__).with_name("chat_template.jinja").read_text(encoding="utf-8")
    return NanoProcessor(pictures, tokenizer, chat_template=template)
