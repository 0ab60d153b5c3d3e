"""`corvid eval scenes` with a model whose right and wrong answers are known beforehand."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from agent.errors import InputError
from agent.evaluation import scenes
from agent.evaluation.table import tables
from agent.evaluation.unseen_tools import unseen
from mllm.backends.scripted import Scripted
from mllm.content import Media, MediaReader, Message, ToolCall, ToolSpec, Turn
from mllm.data.question_files import QuestionRow, read_questions, write_questions
from tools import Calculate, ToolError

N = 8


class Known:
    """Right with a tool's result, "yes" with a picture alone, at a loss without one."""

    name = "known"

    def __init__(self, questions: Sequence[QuestionRow]) -> None:
        self._questions = questions
        self.renamed = 0

    def session(self, media: MediaReader) -> Known:
        return self

    def close(self) -> None:
        pass

    def stream(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec] = (), **options: Any
    ) -> Iterator[str | Turn]:
        # Claims are asked for with a schema; this model makes none.
        schema = options.get("output_schema")
        yield Turn(text="[]") if schema else self._say(messages, tools)

    def _say(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Turn:
        asked = messages[1].words()
        row = next(q for q in self._questions if q.question in asked)
        sees = any(isinstance(p, Media) for m in messages for p in m.content)
        if not sees:
            return Turn(text="I cannot tell.")
        if not tools:
            return Turn(text="yes")
        if any(m.role == "tool" for m in messages):
            return Turn(text=row.answer.replace("unanswerable", "I cannot tell."))
        spec = next(t for t in tools if "arithmetic" in str(t) or len(t.parameters["properties"]))
        self.renamed += spec.name != "calculate"
        argument = next(iter(spec.parameters["properties"]))
        return Turn(calls=(ToolCall(id="1", name=spec.name, arguments={argument: "2 + 3"}),))


def printed(measured: dict[str, Any], *, percent: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, width=80)
    for part in tables(measured, percent=percent):
        console.print(part)
    return out.getvalue()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_questions(tmp_path_factory.mktemp("data"), N, 3, "noto").parent


def test_rows_measure_what_they_say(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenes, "default_tools", lambda: [Calculate()])
    questions = read_questions(data)
    model = Known(questions)
    measured = scenes.evaluate(N, 1, model, data, quiet=True)
    rows = measured["rows"]
    assert {k: measured[k] for k in ("suite", "model", "seed")} == {
        "suite": "scenes", "model": "known", "seed": 1,
    }  # fmt: skip
    assert list(rows) == ["constant", "blind", "direct", "tools", "verified", "unseen_tools"]
    yes = sum(q.answer == "yes" for q in questions) / N
    assert rows["direct"]["accuracy"]["value"] == pytest.approx(yes)
    assert rows["constant"]["always_yes"]["value"] == pytest.approx(yes)
    unanswerable = sum(q.answer == "unanswerable" for q in questions) / N
    assert rows["blind"]["accuracy"]["value"] == pytest.approx(unanswerable)
    for row in ("tools", "verified", "unseen_tools"):
        assert rows[row]["accuracy"]["value"] == 1.0
        assert rows[row]["accuracy"]["low"] < 1.0 == rows[row]["accuracy"]["high"]
    families = {f"accuracy.{q.family}" for q in questions}
    assert families <= set(rows["verified"])
    assert sum(rows["verified"][f]["n"] for f in families) == N
    assert rows["tools"]["calls.calculate"]["value"] == 1.0
    assert model.renamed > 0
    text = printed(measured, percent=True)
    assert "unanswerable" in text
    assert all(len(line.rstrip()) <= 80 for line in text.splitlines())


def test_data_is_measured_whole_unless_a_number_is_given(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenes, "default_tools", lambda: [Calculate()])
    monkeypatch.setattr(scenes, "QUESTIONS", 3)
    model = Known(read_questions(data))
    for n, asked in ((None, N), (2, 2)):
        rows = scenes.evaluate(n, 1, model, data, quiet=True)["rows"]
        assert rows["blind"]["accuracy"]["n"] == asked


def test_without_data_and_a_number_some_are_generated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenes, "default_tools", lambda: [Calculate()])
    monkeypatch.setattr(scenes, "QUESTIONS", 3)
    model = Scripted([Turn(text="yes")] * 100)
    rows = scenes.evaluate(None, 1, model, quiet=True)["rows"]
    assert rows["blind"]["accuracy"]["n"] == 3


def test_a_folder_without_questions_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="questions.jsonl"):
        scenes.evaluate(1, 1, Known(()), tmp_path, quiet=True)
    (tmp_path / "questions.jsonl").touch()
    with pytest.raises(InputError, match="no question"):
        scenes.evaluate(1, 1, Known(()), tmp_path, quiet=True)


def test_a_row_that_could_not_run_is_told() -> None:
    rows = {"corvid": {"ms": scenes.share(1, 2)}, "peer": {"error": "not installed"}}
    measured = {"suite": "overhead", "model": "scripted", "seed": 0, "rows": rows}
    text = printed(measured, percent=False)
    assert "peer could not run: not installed" in text
    assert "0.500" in text


def test_an_unseen_tool_does_what_the_tool_does() -> None:
    names = set()
    for seed in range(20):
        tools = unseen([Calculate()], random.Random(seed))
        works = []
        for tool in tools:
            names.add(tool.name)
            properties = tool.spec.parameters["properties"]
            try:
                parts = tool.call({name: "2 + 3" for name in properties}, context=None)  # type: ignore[arg-type]
            except ToolError as error:
                assert "another tool" in str(error)
            else:
                works.append(parts[0].text)  # type: ignore[union-attr]
        assert works == ["5"]
    assert len(names) > 5
