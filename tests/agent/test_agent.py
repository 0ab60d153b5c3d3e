from __future__ import annotations

import asyncio
import json
import threading
import time
import wave
from pathlib import Path

import pytest
from pydantic import BaseModel

from agent import Agent, Budget, InputError, RunFailed, log
from agent.events import EVENT, Token
from mllm.backends.protocol import MalformedOutput, ModelError
from mllm.backends.scripted import Scripted
from mllm.content import Boxes, Media
from tests.agent.helpers import after, call, calls, cut, double, find, only_run, white
from tools import Audio, tool

TOOLS = [find, cut, double]


def agent(runs: Path, *lines: object, budget: Budget | None = None) -> tuple[Agent, Scripted]:
    model = Scripted(list(lines))  # type: ignore[arg-type]
    return Agent(model, TOOLS, runs=runs, verify=False, budget=budget), model


def test_steps_compose_through_ids(tmp_path: Path) -> None:
    it, model = agent(
        tmp_path,
        "Find, then cut.",
        calls(call("find", image="img1"), call("double", number=4), thought="I look."),
        calls(call("cut", image="img1", region="boxes1.2")),
        calls(call("find", image="img1.crop1")),
        "Two cups.",
    )
    result = it.run("How many cups?", [white()])
    assert result.answer == "Two cups."
    first, second, third = result.steps
    assert first.thought == "I look."
    assert [r.words() for r in first.results] == [
        "boxes1 on img1: cup: 2\n1 cup [2,3,12,13]\n2 cup [4,3,12,13]",
        "8",
    ]
    (part,) = second.results[0].content
    assert isinstance(part, Media)
    crop = part.artifact
    assert (crop.id, crop.parent, crop.width, crop.height) == ("img1.crop1", "img1", 8, 10)
    (boxes,) = third.results[0].content
    assert isinstance(boxes, Boxes) and (boxes.id, boxes.artifact) == ("boxes2", "img1.crop1")
    shown = [m.words() for m in model.seen[-1]]
    assert shown[1] == "[img1 64x48]\nHow many cups?\nSteps left: 12."
    assert "Steps left: 9." in shown
    assert len({c.id for step in result.steps for c in step.calls}) == 4


def test_stream_is_typed_and_stored_but_for_tokens(tmp_path: Path) -> None:
    it, _ = agent(tmp_path, "Double.", calls(call("double", number=2)), "It is 4.")
    events = list(it.stream("Twice two?"))
    assert [e.type for e in events if not isinstance(e, Token)] == [
        "run_started", "perceived", "planned", "decided", "called", "observed", "step_done",
        "decided", "answered",
    ]  # fmt: skip
    said = "".join(e.text for e in events if isinstance(e, Token) and e.step == 2)
    assert said == "It is 4."
    (folder,) = tmp_path.iterdir()
    assert list(log.read(folder)) == [e for e in events if not isinstance(e, Token)]
    assert all(EVENT.validate_json(EVENT.dump_json(e)) == e for e in events)


def test_identical_pictures_are_stored_once(tmp_path: Path) -> None:
    it, _ = agent(tmp_path, "p", "White.")
    result = it.run("What is here?", [white(), white(), white(8, 8)])
    assert len(list((result.run.folder / "media").iterdir())) == 2


def test_result_dumps_as_the_contract_says(tmp_path: Path) -> None:
    it, _ = agent(tmp_path, "p", "White.")
    result = it.run("What is here?")
    dumped = json.loads(result.model_dump_json())
    assert set(dumped) == {"answer", "claims", "evidence", "steps", "run", "seconds", "tokens"}
    assert dumped["run"] == str(result.run.folder)


def test_budget_ends_in_an_answer(tmp_path: Path) -> None:
    it, model = agent(
        tmp_path,
        "p",
        calls(call("double", number=1)),
        calls(call("double", number=2)),
        "Four, I think.",
        budget=Budget(steps=2),
    )
    assert it.run("Twice two?").answer == "Four, I think."
    notes = [m.words() for m in model.seen[-1] if m.role == "user"]
    assert notes[-2:] == ["Steps left: 1.", "No steps left: answer now."]


