"""The model as a whole: caches, pictures, packing, saving, learning, generating."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor
from transformers import AutoModelForImageTextToText, AutoProcessor, DynamicCache

from mllm.model import NanoForConditionalGeneration, NanoProcessor
from mllm.model.decoder import PIECE
from mllm.training.packing import Sample, pack

Inputs = dict[str, Tensor]


def picture(color: str) -> Image.Image:
    image = Image.new("RGB", (90, 60), color)
    image.paste("white", (10, 10, 30, 40))
    return image


def ask(processor: NanoProcessor, image: Image.Image, text: str = "How many red cups?") -> Inputs:
    chat = [
        {
            "role": "user",
            "content": [{"type": "image", "image": image}, {"type": "text", "text": text}],
        }
    ]
    inputs = processor.apply_chat_template(
        chat, tokenize=True, add_generation_prompt=True, return_dict=True, return_tensors="pt"
    )
    return dict(inputs)


@pytest.mark.parametrize("text", ["How many red cups?", "Is it <|loc_5|> or <|loc_9|>?"])
@torch.no_grad()
def test_cached_logits_equal_uncached(
    tiny: NanoForConditionalGeneration, processor: NanoProcessor, text: str
) -> None:
    inputs = ask(processor, picture("red"), text)
    ids, pixels = inputs["input_ids"], inputs["pixel_values"]
    whole = tiny(input_ids=ids, pixel_values=pixels, use_cache=False).logits
    cache = DynamicCache(config=tiny.config)
    cut = ids.shape[1] - 6
    parts = [tiny(input_ids=ids[:, :cut], pixel_values=pixels, past_key_values=cache).logits]
    # Several tokens at once, then one by one, as a session does it.
    for start, end in ((cut, cut + 3), (cut + 3, cut + 4), (cut + 4, cut + 6)):
        parts.append(tiny(input_ids=ids[:, start:end], past_key_values=cache).logits)
    assert cache.get_seq_length() == ids.shape[1]
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=2e-4, rtol=1e-4)


@torch.no_grad()
def test_long_rows_are_read_in_pieces_as_in_one(tiny: NanoForConditionalGeneration) -> None:
    """Training does without a cache, and takes long rows piece by piece."""
    ids = torch.randint(10, 60, (2, 2 * PIECE + 30), generator=torch.Generator().manual_seed(0))
    in_pieces = tiny(input_ids=ids, use_cache=False).logits
    torch.testing.assert_close(in_pieces, tiny(input_ids=ids, use_cache=True).logits)


@torch.no_grad()
def test_a_second_picture_in_the_session_is_read_from_the_cache(
    tiny: NanoForConditionalGeneration, processor: NanoProcessor
) -> None:
    first, second = ask(processor, picture("red")), ask(processor, picture("blue"))
    ids = torch.cat([first["input_ids"], second["input_ids"]], 1)
    pixels = torch.cat([first["pixel_values"], second["pixel_values"]])
    whole = tiny(input_ids=ids, pixel_values=pixels, use_cache=False).logits
    cache = DynamicCache()
    tiny(**{k: first[k] for k in ("input_ids", "pixel_values")}, past_key_values=cache)
    later = tiny(**{k: second[k] for k in ("input_ids", "pixel_values")}, past_key_values=cache)
    torch.testing.assert_close(
        later.logits[:, -1], whole[:, -1], atol=2e-4, rtol=1e-4
    )


@torch.no_grad()
def test_a_place_that_is_named_is_read_as_what_the_newest_picture_shows_there(
    tiny: NanoForConditionalGeneration, processor: NanoProcessor
) -> None:
    first, second = ask(processor, picture("red")), ask(processor, picture("blue"), "<|loc_5|>?")
    ids = torch.cat([first["input_ids"], second["input_ids"]], 1)
    pixels = torch.cat([first["pixel_values"], second["pixel_values"]])
    read: list[Tensor] = []
    hook = tiny.decoder.register_forward_pre_hook(lambda _, given: read.append(given[0][0]))
    tiny(input_ids=ids, pixel_values=pixels)
    hook.remove()
    starts = (ids[0] == tiny.config.image_token_id).nonzero()[:: tiny.config.image_tokens, 0]
    named = int((ids[0] == tiny.config.first_location_id + 5).nonzero()[0, 0])
    old, new = (read[0][start + 5] for start in starts)
    torch.testing.assert_close(read[0][named], new)
    assert (read[0][named] - old).abs().max() > 1e-3


@torch.no_grad()
def test_logits_are_a_distribution(
    tiny: NanoForConditionalGeneration, processor: NanoProcessor
) -> None:
    logits = tiny(**ask(processor, picture("red"))).logits
    total = logits.exp().sum(-1)
    torch.testing.assert_close(total, torch.ones_like(total), atol=1e-4, rtol=0)


@torch.no_grad()
def test_the_picture_changes_the_logits(
    tiny: NanoForConditionalGeneration, processor: NanoProcessor
) -> None:
    red = tiny(**ask(processor, picture("red"))).logits[:, -1]
    blue = tiny(**ask(processor, picture("blue"))).logits[:, -1]
    assert (red - blue).abs().max() > 1e-3


@torch.no_grad()
def test_pointers_to_places_weigh_visual_tokens_however_long_these_are(
    tiny: NanoForConditionalGeneration,
    processor: NanoProcessor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weigh, weighed = tiny.head.weights, []
    monkeypatch.setattr(
        tiny.head, "weights", lambda *given: weighed.append(weigh(*given)) or weighed[-1]
    )
    tiny.connector.aligned.weight.mul_(1000)
    inputs = ask(processor, picture("red"))
    tiny(**inputs)
    _, weights = weighed[0]
    pictured = inputs["input_ids"][0] == tiny.config.image_token_id
    copies, places = weights[0, :-1, -1], weights[0, -1, -1]
    torch.testing.assert_close(places[pictured].sum(), torch.tensor(1.0))
    assert places[~pictured].sum() == 0
    # One that is all or nothing learns nothing.
    assert places.max() < 0.5 < copies[:, pictured].max()


@torch.no_grad()
def test_padding_on_the_left_changes_nothing(
    tiny: NanoForConditionalGeneration, processor: NanoProcessor
) -> None:
    inputs = ask(processor, picture("red"))
    alone = tiny(**inputs).logits[:, -1]
    pad = torch.full((1, 5), tiny.config.pad_token_id)
    padded = tiny(
        input_ids=torch.cat([pad, inputs["input_ids"]], 1),
        attention_mask=torch.cat([torch.zeros_like(pad), inputs["attention_mask"]], 1),
        pixel_values=inputs["pixel_values"],
    ).logits[:, -1]
    torch.testing.assert_close(padded, alone, atol=2e-4, rtol=1e-4)


@torch.no_grad()
def test_packed_samples_learn_as_if_alone(
    tiny: NanoForConditionalGeneration, processor: NanoProcessor
) -> None:
    red = ask(processor, picture("red"), "<|loc_5|>: how many red cups?")
    blue = ask(processor, picture("blue"), "<|loc_5|>: any dogs here?")
    pixels = torch.cat([red["pixel_values"], blue["pixel_values"]])
    samples = []
    for number, inputs in enumerate((red, blue, red)):
        ids = inputs["input_ids"][0].tolist()
        picture_number = number % 2  # the first and third sample share an encoded picture
        learned = [i >= len(ids) - 4 for i in range(len(ids))]
        samples.append(Sample(ids, learned, [picture_number], trunk=len(ids) - 5))

    def loss(chosen: list[Sample], pictures: Tensor) -> Tensor:
        packed, rest = pack(chosen, 400)
        assert not rest and packed["segments"].max() == min(len(chosen), 2) - 1
        return tiny(**packed, pixel_values=pictures).loss

    together = loss(samples, pixels)
    alone = [
        loss([Sample(s.ids, s.learned, [0])], pixels[s.pictures]) for s in samples
    ]
    torch.testing.assert_close(together, torch.stack(alone).mean(), atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_the_training_loss_is_that_of_the_logits(
    tiny: NanoForConditionalGeneration, processor: NanoProcessor
) -> None:
    inputs = ask(processor, picture("red"))
    logits = tiny(**inputs).logits
    labels = inputs["input_ids"].clone()
    labels[:, :-5] = -100
    expected = torch.nn.functional.nll_loss(logits[0, -6:-1], labels[0, -5:])
    actual = tiny(**inputs, labels=labels).loss
    torch.testing.assert_close(actual, expected, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_saving_and_loading_is_exact(
    tiny: NanoForConditionalGeneration, processor: NanoProcessor, tmp_path: Path
) -> None:
    tiny.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    model = AutoModelForImageTextToText.from_pretrained(tmp_path).eval()
    loaded = AutoProcessor.from_pretrained(tmp_path)
    assert isinstance(model, NanoForConditionalGeneration)
    inputs, again = ask(processor, picture("red")), ask(loaded, picture("red"))
    assert torch.equal(inputs["input_ids"], again["input_ids"])
    assert torch.equal(inputs["pixel_values"], again["pixel_values"])
    for name, weight in tiny.state_dict().items():
        assert torch.equal(model.state_dict()[name], weight), name
    # Not to the last bit: how a file's tensors lie in memory decides the order of sums.
    torch.testing.assert_close(tiny(**inputs).logits, model(**again).logits, atol=1e-5, rtol=1e-5)


def test_one_sample_is_learned_by_heart_and_generated(
    tiny: NanoForConditionalGeneration, processor: NanoProcessor
) -> None:
    inputs = ask(processor, picture("red"))
    answer = "<|loc_12|><|loc_40|> 2 杯子<|end|>"
    said = processor.tokenizer(answer, return_tensors="pt")["input_ids"]
    ids = torch.cat([inputs["input_ids"], said], 1)
    labels = ids.clone()
    labels[:, : -said.shape[1]] = -100
    optimizer = torch.optim.AdamW(tiny.parameters(), lr=3e-3)
    tiny.train()
    for _ in range(60):
        loss = tiny(input_ids=ids, pixel_values=inputs["pixel_values"], labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert loss.item() < 0.01
    tiny.eval()
    out = tiny.generate(**inputs, max_new_tokens=20, do_sample=False)
    new = out[0, inputs["input_ids"].shape[1] :]
    assert processor.tokenizer.decode(new) == answer


def test_pictures_and_image_tokens_must_match(
    tiny: NanoForConditionalGeneration, processor: NanoProcessor
) -> None:
    inputs = ask(processor, picture("red"))
    with pytest.raises(ValueError, match="no picture"):
        tiny(input_ids=inputs["input_ids"])
    with pytest.raises(ValueError, match="64 image tokens"):
        tiny(
            input_ids=inputs["input_ids"],
            pixel_values=inputs["pixel_values"].repeat(2, 1, 1, 1),
        )
