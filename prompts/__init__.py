"""Prompts are files: ``NAME.en.md`` and ``NAME.zh.md``, Jinja templates, one prompt a file."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "zh")


@cache
def _template(name: str, lang: str) -> Template:
    # Prompts are plain text for a model, so nothing is HTML-escaped.
    env = Environment(loader=FileSystemLoader(FOLDER), undefined=StrictUndefined, autoescape=False)
    return env.get_template(f"{name}.{lang}.md")


def render(name: str, lang: str, **values: Any) -> str:
    """The prompt ``name`` (a path below this folder, without ending) in ``lang``.

    Languages without a translation get English. Raises ``jinja2.TemplateNotFound`` for an
    unknown name and ``jinja2.UndefinedError`` for a missing value.
    """
    return _template(name, lang if lang in LANGUAGES else "en").render(**values).strip()


def language(text: str) -> str:
    """``zh`` when the text holds Chinese characters, else ``en``."""
    return "zh" if any("\u4e00" <= c <= "\u9fff" for c in text) else "en"
