"""What went wrong, as one sentence for a person and an exit status for a script."""

from __future__ import annotations

from agent.errors import AgentError, InputError, RunFailed

FAILED = 1
BAD_INPUT = 2

_EXTRAS = {
    "torch": "local",
    "torchvision": "local",
    "transformers": "local",
    "tokenizers": "local",
    "accelerate": "local",
    "safetensors": "local",
    "llguidance": "local",
    "huggingface_hub": "local",
    "ultralytics": "vision",
    "rapidocr_onnxruntime": "vision",
    "cv2": "vision",
    "playwright": "gui",
    "jeepney": "desktop",
    "matplotlib": "train",
    "yaml": "train",
    "tqdm": "train",
    "psutil": "train",
}
"""Library -> the extra of this package that brings it."""


def explain(error: Exception) -> tuple[str, int]:
    """One sentence that says what happened and what to do, and the exit status."""
    # Imported here: whoever raises these has long loaded the modules.
    from mllm.backends.protocol import ModelError, WrongModel
    from mllm.yolo import WeightsError

    if isinstance(error, ModuleNotFoundError):
        if error.name is None:  # Python always names the module: this one is a sentence of ours
            return str(error), FAILED
        library = error.name.partition(".")[0]
        if library in _EXTRAS:
            return f"this needs {library}: pip install 'corvid-agent[{_EXTRAS[library]}]'", FAILED
    if isinstance(error, (InputError, WrongModel, WeightsError)):
        return str(error), BAD_INPUT
    if isinstance(error, RunFailed):
        return f"{error} (go on with: corvid resume {error.run.id})", FAILED
    if isinstance(error, (AgentError, ModelError)):
        return str(error), FAILED
    if isinstance(error, OSError):
        where = f": {error.filename}" if error.filename else ""
        return f"{error.strerror or error}{where}", FAILED
    return f"{type(error).__name__}: {error} (run again with --debug for the traceback)", FAILED
