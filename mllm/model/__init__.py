"""The nano controller model. Importing this package registers it with transformers, so that
``AutoModelForImageTextToText.from_pretrained`` and ``AutoProcessor`` find it.

The package is read in the order of the data: ``tokenizer``, ``processing``, ``encoder``,
``connector``, ``decoder``, ``heads``, and ``modeling``, which puts them together.
"""

from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor

from mllm.model.config import NanoConfig, preset
from mllm.model.modeling import NanoForConditionalGeneration
from mllm.model.processing import NanoProcessor, build_processor

AutoConfig.register(NanoConfig.model_type, NanoConfig, exist_ok=True)
AutoModelForImageTextToText.register(NanoConfig, NanoForConditionalGeneration, exist_ok=True)
AutoProcessor.register(  # type: ignore[no-untyped-call]
    NanoConfig, NanoProcessor, exist_ok=True
)

__all__ = [
    "NanoConfig",
    "NanoForConditionalGeneration",
    "NanoProcessor",
    "build_processor",
    "preset",
]
