"""Models behind one protocol: ``load`` turns what a person names into a ``Backend``.

Importing this package is light; torch, transformers and LangChain are imported by the backend
that needs them, at its first session.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mllm.backends.protocol import Backend, ModelError, WrongModel

if TYPE_CHECKING:
    from mllm.decoding import Decoding

NANO = Path(__file__).parent.parent / "weights" / "nano"
"""The folder of the shipped controller."""


def load(model: Any, *, decoding: str | Decoding | None = None, **options: Any) -> Backend:
    """The backend for ``model``:

    - ``"nano"``: the controller shipped with this package;
    - ``"openai:NAME@URL"``: an OpenAI-compatible server (vLLM, Ollama, ``transformers serve``);
    - a folder or the hub name of an image-text-to-text transformers model;
    - a LangChain chat model;
    - a backend, returned as it is.

    ``decoding`` is a method of ``mllm.decoding`` or its name ("vcd"), for the models that run
    here. Other ``options`` go to the local backend: ``device``, ``dtype``, ``temperature``,
    ``seed``. Raises ``ModelError`` when ``model`` is none of these.
    """
    remote = not isinstance(model, str | Path) or str(model).startswith("openai:")
    if decoding is not None and remote:
        raise WrongModel(
            'decoding methods need a local model: give "nano", a folder or a hub name, or no '
            "decoding"
        )
    if hasattr(model, "session"):
        backend: Backend = model
        return backend
    if isinstance(model, str | Path):
        return _named(str(model), {"decoding": decoding, **options})
    if hasattr(model, "bind_tools") and hasattr(model, "stream"):
        from mllm.backends.langchain import LangChain

        return LangChain(model)
    raise WrongModel(
        f"a model must be a name, a folder, a LangChain chat model or a backend, "
        f"not {type(model).__name__}"
    )


def _named(model: str, options: dict[str, Any]) -> Backend:
    if model.startswith("openai:"):
        from mllm.backends.langchain import openai

        return openai(model.removeprefix("openai:"))
    folder = NANO if model == "nano" else Path(model).expanduser()
    if not folder.is_dir():
        if model == "nano":
            raise ModelError(
                "the weights of nano are not installed: reinstall corvid-agent, or train them "
                "with `corvid train pretrain` and `corvid train instruct`"
            )
        # A hub name is "owner/name"; anything else can only have meant a folder.
        if not re.fullmatch(r"[\w-][\w.-]*/[\w.-]+", model):
            raise WrongModel(
                f"no folder {model!r}, and it is not a hub name (OWNER/NAME): give the folder of "
                f'a transformers model, "nano", or "openai:NAME@URL"'
            )
    elif not (folder / "config.json").is_file():
        raise WrongModel(
            f"the folder {model!r} holds no config.json: give the folder that save_pretrained wrote"
        )
    from mllm.backends.local import Local

    return Local(str(folder) if folder.is_dir() else model, name=model, **options)
