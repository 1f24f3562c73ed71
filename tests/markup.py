"""What every page must be, whoever it is for: valid, whole, and within its own policy."""

import html
from collections import Counter
from collections.abc import Mapping

import html5lib
from selectolax.lexbor import LexborHTMLParser as Tree

from web.headers import HEADERS


def check_html(source: str) -> None:
    """A page parses without an error, and what its parts name is there."""
    parser = html5lib.HTMLParser()
    parser.parse(source)
    assert parser.errors == []
    tree = Tree(source)
    ids = Counter(node.attributes["id"] for node in tree.css("[id]"))
    assert [i for i, count in ids.items() if count > 1] == []
    assert len(tree.css("h1")) == 1
    assert len(tree.css("main")) == 1
    assert tree.css_first("html").attributes["lang"] == "en-GB"
    for node in tree.css("[aria-labelledby], [aria-describedby], label[for], input[list]"):
        for name in ("aria-labelledby", "aria-describedby", "for", "list"):
            for named in (node.attributes.get(name) or "").split():
                assert named in ids, f"{name}={named}"
    for node in tree.css("a[href^='#']"):
        assert html.unescape(node.attributes["href"])[1:] in ids, node.html
    for field in tree.css("input:not([type=hidden]), select"):
        assert tree.css_first(f"label[for='{field.attributes['id']}']"), field.html


def check_policy(source: str, headers: Mapping[str, str]) -> None:
    """A page needs nothing that its policy forbids."""
    tree = Tree(source)
    assert {name: headers[name] for name in HEADERS} == HEADERS
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
    assert tree.css("style") == [] and tree.css("[style]") == []
    for node in tree.css("script"):
        assert node.attributes["src"].startswith("/static/") and not node.text().strip()
    for node in tree.css("*"):
        assert not [name for name in node.attributes if name.startswith("on")], node.html
    for node in tree.css("link[href], img[src], form[action]"):
        where = (
            node.attributes.get("href") or node.attributes.get("src") or node.attributes["action"]
        )
        assert where.startswith("/")
