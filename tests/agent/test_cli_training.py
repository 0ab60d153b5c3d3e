"""`corvid train halle|lure` and the rows of `corvid eval hallucination` that they are for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agent.cli import main


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["eval", "scenes", "--halle", "x"], "scenes has no row for --halle, --lure"),
        (["eval", "captions", "--lure", "x"], "captions has no row"),
        (["eval", "pope", "--data", ".", "--lure", "x"], "pope has no row"),
        (["eval", "hallucination", "--halle", "absent"], "corvid train halle"),
        (["eval", "hallucination", "--lure", "absent"], "no folder 'absent'"),
        (["train", "halle", "--config", "recipe.yaml"], "recipe.yaml is not a valid recipe"),
        (["train", "lure", "--config", "recipe.yaml"], "recipe.yaml is not a valid recipe"),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("recipe.yaml").write_text("colour: blue")
    monkeypatch.setattr(sys, "argv", ["corvid", *words])
    with pytest.raises(SystemExit) as done:
        main()
    out, err = capsys.readouterr()
    assert done.value.code == 2
    assert said in err and "Traceback" not in err and out == ""
