"""Which elements a page has, what they are called, what they hold."""

from __future__ import annotations

from tests.tools.gui.conftest import Site, Surfer
from tools.protocol import Picture


def rows(surf: Surfer, site: Site, body: str) -> list[str]:
    """The rows of a page without references and places."""
    said = surf.open(site.put(body)).splitlines()[2:]
    return [row.rpartition(" e")[0] for row in said]


def test_controls_are_named_as_people_read_them(surf: Surfer, site: Site) -> None:
    assert rows(
        surf,
        site,
        """<label for=a>First</label><input id=a value=Ada>
        <label>Size <select><option>S<option selected>M</select></label>
        <span id=l>By</span><input aria-labelledby=l><input aria-label=Own><input placeholder=Hint>
        <a href=x><img alt="Home page"></a><img src=x><img alt=Logo><input type=submit value=Send>
        <input type=checkbox checked aria-label=Yes required>
        <details><summary>More</summary></details>
        """,
    ) == [
        'textbox "First" = "Ada"',
        'combobox "Size" = "M" of "S|M"',
        'text "By"',
        'textbox "By" = ""',
        'textbox "Own" = ""',
        'textbox "Hint" = ""',
        'link "Home page"',
        'img "Logo"',
        'button "Send"',
        'checkbox "Yes" checked required',
        'button "More" collapsed',
    ]


def test_whatever_listens_to_the_pointer_is_a_control(surf: Surfer, site: Site) -> None:
    body = """<div id=red style="width:30px;height:30px;background:#ff0000"></div>
      <div id=plus>+</div><p style="cursor:pointer">Card</p><p>Plain</p>
      <ul id=list><li>One</li><li>Two</li></ul><b tabindex=0 class="icon bold">&nbsp;x</b>
      <script>for (const id of ["red", "plus", "list"])
        document.getElementById(id).addEventListener("click", () => {});</script>"""
    assert rows(surf, site, body) == [
        'clickable "#red" red #ff0000',
        'clickable "+"',
        'clickable "Card"',
        'text "Plain"',
        'text "One"',
        'text "Two"',
        'clickable "x"',
    ]


def test_what_opens_a_menu_says_so_until_it_says_whether_it_is_open(
    surf: Surfer, site: Site
) -> None:
    body = """<div role=menuitem aria-haspopup=true>File</div>
      <div role=menuitem aria-haspopup=false>Save</div>
      <button aria-haspopup=menu aria-expanded=false>More</button>"""
    assert rows(surf, site, body) == [
        'menuitem "File" haspopup',
        'menuitem "Save"',
        'button "More" collapsed',
    ]


def test_a_drawing_is_told_by_its_shapes_and_an_icon_is_not(surf: Surfer, site: Site) -> None:
    shapes = """<circle cx=30 cy=30 r=9 fill=gold /><rect width=9 height=9 fill=none stroke=navy />
      <path d="M0 0L9 9"/>"""
    body = f"""<svg width=200 height=90 id=chart>{shapes}</svg>
      <button aria-label=Save><svg width=90 height=20>{shapes}</svg></button>
      <svg width=20 height=20>{shapes}</svg>
      <script>document.getElementById("chart").addEventListener("click", () => {{}})</script>"""
    assert rows(surf, site, body) == [
        'clickable "#chart"',
        'shape "circle" yellow #ffd700',
        'shape "rectangle" blue #000080',
        'button "Save"',
    ]


def test_what_is_drawn_to_be_clicked_is_told_with_its_colour_text_too(
    surf: Surfer, site: Site
) -> None:
    body = """<style>svg > * { cursor: pointer }</style><svg width=200 height=90>
      <polygon points="10,30 20,10 30,30" fill=red /><polygon points="0,0 9,0 9,9 0,9" fill=red />
      <text x=50 y=30 fill=green>n</text></svg>"""
    assert rows(surf, site, body) == [
        'clickable "triangle" red #ff0000',
        'clickable "polygon" red #ff0000',
        'clickable "n" green #008000',
    ]


def test_what_one_drags_is_called_by_where_it_is(surf: Surfer, site: Site) -> None:
    body = """<i style="display:block;height:9px;cursor:se-resize"></i>
      <i style="display:block;height:9px;cursor:col-resize"></i>
      <i style="display:block;height:9px;cursor:not-allowed"></i>"""
    assert rows(surf, site, body) == ['handle "bottom right corner"', 'handle "column edge"']


def test_a_control_around_a_control_is_one(surf: Surfer, site: Site) -> None:
    body = """<ul><li role=tab><a href="#1">General</a></li></ul>
      <div style="cursor:pointer"><button>Save</button></div>"""
    assert rows(surf, site, body) == ['tab "General"', 'button "Save"']


def test_text_is_told_once_and_in_one_piece(surf: Surfer, site: Site) -> None:
    body = """<h2>Title</h2><p>It is <b>very</b> <i>good</i>.</p><div>Loose<p>Block</p></div>
      <button>Press <b>me</b></button><div role=alert></div><div role=alert>Wrong!</div>
      <p hidden>Secret</p><p style="opacity:0">Ghost</p><script>var x = "code"</script>"""
    assert rows(surf, site, body) == [
        'heading "Title"',
        'text "It is very good."',
        'text "Loose"',
        'text "Block"',
        'button "Press me"',
        'alert "Wrong!"',
    ]


def test_references_are_drawn_on_demand(surf: Surfer, site: Site) -> None:
    surf.open(site.put("<button style='position:absolute;left:300px;top:200px'>Go</button>"))
    plain, marked = (
        part.image.convert("RGB")
        for arguments in ({}, {"marks": True})
        for part in surf.browser.page.call(arguments, surf.context)
        if isinstance(part, Picture)
    )
    around = (260, 170, 360, 240)
    assert plain.crop(around).tobytes() != marked.crop(around).tobytes()
    assert plain.crop((0, 0, 200, 150)).tobytes() == marked.crop((0, 0, 200, 150)).tobytes()


def test_with_pictures_every_action_brings_a_screenshot(surf: Surfer, site: Site) -> None:
    page, driver = {"action": {"name": "goto", "url": site.put("<p>Hi")}}, surf.browser._driver
    for driver.pictures in (True, False):
        parts = surf.browser.call(page, surf.context)
        sizes = [part.image.size for part in parts if isinstance(part, Picture)]
        assert sizes == ([(640, 480)] if driver.pictures else [])
