from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Annotated, Any, Literal

import pytest
from PIL import Image as PILImage
from pydantic import BaseModel, Field

from mllm.content import Boxes, Media, Text
from tests.tools.conftest import Context, box
from tools.protocol import Audio, Document, Image, Picture, Tool, ToolContext, ToolError, tool


class Size(BaseModel):
    wide: int
    note: str | None = None


class Tree(BaseModel):
    children: list[Tree] = []


@tool
def paint(
    image: Image,
    labels: list[str] | None = None,
    count: int = 3,
    side: Literal["left", "right"] = "left",
    region: Boxes | None = None,
    size: Size | None = None,
) -> str:
    """Paint what is asked for
    on the picture.

    A second paragraph that models do not read.

    Args:
        image: The photo.
        labels (list[str]): What to paint: names,
            in any language.
        count: How many.

    Returns:
        Words.
    """
    rows = [b.label for b in region.boxes] if region else region
    return f"{image.artifact.id} {labels} {count} {side} {rows} {size}"


def said(*parts: object) -> str:
    return "\n".join(p.text for p in parts if isinstance(p, Text))


def test_the_spec_is_what_a_model_needs_and_no_more() -> None:
    assert paint.name == "paint"
    assert paint.description == "Paint what is asked for on the picture."
    assert paint.spec.parameters == {
        "type": "object",
        "properties": {
            "image": {
                "type": "string",
                "description": "The photo (id of an image, such as img1)",
            },
            "labels": {
                "type": "array",
                "items": {"type": "string"},
                "description": "What to paint: names, in any language.",
            },
            "count": {"type": "integer", "description": "How many.", "default": 3},
            "side": {"type": "string", "enum": ["left", "right"], "default": "left"},
            "region": {
                "type": "string",
                "description": "id of boxes, such as boxes1, or a row, boxes1.2",
            },
            "size": {
                "type": "object",
                "properties": {"wide": {"type": "integer"}, "note": {"type": "string"}},
                "required": ["wide"],
            },
        },
        "required": ["image"],
    }


def test_ids_become_the_things_they_name(context: Context) -> None:
    image = context.add_image(PILImage.new("RGB", (8, 6), "red"))
    context.add_boxes(image, box((0, 0, 2, 2), "cup"), box((3, 3, 5, 5), "cat"))
    got = paint.call({"image": "img1", "region": "boxes1.2", "size": {"wide": 2}}, context)
    assert said(*got) == "img1 None 3 left ['cat'] wide=2 note=None"


def test_ids_inside_lists_and_the_pixels_behind_them(context: Context) -> None:
    context.add_image(PILImage.new("RGB", (8, 6), (255, 0, 0)))
    context.add_image(PILImage.new("RGB", (5, 5), (0, 0, 255)))

    @tool
    def sizes(images: list[Image]) -> list[str]:
        """Sizes and first pixels."""
        return [f"{i.pil().size} {i.pil().getpixel((0, 0))}" for i in images]

    got = sizes.call({"images": ["img2", "img1"]}, context)
    assert said(*got) == "(5, 5) (0, 0, 255)\n(8, 6) (255, 0, 0)"


def test_null_for_a_parameter_with_a_default_means_the_default(context: Context) -> None:
    context.add_image(PILImage.new("RGB", (8, 6)))
    got = paint.call({"image": "img1", "count": None, "labels": None}, context)
    assert said(*got) == "img1 None 3 left None None"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": 3}, "argument 'labels' of paint: expected a list of strings, got 3"),
        ({"labels": [3, 4]}, "argument 'labels' of paint: expected a list of strings, got [3, 4]"),
        ({"count": "many"}, "argument 'count' of paint: expected a whole number, got \"many\""),
        ({"side": "up"}, 'argument \'side\' of paint: expected one of "left", "right", got "up"'),
        ({"image": None}, "argument 'image' of paint: expected an id of an image, such as img1"),
        ({"colour": 1}, "paint has no argument 'colour'; its arguments: image, labels, count"),
        ({"size": {"wide": "x"}}, "argument 'size.wide' of paint: must be a valid integer"),
        ({"size": 4}, "argument 'size' of paint"),
        ({"image": "img7"}, "there is no img7; known: img1"),
        ({"region": "boxes4"}, "there are no boxes4"),
        ({"labels": "x" * 500}, "..."),
    ],
)
def test_a_wrong_argument_is_told_in_a_sentence(
    context: Context, arguments: dict[str, Any], message: str
) -> None:
    context.add_image(PILImage.new("RGB", (8, 6)))
    with pytest.raises(ToolError) as caught:
        paint.call({"image": "img1", **arguments}, context)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 250


def test_a_missing_argument_is_told_with_what_it_should_be(context: Context) -> None:
    with pytest.raises(ToolError, match="paint needs argument 'image', an id of an image"):
        paint.call({}, context)


def test_media_of_the_wrong_kind_are_refused(context: Context) -> None:
    context.add_file(b"sound", "audio", "audio/wav", "aud1")
    context.add_file(b"%PDF", "document", "application/pdf", "page1")

    @tool
    def read(document: Document, sound: Audio | None = None) -> str:
        """Read a file."""
        return document.path().read_bytes().decode()

    assert said(*read.call({"document": "page1"}, context)) == "%PDF"
    with pytest.raises(ToolError, match=r"aud1 is of kind audio, but .*'image'.* id of an image"):
        paint.call({"image": "aud1"}, context)
    with pytest.raises(ToolError, match="page1 is of kind document"):
        read.call({"document": "page1", "sound": "page1"}, context)


