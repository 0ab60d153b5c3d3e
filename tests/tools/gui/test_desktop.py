"""A desktop under Xvfb: real GTK windows, read through AT-SPI and used by pointer and keys."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from agent import Agent
from mllm.backends.scripted import Scripted
from mllm.content import Message, ToolCall, Turn
from tests.tools.conftest import Context
from tests.tools.gui.conftest import Person
from tests.tools.gui.desk import SECRETS, Desk, programs, skip_where_missing
from tools.protocol import Picture, ToolError

skip_where_missing()
from tools import Desktop  # noqa: E402
from tools.gui.native.port import Apps  # noqa: E402


@pytest.fixture(scope="module")
def desktop(somebody: Person, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    folder = tmp_path_factory.mktemp("desk")
    with Desktop(
        programs={**programs(folder), "nothing": ["true"], "absent": ["/nowhere/program"]},
        allowed=("zenity",),
        secrets=SECRETS,
        approve=somebody,
        size=(800, 600),
        pictures=False,
    ) as desktop:
        desktop.folder = folder  # type: ignore[attr-defined]
        yield desktop


@pytest.fixture
def desk(desktop: Desktop, context: Context, person: Person) -> Iterator[Desk]:
    desk = Desk(desktop, context, desktop.folder)  # type: ignore[attr-defined]
    yield desk
    for window in desktop._port.windows():  # every test begins on an empty screen
        with suppress(ToolError):  # it went away by itself meanwhile
            desktop._port.shut(window)


def test_a_form_is_filled_and_verified(desk: Desk, person: Person) -> None:
    said = desk("goto", url="form", expect={"text": "Book a table"})
    assert "goto form: verified" in said and 'textbox "Name"' in said
    name = desk.ref('textbox "Name"')
    assert "verified (it holds 'Bea')" in desk("type", target="Name", text="Bea")
    assert "verified (it holds 'Ada Łódź')" in desk("type", target=name, text="Ada Łódź")
    said = desk("type", target="Code", text="<secret:CODE>")
    assert "unverified" in said and [r.matter for r in person.asked] == ["credentials"]
    said = desk("select", target="Guests", options=["4 people"])
    assert "verified (it holds '4 people')" in said and desk.ref('textbox "Name"') == name
    said = desk("click", target="OK", expect={"gone": "Book a table"})
    assert 'verified (gone "Book a table")' in said
    assert desk.given("form") == f"Ada Łódź|{SECRETS['CODE']}|4 people\nstatus 0\n"
    assert "done: verified" in desk("done", evidence=[{"gone": "Book a table"}])
    assert SECRETS["CODE"] not in "".join(desk.heard)
    with pytest.raises(ToolError, match="^not_found: there is no element"):
        desk("click", target=name)


def test_a_list_of_checkboxes_is_called_by_its_rows(desk: Desk) -> None:
    desk("goto", url="dishes")
    assert "verified (it is checked)" in desk("check", target="Soup")  # it was
    said = desk("check", target=desk.ref('checkbox "Cake"'), expect={"text": "Bread"})
    assert 'contradicted (not so: text "Bread")' in said
    assert "verified (it is not checked)" in desk("check", target=desk.ref('"Soup"'), on=False)
    desk("click", target="OK", expect={"gone": "Dishes"})
    assert desk.given("dishes").startswith("Cake\n")


def test_what_proves_nothing_and_what_has_no_effect(desk: Desk) -> None:
    desk("goto", url="form")
    with pytest.raises(ToolError, match="^not_done: .*unverified: .*nothing was acted on"):
        desk("done", evidence=[{"text": "Book a table"}])
    desk("press", keys="Tab")
    with pytest.raises(ToolError, match="^not_done: .*unverified: .*was so before"):
        desk("done", evidence=[{"text": "Book a table"}])
    with pytest.raises(ToolError, match="^not_done: .*contradicted"):
        desk("done", evidence=[{"text": "Booked"}])
    with pytest.raises(ToolError, match="^not_found: .*no option '9'; its options: 2 people"):
        desk("select", target="Guests", options=["9"])
    with pytest.raises(ToolError, match="^wrong_kind: .*no key"):
        desk("press", keys="Hyperdrive")


def test_a_person_is_asked_and_says_no(desk: Desk, person: Person) -> None:
    person.agrees = False
    desk("goto", url="sure")
    with pytest.raises(ToolError, match="^unapproved: .*did not agree"):
        desk("click", target="Delete everything")
    assert [r.matter for r in person.asked] == ["delete"] and not desk.so_far("sure")
    desk("click", target="No", expect={"gone": "Delete all of it?"})
    assert desk.given("sure") == "status 1\n"


def test_windows_are_tabs(desk: Desk) -> None:
    desk("goto", url="form")
    said = desk("goto", url="dishes")
    assert "is in front" in said and 'dialog "Menu"' in said
    first, second = (line.split()[0] for line in desk("tabs").splitlines()[1:3])
    said = desk("tabs", do="switch", tab=first)
    assert ": verified" in said and "Book a table" in said
    desk("type", target="Name", text="Ada")  # not into the window below
    assert ": verified" in desk("tabs", do="close", tab=second)
    assert "Menu" not in desk.look()


def test_a_point_of_a_screenshot_is_clicked_and_marks_are_drawn(desk: Desk) -> None:
    desk("goto", url="form")
    desk.look()
    x0, y0, x1, y1 = desk.box('textbox "Code"')
    desk("click", target=f"screen1:{(x0 + x1) // 2},{(y0 + y1) // 2}")
    code = desk.ref('textbox "Code"')
    assert f"focus on {code}" in desk.look()
    plain, marked = (desk.tool.screen.call({"marks": m}, desk.context)[-1] for m in (False, True))
    assert isinstance(plain, Picture) and isinstance(marked, Picture)
    assert plain.image.tobytes() != marked.image.tobytes()
    desk("press", keys="Escape", expect={"gone": "Book a table"})
    assert desk.given("form") == "status 1\n"


def test_programs_that_cannot_be_started_are_told(desk: Desk) -> None:
    with pytest.raises(ToolError, match="^refused: .*not among the programs to start: form, "):
        desk("goto", url="xterm")
    with pytest.raises(ToolError, match="^crashed: .*ended without a window"):
        desk("goto", url="nothing")
    with pytest.raises(ToolError, match="^crashed: .*does not start"):
        desk("goto", url="absent")


def test_only_allowed_applications_are_read_and_used(context: Context, tmp_path: Path) -> None:
    with Desktop(programs(tmp_path), allowed=("gimp",), size=(800, 600)) as desktop:
        desk = Desk(desktop, context, tmp_path)
        said = desk("goto", url="form")
        assert "not among the allowed ones (gimp)" in said and "Name" not in said
        assert not context.artifacts  # nor is it shown
        with pytest.raises(ToolError, match="^refused: "):
            desk("press", keys="Enter")


@pytest.mark.parametrize("lists", [{"denied": ("gnome-text-editor",)}, {"denied": ("VAULT",)}])
def test_a_denied_application_is_known_by_its_full_name_and_by_its_class(
    context: Context, tmp_path: Path, lists: dict[str, tuple[str, ...]]
) -> None:
    with Desktop(_editor(tmp_path), **lists, size=(480, 320)) as desktop:
        desk = Desk(desktop, context, tmp_path)
        said = desk("goto", url="editor")
        assert f"the application {lists['denied'][0]} is denied" in said and "Shred" not in said
        with pytest.raises(ToolError, match="^refused: "):
            desk("press", keys="Enter")


def test_an_application_with_a_long_name_is_allowed_by_it(context: Context, tmp_path: Path) -> None:
    with Desktop(
        _editor(tmp_path), allowed=("gnome-text-editor",), denied=("gedit",), size=(480, 320)
    ) as desktop:
        said = Desk(desktop, context, tmp_path)("goto", url="editor")
        assert "Shred" in said and "app:gnome-text-editor/" in said


def test_a_window_that_names_no_process_passes_no_list() -> None:
    assert not Apps().objection("app:/Sure")
    for some in (Apps(allowed=("gimp",)), Apps(denied=("gimp",))):
        assert "cannot be told" in some.objection("app:/Sure") and not some.objection("app:")
    listed = Apps(allowed=("xmessage", "python3.11"), denied=("vault",))
    assert listed.known_as((), ("xmessage",)) == "xmessage"  # all that is known of it
    assert listed.known_as(("gimp",), ("xmessage",)) == "gimp"  # a class may be anything
    assert listed.known_as(("python3.11",), ("vault",)) == "vault"


def _editor(folder: Path) -> dict[str, list[str]]:
    """A program whose name is longer than what the kernel keeps of it."""
    program = shutil.copy(shutil.which("zenity") or "", folder / "gnome-text-editor")
    return {"editor": [program, "--question", "--text=Shred it?", "--class=Vault"]}


def test_in_a_run_with_nobody_to_ask_nothing_final_is_done(tmp_path: Path) -> None:
    def call(name: str, /, **arguments: object) -> Turn:
        called = {"action": {"name": name, **arguments}}
        return Turn(calls=(ToolCall(id=name, name="desktop", arguments=called),))

    turns = [call("goto", url="sure"), call("click", target="Delete everything"), "I may not."]

    def say(messages: Sequence[Message]) -> Turn | str:
        if messages[-1].words().startswith("Plan"):
            return "Step by step."
        return turns[sum(bool(m.calls) for m in messages)]

    with Desktop(programs(tmp_path), size=(800, 600)) as desktop:
        agent = Agent(Scripted([say] * 9), [desktop], runs=tmp_path / "runs", verify=False)
        result = agent.run("Delete all of it.")
    said = [part.words() for step in result.steps for part in step.results]
    assert "goto sure: verified" in said[0] and "there is nobody to ask" in said[1]
    assert result.answer == "I may not." and not (tmp_path / "sure.txt").read_text()
