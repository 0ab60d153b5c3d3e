"""A pointer lands where it was meant to, or nothing happens and the reason is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tools.gui.conftest import Person, Site, Surfer
from tools.gui import attempt
from tools.protocol import ToolError

OUT = "<p id=out>clicked: </p>"


def says(word: str) -> str:
    return f"onclick=\"out.textContent += '{word} '\""


def test_a_covered_button_is_not_clicked_through(surf: Surfer, site: Site) -> None:
    cover = "<div style='position:fixed;inset:0;background:#0006'><button>Close</button></div>"
    surf.open(site.put(f"{OUT}<button {says('under')}>Send</button>{cover}"))
    with pytest.raises(ToolError, match=r'^covered: .* "Send" e\d+ is covered by .*button "Close"'):
        surf("click", target="Send")
    assert "under" not in surf.look(find="clicked:")


def test_a_button_whose_centre_is_covered_is_clicked_where_it_is_visible(
    surf: Surfer, site: Site
) -> None:
    cover = (
        "<div onclick=\"out.textContent += 'cover '\" "
        "style='position:absolute;left:60px;top:80px;width:200px;height:60px;background:red'></div>"
    )
    style = "style='position:absolute;left:20px;top:80px;width:280px;height:60px'"
    surf.open(site.put(f"{OUT}<button {style} {says('button')}>Wide</button>{cover}"))
    assert "clicked: button" in surf("click", target="Wide")


def test_what_jumps_away_under_the_pointer_is_not_replaced_by_what_comes_there(
    surf: Surfer, site: Site
) -> None:
    page = f"""{OUT}<div id=box><button id=a {says("good")}>Save</button></div>
      <script>a.onmouseenter = () => {{
        const b = document.createElement("button");
        b.textContent = "Delete all"; b.onclick = () => out.textContent += "bad ";
        b.style.cssText = "width:200px;height:60px;display:block";
        box.prepend(b);
      }};</script>"""
    surf.open(site.put(page))
    with pytest.raises(ToolError, match=r'^moved: .* "Save" e\d+ moved away .*"Delete all"'):
        surf("click", target="Save")
    assert "bad" not in surf.look(find="clicked:")


def test_a_moving_target_is_hit_when_it_stands_still(surf: Surfer, site: Site) -> None:
    page = f"""{OUT}<style>button{{animation:slide .4s linear}}
      @keyframes slide{{from{{transform:translateX(800px)}}}}</style>
      <button {says("caught")}>Slider</button>"""
    surf.open(site.put(page))
    assert "clicked: caught" in surf("click", target="Slider")


def test_a_reference_survives_a_rerender_of_its_siblings(surf: Surfer, site: Site) -> None:
    page = f"""{OUT}<div id=list><button>One</button><button id=two {says("two")}>Two</button></div>
      <button onclick="list.firstChild.remove(); list.prepend(
        ...['A', 'B', 'C'].map(textContent => Object.assign(
          document.createElement('button'), {{textContent}})))"
      >Refresh</button>"""
    surf.open(site.put(page))
    ref = surf.ref('"Two"')
    said = surf("click", target="Refresh")
    assert "new " in said and 'button "B"' in said and f"{ref} " not in said
    assert "clicked: two" in surf("click", target=ref)


def test_a_reference_of_a_row_that_became_another_one_is_stale(surf: Surfer, site: Site) -> None:
    page = f"""{OUT}<ul id=list><li>Ada <button>Delete</button></ul>
      <button onclick="list.innerHTML = '<li>Bob <button>Delete</button>'">Sort</button>"""
    surf.open(site.put(page))
    old = surf.ref('"Delete"')
    surf("click", target="Sort")
    with pytest.raises(
        ToolError, match=f'^stale: button "Delete" {old} is no longer .* "Delete" e'
    ):
        surf("click", target=old)
    with pytest.raises(ToolError, match="^not_found: there is no element e999999"):
        surf("click", target="e999999")


def test_an_element_in_nested_frames_and_shadow_roots_is_clicked(surf: Surfer, site: Site) -> None:
    inner = site.put(f"{OUT}<div style='height:900px'></div><button {says('inside')}>Deep</button>")
    inner = inner.replace("127.0.0.1", "localhost")  # another site, in a process of its own
    middle = site.put(f"<p>between</p><iframe src='{inner}' width=400 height=200></iframe>")
    page = f"""<div style='height:1500px'>Above</div>
      <iframe src='{middle}' width=600 height=400 style='border:7px solid'></iframe>
      <x-card><span>Slotted</span></x-card>
      <script>
        const root = document.querySelector("x-card").attachShadow({{mode: "open"}});
        root.innerHTML = "<button><slot></slot></button><em>quiet</em>";
        root.firstChild.onclick = () => root.lastChild.textContent = "shadow clicked";
      </script>"""
    surf.open(site.put(page))
    assert "clicked: inside" in surf("click", target="Deep", expect={"text": "clicked: inside"})
    said = surf("click", target="Slotted", expect={"text": "shadow clicked"})
    assert "verified" in said and 'text "shadow clicked"' in said


def test_frames_that_are_scaled_and_documents_that_are_fields(surf: Surfer, site: Site) -> None:
    inner = site.put(f"<body style='margin:0'><button {says('small')}>Inner</button>{OUT}")
    page = f"""<iframe src='{inner}' style='transform:scale(.4);border:30px solid;padding:20px'>
      </iframe><iframe srcdoc='<body contenteditable aria-label=Letter>Dear</body>'></iframe>"""
    surf.open(site.put(page))
    assert "clicked: small" in surf("click", target="Inner")
    assert "verified (it holds 'Hello')" in surf("type", target="Letter", text="Hello")


def test_a_frame_that_is_covered_is_not_clicked_through(surf: Surfer, site: Site) -> None:
    inner = site.put(f"{OUT}<button {says('inside')}>Deep</button>")
    cover = "<div style='position:fixed;inset:0;background:#0006'>Wait</div>"
    surf.open(site.put(f"<iframe src='{inner}'></iframe>{cover}"))
    with pytest.raises(ToolError, match=r'^covered: .* "Deep" e\d+ is covered by .*"Wait"'):
        surf("click", target="Deep")


@pytest.mark.parametrize("target", ["Deep", "Above"])
def test_what_comes_over_a_frame_or_as_a_frame_at_the_last_moment_is_not_clicked(
    surf: Surfer, site: Site, target: str
) -> None:
    inner = site.put(f"<body style='margin:0'><button {says('inside')}>Deep</button>{OUT}")
    place = "position:absolute;left:20px;top:{top}px;width:200px;height:60px"
    cover = "onmouseenter='late.style.top = this.style.top'"
    page = f"""{OUT}
      <div {cover} style='{place.format(top=100)}'>
        <iframe src='{inner}' style='width:200px;height:60px;border:0'></iframe></div>
      <div {cover} style='{place.format(top=200)}'>
        <button {says("above")} style='width:200px;height:60px'>Above</button></div>"""
    if target == "Deep":
        late = f"<button id=late {says('bad')} style='{place.format(top=300)}'>Buy now</button>"
    else:
        late = f"<iframe id=late src='{inner}' style='{place.format(top=300)}'></iframe>"
        page = page.replace(f"<iframe src='{inner}'", "<iframe")
    surf.open(site.put(page + late))
    with pytest.raises(ToolError, match="^(moved|covered): "):
        surf("click", target=target)
    seen = surf.look()
    assert "bad" not in seen and "above" not in seen and "inside" not in seen


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<button disabled>Go</button>", "disabled"),
        ("<div aria-disabled=true><button>Go</button></div>", "disabled"),
        ("<button>Go</button>", "no_effect"),
        ("<button>Stop</button>", "not_found"),
        ("<li>A <button>Go</button><li>B <button>Go</button>", "ambiguous"),
    ],
)
def test_what_cannot_work_is_told_by_its_kind(
    surf: Surfer, site: Site, body: str, kind: str
) -> None:
    # A clicked button takes the focus, which would be an effect.
    surf.open(site.put(f"<body onmousedown='event.preventDefault()'>{body}"))
    with pytest.raises(ToolError, match=f"^{kind}: ") as failure:
        surf("click", target="Go")
    assert "Go" in str(failure.value)


def test_of_names_that_differ_in_case_alone_the_one_written_so_is_meant(
    surf: Surfer, site: Site
) -> None:
    small, large = (f"<button {says(word)}>{word}</button>" for word in ("eget", "Eget"))
    surf.open(site.put(small + large + OUT))
    assert "clicked: Eget" in surf("click", target="Eget")
    assert "clicked: Eget eget" in surf("click", target="eget")
    with pytest.raises(ToolError, match="^ambiguous: 2 "):
        surf("click", target="EGET")


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("Save", "Don't save"),
        ("Save", "Don’t save"),
        ("Save", "Do not save"),
        ("Subscribe", "Unsubscribe"),
        ("Subscribe", "Un-subscribe"),
        ("Ada", "Canada"),
        ("Room 1", "Room 12"),
        ("Booking", "Cancel booking"),
        ("保存", "不保存"),
        ("预订", "取消预订"),
    ],
)
def test_what_means_something_else_is_not_meant(
    surf: Surfer, site: Site, target: str, name: str
) -> None:
    surf.open(site.put(f"{OUT}<button {says('wrong')}>{name}</button>"))
    with pytest.raises(ToolError, match="^not_found: "):
        surf("click", target=target)
    assert "wrong" not in surf.look()


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("Save", "Save all"),
        ("Sign up", "Not a member? Sign up"),
        ("Subscribe", "Subscribe, cancel anytime"),
        ("I agree", "I agree that it cannot be undone"),
        ("保存", "保存文件"),
        ("男", "性别男"),
        ("(2)", "Cart(2)"),
    ],
)
def test_a_part_of_a_name_is_enough(surf: Surfer, site: Site, target: str, name: str) -> None:
    surf.open(site.put(f"{OUT}<button {says('meant')}>{name}</button>"))
    assert "clicked: meant" in surf("click", target=target)


def test_what_became_invisible_is_hidden(surf: Surfer, site: Site) -> None:
    surf.open(site.put("<button id=a>Menu</button><button onclick='a.hidden=true'>Close</button>"))
    ref = surf.ref('"Menu"')
    assert f"gone {ref}" in surf("click", target="Close")
    with pytest.raises(ToolError, match="^hidden: "):
        surf("click", target=ref)


def test_a_point_on_a_screenshot_is_what_is_there_also_in_a_frame(surf: Surfer, site: Site) -> None:
    inner = site.put(f"<body style='margin:0'><button {says('framed')}>F</button>{OUT}")
    surf.open(
        site.put(f"<iframe src='{inner}' style='position:absolute;left:300px;top:100px'></iframe>")
    )
    surf.look()
    said = surf("click", target="screen1:308,110")
    assert 'button "F"' in said and "clicked: framed" in said
    with pytest.raises(ToolError, match="outside screen1"):
        surf("click", target="screen1:5000,10")
    with pytest.raises(ToolError, match="there is no photo7"):
        surf("click", target="photo7:5,10")


def test_a_point_on_a_screenshot_of_before_a_scroll_is_stale(surf: Surfer, site: Site) -> None:
    surf.open(
        site.put(
            f"<h1>Top</h1><div style='height:3000px'></div><button {says('x')}>Low</button>{OUT}"
        )
    )
    surf.look()
    surf("scroll", direction="down")
    with pytest.raises(ToolError, match="^stale: "):
        surf("click", target="screen1:300,300")


def test_a_point_on_a_screenshot_is_stale_where_something_else_came_to_lie(
    surf: Surfer, site: Site
) -> None:
    rows = "".join(
        f"<button style='display:block;height:40px' {says(n)}>{n}</button>" for n in "ABCDEF"
    )
    page = f"""{OUT}<div id=box style='height:90px;overflow:auto;width:200px'>{rows}</div>
      <button onclick="box.scrollTop = 80">On</button>
      <button onclick="box.innerHTML = box.innerHTML">Anew</button>
      <button onclick="box.firstChild.textContent = 'Z'">Other</button>"""
    surf.open(site.put(page))
    spot = surf.look(find='"A"').rpartition("[")[2].split(",")
    target = f"screen1:{int(spot[0]) + 5},{int(spot[1]) + 5}"
    surf.look()
    assert "clicked: A" in surf("click", target=target)
    surf("click", target="Anew")
    assert "clicked: A A" in surf("click", target=target)  # the same, drawn anew
    for change in ("Other", "On"):
        surf.context.artifacts.clear()
        surf.look()
        surf("click", target=change)
        with pytest.raises(ToolError, match="^stale: .*on screen1.* is not there now"):
            surf("click", target=target)
    assert '"clicked: A A"' in surf.look(find="clicked:")


def test_a_point_on_a_screenshot_is_stale_where_another_row_came_to_lie(
    surf: Surfer, site: Site
) -> None:
    rows = "".join(
        f"<li style='height:40px'>{name} <button {says(name)}>Delete</button>"
        for name in ("Ada", "Bob", "Cid", "Dan", "Eve")
    )
    page = f"""{OUT}<ul id=box style='height:90px;overflow:auto;width:200px'>{rows}</ul>
      <button onclick="box.scrollTop = 40">On</button>"""
    surf.open(site.put(page))
    spot = surf.look(find="near").splitlines()[1].rpartition("[")[2].split(",")
    surf.look()
    surf("click", target="On")
    with pytest.raises(ToolError, match='^stale: .*"Delete near Ada", is not there now'):
        surf("click", target=f"screen1:{int(spot[0]) + 5},{int(spot[1]) + 5}")


def test_a_canvas_that_draws_has_changed(surf: Surfer, site: Site) -> None:
    page = """<canvas id=c width=200 height=100 aria-label=Board></canvas>
      <canvas width=200 height=100 aria-label=Dead></canvas><script>
      c.onclick = e => c.getContext("2d").fillRect(e.offsetX - 5, e.offsetY - 5, 9, 9);</script>"""
    surf.open(site.put(page))
    assert "click canvas" in surf("click", target="Board")
    with pytest.raises(ToolError, match="^no_effect"):
        surf("click", target="Dead")


def test_dragging_takes_steps(surf: Surfer, site: Site) -> None:
    page = """<style>div{position:absolute;width:60px;height:60px}</style>
      <div id=box role=button style="left:50px;top:60px">Box</div>
      <div role=button style="left:400px;top:300px">Bin</div>
      <script>let moves = 0, on = false;
      box.onpointerdown = () => on = true;
      onpointermove = e => {
        if (!on) return;
        moves += 1;
        box.style.left = e.x - 30 + "px";
        box.style.top = e.y - 30 + "px";
      };
      onpointerup = e => box.textContent = moves > 8 ? `moved to ${e.x},${e.y}` : "too fast";
      </script>"""
    surf.open(site.put(page))
    assert '"moved to 80,170"' in surf("drag_by", target="Box", direction="down", pixels=80)
    assert '"moved to 60,170"' in surf("drag_by", target="moved to", direction="left", pixels=20)
    with pytest.raises(ToolError, match="^not_found: there is nothing at"):
        surf("drag_by", target="moved to", direction="right", pixels=2000)
    assert '"moved to 430,330"' in surf("drag", target="moved to", to="Bin")


def test_where_a_drag_by_a_distance_ends_counts(surf: Surfer, site: Site, person: Person) -> None:
    page = """<style>div{position:absolute;width:60px;height:60px}</style>
      <div role=button style="left:50px;top:60px">Letter</div>
      <div role=button style="left:150px;top:60px">Trash</div>"""
    surf.open(site.put(page))
    person.agrees = False
    with pytest.raises(ToolError, match="^refused|not agree"):
        surf("drag_by", target="Letter", direction="right", pixels=100)
    assert [request.matter for request in person.asked] == ["delete"]


def test_other_ways_of_pointing(surf: Surfer, site: Site) -> None:
    page = """<button ondblclick="this.textContent='twice'">Double</button>
      <button oncontextmenu="this.textContent='right'; return false">Context</button>
      <button onmouseover="this.textContent='over'">Hover</button>"""
    surf.open(site.put(page))
    assert '"twice"' in surf("double", target="Double")
    assert '"right"' in surf("right", target="Context")
    assert '"over"' in surf("hover", target="Hover")


def test_what_is_disabled_can_be_hovered(surf: Surfer, site: Site) -> None:
    page = """<style>#tip{visibility:hidden} button:hover + #tip{visibility:visible}</style>
      <button disabled>Book</button><p id=tip>Nothing is free on Friday</p>"""
    surf.open(site.put(page))
    assert 'new text "Nothing is free on Friday"' in surf("hover", target="Book")


def test_scrolling_brings_new_rows_and_ends_at_the_end(surf: Surfer, site: Site) -> None:
    rows = "".join(f"<p style='height:80px'>Row {n}" for n in range(100))
    first = surf.open(site.put(rows))
    assert '"Row 3"' in first
    assert "scrolled to" in surf("scroll", direction="down", screens=50)
    with pytest.raises(ToolError, match="^no_effect"):
        surf("scroll", direction="down")


def test_a_run_begins_with_its_first_look_and_marked_pictures_are_pointed_at(
    surf: Surfer, site: Site
) -> None:
    """In a browser that another run had used before."""
    for arguments in ({}, {"marks": True}):
        surf.open(site.put(f"{OUT}<button {says('once')}>Once</button>"))
        box = surf.look(find="once").rpartition("[")[2].split(",")
        another = Surfer(surf.browser, replace(surf.context, run=str(arguments), artifacts={}))
        another.look(**arguments)
        picture = "screen1" if not arguments else "marked1"
        said = another("click", target=f"{picture}:{int(box[0]) + 5},{int(box[1]) + 5}")
        assert "clicked: once" in said


def test_a_drag_that_takes_too_long_lets_go(
    surf: Surfer, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what comes next would draw on."""
    surf.open(
        site.put(
            "<button id=a>From</button> <button>Until</button><p id=said>Idle</p><script>"
            "const wait = () => { for (let t = Date.now(); Date.now() < t + 800;); };"
            "onmousemove = e => e.buttons && wait(); onmousedown = () => said.textContent = 'Held';"
            "onmouseup = () => said.textContent = 'Let go'</script>"
        )
    )
    with monkeypatch.context() as quick:
        quick.setattr(attempt, "PATIENCE", 1.5)
        with pytest.raises(ToolError, match="^timeout: "):
            surf("drag", target="From", to="Until")
    assert "verified" in surf("wait_for", until={"text": "Let go"}, seconds=5)
