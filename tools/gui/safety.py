"""Where a browser may go. Pure: the enforcement on every request is in ``gate``."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

BLANK = ("about:blank", "about:srcdoc")


@dataclass(frozen=True)
class Limits:
    """Domains and schemes that may be visited.

    A domain covers its subdomains: ``example.com`` is also ``www.example.com``, never
    ``badexample.com``. With ``allowed`` empty every domain is allowed; ``denied`` always wins.
    ``schemes`` other than http and https (file, data, javascript) must be named to be allowed.
    """

    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ("http", "https")
    folders: tuple[str, ...] = ()
    """Folders whose files may be opened, with all below; with these and no ``allowed`` domain,
    nothing else may be visited."""

    def objection(self, url: str) -> str:
        """Why ``url`` may not be visited, or ""."""
        if url in BLANK:
            return ""
        # Browsers drop these characters: "java\nscript:" is javascript to them.
        url = "".join(c for c in url.strip() if c not in "\t\r\n")
        try:
            parts = urlsplit(url)
            host = canonical(parts.hostname or "")
        except ValueError:
            return "it is no valid address"
        inner = url.partition(":")[2] if parts.scheme in ("blob", "view-source") else ""
        if inner:
            return self.objection(inner)
        if parts.scheme == "file" and self.folders:
            return self._outside(parts.netloc, unquote(parts.path))
        if parts.scheme not in self.schemes:
            return f"addresses of the kind {parts.scheme or 'without scheme'}: are not allowed"
        if parts.scheme not in ("http", "https", "ws", "wss"):
            return ""
        if any(_covers(domain, host) for domain in self.denied):
            return f"the domain {host} is denied"
        if self.folders and not self.allowed:
            return f"only files in {', '.join(self.folders)} are allowed"
        if self.allowed and not any(_covers(domain, host) for domain in self.allowed):
            return f"the domain {host} is not among the allowed ones ({', '.join(self.allowed)})"
        return ""

    def _outside(self, host: str, path: str) -> str:
        real = os.path.realpath(path)
        inside = (os.path.commonpath([real, os.path.realpath(f)]) == os.path.realpath(f)
                  for f in self.folders)  # fmt: skip
        if host in ("", "localhost") and any(inside):
            return ""
        return f"only files in {', '.join(self.folders)} are allowed"

    def names(self, url: str) -> bool:
        """Whether ``url`` may be visited because its domain is among the allowed ones, or because
        it is a file and files were allowed."""
        if self.objection(url):
            return False
        scheme = urlsplit(url).scheme
        return scheme == "file" or (bool(self.allowed) and scheme in ("http", "https"))

    def denies(self, url: str) -> bool:
        """Whether the domain of ``url`` is on the list of denied ones, whatever it is for."""
        host = canonical(urlsplit(url).hostname or "")
        return any(_covers(domain, host) for domain in self.denied)


def with_scheme(url: str) -> str:
    """``example.com/menu`` as people write it, as an address."""
    url = url.strip()
    head = url.partition("/")[0]
    host, _, port = head.partition(":")
    if "://" in url or not host or (":" in head and not port.isdigit()):
        return url
    local = host == "localhost" or host.startswith("127.")
    return f"http{'' if local else 's'}://{url}" if local or "." in host else url


def canonical(host: str) -> str:
    """A host or domain as browsers ask for it: in lower case and ASCII, without a star or dots
    around it. ``*.例子.CN.`` is ``xn--fsqu00a.cn``."""
    plain = unicodedata.normalize("NFKC", host).replace("。", ".").lower().lstrip("*").strip(".")
    return ".".join(
        label if label.isascii() else f"xn--{label.encode('punycode').decode()}"
        for label in plain.split(".")
    )


def _covers(domain: str, host: str) -> bool:
    domain = canonical(domain)
    return host == domain or host.endswith(f".{domain}")
