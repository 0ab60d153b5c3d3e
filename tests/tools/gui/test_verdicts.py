"""What is expected is checked: verified, unverified, contradicted."""

from __future__ import annotations

import socket

import pytest

from tests.tools.gui.conftest import Site, Surfer
from tools.gui.judge import Done, decide, denial
from tools.gui.observation import BUDGET
from tools.gui.watch import Refusal
from tools.protocol import ToolError

PLAIN = Done("click")
REFUSED = Refusal("POST", "http://a/pay", 500, decisive=True)


def kind(
    before: bool | None = None,
    after: bool | None = None,
    done: Done = PLAIN,
    refusals: tuple[Refusal, ...] = (),
    loading: bool = False,
    looks: bool = False,
) -> str:
    said = [{} if held is None else {"text": held} for held in (before, after)]
    return decide(said[0], said[1], done, list(refusals), loading, looks).kind


def test_only_what_became_true_is_verified() -> None:
    assert kind(False, True) == "verified"
    assert kind(True, True) == "unverified"
    assert kind(True, True, looks=True) == "verified"
    assert kind(False, False) == "contradicted"
    assert kind(False, False, loading=True) == "unverified"
    assert kind() == "unverified"
    assert kind(done=Done("type", own=True)) == "verified"
    assert kind(False, True, Done("type", own=False)) == "contradicted"


def test_a_refusal_of_the_server_refutes_what_the_page_shows() -> None:
    assert kind(False, True, refusals=(REFUSED,)) == "contradicted"
    aside = Refusal("GET", "http://ads/x", 404, decisive=False)
    assert kind(False, True, refusals=(aside,)) == "verified"


def test_text_that_comes_late_is_waited_for(surf: Surfer, site: Site) -> None:
    page = """<p id=out></p><button
      onclick="this.title += 1; setTimeout(() => out.textContent='Sent', 200)">Go</button>"""
    surf.open(site.put(page))
    assert 'verified (text "Sent")' in surf("click", target="Go", expect={"text": "Sent"})
    assert "unverified (was so before" in surf("click", target="Go", expect={"text": "Sent"})


def test_invisible_text_is_no_evidence(surf: Surfer, site: Site) -> None:
    page = """<p style="opacity:0">Paid<p style="visibility:hidden">Paid<p hidden>Paid</p>
      <button onclick="b.textContent='thinking'">Pay</button><p id=b>"""
    surf.open(site.put(page))
    assert ": contradicted" in surf("click", target="Pay", expect={"text": "Paid"})


def test_success_that_the_page_shows_and_the_server_refuses(surf: Surfer, site: Site) -> None:
    site.refusal = "no"
    page = """<p id=out></p><button
      onclick="fetch('/pay', {method: 'POST', body: '1'}); out.textContent='Paid!'">Pay</button>"""
    surf.open(site.put(page))
    said = surf("click", target="Pay", expect={"text": "Paid!"})
    assert ": contradicted (POST" in said and "409" in said


def test_a_missing_picture_refutes_nothing(surf: Surfer, site: Site) -> None:
    surf.open(
        site.put(
            "<button onclick=\"fetch('/nowhere'); out.textContent='Done'\">Go</button><p id=out>"
        )
    )
    said = surf("click", target="Go", expect={"text": "Done"})
    assert ': verified (text "Done")' in said and "GET" in said and "404" in said


def test_a_link_leads_to_an_address(surf: Surfer, site: Site) -> None:
    there = site.put("<p>Arrived", path="arrived.html")
    surf.open(site.put(f"<a href='{there}'>Next</a> <a href='/lost'>Lost</a>"))
    ref = surf.ref('"Next"')
    said = surf("click", target="Next", expect={"url": "arrived", "gone": ref})
    assert ": verified" in said and '"Arrived"' in said
    assert '"Lost"' in surf("back", expect={"text": "Lost"})
    assert ": contradicted (GET" in surf("click", target="Lost")


def test_a_new_tab_comes_to_the_front_and_back_closes_it(surf: Surfer, site: Site) -> None:
    there = site.put("<p>Other tab")
    surf.open(site.put(f"<a href='{there}' target=_blank>Open</a>"))
    said = surf("click", target="Open", expect={"text": "Other tab"})
    assert ": verified" in said and "a new tab is in front" in said
    assert 'link "Open"' in surf("back")


