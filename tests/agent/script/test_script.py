"""A run leaves a script: the exported file runs under plain pytest, a replay repeats and heals."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent import Agent, store
from agent.errors import InputError
from agent.result import Run
from agent.script import deeds
from agent.script.export import script
from agent.script.heal import MOST, choose
from agent.script.replay import Repeated, limits, replay
from agent.script.step import ReplayFailed
from mllm.backends.protocol import Backend, ModelError
from mllm.backends.scripted import Scripted
from mllm.content import ToolCall, Turn
from tests.tools.gui.conftest import SECRETS, Site, server, site
from tools.gui.browser import Browser
from tools.gui.deeds import Deed
from tools.gui.locators import Anchor, Locator
from tools.gui.observation import Element
from tools.gui.session import NAMES

__all__ = ["server", "site"]  # fixtures

pytestmark = pytest.mark.skipif(not any(map(shutil.which, NAMES)), reason="no Chromium")
Does = Callable[..., Run]


def act(
    name: str, expect: dict[str, Any] | None = None, accept: bool = False, **given: Any
) -> Turn:
    action = {"name": name, **given}
    arguments = {"action": action, "expect": expect, "accept_dialog": accept}
    return Turn(text="", calls=(ToolCall(id="x", name="browser", arguments=arguments),))


@pytest.fixture
def does(tmp_path: Path) -> Iterator[Does]:
    """Runs these turns of a scripted model in a real browser, and gives the run."""

    def do(*turns: Turn) -> Run:
        lines = ["Step by step.", *turns, "Done."]
        with browser(("127.0.0.1", "localhost")) as tool:
            agent = Agent(Scripted(lines), [tool, tool.page], runs=tmp_path / "runs", verify=False)
            return agent.run("Book a table for Ada").run

    yield do


def browser(allowed: tuple[str, ...], agrees: bool = True) -> Browser:
    return Browser(
        allowed, secrets=SECRETS, approve=lambda request: agrees, size=(1000, 700), pictures=False
    )


def again(run: Run, model: Backend | None = None, agrees: bool = True) -> list[Repeated]:
    def load() -> Backend:
        if model is None:
            raise ModelError("there is no model here")
        return model

    with browser(limits(deeds.read(run))[0], agrees) as tool:
        return list(replay(run, store.info(run), tool, load, {}))


def exported(run: Run) -> str:
    return script(deeds.read(run), store.info(run).task, run.id, {})


def plain_pytest(text: str, tmp_path: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """The exported file under a plain pytest, in a folder that knows nothing of Corvid."""
    folder = tmp_path / "elsewhere"
    folder.mkdir(exist_ok=True)
    (folder / "test_exported.py").write_text(text, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_exported.py"]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **env}, capture_output=True, text=True, timeout=120
    )


def booking(site: Site) -> list[Turn]:
    return [
        act("goto", url=site.url("restaurant.html")),
        act("click", target="Book now and save 10 %", expect={"text": "is booked"}),
        act("select", target="Guests", options=["4 people"]),
        act("select", target="Day", options=["friday"]),
        act("click", target="20:00"),
        act("click", target="Continue", expect={"text": "Your details"}),
        act("type", target="Name", text="Ada"),
        act("click", target="Continue"),
        act("check", target="I accept the house rules"),
        act("click", target="Continue", expect={"text": "Check and confirm"}),
        act("click", target="Confirm booking", expect={"text": "Your table is booked"}),
        act("done", evidence=[{"text": "Your table is booked"}]),
    ]


def test_a_booking_is_repeated_by_plain_pytest_and_a_refused_one_fails(
    does: Does, site: Site, tmp_path: Path
) -> None:
    run = does(*booking(site))
    text = exported(run)
    assert "corvid" not in "".join(line for line in text.splitlines() if "import" in line)
    assert 'page.get_by_role("button", name="Confirm booking", exact=True).click()' in text
    banner = 'banner = page.get_by_role("button", name="Only what is needed", exact=True)'
    recovery = text[text.index(banner) :].partition("banner.click()\n    ")
    assert "# Nothing is asserted of it: not so: text" in text  # the click on the advertisement
    assert text.count('name="Continue"') == 2  # the attempt on the disabled one is no line
    site.booked.clear()
    end = "assert not refusals"
    optional = "".join(recovery[:2])  # at the end nothing is in the way any more
    passed = plain_pytest(text.replace(end, optional + end), tmp_path)
    assert passed.returncode == 0, passed.stdout
    assert len(site.booked) == 1 and '"Ada"' in site.booked[0]
    site.refusal = "Friday is full."
    failed = plain_pytest(text, tmp_path)
    assert failed.returncode == 1 and "Your table is booked" in failed.stdout
    assert len(site.booked) == 1
    with pytest.raises(ReplayFailed, match="Confirm booking.*contradicted: POST .*answered 409"):
        again(run)


def test_shadow_roots_frames_and_secrets(does: Does, site: Site, tmp_path: Path) -> None:
    inner = site.put(
        '<label>Password <input type=password></label><button onclick="document.body.append('
        "document.querySelector('input').value.length + ' signs')\">Check</button>"
    )
    page = site.put(
        f"<div id=host></div><iframe title='Sign in' src='{inner}'></iframe><script>"
        "const root = host.attachShadow({mode: 'open'});"
        "root.innerHTML = '<button>Open</button><button>Open</button><p></p>';"
        "root.querySelectorAll('button')[1].onclick = () =>"
        " root.querySelector('p').textContent = 'It is open';</script>"
    )
    run = does(
        act("goto", url=page),
        act("click", target="e2", expect={"text": "It is open"}),
        act("type", target="Password", text="<secret:PASSWORD>"),
        act("click", target="Check", expect={"text": "13 signs"}),
    )
    text = exported(run)
    assert """page.locator('iframe[title="Sign in"]').content_frame""" in text
    assert 'os.environ["PASSWORD"]' in text
    record = (run.folder / "events.jsonl").read_text("utf-8")
    assert SECRETS["PASSWORD"] not in text + record
    assert plain_pytest(text, tmp_path, PASSWORD=SECRETS["PASSWORD"]).returncode == 0
    assert "KeyError" in plain_pytest(text, tmp_path).stdout


def test_a_replay_heals_a_renamed_button_and_keeps_it(
    does: Does, site: Site, tmp_path: Path
) -> None:
    body = (
        "<button onclick=\"document.body.append('Sa' + 'ved')\">Save</button><button>Other</button>"
    )
    page = site.put(body, "heal.html")
    run = does(act("goto", url=page), act("click", target="e1", expect={"text": "Saved"}))
    assert [step.how for step in again(run)] == ["done", "done"]
    site.put(f"<p>Hello</p>{body.replace('>Save<', '>Keep it<')}", "heal.html")
    with pytest.raises(ReplayFailed, match=r'Step 2 \(click button "Save"\).*no model here'):
        again(run)

    def chooses(messages: Any) -> str:
        row = next(r for r in messages[-1].words().splitlines() if '"Keep it" e' in r)
        return f'{{"element": "{row.split()[-1]}"}}'

    assert [step.how for step in again(run, Scripted([chooses]))] == ["done", "healed"]
    assert [step.how for step in again(run)] == ["done", "done"]
    assert 'name="Keep it"' in exported(run) and 'name="Save"' not in exported(run)
    assert plain_pytest(exported(run), tmp_path).returncode == 0
    # Where no way was recorded, the reference of that day means nothing.
    deeds.write(run, [deed.model_copy(update={"anchors": {}}) for deed in deeds.read(run)])
    assert "pytest.fail('no way was found back to what this was done to: click" in exported(run)
    with pytest.raises(ReplayFailed, match="no model here"):
        again(run)
    assert [step.how for step in again(run, Scripted([chooses]))] == ["done", "healed"]
    assert 'name="Keep it"' in exported(run)


def test_of_many_controls_those_are_offered_that_are_called_alike() -> None:
    links = [Element(f"e{n}", "link", f"Chapter {n}") for n in range(1, 301)]
    asked: list[str] = []

    def chooses(messages: Any) -> str:
        asked.append(messages[-1].words())
        return '{"element": "e400"}'

    page = [*links, Element("e400", "button", "Book the table")]
    media: Any = None
    was = 'button "Book a table"'
    chosen = choose(Scripted([chooses]), media, "click", was, page, "Book a table", "en")
    assert chosen == "e400" and 'link "Chapter 1" e1\n' in asked[0]
    assert asked[0].count(' "Chapter ') == MOST - 1  # and in reading order
    assert asked[0].index('"Chapter 1"') < asked[0].index('"Book the table"')


def test_a_replay_asks_again_for_approval(does: Does, site: Site) -> None:
    page = site.put("<button onclick=\"document.body.append('Thank you')\">Buy now</button>")
    run = does(act("goto", url=page), act("click", target="Buy now", expect={"text": "Thank"}))
    assert len(again(run)) == 2
    with pytest.raises(ReplayFailed, match="unapproved.*did not agree"):
        again(run, agrees=False)


def test_tabs_questions_and_downloads(does: Does, site: Site, tmp_path: Path) -> None:
    other = site.put("<button onclick=\"document.body.append('Here ' + 'we are')\">Go</button>")
    page = site.put(
        f"<a href='{other}' target=_blank>Other</a><a href='/file'>Fetch</a>"
        "<button onclick=\"if (confirm('Sure?')) document.body.append('As ' + 'you say')\">Ask"
        "</button><p id=place><button onclick=\"place.innerHTML = ''\">Close</button></p>"
    )
    run = does(
        act("goto", url=page),
        act("click", target="Ask", expect={"text": "As you say"}, accept=True),
        act("click", target="Close", expect={"gone": "Close"}),
        act("click", target="Fetch"),
        act("click", target="Other", expect={"url": other}),
        act("click", target="Go", expect={"text": "Here we are"}),
    )
    text = exported(run)
    assert 'answers[:] = [""]\n' in text
    assert "with page.expect_popup() as opened:" in text and "t2.get_by_role" in text
    assert 'download.value.suggested_filename == "menu.txt"' in text
    passed = plain_pytest(text, tmp_path)
    assert passed.returncode == 0, passed.stdout
    assert {step.how for step in again(run)} == {"done"}


def test_what_was_done_thrice_is_done_thrice_and_fields_hold_what_they_held(
    does: Does, site: Site, tmp_path: Path
) -> None:
    page = site.put(
        "<button onclick='n.textContent = +n.textContent + 1'>+</button><p>Count <b id=n>0</b></p>"
        "<label>City <select><option value=1>Paris<option value=3>Rome</select></label>"
        "<label>Password <input type=password></label>"
        "<b role=slider tabindex=0 aria-label=Rooms aria-valuenow=1 onkeydown=\"if (event.key === "
        "'ArrowRight') this.ariaValueNow++\">|</b>"
        "<input type=checkbox id=news style='display: none'><label for=news>Newsletter</label>"
        "<button onclick=\"if (confirm('Sure?')) said.textContent = 'Dear ' + prompt('?', 'Ada')\""
        ">Ask</button><p id=said>"
    )
    run = does(
        act("goto", url=page),
        *[act("click", target="+")] * 2,
        act("click", target="+", expect={"text": "3"}),
        act("select", target="City", options=["Rome"]),
        act("type", target="Password", text="hunter2"),
        act("type", target="Rooms", text="4"),
        act("check", target="Newsletter"),
        act("click", target="Ask", expect={"text": "Dear Ada"}, accept=True),
        act("done", evidence=[{"target": "City", "value": "Rome"}, {"gone": "e999"}]),
    )
    text = exported(run)
    assert text.count('name="+", exact=True).click()') == 3
    assert "•" not in text and "e999" not in text
    assert 'answers[:] = [""] * 2' in text
    assert text.count('locator("option:checked")).to_have_text("Rome")') == 2
    passed = plain_pytest(text, tmp_path)
    assert passed.returncode == 0, passed.stdout
    assert again(run)[-1].how == "done"


def test_each_deed_is_done_in_its_tab_and_frame(does: Does, site: Site, tmp_path: Path) -> None:
    other = site.put("<p>Another tab</p>")
    frame = site.put("<button onclick=\"document.body.append('In ' + 'side')\">Inner</button>")
    page = site.put(
        f"<a href='{other}' target=_blank>Other</a>"
        f"<iframe title=Frame src='{frame.replace('127.0.0.1', 'localhost')}'></iframe>"
        "<button onclick=\"fetch('/refuse', {method: 'POST', body: ''})\">Send</button>"
        '<button onclick="next.hidden = false">More</button>'
        "<button id=next hidden onclick=\"document.body.append('At ' + 'home')\">Next</button>"
    )
    run = does(
        act("goto", url=page),
        act("click", target="Other", expect={"url": other}),
        act("tabs", do="switch", tab="t1"),
        act("click", target="Send"),
        act("click", target="More", expect={"text": "never there"}),
        act("tabs", do="close", tab="t2"),
        act("click", target="Next", expect={"text": "At home"}),
        act("click", target="Inner", expect={"text": "In side"}),
    )
    assert limits(deeds.read(run))[0] == ("127.0.0.1", "localhost")
    text = exported(run)
    assert "t2.close()" in text and "Left out, it was contradicted: click button" in text
    passed = plain_pytest(text, tmp_path)
    assert passed.returncode == 0, passed.stdout
    assert [step.what for step in again(run)][2:5] == [
        "switch to t1",
        'click button "More"',
        "close t2",
    ]


def test_a_file_is_uploaded_under_the_name_that_it_had(tmp_path: Path) -> None:
    stored = tmp_path / "0123abcd.png"
    found = (Locator(by="css", value="#photo"),)
    upload = Deed(
        action={"name": "upload", "target": "e1", "file": "img1"},
        what='upload my menu.png to file "Photo" e1',
        anchors={"target": Anchor(role="file", name="Photo", found=found)},
    )
    text = script([upload], "Send it", "1", {"img1": stored})
    assert '{"name": "my menu.png", "mimeType": "image/png", "buffer": pathlib.Path(' in text
    assert str(stored) in text and "\nimport pathlib\n" in text
    compile(text, "test_exported.py", "exec")


def test_a_run_without_a_page_has_nothing_to_repeat(does: Does) -> None:
    with pytest.raises(InputError, match="opened no page"):
        deeds.read(does())


def test_what_was_dragged_by_a_distance_is_dragged_again(
    does: Does, site: Site, tmp_path: Path
) -> None:
    page = """<button id=box style="position: fixed; left: 50px; top: 50px">Box</button>
      
      <p id=at></p><script>let on = false;
      box.onpointerdown = () => on = true;
      onpointermove = e => { if (on) box.style.left = e.x - box.offsetWidth / 2 + "px"; };
      onpointerup = e => {
        on = false;
        at.textContent = box.getBoundingClientRect().x > 240 ? "far" : "near";
      };
      </script>"""
    run = does(
        act("goto", url=site.put(page)),
        act("drag_by", target="Box", direction="right", pixels=200, expect={"text": "far"}),
        act("done", evidence=[{"text": "far"}]),
    )
    assert {step.how for step in again(run)} == {"done"}
    assert plain_pytest(exported(run), tmp_path).returncode == 0
    said = plain_pytest(exported(run).replace("+ 200", "+ 100"), tmp_path)
    assert said.returncode == 1 and "far" in said.stdout


def test_a_drawing_is_drawn_again_at_the_same_points_and_size(
    does: Does, site: Site, tmp_path: Path
) -> None:
    page = site.put(
        "<canvas id=board width=300 height=200 style='position:absolute;left:50px;top:60px;"
        "border:2px solid'></canvas><p id=said>Nothing</p><script>let from;"
        "const place = e => `${e.offsetX},${e.offsetY}`;"
        "board.onmousedown = e => from = place(e); board.onmouseup = e =>"
        " said.textContent = `${from} to ${place(e)} of ${innerWidth}x${innerHeight}`</script>"
    )
    line, stroke = "28,38 to 198,138 of 1000x700", "198,138 to 148,138 of 1000x700"
    run = does(
        act("goto", url=page),
        Turn(text="", calls=(ToolCall(id="y", name="page", arguments={}),)),
        act("drag", target="screen1:80,100", to="screen1:250,200", expect={"text": line}),
        act("drag_by", target="screen1:250,200", direction="left", expect={"text": stroke}),
    )
    text = exported(run)
    assert text.count("expect(") == 2
    passed = plain_pytest(text, tmp_path)
    assert passed.returncode == 0, passed.stdout
    with pytest.raises(ReplayFailed, match="Step 2 .*points at a picture"):
        again(run)
    old = [deed.model_copy(update={"grips": {}, "point": None}) for deed in deeds.read(run)]
    assert script(old, "Draw", "x", {}).count("# Not robust: where on it") == 3
