"""What a person is asked before it is done."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.tools.gui.conftest import Person, Site, Surfer
from tools.gui.actions import Drag, PointAt, Press, Type
from tools.gui.approval import asked_by_page, needed
from tools.protocol import ToolError


def matter(label: str, **facts: Any) -> str:
    click = PointAt(name="click", target="e1")
    known = {"label": label, "role": "button", **facts}
    request = needed(click, f'button "{label}" e1', known, "", "http://a/", False)
    return request.matter if request else ""


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Buy now", "purchase"),
        ("Pay €20.00", "purchase"),
        ("Confirm and pay", "purchase"),
        ("提交订单", "purchase"),
        ("立即支付 ¥20", "purchase"),
        ("Delete", "delete"),
        ("Yes, delete it", "delete"),
        ("Cancel subscription", "delete"),
        ("删除所选", "delete"),
        ("Send", "submission"),
        ("Publish", "submission"),
        ("转账", "submission"),
        ("Next | Buy now", "purchase"),
        ("立即抢购", "purchase"),
        ("买单", "purchase"),
        ("Buy此商品", "purchase"),
        ("Pay现在", "purchase"),
        ("Payée", ""),
        ("Continue", ""),
        ("Confirm booking", ""),
        ("Search", ""),
        ("Sign in", ""),
        ("Purchase history", ""),
        ("Recently deleted", ""),
        ("发送验证码", ""),
        ("支付方式", ""),
        ("Our shop helps people of all ages to buy flowers for their friends", ""),
    ],
)
def test_labels(label: str, expected: str) -> None:
    assert matter(label) == expected


def test_the_form_and_the_dialog_around_a_control_count() -> None:
    assert matter("Continue", submits=True, paid=True) == "purchase"
    assert matter("Continue", submits=True, around="This is legally binding.") == "submission"
    assert matter("Continue", around="This is legally binding.") == ""
    assert matter("OK", dialog=True, around="Delete this file? OK Cancel") == "delete"
    assert matter("Cancel", dialog=True, around="Delete this file? OK Cancel") == ""
    assert matter("确定", dialog=True, around="确定要删除吗？") == "delete"
    assert matter("Buy now", role="checkbox") == ""
    for role in ("option", "tab", "heading"):
        assert matter("Delete account", role=role) == "delete"
        assert matter("立即支付", role=role) == "purchase"
        assert matter("How to delete an account", role=role) == matter("Payments", role=role) == ""
        assert matter("Seat 12", role=role, dialog=True, around="There is no refund") == ""
    assert matter("How to send a parcel", leads=True) == ""
    assert matter("Amazon to buy Whole Foods", leads=True) == ""
    assert matter("Yes, delete my account", leads=True) == "delete"
    assert matter("Permanently delete my account", leads=True) == "delete"


def test_keys_and_drags_count_as_what_they_do() -> None:
    field = {"field": True, "role": "textbox", "label": "Amount", "sends": "Pay"}

    def by_key(keys: str, facts: dict[str, Any]) -> str:
        request = needed(Press(name="press", keys=keys), "", facts, "", "", False)
        return request.matter if request else ""

    assert by_key("Enter", field) == by_key("Shift+NumpadEnter", field) == "purchase"
    assert by_key("Enter", {**field, "sends": ""}) == ""
    assert by_key("Delete", field) == ""
    assert by_key("Shift+Delete", {"role": "treeitem", "label": "a.txt"}) == "delete"
    assert by_key("Space", {"role": "button", "label": "Pay"}) == "purchase"
    drag = Drag(name="drag", target="a.txt", to="Trash")
    request = needed(drag, "a.txt", {}, "Trash", "", False)
    assert request is not None and request.matter == "delete"


def test_credentials_are_asked_about_whoever_types_them() -> None:
    plain = Type(name="type", target="e1", text="x")
    assert needed(plain, "", {"secret": True}, "", "", False) is not None
    assert needed(plain, "", {"secret": False}, "", "", True) is not None
    assert needed(plain, "", {"secret": False}, "", "", False) is None


def test_questions_of_the_page() -> None:
    request = asked_by_page("Delete 3 files?", "http://a/")
    assert request is not None and request.matter == "delete"
    assert asked_by_page("Leave this page?", "http://a/") is None


SHOP = """<button onclick="fetch('/buy', {method: 'POST', body: 'cup'}); out.textContent = 'Thanks'"
  >Buy now</button><p id=out></p>"""


def test_a_purchase_is_made_when_a_person_agrees(surf: Surfer, site: Site, person: Person) -> None:
    surf.open(site.put(SHOP))
    assert ": verified" in surf("click", target="Buy now", expect={"text": "Thanks"})
    (request,) = person.asked
    assert request.matter == "purchase" and '"Buy now"' in request.what
    assert request.url.startswith("http://127.0.0.1") and site.booked == ["cup"]


def test_no_key_reaches_what_was_not_judged(surf: Surfer, site: Site, person: Person) -> None:
    person.agrees = False
    page = """<form id=f><label>Card <input name=card></label><button>Buy now</button></form>
      <label>Search <input onfocus="f.lastElementChild.focus()"></label>
      <label>Note <textarea></textarea></label>
      <script>f.onsubmit = e => { e.preventDefault(); fetch('/buy', {method: 'POST', body: 'b'}) };
      </script>"""
    surf.open(site.put(page))
    for text in ("4111\r", "4111\n", "4111\t"):
        with pytest.raises(ToolError, match='^wrong_kind: .*"Card".* line break'):
            surf("type", target="Card", text=text)
    with pytest.raises(ToolError, match="^unapproved: .*purchase"):
        surf("press", target="Card", keys="NumpadEnter")
    with pytest.raises(ToolError, match='^no_effect: .*"Search".* focus'):
        surf("press", target="Search", keys="Enter")
    surf("type", target="Note", text="one\ntwo")
    assert not site.booked


@pytest.mark.parametrize("nobody", [False, True])
def test_a_purchase_is_not_made_otherwise(
    surf: Surfer, site: Site, person: Person, nobody: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    person.agrees = False
    if nobody:
        monkeypatch.setattr(surf.browser, "_approve", None)
    surf.open(site.put(SHOP))
    said = "there is nobody to ask" if nobody else "a person was asked and did not agree"
    with pytest.raises(ToolError, match=f'^unapproved: click .*"Buy now" .*purchase.*{said}'):
        surf("click", target="Buy now")
    assert not site.booked and len(person.asked) == (0 if nobody else 1)


@pytest.mark.parametrize("tag", ["li role=option", "li role=tab", "h2"])
def test_a_command_is_one_in_whatever_it_is_dressed(
    surf: Surfer, site: Site, person: Person, tag: str
) -> None:
    person.agrees = False
    delete = "fetch('/delete', {method: 'POST', body: 'x'})"
    surf.open(site.put(f'<{tag} onclick="{delete}">Delete account</{tag.split()[0]}>'))
    with pytest.raises(ToolError, match="^unapproved: .*delete"):
        surf("click", target="Delete account")
    assert not site.booked


def test_a_key_that_goes_to_a_frame_which_does_not_answer_is_asked_about(
    surf: Surfer, site: Site, person: Person
) -> None:
    person.agrees = False
    inner = site.put("""<form action=/pay method=post><label>Card <input id=card name=card></label>
      <button>Pay</button></form><script>card.onfocus = () => setTimeout(() => {
        for (const end = Date.now() + 3500; Date.now() < end;); }, 800)</script>""")
    inner = inner.replace("127.0.0.1", "localhost")  # another site, in a process of its own
    surf.open(site.put(f"<iframe src='{inner}'></iframe><iframe src='{inner}'></iframe>"))
    frame = surf.look().splitlines()
    field = next(line for line in frame if "textbox" in line).split(" e")[1].split()[0]
    surf("click", target=f"e{field}")
    time.sleep(0.9)
    with pytest.raises(ToolError, match="^unapproved: press Enter .*does not answer"):
        surf("press", keys="Enter")
    surf("press", keys="Tab")
    assert [ask.matter for ask in person.asked] == ["submission"] and not site.booked


def test_a_yes_to_one_thing_is_no_yes_to_another(surf: Surfer, site: Site, person: Person) -> None:
    page = """<button id=b>Delete draft</button><script>
      b.onclick = () => fetch('/x', {method: 'POST', body: b.textContent});</script>"""
    surf.open(site.put(page))
    ref = surf.ref("Delete draft")

    def agree_and_rename(request: object) -> bool:
        person.asked.append(request)  # type: ignore[arg-type]
        driver = surf.browser._driver
        rename = "() => { document.querySelector('button').textContent = 'Delete account'; }"

        async def change() -> None:
            await (await driver.session.view()).page.evaluate(rename)

        driver.session.call(change, 5, "renaming")
        return len(person.asked) == 1

    surf.browser._approve, before = agree_and_rename, surf.browser._approve
    try:
        with pytest.raises(ToolError, match='^unapproved: .*"Delete account"'):
            surf("click", target=ref)
    finally:
        surf.browser._approve = before
    assert not site.booked and len(person.asked) == 2


def test_what_was_sent_before_a_question_is_told_to_the_person(
    surf: Surfer, site: Site, person: Person
) -> None:
    page = """<button onclick="fetch('/log?id=1', {method: 'POST', body: 'x'});
      if (confirm('Delete everything?')) out.textContent = 'gone'">Clean up</button><p id=out>"""
    surf.open(site.put(page))
    person.agrees = False
    with pytest.raises(ToolError, match="^unapproved: .*has sent POST [^ ]*/log already"):
        surf("click", target="Clean up", accept_dialog=True)
    assert site.booked == ["x"] and "/log already" in person.asked[0].question()
    person.agrees = True
    assert ": verified" in surf(
        "click", target="Clean up", accept_dialog=True, expect={"text": "gone"}
    )
    assert site.booked == ["x"] * 3 and "once more" in person.asked[1].words()


def test_the_question_of_a_page_is_answered_after_a_person_agreed(
    surf: Surfer, site: Site, person: Person
) -> None:
    page = """<button onclick="if (confirm('Delete everything?')) out.textContent = 'gone'"
      >Clean up</button><p id=out></p>"""
    surf.open(site.put(page))
    said = surf("click", target="Clean up", accept_dialog=True, expect={"text": "gone"})
    assert ": verified" in said and "first answered no" in said
    (request,) = person.asked
    assert request.matter == "delete" and "Delete everything?" in request.what
