"""What a person is asked before it is done."""

from __future__ import annotations

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
    assert matter("How to send a parcel", leads=True) == ""


def test_keys_and_drags_count_as_what_they_do() -> None:
    field = {"field": True, "role": "textbox", "label": "Amount", "sends": "Pay"}

    def by_key(keys: str, facts: dict[str, Any]) -> str:
        request = needed(Press(name="press", keys=keys), "", facts, "", "", False)
        return request.matter if request else ""

    assert by_key("Enter", field) == "purchase"
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
