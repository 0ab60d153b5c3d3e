from __future__ import annotations

import io
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import skimage
from PIL import Image as PILImage

from mllm.content import Boxes
from mllm.data.scenes import Scene, render, sample_scene
from mllm.yolo import NANO, Detector, Found, WeightsError
from tests.tools.conftest import Context
from tools.detect import NANO_THRESHOLD, Detect, known
from tools.protocol import ToolError

COCO = ("person", "bicycle", "car", "bus", "wine glass", "cup", "knife", "potted plant", "mouse")


def scene(*labels: str, start: int = 0) -> Scene:
    """The first scene of the evaluation design, from a number on, that shows all of these."""
    for index in range(start, start + 400):
        found = sample_scene(1_000_003, index, style="twemoji")
        if set(labels) <= {o.label for o in found.objects}:
            return found
    raise AssertionError(f"no scene shows {labels}")


def call(context: Context, image: PILImage.Image, **arguments: object) -> Boxes:
    """The boxes of a call on a new picture."""
    id = context.add_image(image).artifact.id
    boxes = Detect().call({"image": id, **arguments}, context)[0]
    assert isinstance(boxes, Boxes)
    return boxes


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of a stock architecture, as any user's ``.pt`` file."""
    from mllm.yolo import quiet

    quiet()
    from ultralytics.models import YOLO

    path = tmp_path_factory.mktemp("weights") / "stock.pt"
    YOLO("yolo11n.yaml").save(str(path))
    return path


def test_nano_finds_most_objects_of_a_design_never_trained_on(context: Context) -> None:
    objects = right = 0
    for index in range(12):
        shown = sample_scene(1_000_003, index, style="twemoji")
        boxes = call(context, render(shown)).boxes
        for thing in shown.objects:
            x, y = (thing.box[0] + thing.box[2]) / 2, (thing.box[1] + thing.box[3]) / 2
            objects += 1
            right += any(
                b.label == thing.label and b.x0 < x < b.x1 and b.y0 < y < b.y1 for b in boxes
            )
    assert right >= 0.7 * objects


def test_boxes_are_inside_the_picture_ordered_by_score_and_coloured(context: Context) -> None:
    shown = render(scene("dog")).resize((1024, 1024))
    boxes = call(context, shown).boxes
    assert boxes
    scores = [b.score or 0.0 for b in boxes]
    assert scores == sorted(scores, reverse=True)
    for b in boxes:
        assert (b.artifact, b.width, b.height) == ("img1", 1024, 1024)
        assert 0 <= b.x0 < b.x1 <= 1024 and 0 <= b.y0 < b.y1 <= 1024
        assert b.color is not None and (b.score or 0) >= NANO_THRESHOLD


def test_a_large_picture_gives_the_same_objects_at_its_own_size(context: Context) -> None:
    picture = render(scene("car"))
    small = call(context, picture).boxes
    large = call(context, picture.resize((picture.width * 12, picture.height * 12))).boxes
    assert [b.label for b in small[:3]] == [b.label for b in large[:3]]
    assert large[0].x0 == pytest.approx(small[0].x0 * 12, abs=36)


def test_labels_keep_only_what_was_asked_for_in_any_words(context: Context) -> None:
    picture = render(scene("dog"))
    unasked = {b.x0 for b in call(context, picture).boxes if b.label == "dog"}
    dogs = call(context, picture, labels=["dog"]).boxes
    assert {b.label for b in dogs} == {"dog"}
    assert unasked <= {b.x0 for b in dogs}  # a name that is asked for has more weight
    for word in ("Dogs", "a puppy", "狗"):
        assert call(context, picture, labels=[word]).boxes == tuple(
            b.model_copy(update={"artifact": f"img{len(context.artifacts)}"}) for b in dogs
        )
    animals = {b.label for b in call(context, picture, labels=["animals"]).boxes}
    assert "dog" in animals


