"""The tiny models and made pictures of the backends' tests."""

from __future__ import annotations

from tests.mllm.backends.conftest import pictures, tiny_folders

__all__ = ["pictures", "tiny_folders"]