def test_what_is_gone_is_gone_where_it_was(surf: Surfer, site: Site) -> None:
    there = site.put("<p>Other page")
    page = f"""<p>Item 7</p><a href='{there}' target=_blank>Popup</a> <a href='{there}'>Leave</a>
      <button onclick="document.querySelector('p').remove()">Remove</button>"""
    address = site.put(page)
    surf.open(address)
    said = surf("click", target="Popup", expect={"gone": "Item 7", "text": "Other page"})
    assert ": contradicted (not so: gone" in said
    surf("back")
    surf("click", target="Leave")
    gone = [{"gone": "Item 7"}]
    with pytest.raises(ToolError, match="^not_done: .*unverified: .*its page was left"):
        surf("done", evidence=gone)
    assert "done: unverified (what is gone may only be" in surf("done", evidence=gone)
    surf.open(address)
    surf("click", target="Remove")
    assert "done: verified" in surf("done", evidence=gone)


@pytest.mark.parametrize(
    ("told", "proof", "kind"),
    [
        ("Booked! This booking cannot be changed.", "Booked!", "doubted"),
        ("预订成功，不可取消，不能退款", "预订成功", "doubted"),
        ("3 uploaded, 0 failed", "3 uploaded", "verified"),
        ("完成，系统无异常", "完成", "verified"),
        ("We could not book your table", "your table", "contradicted"),
        ("Booking failed, table for two", "table for two", "contradicted"),
        ("3 uploaded. 10 failed", "3 uploaded", "doubted"),
        ("3 uploaded. 10 failed", "uploaded. 10", "contradicted"),
    ],
)
def test_an_alarm_behind_what_is_proved_is_a_doubt(
    surf: Surfer, site: Site, told: str, proof: str, kind: str
) -> None:
    page = f"<button onclick=\"out.textContent = '{told}'\">Go</button><p id=out role=status>"
    surf.open(site.put(page))
    surf("click", target="Go")
    for claimed in range(2):
        try:
            said = surf("done", evidence=[{"text": proof}])
        except ToolError as failure:
            said = str(failure)
        if kind == "contradicted":
            assert said.startswith("not_done: the task does not count as done: contradicted")
        elif kind == "verified" or claimed:
            assert f"done: {'verified' if kind == 'verified' else 'unverified'}" in said
            break
        else:
            assert said.startswith(
                "not_done: the task does not count as done: unverified: the page also"
            )


@pytest.mark.parametrize(
    ("shown", "claimed", "denied"),
    [
        ("Sorry, your table is not booked.", "booked", True),
        ("Payment failed: table could not be booked", "booked", True),
        ("Sorry, your table is not\n   yet booked.", "booked", True),
        ("Your table isn’t booked", "booked", True),
        ("Would be booked, but the payment failed.", "booked", True),
        ("No table is booked", "table is booked", True),
        ("The card is invalid", "valid", True),
        ("抱歉，您的餐桌未预订成功", "预订成功", True),
        ("Booked! It cannot be changed.", "booked", False),
        ("Your table is booked, and cannot be moved.", "booked", False),
        ("预订成功，不可取消", "预订成功", False),
        ("非常感谢，预订成功", "预订成功", False),
        ("Order no. 12 is booked", "booked", False),
        ("It is not booked yet.\n\nYour table is booked", "booked", False),
        ("Not what you wanted?\n\nBooked", "booked", False),
        ("Booked with no fees", "booked", False),
        ("Your table is not booked", "not booked", False),
        ("12.50 paid", "12.50", False),
    ],
)
def test_a_sentence_that_denies_a_text_does_not_show_it(
    shown: str, claimed: str, denied: bool
) -> None:
    assert bool(denial(shown, claimed)) == denied


@pytest.mark.parametrize(
    "told",
    [
        "<p>Payment failed: table could not be booked</p>",
        "<div role=alert>Sorry, your table is <b>not</b> booked.</div>",
    ],
)
def test_a_text_that_the_page_denies_is_no_evidence(surf: Surfer, site: Site, told: str) -> None:
    page = f"""<button onclick="fetch('/book', {{method: 'POST', body: 'x'}});
      out.innerHTML = '{told}'">Go</button><div id=out>"""
    surf.open(site.put(page))
    surf("click", target="Go")
    with pytest.raises(ToolError, match='^not_done: .*contradicted: "booked" stands only where'):
        surf("done", evidence=[{"text": "booked"}])