def test_the_context_is_given_and_hidden(context: Context) -> None:
    @tool
    def budget(context: ToolContext, more: int = 1) -> int:
        """The pool's budget."""
        return context.pool.budget_bytes + more

    assert list(budget.spec.parameters["properties"]) == ["more"]
    assert said(*budget.call({"more": 2}, context)) == str(context.pool.budget_bytes + 2)
    with pytest.raises(ToolError, match="no argument 'context'"):
        budget.call({"context": 1}, context)


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("words", "words"),
        (2, "2"),
        (2.5, "2.5"),
        (True, "true"),
        (None, "done"),
        (Size(wide=3), '{"wide":3}'),
        ({"猫": 1}, '{"猫":1}'),
        ([], "nothing"),
        (["a", 2, ("b",)], "a\n2\nb"),
        ("x" * 10_000_000, "x" * 10_000_000),
    ],
)
def test_outputs_become_text(context: Context, output: object, text: str) -> None:
    @tool
    def give() -> Any:
        """Give it."""
        return output

    assert said(*give.call({}, context)) == text


def test_outputs_that_are_more_than_text(context: Context) -> None:
    image = context.add_image(PILImage.new("RGB", (8, 6)))
    boxes = context.add_boxes(image, box((0, 0, 2, 2), "cup"))
    picture = Picture(PILImage.new("RGB", (2, 2)), parent="img1", name="crop")

    @tool
    def give() -> Any:
        """Give it."""
        return ["see", picture, boxes, image]

    got = give.call({}, context)
    assert got == (Text(text="see"), picture, boxes, Media(artifact=image.artifact))


def test_an_output_that_cannot_be_shown_is_the_authors_mistake(context: Context) -> None:
    @tool
    def give() -> Any:
        """Give it."""
        return object()

    with pytest.raises(TypeError, match="tool give returned object; return text"):
        give.call({}, context)


def test_what_a_tool_raises_passes_through(context: Context) -> None:
    @tool
    def fail(kind: str) -> str:
        """Fail."""
        raise ToolError("try img2") if kind == "tool" else KeyError("inside")

    with pytest.raises(ToolError, match="try img2"):
        fail.call({"kind": "tool"}, context)
    with pytest.raises(KeyError):
        fail.call({"kind": "bug"}, context)


def test_async_tools_run_with_and_without_an_event_loop(context: Context) -> None:
    @tool
    async def wait(word: str) -> str:
        """Wait and say."""
        await asyncio.sleep(0)
        return word + "!"

    async def inside() -> str:
        return said(*wait.call({"word": "b"}, context))

    assert said(*wait.call({"word": "a"}, context)) == "a!"
    assert asyncio.run(inside()) == "b!"


def test_the_decorator_with_arguments_keeps_the_function_callable() -> None:
    @tool(name="send_mail", side_effect=True, timeout=5)
    def send(to: str) -> str:
        """Send mail."""
        return f"sent to {to}"

    assert (send.name, send.side_effect, send.timeout) == ("send_mail", True, 5)
    assert send("Ann") == "sent to Ann"
    assert send.spec.name == "send_mail"


def test_a_class_takes_its_spec_from_run(context: Context) -> None:
    class Add(Tool):
        name = "add"

        def run(self, a: Annotated[int, Field(ge=0, description="First.")], b: int) -> int:
            """Add two numbers.

            Args:
                b: Second.
            """
            return a + b

    add = Add()
    assert add.description == "Add two numbers."
    assert add.spec.parameters["properties"] == {
        "a": {"type": "integer", "description": "First.", "minimum": 0},
        "b": {"type": "integer", "description": "Second."},
    }
    assert said(*add.call({"a": 1, "b": 2}, context)) == "3"
    with pytest.raises(ToolError, match="argument 'a' of add: must be greater than or equal to 0"):
        add.call({"a": -1, "b": 2}, context)


def test_mistakes_of_an_author_show_at_the_definition() -> None:
    def undocumented(a: int) -> int:
        return a

    def unhinted(a):  # type: ignore[no-untyped-def]
        """Do."""

    def starred(*a: int) -> None:
        """Do."""

    def nested(a: Tree) -> None:
        """Do."""

    def opaque(a: PILImage.Image) -> None:
        """Do."""

    def misnamed(a: int) -> None:
        """Do.

        Args:
            b: What?
        """

    def undefined(a: Nowhere) -> None:  # type: ignore[name-defined]  # noqa: F821
        """Do."""

    def open_ended(a: int | None) -> None:
        """Do."""

    for fn, message in (
        (undocumented, "write a docstring"),
        (unhinted, "give parameter 'a' a type hint"),
        (starred, "parameter 'a' must be a plain named one"),
        (nested, "Tree contains itself"),
        (opaque, "type without a schema"),
        (misnamed, r"no such parameter: \['b'\]"),
        (undefined, "cannot be resolved"),
        (open_ended, "give the optional parameter 'a' a default"),
    ):
        with pytest.raises(TypeError, match=f"tool {fn.__name__}: .*{message}"):
            tool(fn)


def test_importing_tools_loads_no_expert() -> None:
    code = (
        "import sys, tools; from tools import Tool, ToolError, tool, Image, Audio, Document\n"
        "from tools import Select, Calculate, Look, Crop, Zoom, Annotate, ReadText, default_tools\n"
        "ReadText().spec, Select().spec\n"
        "print([m for m in ('torch', 'ultralytics', 'onnxruntime', 'rapidocr_onnxruntime', 'cv2',"
        " 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_default_tools_have_the_names_that_nano_learned() -> None:
    from tools import default_tools

    specs = {t.name: t.spec for t in default_tools()}
    assert list(specs) == [
        "detect", "read_text", "select", "calculate", "look", "crop", "annotate",
    ]  # fmt: skip
    assert all(len(s.description) < 200 for s in specs.values())
