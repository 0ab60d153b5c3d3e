"""The browser in a run: begun at an address, and stopped where a person must agree."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from agent import Agent, NeedsApproval, RunFailed, report
from agent.errors import InputError
from agent.result import Result
from mllm.backends.protocol import Backend
from mllm.backends.scripted import Scripted
from mllm.content import Message, ToolCall, Turn
from tests.tools.gui.conftest import Site
from tools import Browser
from tools.gui import session

PAGE = Path(__file__).parents[3] / "examples" / "pages" / "restaurant.html"
SHOP = """<h1>Shop</h1>
<button onclick="fetch('/buy', {method: 'POST', body: 'cup'}); out.textContent = 'Thanks'"
  >Buy now</button><p id=out></p>"""


def act(name: str, /, **arguments: object) -> Turn:
    beside = {k: arguments.pop(k) for k in ("expect",) if k in arguments}
    called = {"action": {"name": name, **arguments}, **beside}
    return Turn(calls=(ToolCall(id="x", name="browser", arguments=called),))


def script(*turns: Turn | str) -> Backend:
    """By how many steps it is shown, so that a resumed run goes on where it stood. The first step
    is the opened page, which it did not decide."""

    def say(messages: Sequence[Message]) -> Turn | str:
        if messages[-1].words().startswith("Plan"):
            return "Step by step."
        return turns[min(sum(bool(m.calls) for m in messages) - 1, len(turns) - 1)]

    return Scripted([say] * 100)


@pytest.fixture(autouse=True)
def chromium_is_there(chromium: Browser) -> None:
    """Skips where it is not."""


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "runs"


def buyer(runs: Path) -> Agent:
    buy = act("click", target="Buy now", expect={"text": "Thanks"})
    return Agent(script(buy, "Bought."), [], runs=runs, verify=False)


def told(result: Result, step: int) -> str:
    return result.steps[step - 1].results[0].words()


def waiting(agent: Agent, url: str) -> NeedsApproval:
    with pytest.raises(NeedsApproval) as stopped:
        agent.run("Buy a cup.", url=url, ask=True)
    return stopped.value


def test_a_yes_buys_on_the_page_that_stayed_open(site: Site, runs: Path) -> None:
    agent = buyer(runs)
    stopped = waiting(agent, url := site.put(SHOP))
    assert [c.id for c in stopped.calls] == ["call2"] and not site.booked
    for words in ("purchase", "Buy now", url):
        assert words in str(stopped)
    result = agent.resume(stopped.run.folder, approve={"call2": "yes"}, ask=True)
    assert ": verified" in told(result, 2) and site.booked == ["cup"]
    assert site.asked.count(url.removeprefix("http://")) == 1  # it was not opened again


def test_a_no_buys_nothing(site: Site, runs: Path) -> None:
    agent = buyer(runs)
    stopped = waiting(agent, site.put(SHOP))
    result = agent.resume(stopped.run.folder, approve={"call2": "no"}, ask=True)
    assert "a person was asked and did not agree" in told(result, 2) and not site.booked


def test_nobody_to_ask(site: Site, runs: Path) -> None:
    result = buyer(runs).run("Buy a cup.", url=site.put(SHOP))
    assert "there is nobody to ask" in told(result, 2) and not site.booked


def test_in_another_process_the_page_is_gone_and_the_model_begins_anew(
    site: Site, runs: Path
) -> None:
    url = site.put(SHOP)
    run = waiting(buyer(runs), url).run.folder
    buy = act("click", target="Buy now", expect={"text": "Thanks"})
    model = script(buy, act("goto", url=url), buy, "Bought.")
    later = Agent(model, [], runs=runs, verify=False)  # nothing of the first one's is here
    with pytest.raises(NeedsApproval) as again:
        later.resume(run, approve={"call2": "yes"}, ask=True)
    assert [c.id for c in again.value.calls] == ["call4"] and not site.booked
    result = later.resume(run, approve={"call4": "yes"}, ask=True)
    assert "no page is open" in told(result, 2) and "goto" in told(result, 2)
    assert ": verified" in told(result, 4) and site.booked == ["cup"]


def test_the_model_asks_a_person(site: Site, runs: Path) -> None:
    agent = Agent(script(act("ask_person", question="Which day?"), "So."), [], runs=runs)
    agent.verify = False
    with pytest.raises(NeedsApproval, match=r"call2 \(browser\) asks you: Which day\?") as stopped:
        agent.run("Book a table.", url=site.put(SHOP), ask=True)
    result = agent.resume(stopped.value.run.folder, approve={"call2": "Friday"}, ask=True)
    assert told(result, 2) == "The person answers: Friday"
    result = agent.run("Book a table.", url=site.put(SHOP))
    assert "nobody to ask" in told(result, 2) and result.steps[1].results[0].error


BOOKING = (
    act("click", target="Only what is needed", expect={"gone": "We value your privacy"}),
    act("select", target="Guests", options=["4 people"]),
    act("select", target="Day", options=["Friday"]),
    act("click", target="20:00"),
    act("click", target="Continue", expect={"text": "Your details"}),
    act("type", target="Name", text="Ada"),
    act("check", target="I accept the house rules"),
    act("click", target="Continue", expect={"text": "Check and confirm"}),
    act("click", target="Confirm booking", expect={"text": "Your table is booked"}),
    act("done", evidence=[{"text": "Your table is booked"}]),
    "The table is booked.",
)


def test_a_file_is_a_page_to_begin_at(runs: Path) -> None:
    agent = Agent(script(*BOOKING), [], runs=runs, verify=False)
    result = agent.run("Book a table.", url=str(PAGE))
    opened = result.steps[0]
    assert opened.calls[0].arguments == {"action": {"name": "goto", "url": PAGE.as_uri()}}
    assert "We value your privacy" in told(result, 1)
    assert ": verified" in told(result, 10) and ": verified" in told(result, 11)
    info = json.loads((result.run.folder / "run.json").read_text())
    assert info["url"] == PAGE.as_uri() and {"browser", "page"} <= set(info["tools"])


def test_the_report_marks_what_was_acted_on(runs: Path) -> None:
    agent = Agent(script(*BOOKING), [], runs=runs, verify=False)
    result = agent.run("Book a table.", url=str(PAGE))
    page = report.write(result.run.folder).read_text()
    captions = re.findall(r'<span class="caption[^>]*>([^<]*)</span>', page)
    done = [turn.calls[0].arguments["action"]["name"] for turn in BOOKING if isinstance(turn, Turn)]
    assert [caption.partition(":")[0] for caption in captions] == done[:-1]
    assert set(captions) >= {"click: verified", "select: verified", "type: verified"}


def test_nothing_beyond_the_address_may_be_visited(site: Site, runs: Path, tmp_path: Path) -> None:
    beyond = (tmp_path / "secret.html").as_uri()
    turns = [act("goto", url=u) for u in (site.url("faults.html"), beyond, "file:///etc/passwd")]
    agent = Agent(script(*turns, "No way."), [], runs=runs, verify=False)
    result = agent.run("Look around.", url=str(PAGE))
    assert [told(result, n).split(":")[0] for n in (2, 3, 4)] == ["refused"] * 3
    agent = Agent(script(act("goto", url=site.evil()), act("goto", url=beyond), "No way."), [],
                  runs=runs, verify=False)  # fmt: skip
    result = agent.run("Look around.", url=site.put(SHOP))
    assert [told(result, n).split(":")[0] for n in (2, 3)] == ["refused"] * 2


@pytest.mark.parametrize("url", ["none.html", "./none", "/none/page.html", "javascript:1", "what"])
def test_what_is_no_page_is_bad_input(runs: Path, url: str) -> None:
    with pytest.raises(InputError, match="cannot be opened: give"):
        Agent(script("Never."), [], runs=runs).run("Look.", url=url)
    assert not runs.exists()


def test_without_chromium_it_is_said_at_once(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "NAMES", ())
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(runs / "nowhere"))
    with pytest.raises(InputError, match="needs a browser: .*corvid doctor"):
        Agent(script("Never."), [], runs=runs).run("Look.", url=str(PAGE))
    assert not runs.exists()


def test_a_browser_of_the_agents_own_is_used(chromium: Browser, site: Site, runs: Path) -> None:
    agent = Agent(script("Opened."), [chromium, chromium.page], runs=runs, verify=False)
    result = agent.run("Look.", url=site.put(SHOP))
    assert "Shop" in told(result, 1) and chromium._driver.session.in_front() is not None
    with pytest.raises(RunFailed):
        Agent(script(), [chromium], runs=runs, verify=False).run("Look.", url=site.put(SHOP))