def test_counts_stand_in_the_order_and_the_words_of_the_call(context: Context) -> None:
    boxes = call(context, render(scene("dog")), labels=["couches", "a puppy"])
    assert {b.label for b in boxes.boxes} == {"dog"}
    head = boxes.words().splitlines()[0]
    assert head == f"boxes on img1: couches: 0, a puppy: {len(boxes.boxes)}"


def test_what_nobody_named_is_counted_in_the_language_of_the_person(context: Context) -> None:
    image = render(scene("banana"))
    english = call(context, image)
    context.lang = "zh"
    chinese = call(context, image)
    assert "banana" in english.counts and "香蕉" in chinese.counts
    assert list(english.counts.values()) == list(chinese.counts.values())
    assert english.boxes[0].label == chinese.boxes[0].label  # rows keep the detector's names


def test_nothing_found_says_of_what(context: Context) -> None:
    picture = render(scene("dog"))
    assert call(context, picture, labels=["couches"]).words() == "boxes on img1: couches: 0"
    (unsure,) = Detect(threshold=0.999).call({"image": "img1"}, context)
    assert unsure.words().endswith(": object of a kind that this detector knows: 0")


def test_an_unknown_label_is_refused_never_absent(context: Context) -> None:
    context.add_image(render(scene("dog")))
    with pytest.raises(ToolError, match="cannot detect 'unicorn'.*80 kinds.*stays open"):
        Detect().call({"image": "img1", "labels": ["unicorn"]}, context)
    with pytest.raises(ToolError, match="close to it: cup"):
        Detect().call({"image": "img1", "labels": ["cup of tea"]}, context)


def test_known_labels_are_answered_beside_an_unknown_one(context: Context) -> None:
    context.add_image(render(scene("dog")))
    boxes, note = Detect().call({"image": "img1", "labels": ["dog", "unicorn"]}, context)
    assert isinstance(boxes, Boxes) and {b.label for b in boxes.boxes} == {"dog"}
    assert set(boxes.counts) == {"dog"} and "'unicorn'" in note.text  # type: ignore[union-attr]


def test_calls_repeat_exactly_and_from_several_threads(context: Context) -> None:
    picture = render(scene("cat"))
    first = call(context, picture).boxes
    id = context.add_image(picture).artifact.id
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda _: Detect().call({"image": id}, context), range(8)))
    for (result,) in results:
        assert isinstance(result, Boxes)
        assert [(b.label, b.x0) for b in result.boxes] == [(b.label, b.x0) for b in first]


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (3000, 2), (17, 33)])
def test_odd_pictures_are_no_trouble(
    context: Context, stock: Path, size: tuple[int, int]
) -> None:
    context.add_image(PILImage.new("RGB", size, (200, 30, 30)))
    (boxes,) = Detect(stock, threshold=1e-6).call({"image": "img1"}, context)
    assert isinstance(boxes, Boxes)
    assert all(b.x1 <= size[0] and b.y1 <= size[1] for b in boxes.boxes)
    with pytest.raises(ToolError, match="cannot judge this picture"):
        Detect().call({"image": "img1"}, context)


def test_any_stock_weights_load(context: Context, stock: Path) -> None:
    context.add_image(PILImage.effect_noise((300, 200), 90).convert("RGB"))
    tool = Detect(stock, threshold=1e-6)
    everything = tool.call({"image": "img1"}, context)[0]
    assert isinstance(everything, Boxes) and everything.boxes
    label = str(everything.boxes[0].label)
    only = tool.call({"image": "img1", "labels": [label]}, context)[0]
    assert isinstance(only, Boxes) and {b.label for b in only.boxes} == {label}


