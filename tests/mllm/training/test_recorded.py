"""Episodes that were played, as lessons: what is learned of them, and what changes."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mllm.content import Text, ToolCall, ToolResult, ToolSpec
from mllm.episode import Episode, Step
from mllm.model import NanoProcessor
from mllm.model.tokenizer import ASSISTANT, TOOL, USER
from mllm.training.packing import Sample, pack
from mllm.training.recorded import Recorded

ADDRESS = "http://127.0.0.1:4000/form.html"
ROWS = 'button "Send" e3\nbutton "B" e4'
PARAMETERS = {"type": "object", "properties": {"action": {"type": "object"}}}
TOOLS = [
    ToolSpec(name="browser", description="Use a page.", parameters=PARAMETERS),
    ToolSpec(name="detect", description="Find things.", parameters=PARAMETERS),
]


def step(number: int, action: dict[str, Any], told: str) -> Step:
    call = ToolCall(id=f"c{number}", name="browser", arguments={"action": action})
    result = ToolResult(call_id=call.id, name="browser", content=(Text(text=told),))
    return Step(calls=(call,), results=(result,), note="Steps left: 9.")


EPISODE = Episode(
    task=f"Press Send\n{ADDRESS}",
    note="Steps left: 12.",
    plan="Open the page.",
    steps=(
        step(1, {"name": "goto", "url": ADDRESS}, f'page "A" {ADDRESS}\n{ROWS}'),
        step(2, {"name": "click", "target": "e4"}, "click e4: unverified"),
        step(3, {"name": "click", "target": "e3"}, 'click e3: unverified\nnew status "Sent" e5'),
    ),
    answer="Done: Sent.",
)


def written(folder: Path, episode: Episode = EPISODE, **changed: Any) -> Path:
    row = {"success": True, "ending": "done", "learn": [True, False, True], **changed}
    file = folder / "episodes.jsonl"
    row["episode"] = episode.model_dump(mode="json")
    file.write_text(json.dumps(row) + "\n")
    return file


def learned(processor: NanoProcessor, sample: Sample) -> str:
    ids = [token for token, kept in zip(sample.ids, sample.learned, strict=True) if kept]
    return str(processor.tokenizer.decode(ids))


@pytest.fixture(scope="module")
def processor() -> NanoProcessor:
    folder = Path(__file__).parents[3] / "mllm" / "weights" / "nano"
    return NanoProcessor.from_pretrained(folder)


def test_slips_and_what_the_person_did_are_not_learned(
    tmp_path: Path, processor: NanoProcessor
) -> None:
    lessons = Recorded(processor, [written(tmp_path)], TOOLS, 1, 4096)
    said = [learned(processor, lessons[i]) for i in range(40)]
    assert any("goto" in text for text in said)  # the model opened it itself
    assert any("goto" not in text for text in said)  # it was open already
    for text in said:
        assert text.count('"name": "click"') == 1
        assert "Done: Sent." in text


def test_a_lesson_is_never_twice_alike_and_agrees_with_itself(
    tmp_path: Path, processor: NanoProcessor
) -> None:
    lessons = Recorded(processor, [written(tmp_path)], TOOLS, 1, 4096)
    texts = [str(processor.tokenizer.decode(lessons[i].ids)) for i in range(12)]
    assert texts == [str(processor.tokenizer.decode(lessons[i].ids)) for i in range(12)]
    assert len(set(texts)) == 12
    for text in texts:
        name = text.partition("Press ")[2].partition("\n")[0]
        ref = text.partition(f'button "{name}" ')[2].split()[0]
        assert f'"target": "{ref}"' in text


def test_the_wish_of_a_page_of_our_own_is_said_otherwise(
    tmp_path: Path, processor: NanoProcessor
) -> None:
    lessons = Recorded(processor, [written(tmp_path, kind="button")], TOOLS, 1, 4096)
    wishes = {
        str(processor.tokenizer.decode(lessons[i].ids)).partition(USER)[2].partition("\n")[0]
        for i in range(24)
    }
    assert any("ress" in wish for wish in wishes) and not all("ress" in wish for wish in wishes)


def test_an_episode_that_the_page_ended_has_no_last_word(
    tmp_path: Path, processor: NanoProcessor
) -> None:
    lessons = Recorded(processor, [written(tmp_path, ending="page")], TOOLS, 1, 4096)
    assert "Done" not in learned(processor, lessons[0])


def test_a_long_episode_ends_early(tmp_path: Path, processor: NanoProcessor) -> None:
    assert len(Recorded(processor, [written(tmp_path)], TOOLS, 1, 100)[0].ids) == 100


def test_failed_episodes_alone_are_refused(tmp_path: Path, processor: NanoProcessor) -> None:
    with pytest.raises(ValueError, match="no successful episode"):
        Recorded(processor, [written(tmp_path, success=False)], TOOLS, 1, 4096)


def test_a_pointer_is_told_where_a_reference_and_a_word_stand(
    tmp_path: Path, processor: NanoProcessor
) -> None:
    sample = Recorded(processor, [written(tmp_path)], TOOLS, 1, 4096)[0]
    decoded = [str(processor.tokenizer.decode([token])) for token in sample.ids]
    last = max(i for i, aim in enumerate(sample.aims) if aim > 0)
    place = sample.spots.index(sample.aims[last])
    assert sample.ids[place] == sample.ids[last]
    assert "".join(decoded[:place]).rpartition("\n")[2].startswith('button "')
    learned_aims = [a for a, kept in zip(sample.aims, sample.learned, strict=True) if kept]
    assert -1 in learned_aims
    assert 0 not in sample.aims  # nothing on a page is drawn to the newest result as such


def test_a_name_stands_in_the_wish_and_on_the_page(
    tmp_path: Path, processor: NanoProcessor
) -> None:
    steps = (*EPISODE.steps[:2], step(3, {"name": "click", "target": "Send"}, "click: verified"))
    file = written(tmp_path, EPISODE.model_copy(update={"steps": steps}))
    sample = Recorded(processor, [file], TOOLS, 1, 4096)[0]
    last = max(i for i, aim in enumerate(sample.aims) if aim > 0)
    places = [i for i, spot in enumerate(sample.spots) if spot == sample.aims[last]]
    assert [sample.ids[i] for i in places] == [sample.ids[last]] * 2
    before = [str(processor.tokenizer.decode(sample.ids[:i])).splitlines()[-1] for i in places]
    assert "Press " in before[0] and before[1].startswith('button "')


def test_some_episodes_are_read_as_if_they_were_long(
    tmp_path: Path, processor: NanoProcessor
) -> None:
    lessons = Recorded(processor, [written(tmp_path)], TOOLS, 1, 4096)
    samples = [lessons[i] for i in range(40)]
    far = [sample for sample in samples if sample.positions]
    assert 10 < len(far) < 30
    assert max(sample.positions[-1] for sample in far) > 2048 > len(samples[0].ids)
    marks = processor.tokenizer.convert_tokens_to_ids([USER, ASSISTANT, TOOL])
    for sample in far:
        assert sample.positions[0] == 0
        for i, (here, there) in enumerate(pairwise(sample.positions)):
            assert there == here + 1 or there > here and sample.ids[i + 1] in marks
    (packed, _), counted = pack(far[:1], 4096), [s for s in samples if not s.positions]
    assert packed["position_ids"][0].tolist() == far[0].positions
    assert pack(counted[:1], 4096)[0]["position_ids"][0, -1] == len(counted[0].ids) - 1
