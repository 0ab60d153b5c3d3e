"""Where the browser does not go: asked, led, or sent there."""

from __future__ import annotations

import json

import pytest

from tests.tools.conftest import Context
from tests.tools.gui.conftest import Site, Surfer
from tools import Browser
from tools.gui.safety import Limits
from tools.protocol import ToolError


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://example.com/a", True),
        ("https://www.example.com", True),
        ("https://badexample.com", False),
        ("https://example.com.evil.org", False),
        ("https://example.com@evil.org/", False),
        ("https://admin.example.com", False),
        ("https://ADMIN.example.com.", False),
        ("javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,hello", False),
        ("file:///etc/passwd", False),
        ("view-source:file:///etc/passwd", False),
        ("blob:https://evil.org/1", False),
        ("about:blank", True),
        ("http://[broken", False),
    ],
)
def test_domains_cover_their_subdomains_and_denied_wins(url: str, fine: bool) -> None:
    limits = Limits(allowed=("example.com",), denied=("admin.example.com",))
    assert (limits.objection(url) == "") == fine


@pytest.mark.parametrize(
    ("domain", "host"),
    [
        ("LOCALHOST", "a.localhost"),
        ("*.localhost.", "localhost"),
        ("例子.cn", "www.xn--fsqu00a.cn"),
        ("xn--fsqu00a.cn", "例子。cn"),
        ("Straße.de", "xn--strae-oqa.de"),
    ],
)
def test_a_domain_is_the_same_however_it_is_written(domain: str, host: str) -> None:
    url = f"https://{host}/"
    assert Limits(denied=(domain,)).objection(url) and Limits(denied=(domain,)).denies(url)
    assert not Limits(allowed=(domain,)).objection(url)


def test_a_scheme_that_is_named_is_allowed() -> None:
    assert not Limits(allowed=("a.org",), schemes=("http", "https", "file")).objection("file:///x")


@pytest.mark.parametrize(
    "url", ["javascript:document.title='x'", "data:text/html,hi", "file:///etc/hostname"]
)
def test_other_addresses_are_refused(surf: Surfer, url: str) -> None:
    with pytest.raises(ToolError, match="refused: .* not allowed"):
        surf.open(url)


def test_a_redirect_to_a_denied_domain_is_stopped(surf: Surfer, site: Site) -> None:
    surf.open(site.put("<p>Safe harbour"))
    evil = site.url("trap", host="evil.localhost")
    with pytest.raises(ToolError, match="refused: .*evil.localhost is denied"):
        surf.open(site.url(f"redirect?{site.url(f'redirect?{evil}')}"))
    assert not any("evil" in host.partition("/")[0] for host in site.asked)
    assert "Safe harbour" in surf.look(find="Safe")


def test_links_tabs_and_frames_to_a_denied_domain_are_stopped(surf: Surfer, site: Site) -> None:
    evil = site.url("trap", host="evil.localhost")
    surf.open(
        site.put(
            f"<input aria-label=Note><a href='{evil}'>Leave</a> "
            f"<a href='{evil}' target=_blank>New tab</a> "
            f"<button onclick=\"window.open('{site.url(f'redirect?{evil}')}')\">Popup</button>"
            f"<iframe src='{evil}'></iframe><img src='{evil}.png'>"
        )
    )
    surf("type", target="Note", text="kept")
    for way in ("Leave", "New tab", "Popup"):
        with pytest.raises(ToolError, match="refused: .*evil.localhost is denied"):
            surf("click", target=way)
    assert not any(host.startswith("evil") for host in site.asked)
    assert 'textbox "Note" = "kept"' in surf.look(find="note")


def test_what_scripts_send_beyond_the_allowed_domains_does_not_leave(
    surf: Surfer, site: Site
) -> None:
    page = """<p id=out></p><button id=b>Save</button><script>b.onclick = async () => {
      try { new WebSocket('ws://other.test/socket'); } catch {}
      navigator.sendBeacon('http://other.test/beacon', 'x');
      const sent = fetch('http://other.test/fetch', {method: 'POST', body: 'x'});
      out.textContent = (await sent.catch(e => e)).message; };</script>"""
    surf.open(site.put(page))
    said = surf("click", target="Save")
    for way in ("http://other.test/fetch", "http://other.test/beacon", "ws://other.test/socket"):
        assert f"not loaded: {way} (the domain other.test is not among the allowed ones" in said
    assert "Failed to fetch" in said


def test_what_the_browser_does_not_pause_goes_nowhere_either(site: Site, context: Context) -> None:
    hosts = ("127.0.0.1", "other.localhost", "evil.localhost")
    sockets = "".join(f"new WebSocket('ws://{host}:{site.port}/socket');" for host in hosts)
    ahead = [site.url("ahead", host) for host in hosts[1:]]
    rules = json.dumps({"prefetch": [{"urls": ahead, "eagerness": "immediate"}]})
    page = f"""<p id=out></p><a href="{ahead[0]}">Ahead</a><img src="{ahead[1]}.png"><script>
      const worker = new Worker(URL.createObjectURL(new Blob([`{sockets}`])));
      setTimeout(() => out.textContent = 'Waited', 700)</script>
      <script type=speculationrules>{rules}</script>"""
    site.pages["/ahead"] = "<p>Fetched ahead"
    with Browser(allowed=("127.0.0.1",), denied=("*.LOCALHOST.",), pictures=False) as browser:
        surf = Surfer(browser, context)
        surf.open(site.put(page))
        surf("wait_for", until={"text": "Waited"})
    assert _reached(site) == ["127.0.0.1/socket"]
    site.asked.clear()
    with Browser(allowed=("127.0.0.1",), denied=(hosts[2],), pictures=False) as browser:
        surf = Surfer(browser, context)
        surf.open(site.put(page))
        surf("wait_for", until={"text": "Waited"})
        with pytest.raises(ToolError, match="^refused: .*other.localhost is not among the allowed"):
            surf("click", target="Ahead")
        assert "Fetched ahead" not in surf.look()
    assert _reached(site) == ["127.0.0.1/socket", "other.localhost/ahead"]


def _reached(site: Site) -> list[str]:
    left = (asked.replace(f":{site.port}", "") for asked in site.asked)
    return sorted(asked for asked in left if "socket" in asked or "ahead" in asked)


def test_a_file_is_waited_for_until_it_is_whole(surf: Surfer, site: Site) -> None:
    evil = site.url("file", host="evil.localhost")
    page = f"<a href='/file'>Menu card</a> <a href='{evil}' download>Trap</a> <button>None</button>"
    surf.open(site.put(page))
    assert ": verified ('menu.txt', 4 bytes)" in surf("download", target="Menu card")
    with pytest.raises(ToolError, match="^refused: .*evil.localhost is denied"):
        surf("download", target="Trap")
    with pytest.raises(ToolError, match="^timeout: .*no file came"):
        surf("download", target="None")
    assert not any(host.startswith("evil") for host in site.asked)


def test_a_download_is_told_and_one_from_a_denied_domain_is_not_made(
    surf: Surfer, site: Site
) -> None:
    evil = site.url("file", host="evil.localhost")
    surf.open(site.put(f"<a href='/file'>Menu card</a> <a href='{evil}' download>Trap</a>"))
    assert "downloaded 'menu.txt'" in surf("click", target="Menu card")
    with pytest.raises(ToolError, match="refused"):
        surf("click", target="Trap")
    assert not any(host.startswith("evil") for host in site.asked)