def test_a_question_is_answered_with_no_unless_told(surf: Surfer, site: Site) -> None:
    page = """<p id=out></p>
      <button onclick="out.textContent = confirm('Really?') ? 'gone' : 'kept'">Delete</button>
      <button onclick="out.textContent = prompt('Name?', 'x')">Rename</button>
      <button onclick="alert('Hello')">Greet</button>"""
    surf.open(site.put(page))
    with pytest.raises(ToolError, match='^dialog: the page asked confirm "Really.".*accept_dialog'):
        surf("click", target="Delete")
    assert '"kept"' in surf.look(find="kept")
    assert "verified" in surf("click", target="Delete", accept_dialog=True, expect={"text": "gone"})
    assert "verified" in surf("click", target="Rename", answer="Ada", expect={"text": "Ada"})
    surf("click", target="Rename", answer="", expect={"gone": "Ada"})
    assert 'text "x"' not in surf.look()
    assert 'the page said alert "Hello"' in surf("click", target="Greet")


@pytest.mark.parametrize("expect", [{"text": "Old page"}, {"url": "page"}])
def test_what_the_old_page_shows_is_no_proof_of_a_goto_that_was_stopped(
    surf: Surfer, site: Site, expect: dict[str, str]
) -> None:
    evil = site.url("redirect?" + site.url(host="evil.localhost"))
    surf.open(site.put("<p>Old page</p>"))
    with pytest.raises(ToolError, match="^refused: .*evil.localhost is denied"):
        surf("goto", url=evil, expect=expect)
    page = "<p>Old page</p><input><script>onbeforeunload = e => e.preventDefault()</script>"
    surf.open(site.put(page))
    surf("type", target=surf.ref("textbox"), text="x")
    with pytest.raises(ToolError, match="^dialog: the page asked beforeunload"):
        surf("goto", url=site.put("<p>New"), expect=expect)
    assert "Old page" in surf.look()
    surf("goto", url=site.put("<p>New"), accept_dialog=True)


def test_a_tab_that_was_kept_from_its_address_is_told_where_the_action_is_verified(
    surf: Surfer, site: Site
) -> None:
    evil = site.url(host="evil.localhost")
    page = f"""<button onclick="window.open('{evil}'); out.textContent = 'Saved'">Go</button>
      <p id=out>"""
    surf.open(site.put(page))
    said = surf("click", target="Go", expect={"text": "Saved"})
    assert ": verified" in said and f"not loaded: {evil} (the domain" in said


def test_what_a_new_tab_sends_and_is_refused_stays_refused(surf: Surfer, site: Site) -> None:
    page = """<p id=out></p><form action=/error method=post target=_blank
      onsubmit="out.textContent = 'Your table is booked'"><button>Book</button></form>"""
    surf.open(site.put(page))
    assert ": contradicted (POST" in surf("click", target="Book")
    surf("back")
    with pytest.raises(ToolError, match="^not_done: .*contradicted: POST .*/error answered 500"):
        surf("done", evidence=[{"text": "table is booked"}])


def test_a_text_is_extracted_by_what_it_stands_for(surf: Surfer, site: Site) -> None:
    surf.open(site.put("<p>Total: 12.50 EUR for two cups</p><p>There is a total of two cups</p>"))
    assert "12.50 EUR" in surf("extract", target="Total")


def test_waiting_and_extracting(surf: Surfer, site: Site) -> None:
    late = "<script>setTimeout(() => document.body.append('Ready now'), 400)</script>"
    surf.open(site.put(f"<p>First</p><table id=t><tr><td>a<td>b</table>{'word ' * 2000}{late}"))
    assert "verified" in surf("wait_for", until={"text": "ready NOW"}, seconds=3)
    with pytest.raises(ToolError, match='^timeout: .*text "never"'):
        surf("wait_for", until={"text": "never"}, seconds=0.2)
    said = surf("extract")
    assert "> First" in said and "goes on: start 3500" in said
    assert "Ready now" in surf("extract", start=9000)
    surf.open(site.put(f"<p>{'长文' * 3000}"))
    assert len(surf("extract").encode()) < BUDGET


def test_a_page_that_is_not_there(surf: Surfer, site: Site) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    with pytest.raises(ToolError, match="^navigation_error: .*CONNECTION_REFUSED"):
        surf.open(f"http://127.0.0.1:{closed}/")
    assert ": contradicted (GET" in surf.open(site.url("missing"))
