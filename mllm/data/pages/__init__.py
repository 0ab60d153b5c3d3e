"""The world of pages: interfaces in HTML, wishes, strict predicates, and an oracle's actions.

Training never shows the styles, layouts, names and phrasings of evaluation. Pages are plain HTML
and JavaScript; a browser plays them (``agent.evaluation.pages_runner``), since imports run down.
"""

from mllm.data.pages.make import KINDS, make
from mllm.data.pages.task import Act, PageTask

__all__ = ["KINDS", "Act", "PageTask", "make"]