def test_chinese_task_gets_chinese_notes(tmp_path: Path) -> None:
    it, model = agent(tmp_path, "p", calls(call("double", number=1)), "二。")
    it.run("一的两倍是多少？")
    assert model.seen[-1][-1].words() == "剩余步数：11。"
    assert "一的两倍是多少？\n剩余步数：12。" in model.seen[0][1].words()


def test_malformed_turns_are_shown_back(tmp_path: Path) -> None:
    bad = MalformedOutput("no closing brace.", '{"name": "dou')
    it, model = agent(tmp_path, "p", bad, bad, calls(call("double", number=1)), bad, "Two.")
    assert it.run("Twice one?").answer == "Two."
    assert '{"name": "dou' in model.seen[2][-2].words()
    assert "no closing brace." in model.seen[2][-1].words()


def test_three_malformed_turns_fail_the_run_and_lose_nothing(tmp_path: Path) -> None:
    bad = MalformedOutput("garbage.", "%%%")
    it, _ = agent(tmp_path, "p", calls(call("double", number=3)), bad, bad, bad, "Six.")
    with pytest.raises(RunFailed, match="3 malformed turns in a row") as failed:
        it.run("Twice three?")
    run = failed.value.run
    assert log.status(run.folder) == "failed"
    result = it.resume(run.id)
    assert result.answer == "Six."
    assert result.steps[0].results[0].words() == "6"


def test_model_error_fails_the_run_clearly(tmp_path: Path) -> None:
    it, _ = agent(tmp_path, "p", ModelError("The endpoint does not answer: start it."), "Six.")
    events = list(it.stream("Twice three?"))
    assert events[-1].type == "failed" and "start it" in events[-1].error
    (folder,) = tmp_path.iterdir()
    assert it.resume(folder).answer == "Six."


def test_unknown_model_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        Agent("./no-such-folder", TOOLS, runs=tmp_path).run("Hello?")
    assert not list(tmp_path.iterdir())


def test_empty_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="empty"):
        agent(tmp_path)[0].run("  ")


def sound(folder: Path) -> Path:
    path = folder / "said.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(160))
    return path


def test_media_that_nothing_takes_are_refused_before_anything_runs(tmp_path: Path) -> None:
    it, model = agent(tmp_path / "runs", "p", "Hello.")
    with pytest.raises(InputError, match=r"said\.wav is audio, which neither scripted nor any"):
        it.run("What is said?", audio=[sound(tmp_path)])
    assert not model.seen and not (tmp_path / "runs").exists()


def test_media_that_a_tool_takes_are_used(tmp_path: Path) -> None:
    @tool
    def listen(sounds: list[Audio]) -> str:
        """Listen.

        Args:
            sounds: What to listen to.
        """
        return f"{sounds[0].artifact.seconds} seconds"

    turns = ["p", calls(call("listen", sounds=["aud1"])), "Hello."]
    it = Agent(Scripted(turns), [*TOOLS, listen], runs=tmp_path / "runs", verify=False)
    result = it.run("What is said?", audio=[sound(tmp_path)])
    assert result.steps[0].results[0].words() == "0.01 seconds"
    with pytest.raises(InputError, match="Video"):
        (tmp_path / "clip.mp4").write_bytes(b"moving")
        it.run("What moves?", video=[tmp_path / "clip.mp4"])


def test_media_that_the_model_takes_are_used(tmp_path: Path) -> None:
    it, model = agent(tmp_path / "runs", "p", "Hello.")
    model.takes = ("image", "audio")  # type: ignore[attr-defined]
    assert it.run("What is said?", audio=[sound(tmp_path)]).answer == "Hello."


