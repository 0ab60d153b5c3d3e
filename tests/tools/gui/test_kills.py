"""Chromium is killed while a form is filled in and sent: the run goes on or says clearly why not,
and no form is sent twice. ``CORVID_KILLS=30`` kills more often."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.tools.conftest import Context, Files
from tests.tools.gui.conftest import SLOW, Person, Site, Surfer, browsers
from tools import Browser
from tools.protocol import ToolError

KILLS = int(os.environ.get("CORVID_KILLS", "3"))
CLEAR = ("crashed: ", "not_found: ", "timeout: ")
"""How a call ends under which the browser was killed."""
BOOKED = "Your table is booked"
FIELDS = """<label>Name <input name=who id=who></label>
  <label>Guests <select><option>2<option>4</select></label>"""
FORM = f"<form action='/then/booked.html?slow' method=post>{FIELDS}<button>Book</button></form>"
SCRIPT = f"""{FIELDS}<button id=b>Book</button><p id=out></p><script>b.onclick = async () => {{
  const answer = await fetch('/slow-book', {{method: 'POST', body: 'who=' + who.value}});
  out.textContent = answer.ok ? '{BOOKED}' : 'Sorry'; }};</script>"""


def kill(spared: frozenset[int] = frozenset()) -> None:
    for process in browsers() - spared:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def book(surf: Surfer, page: str, bookings: str, name: str) -> str:
    """How the task ends with a model that begins anew after every crash, and looks where it may not
    send the form."""
    for _ in range(4):
        try:
            surf.open(page)
            surf("type", target="Name", text=name)
            surf("select", target="Guests", options=["4"])
            surf("click", target="Book", expect={"text": BOOKED})
            return surf("done", evidence=[{"text": BOOKED}])
        except ToolError as failure:
            said = str(failure)
        if said.startswith("unapproved"):
            break
        assert said.startswith(CLEAR), said
    surf.open(bookings)
    try:
        return surf("done", evidence=[{"text": name}])
    except ToolError as failure:
        return str(failure)


@pytest.mark.usefixtures("chromium")
def test_no_form_is_sent_twice_whenever_the_browser_is_killed(site: Site, tmp_path: Path) -> None:
    pages = [site.put(FORM), site.put(SCRIPT)]
    others, rng = frozenset(browsers()), random.Random(7)
    ends: dict[str, str] = {}
    with Browser(allowed=("127.0.0.1",), pictures=False) as browser:

        def once(name: str, page: str) -> str:
            return book(Surfer(browser, Context(Files(tmp_path))), page, site.url("bookings"), name)

        begun = time.monotonic()
        assert "done: verified" in once("guest-none", pages[0])
        usual = time.monotonic() - begun
        for n in range(KILLS):
            name, page = f"guest-{n:03}", pages[n % 2]
            timer = threading.Timer(rng.uniform(0, usual), kill, [others])
            timer.start()
            ends[name] = once(name, page)
            timer.cancel()
            timer.join()
    time.sleep(SLOW)  # what was on its way arrives
    for name, end in ends.items():
        sent = sum(name in body for body in site.booked)
        assert sent == 1 if "done: verified" in end else sent <= 1
        assert "done: verified" in end or end.startswith("not_done: "), end
    print({name: end.split("\n")[0][:120] for name, end in ends.items()})


def test_what_was_sent_before_a_crash_is_sent_once_more_only_if_a_person_agrees(
    surf: Surfer, site: Site, person: Person
) -> None:
    page = site.put(SCRIPT.replace("slow-", ""))

    def order() -> str:
        surf.open(page)
        surf("type", target="Name", text="Ada")
        return surf("click", target="Book", expect={"text": BOOKED})

    assert ": verified" in order()
    kill()
    with pytest.raises(ToolError, match="^crashed: .*something was posted to .*/book"):
        surf("hover", target="Book")
    person.agrees = False
    with pytest.raises(ToolError, match="^unapproved: send the same once more .*may have arrived"):
        order()
    assert len(site.booked) == 1 and [ask.matter for ask in person.asked] == ["submission"]
    surf.open(site.url("bookings"))
    assert "done: verified" in surf("done", evidence=[{"text": "Ada"}])


def test_a_person_may_agree_to_send_it_once_more(surf: Surfer, site: Site, person: Person) -> None:
    surf.open(site.put(FORM.replace("?slow", "")))
    surf("click", target="Book", expect={"text": BOOKED})
    kill()
    with pytest.raises(ToolError, match="^crashed"):
        surf.look()
    surf.open(site.put(FORM.replace("?slow", "")))
    assert ": verified" in surf("click", target="Book", expect={"text": BOOKED})
    assert len(site.booked) == 2 and len(person.asked) == 1


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_what_was_accepted_stays_so_where_the_same_address_refuses_something_else(
    surf: Surfer, site: Site, person: Person, method: str
) -> None:
    page = site.put(f"""<p id=out></p><script>
      const send = body => fetch('/graphql', {{method: '{method}', body}}).then(
        answer => out.textContent = body + answer.status);</script>
      <button onclick="send('order')">Order</button>
      <button onclick="send('refuse')">Ask</button>""")
    surf.open(page)
    surf("click", target="Order", expect={"text": "order200"})
    surf("click", target="Ask", expect={"text": "refuse409"})
    kill()
    with pytest.raises(ToolError, match="^crashed"):
        surf.look()
    person.agrees = False
    surf.open(page)
    with pytest.raises(ToolError, match="^unapproved: send the same once more .*may have arrived"):
        surf("click", target="Order")
    assert site.booked == ["order"]


def test_what_was_refused_before_a_crash_may_be_sent_again(
    surf: Surfer, site: Site, person: Person
) -> None:
    site.refusal, page = "full", site.put(SCRIPT.replace("slow-", ""))
    for _ in range(2):
        surf.open(page)
        assert ": contradicted (POST" in surf("click", target="Book")
        kill()
        with pytest.raises(ToolError, match="^crashed"):
            surf.look()
    assert not person.asked
