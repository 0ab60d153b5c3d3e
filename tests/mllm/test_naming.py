"""The second opinion of the nano detector on what is in a box."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mllm.data.scenes import render, sample_scene
from mllm.naming import Namer, part
from mllm.training.detector_data import nothing
from mllm.yolo import NAMES, NANO, Detector, Found, WeightsError

UNSEEN, SEED = "twemoji", 1_000_003


@pytest.fixture(scope="module")
def namer() -> Namer:
    return Namer.load(NANO.with_name(NAMES))


def test_it_names_things_of_a_design_that_it_never_saw(namer: Namer) -> None:
    right = total = 0
    for index in range(30):
        scene = sample_scene(SEED, index, style=UNSEEN)
        things = [thing for thing in scene.objects if thing.visible > 0.7]
        opinions = namer.names(render(scene), [Found("?", 1.0, *thing.box) for thing in things])
        for thing, opinion in zip(things, opinions, strict=True):
            assert 0 <= sum(opinion.values()) < 1.001
            right += bool(opinion) and max(opinion, key=lambda name: opinion[name]) == thing.label
            total += 1
    assert right > 0.9 * total


def test_where_there_is_nothing_it_says_so(namer: Namer) -> None:
    box = Found("?", 1.0, 60, 60, 120, 120)
    told = [sum(namer.names(nothing(4, index), [box])[0].values()) for index in range(12)]
    assert np.median(told) < 0.2
    assert namer.names(nothing(4, 0), []) == []


def test_the_detector_with_it_counts_better_than_without(tmp_path: Path) -> None:
    (tmp_path / NANO.name).symlink_to(NANO)
    both, alone = Detector(NANO, (1.0, 1.25)), Detector(tmp_path / NANO.name, (1.0, 1.25))

    def wrong(detector: Detector) -> int:
        missed = 0
        for index in range(25):
            scene = sample_scene(SEED, index, style=UNSEEN)
            found = sorted(f.name for f in detector.find(render(scene), 0.25, 0.5))
            missed += found != sorted(thing.label for thing in scene.objects)
        return missed

    assert wrong(both) < wrong(alone)


@pytest.mark.parametrize(
    "box", [(10, 5, 30, 25), (-9, -9, 6, 6), (35, 18, 60, 40), (3, 3, 3, 3), (-5, -5, 50, 35)]
)
def test_a_part_is_a_square_that_goes_on_at_the_edge(box: tuple[int, int, int, int]) -> None:
    picture = Image.fromarray(np.full((30, 40, 3), (10, 200, 30), np.uint8))
    cut = np.asarray(part(picture, box))
    assert cut.shape == (64, 64, 3)
    assert (cut == (10, 200, 30)).all()


def test_a_part_shows_what_is_in_the_box() -> None:
    picture = Image.new("RGB", (100, 80))
    picture.paste((255, 0, 0), (40, 20, 60, 40))
    cut = np.asarray(part(picture, (40, 20, 60, 40), context=2.0, side=40)).astype(int)
    assert (cut[12:28, 12:28] == (255, 0, 0)).all()
    assert cut[:8].sum() == cut[-8:].sum() == cut[:, :8].sum() == 0


def test_a_namer_is_kept_and_loaded_again(tmp_path: Path) -> None:
    namer, parts = Namer().eval(), torch.rand(3, 3, 64, 64) - 0.5
    with torch.no_grad():
        scores = namer(parts)
        again = Namer.load(namer.save(tmp_path / NAMES))(parts)
        other = Namer().eval()(parts)
    assert torch.allclose(scores, again, atol=5e-3)
    assert not torch.allclose(scores, other, atol=5e-3)


def test_a_broken_second_opinion_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / NANO.name).symlink_to(NANO)
    (tmp_path / NAMES).write_bytes(b"broken")
    with pytest.raises(WeightsError, match=NAMES):
        Detector(tmp_path / NANO.name)