def test_open_vocabulary_weights_look_for_the_words_of_the_call(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    class Open:
        open_vocabulary = True
        names = ("thing",)

        def __init__(self, path: Path, scales: tuple[float, ...]) -> None: ...

        def knows(self, image: PILImage.Image) -> bool:
            return True

        def look_for(self, names: tuple[str, ...]) -> None:
            asked.append(names)

        def find(
            self,
            image: PILImage.Image,
            threshold: float,
            iou: float,
            names: frozenset[str],
            faint: float,
        ) -> list[Found]:
            return [Found(asked[-1][0], 0.9, 2, 2, 9, 9)]

    monkeypatch.setattr("tools.detect.Detector", Open)
    context.pool.clear()
    context.add_image(PILImage.new("RGB", (64, 64), (255, 0, 0)))
    tool = Detect(classes=["crane"])
    for labels, expected in ((["red unicorn"], "red unicorn"), (None, "crane")):
        boxes = tool.call({"image": "img1", "labels": labels}, context)[0]
        assert isinstance(boxes, Boxes) and boxes.boxes[0].label == expected
    context.pool.clear()


def test_broken_or_missing_weights_are_said_so(context: Context, tmp_path: Path) -> None:
    context.add_image(PILImage.new("RGB", (64, 64)))
    broken = tmp_path / "broken.pt"
    broken.write_bytes(b"PK\x03\x04 this is no model")
    with pytest.raises(ToolError, match="broken.pt cannot be loaded as a YOLO detector"):
        Detect(broken).call({"image": "img1"}, context)
    with pytest.raises(WeightsError, match="missing.pt is not there"):
        Detect(tmp_path / "missing.pt")


@pytest.mark.parametrize(
    ("label", "kinds"),
    [
        ("People", ("person",)),
        ("wine_glasses", ("wine glass",)),
        ("buses", ("bus",)),
        ("mugs", ("cup",)),
        ("自行车", ("bicycle",)),
        ("the potted plants", ("potted plant",)),
        ("mice", ("mouse",)),
    ],
)
def test_labels_are_matched_with_the_names_of_any_weights(
    label: str, kinds: tuple[str, ...]
) -> None:
    assert known([label], COCO).kinds == {label: kinds}


def test_a_group_means_its_members_that_the_weights_know() -> None:
    assert set(known(["vehicles"], COCO).kinds["vehicles"]) == {"bicycle", "car", "bus"}
    with pytest.raises(ToolError, match="among the 9 kinds"):
        known(["fruit"], COCO)


@pytest.mark.parametrize("name", ["coffee", "chelsea", "astronaut", "rocket", "camera", "coins"])
def test_a_photograph_is_refused_never_said_to_be_empty(context: Context, name: str) -> None:
    context.add_image(PILImage.fromarray(getattr(skimage.data, name)()).convert("RGB"))
    with pytest.raises(ToolError, match="cannot judge this picture.*stays open"):
        Detect().call({"image": "img1", "labels": ["cup", "cat"]}, context)


def test_a_part_is_as_familiar_as_the_whole(context: Context) -> None:
    whole = context.add_image(PILImage.fromarray(skimage.data.coffee())).artifact
    drawn = context.add_image(render(scene("cat"))).artifact
    part = drawn.model_copy(update={"parent": whole.id})
    context.artifacts[part.id] = part
    with pytest.raises(ToolError, match="cannot judge this picture"):
        Detect().call({"image": part.id, "labels": ["cup"]}, context)


def test_drawn_scenes_of_an_unseen_design_are_no_strangers() -> None:
    detector = Detector(NANO)
    known = [detector.knows(render(sample_scene(4, i, style="twemoji"))) for i in range(20)]
    assert sum(known) >= 19


def test_damaged_pictures_raise_pils_own_error_after_detection(context: Context) -> None:
    call(context, render(scene("cat")))
    with pytest.raises(PILImage.UnidentifiedImageError):
        PILImage.open(io.BytesIO(b"this is no picture"))


def test_detection_is_silent_and_keeps_out_of_the_home_folder(tmp_path: Path) -> None:
    """A fresh process prints nothing, and writes no settings where ultralytics would."""
    code = (
        "from PIL import Image; from mllm.yolo import NANO, Detector;"
        "Detector(NANO).find(Image.new('RGB', (64, 64)), 0.4, 0.6)"
    )
    env = {k: v for k, v in os.environ.items() if not k.startswith("YOLO")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, cwd=Path.cwd(), check=True,
        env=env | {"HOME": str(tmp_path), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.stdout + done.stderr == ""
    assert not list(tmp_path.rglob("*ltralytics*"))
