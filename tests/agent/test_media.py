from __future__ import annotations

import struct
import wave
import zlib
from pathlib import Path

import pytest
from PIL import Image as PILImage

from agent import Agent, InputError, media
from agent.store import MediaStore, runs_folder
from mllm.backends.scripted import Scripted
from tests.agent.helpers import white


def png_of(width: int, height: int) -> bytes:
    """A PNG that only claims its size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + pixels + chunk(b"IEND", b"")


@pytest.fixture
def bad(tmp_path: Path) -> dict[str, Path]:
    """Files that cannot be used, by what is wrong with them."""
    whole = tmp_path / "whole.jpg"
    PILImage.effect_noise((200, 200), 80).convert("RGB").save(whole)
    contents = {
        "is empty": b"",
        "is damaged": whole.read_bytes()[:3000],
        "known format": b"%PDF-1.7 not a picture",
        "too large (10000x9000": png_of(10_000, 9_000),
        "at most 40 megapixels": png_of(50_000, 50_000),
    }
    files = {"does not exist": tmp_path / "missing.png", "is a folder": tmp_path}
    for number, (wrong, data) in enumerate(contents.items()):
        files[wrong] = tmp_path / f"bad{number}.png"
        files[wrong].write_bytes(data)
    return files


def test_bad_pictures_give_one_clear_sentence_and_no_run(
    bad: dict[str, Path], tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    it = Agent(Scripted(["p", "a"]), [], runs=runs)
    for wrong, path in bad.items():
        with pytest.raises(InputError) as error:
            it.run("What is it?", [path])
        said = str(error.value)
        assert wrong in said and path.name in said and "\n" not in said
    assert not runs.exists()


def test_addresses_are_refused() -> None:
    with pytest.raises(InputError, match="download it first"):
        media.load_image("https://example.org/cup.png")


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    picture = white(30, 20)
    picture.putpixel((0, 0), (255, 0, 0))
    exif = PILImage.Exif()
    exif[0x0112] = 6  # to be shown turned right by a quarter
    path = tmp_path / "turned.png"
    picture.save(path, exif=exif)
    loaded = media.load_image(path)
    assert (loaded.artifact.width, loaded.artifact.height) == (20, 30)
    assert loaded.data == path.read_bytes()
    assert media.decode(loaded.data)[0].getpixel((19, 0)) == (255, 0, 0)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_white(tmp_path: Path, mode: str) -> None:
    clear = PILImage.new("RGBA", (4, 4), (10, 20, 30, 0))
    picture = clear.convert(mode) if mode != "P" else clear.quantize()
    picture.save(tmp_path / "clear.png")
    loaded = media.load_image(tmp_path / "clear.png")
    assert media.decode(loaded.data)[0].getpixel((1, 1)) == (255, 255, 255)


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    PILImage.new("I;16", (4, 4), 128 * 256).save(tmp_path / "deep.png")
    picture, _ = media.decode((tmp_path / "deep.png").read_bytes())
    assert picture.getpixel((0, 0)) == (128, 128, 128)


def test_pictures_in_memory_are_upright_and_of_any_mode() -> None:
    picture = PILImage.new("RGB", (40, 20))
    picture.getexif()[0x0112] = 6  # turned by a quarter
    assert media.load_image(picture).artifact.width == 20
    for mode in ("CMYK", "YCbCr", "F", "I", "I;16", "P", "1"):
        assert media.load_image(PILImage.new(mode, (4, 3))).artifact.height == 3
    deep = media.load_image(PILImage.new("I", (4, 4), 128 * 256)).data
    assert media.decode(deep)[0].getpixel((0, 0)) == (128, 128, 128)


def test_large_pictures_are_scaled_down_and_kept_whole(tmp_path: Path) -> None:
    path = tmp_path / "wide.png"
    white(6000, 300).save(path)
    it = Agent(Scripted(["p", "White."]), [], runs=tmp_path / "runs", verify=False)
    result = it.run("What is it?", [path])
    store = MediaStore(result.run.folder)
    artifact = media.load_image(path).named("img1").artifact
    assert (artifact.width, artifact.height) == (4096, 205)
    assert store.image(artifact).size == (4096, 205)
    assert store.path(artifact).read_bytes() == path.read_bytes()


def test_a_lost_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    artifact = media.load_image(white()).named("img1").artifact
    with pytest.raises(FileNotFoundError, match="img1"):
        MediaStore(tmp_path).image(artifact)


def test_the_store_gives_every_caller_its_own_picture(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    store, loaded = MediaStore(tmp_path), media.load_image(white())
    store.put(loaded.data, loaded.artifact.sha256, loaded.suffix)
    store.image(loaded.artifact).putpixel((0, 0), (0, 0, 0))
    assert store.image(loaded.artifact).getpixel((0, 0)) == (255, 255, 255)


def test_sound_files(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\0\0" * 4000)
    assert media.load_file(path, "audio").artifact.seconds == 0.5
    with pytest.raises(InputError, match="does not look like video"):
        media.load_file(path, "video")


def test_runs_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CORVID_RUNS", raising=False)
    assert runs_folder(None) == Path("runs")
    monkeypatch.setenv("CORVID_RUNS", str(tmp_path))
    assert runs_folder(None) == tmp_path
    assert runs_folder(Path("here")) == Path("here")
