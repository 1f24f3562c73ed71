"""Web pages: the main part in order, its tables with names, hidden words out and reported."""

import pytest

from corpus.errors import DocumentError
from eval import making
from indexer.load import html
from indexer.load.limits import DEFAULT, Limits

PROSE = " ".join(making.paragraphs(2))
PAGE = f"""<!DOCTYPE html>
<html><head><title>Our plan &ndash; Northvale</title><style>p {{ color: red }}</style></head>
<body>
<div id="cookie-banner">We use cookies.</div>
<header>Northvale council</header>
<nav><ul><li>Home</li></ul></nav>
<main>
<div class="nhsuk-breadcrumb">Home &gt; Plans</div>
<h1>Our <em>plan</em></h1>
<p>We will reduce falls by <b>20%</b>
by 2027.</p>
<div>Loose words <a href="x">and a link</a> here
  <ul><li>one<ul><li>inside one</li></ul></li><li><p>two</p><p>more of two</p></li></ul>
</div>
<p style="display: none">Secret words.</p>
<span hidden>More of them.</span>
<p>First line<br>second line</p>
<script>var x = "no words";</script>
<table><caption>Our aims</caption>
<thead><tr><th>Objective</th><th colspan="2">When</th></tr>
<tr><th></th><th>From</th><th>To</th></tr></thead>
<tbody><tr><th scope="row" rowspan="2">Reduce<br>falls</th><td>2025</td><td>2026</td></tr>
<tr><td>2027</td><td>2028</td></tr></tbody></table>
<p>{PROSE}</p>
</main>
<aside>Related pages</aside><footer>About us</footer>
</body></html>"""


def blocks(page: str) -> list[tuple[str, str]]:
    return [(b.kind, b.words) for b in html.load(page.encode(), "page.html", DEFAULT).blocks]


def test_the_main_part_is_read_in_order_and_the_frame_is_not() -> None:
    assert blocks(PAGE) == [
        ("heading", "Our plan"),
        ("prose", "We will reduce falls by 20% by 2027."),
        ("prose", "Loose words and a link here"),
        ("list_item", "one"),
        ("list_item", "inside one"),
        ("list_item", "two"),
        ("list_item", "more of two"),
        ("prose", "First line"),
        ("prose", "second line"),
        ("prose", "Our aims"),
        ("table_header", "Objective\nWhen\nFrom\nTo"),
        ("table_row", "Reduce\nfalls\n2025\n2026"),
        ("table_row", "2027\n2028"),
        ("prose", PROSE),
    ]


def test_cells_have_the_names_of_their_columns_and_merged_ones_come_once() -> None:
    rows = [b for b in html.load(PAGE.encode(), "p", DEFAULT).blocks if b.kind == "table_row"]
    assert [row.cells for row in rows] == [("Reduce\nfalls", "2025", "2026"), ("", "2027", "2028")]
    assert {row.header for row in rows} == {("Objective", "When From", "When To")}


def test_hidden_words_are_reported() -> None:
    (warning,) = html.load(PAGE.encode(), "p", DEFAULT).warnings
    assert warning == 'take care: hidden text left out, 5 words: "Secret words. More of them."'


def test_title_and_pages() -> None:
    found = html.load(PAGE.encode(), "p", DEFAULT)
    assert found.title == "Our plan – Northvale"
    assert found.pages == ()


def test_a_page_without_a_main_part_is_read_and_said_to_be() -> None:
    texts = making.paragraphs(6)
    body = "".join(f"<p>{text}</p>" for text in texts)
    page = f"<html><body><div><div><h2>Plan</h2>{body}</div></div></body></html>"
    found = html.load(page.encode(), "p", DEFAULT)
    read = [block.text for block in found.blocks]
    assert [text for text in texts if text not in read] == []
    assert any("no part of the page is marked" in warning for warning in found.warnings)


def test_a_layout_table_is_no_table() -> None:
    page = (
        f"<main><table role=presentation><tr><td><p>{PROSE}</p></td><td>x</td></tr></table></main>"
    )
    assert blocks(page) == [("prose", PROSE), ("prose", "x")]


@pytest.mark.parametrize(
    ("encoding", "said"), [("utf-8", ""), ("cp1252", "windows-1252"), ("utf-16", "")]
)
def test_encodings(encoding: str, said: str) -> None:
    meta = f'<meta charset="{said}">' if said else ""
    page = f"<!doctype html><head>{meta}</head><main><p>Café – £20 {PROSE}</p></main>"
    found = html.load(page.encode(encoding), "p", DEFAULT)
    assert found.blocks[0].text == f"Café – £20 {PROSE}"


def test_an_endless_list_is_refused_by_name() -> None:
    page = "<main>" + "<p>word</p>" * 500 + "</main>"
    with pytest.raises(DocumentError, match=r"^long\.html holds more than 200 paragraphs\.$"):
        html.load(page.encode(), "long.html", Limits(pages=2))


def test_giant_spans_do_not_make_giant_tables() -> None:
    wide = "<tr><td colspan=99999999 rowspan=99999999>a</td><td>b</td></tr>"
    page = f"<main><p>{PROSE}</p><table>{wide}<tr><td>c</td></tr></table></main>"
    found = html.load(page.encode(), "p", DEFAULT)
    assert all(len(block.cells) < 200 for block in found.blocks)
    assert "c" in found.blocks[-1].words