def test_leaving_a_stream_early_leaves_a_resumable_run(tmp_path: Path) -> None:
    it = Agent(after([calls(call("double", number=1)), "Two."]), TOOLS, runs=tmp_path, verify=False)
    for event in it.stream("Twice one?"):
        if event.type == "decided":
            break
    (folder,) = tmp_path.iterdir()
    assert log.status(folder) == "interrupted"
    assert it.resume(folder.name).answer == "Two."


def test_no_call_is_made_before_the_reader_has_seen_it(tmp_path: Path) -> None:
    made = []

    @tool
    def act() -> str:
        """Act."""
        made.append(1)
        return "done"

    it = Agent(after([calls(call("act")), "Done."]), [act], runs=tmp_path, verify=False)
    for event in it.stream("Act."):
        if event.type == "decided":
            break
    assert not made


def test_resume_of_a_done_run_gives_its_result(tmp_path: Path) -> None:
    it, model = agent(tmp_path, "p", calls(call("double", number=1)), "Two.")
    first = it.run("Twice one?")
    asked = len(model.seen)
    assert it.resume(first.run.id) == first
    assert len(model.seen) == asked


def test_unknown_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run nope"):
        agent(tmp_path)[0].resume("nope")


def test_batch_keeps_order_and_isolates_failures(tmp_path: Path) -> None:
    it = Agent(
        Scripted([lambda m: f"About {m[1].words().splitlines()[0]}"] * 50),
        TOOLS,
        runs=tmp_path,
        verify=False,
    )
    missing = tmp_path / "missing.png"
    results = it.batch(["one", {"task": "two", "images": [missing]}, "three"], workers=3)
    answers = [getattr(r, "answer", r) for r in results]
    assert (answers[0], answers[2]) == ("About one", "About three")
    assert isinstance(answers[1], InputError) and "missing.png" in str(answers[1])


def test_arun(tmp_path: Path) -> None:
    it, _ = agent(tmp_path, "p", "Two.")
    assert asyncio.run(it.arun("Twice one?")).answer == "Two."


def test_cancelling_arun_leaves_a_resumable_run(tmp_path: Path) -> None:
    model = after([calls(call("wait")), "Done."])
    begun = threading.Event()

    @tool
    def wait() -> str:
        """Wait."""
        begun.set()
        time.sleep(20)
        return "late"

    async def leave() -> None:
        task = asyncio.create_task(Agent(model, [wait], runs=tmp_path, verify=False).arun("Wait."))
        await asyncio.to_thread(begun.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(leave())
    folder = only_run(tmp_path)
    assert log.status(folder) == "interrupted"

    @tool(name="wait")
    def quick() -> str:
        """Wait no longer."""
        return "now"

    it = Agent(model, [quick], runs=tmp_path, verify=False)
    assert it.resume(folder).steps[0].results[0].words() == "now"


class Order(BaseModel):
    item: str
    count: int


def test_output_type_is_retried_with_the_error(tmp_path: Path) -> None:
    it, model = agent(
        tmp_path, "p", "Three cups.", '{"item": "cup"}', '{"item": "cup", "count": 3}'
    )
    result = it.run("What is ordered?", output_type=Order)
    assert result.answer == Order(item="cup", count=3)
    assert "count: Field required" in model.seen[-1][-1].words()
    assert json.loads(result.model_dump_json())["answer"] == {"item": "cup", "count": 3}
    assert it.resume(result.run.id, output_type=Order) == result
    with pytest.raises(InputError, match="output_type=Order"):
        it.resume(result.run.id)


def test_output_type_that_never_fits_fails_with_the_answer_named(tmp_path: Path) -> None:
    it, _ = agent(tmp_path, "p", "Three cups.", "{}", "{}", "{}", '{"item": "cup", "count": 3}')
    with pytest.raises(RunFailed, match="Three cups.") as failed:
        it.run("What is ordered?", output_type=Order)
    assert it.resume(failed.value.run.id, output_type=Order).answer == Order(item="cup", count=3)


def test_same_name_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="same name"):
        Agent(Scripted(["p", "a"]), [find, find], runs=tmp_path).run("Hello?")
