"""Reading text and the council pack: words, headings, rows and pages as the source has them."""

import html
import re
from collections import Counter
from pathlib import Path

import pytest

from corpus import Reading, open_catalogue
from corpus.errors import DocumentError
from corpus.model import Document
from indexer.assemble import assemble
from indexer.blocks import Block, Loaded
from indexer.cautions import Watch
from indexer.load import load
from indexer.load.markdown import fragment_lines
from indexer.load.markdown import load as load_markdown
from indexer.load.text import load as load_text
from indexer.normalise import normalise
from indexer.stamps import Part, continues, place

PLAN = "sefton-plan-2023-25"
SEND = "sefton-send-joint-commissioning-2023-26"


@pytest.fixture(scope="module")
def readings() -> dict[str, Reading]:
    catalogue = open_catalogue()
    out = {}
    for file in {d.file for d in catalogue.documents.values()}:
        parts = [d for d in catalogue.documents.values() if d.file == file]
        read = assemble(load(catalogue.folder / file), parts)
        out |= {d.id: r for d, r in zip(parts, read, strict=True)}
    return out


def _words(text: str) -> Counter[str]:
    return Counter(re.findall(r"[^\W_]+", text))


def test_no_word_is_lost_and_none_added(readings: dict[str, Reading]) -> None:
    """Every word of the source is in a canonical text or kept with its page, and nothing else."""
    catalogue = open_catalogue()
    for file in {d.file for d in catalogue.documents.values()}:
        source = (catalogue.folder / file).read_text(encoding="utf-8")
        plain = re.sub(r"\]\(\S+?\)", "] ", source)
        plain = re.sub(r"<(?!https?:)(?:/?(?:sup|b|u|a)\b)[^>]*>", "", plain)
        plain = re.sub(r"<(?!https?:)[^>]*>?", " ", plain)
        wanted = _words(normalise(html.unescape(plain)))
        got: Counter[str] = Counter()
        for document in catalogue.documents.values():
            if document.file == file:
                reading = readings[document.id]
                got += _words(reading.text)
                for page in reading.pages:
                    for piece in page.chrome:
                        if " | " not in piece:
                            got += _words(piece)
        added = got - wanted
        lost = set(wanted - got) - HEADER_WORDS
        assert not added, (file, added)
        assert not lost, (file, lost)


HEADER_WORDS = set(
    """Objective What are we trying to achieve Impact difference will it make Timeframe Our target
    date The Outcomes aiming for Actions taking Why doing have Responsible lead Date be achieved by
    Services Activities in place Description Service area Area of focus Board Group or Forum Role
    Section Heading Page Priority 1 2 3 4 amp strong""".split()
)


@pytest.mark.parametrize(
    ("words", "pages", "inferred"),
    [
        ("Recover the dementia diagnosis rate to 66.7%", [79], False),
        ("Establish wellbeing hubs at Strand By Me", [79], False),
        ("Improve support for early onset dementia", [80], True),
        ("Developed and expanded offer CYP and their families/carers with neuro", [49], True),
        ("Actively listening to children, young people", [50], True),
        ("Ensure 75% of people aged over 14 on GP", [64], True),
        ("Develop a perinatal pelvic health service", [52], True),
        ("Greater understanding of the behavioural", [63], False),
        ("Establish a Sefton Partnership Health & Care Career Academy", [107], False),
        ("The 2023/24 plan includes a £6.9m cost improvement plan", [114, 115], True),
    ],
)
def test_pages_of_the_sefton_plan(
    readings: dict[str, Reading], words: str, pages: list[int], inferred: bool
) -> None:
    reading = readings[PLAN]
    start = reading.text.index(words)
    found = reading.pages_of(start, start + len(words))
    assert [p.number for p in found] == pages
    assert any(p.inferred for p in found) == inferred


@pytest.mark.parametrize(
    ("words", "pages"),
    [
        ("Recruitment of a Designated Social Care Officer", [185, 186]),
        ("Further work needed to promote PHBs", [186]),
        ("Review and understand the best model to meet need", [190]),
        ("Co-produced development of a Joint Outcomes Framework", [191]),
        ("About Sefton\n\nOur SEND partnership", [142]),
        (
            "To work with families and young people to maximise choice and control.\n\nhave",
            [157],
        ),
    ],
)
def test_pages_of_the_send_strategy(
    readings: dict[str, Reading], words: str, pages: list[int]
) -> None:
    reading = readings[SEND]
    start = reading.text.index(words)
    assert [p.number for p in reading.pages_of(start, start + 20)] == pages


def test_a_row_that_goes_on_over_a_page_is_one_row(readings: dict[str, Reading]) -> None:
    reading = readings[SEND]
    rows = [s for s in reading.sections if s.form == "table_row" and len(s.cells) == 6]
    row = next(s for s in rows if "Review of OT sensory" in reading.text[s.start : s.end])
    cells = {c.header: reading.text[c.start : c.end] for c in row.cells}
    assert (
        "requirement for joint commissioning of further levels of support."
        in (cells["The Actions we are taking"])
    )
    assert cells["Date to be achieved by"] == "Q3 2023/24"
    assert [p.number for p in reading.pages_of(row.start, row.end)] == [186, 187]


def test_the_action_plan_has_all_its_rows_with_owner_and_date(readings: dict[str, Reading]) -> None:
    reading = readings[SEND]
    rows = [
        {c.header: reading.text[c.start : c.end] for c in s.cells}
        for s in reading.sections
        if s.form == "table_row" and s.cells and s.cells[-1].header == "Date to be achieved by"
    ]
    assert len(rows) == 14
    assert all("Responsible lead" in row for row in rows)


def test_objective_rows_of_the_sefton_plan(readings: dict[str, Reading]) -> None:
    reading = readings[PLAN]
    rows = [
        s for s in reading.sections if s.form == "table_row" and s.cells[0].header == "Objective"
    ]
    assert len(rows) == 100
    assert all({c.header for c in s.cells} <= {"Objective", "Impact", "Timeframe"} for s in rows)


def test_sections_cover_the_text_and_lie_in_order(readings: dict[str, Reading]) -> None:
    for reading in readings.values():
        at = 0
        for section in reading.sections:
            assert not reading.text[at : section.start].strip()
            assert section.start < section.end
            for cell in section.cells:
                assert section.start <= cell.start < cell.end <= section.end
            at = section.end
        assert not reading.text[at:].strip()


def test_contents_pages_are_marked(readings: dict[str, Reading]) -> None:
    reading = readings[SEND]
    listed = [reading.text[s.start : s.end] for s in reading.sections if s.form == "contents"]
    assert any("Appendix 3- 2023-2026 Action Plan" in line for line in listed)
    assert "Foreword" not in listed


def test_stamps_leave_no_trace_in_the_words(readings: dict[str, Reading]) -> None:
    for document_id in (PLAN, SEND):
        assert not re.search(r"(?m)^Page \d+$", readings[document_id].text)
        assert "Agenda Item 5" not in readings[PLAN].text


def test_the_next_slides_title_is_not_under_this_slides(readings: dict[str, Reading]) -> None:
    reading = readings[PLAN]
    start = reading.text.index("Development of capacity to support diagnosis and monitoring")
    section = next(s for s in reading.sections if s.start == start)
    assert section.heading == ("Live Well – Diagnostics",)


def test_headings_of_plain_text_are_told_by_their_look() -> None:
    blocks = load_text(
        "Our plan\n\nWe will do this.\n\nPriority 1: be well\n\nMore words here."
    ).blocks
    assert [(b.kind, b.text) for b in blocks] == [
        ("heading", "Our plan"),
        ("prose", "We will do this."),
        ("heading", "Priority 1: be well"),
        ("prose", "More words here."),
    ]


def test_a_line_broken_in_its_sentence_is_made_whole() -> None:
    blocks = load_text(
        "At present, we have a set of\nservices focused on treating.\nNext one."
    ).blocks
    assert [b.text for b in blocks] == [
        "At present, we have a set of services focused on treating.",
        "Next one.",
    ]


def test_markdown_tables_of_both_kinds_become_rows() -> None:
    tabbed = "Name\tRole\n<p>Ann</p>\t<ul><li>• Lead</li><li>Chair &amp; clerk</li></ul>\n"
    piped = "# T\n\n| Name | Role |\n|---|---|\n| Ann | **Lead**<br>Chair |\n"
    for text in (tabbed, piped):
        rows = [b for b in load_markdown(text).blocks if b.kind == "table_row"]
        assert rows[0].header == ("Name", "Role")
        assert rows[0].cells[0] == "Ann"
        assert rows[0].cells[1].split("\n")[0] == "Lead"


def test_fragment_lines_flatten_lists_and_tables_inside_a_cell() -> None:
    cell = "<p>Two <b>words</b></p><table><tr><td>Yes</td><td>No</td></tr></table>&pound;5"
    assert fragment_lines(cell, Watch()) == ["Two words", "Yes", "No", "£5"]


def _pack(*pages: tuple[str, int | None]) -> list[Block]:
    """Slides of a heading and a line, some of them stamped."""
    blocks = []
    for i, (title, stamp) in enumerate(pages):
        blocks.append(Block("heading", text=title, level=2, gap=3))
        if stamp is not None:
            blocks.append(Block("prose", text=f"Page {stamp}", gap=1))
        blocks.append(Block("prose", text=f"Words of slide {i + 1}.", gap=1))
    return blocks


def test_a_missing_stamp_is_inferred_from_the_slides_around_it() -> None:
    stamped = place(_pack(("A", 1), ("B", 2), ("C", None), ("D", 4)))
    assert stamped is not None
    pages = {p.block.text: (p.first, p.last) for p in stamped.placed}
    assert pages["Words of slide 3."] == (3, 3)
    assert 3 not in stamped.stamped


def test_an_open_page_break_gives_both_pages() -> None:
    blocks = [
        *_pack(("A", 1), ("B", 2)),
        Block("prose", text="First of two loose paragraphs, on page two or three.", gap=1),
        Block("prose", text="Second of two loose paragraphs, on page two or three.", gap=1),
        *_pack(("D", 4)),
    ]
    stamped = place(blocks)
    assert stamped is not None
    pages = {p.block.text[:6]: (p.first, p.last) for p in stamped.placed}
    assert pages["Second"] == (3, 3) or pages["Second"][0] <= 3 <= pages["Second"][1]
    assert pages["First "][0] == 2


def test_text_that_only_mentions_pages_has_no_stamps() -> None:
    assert place([Block("prose", text="See Page 4 of the plan.")] * 9) is None


def test_numbers_out_of_order_are_not_stamps() -> None:
    blocks = _pack(("A", 1), ("B", 2), ("C", 3), ("D", 4))
    blocks.insert(3, Block("prose", text="Page 99", gap=1))
    stamped = place(blocks)
    assert stamped is not None
    assert stamped.stamped == {1, 2, 3, 4}
    assert any(p.block.text == "Page 99" for p in stamped.placed)


def test_a_first_line_that_is_not_there_is_told() -> None:
    with pytest.raises(DocumentError, match="'Nowhere'"):
        place(_pack(("A", 1), ("B", 2), ("C", 3)), [Part(1, 3, "Nowhere")])


def test_continues_only_inside_a_sentence() -> None:
    long = Block("prose", text="They said that the opinions and experiences of")
    assert continues(long, Block("prose", text="local people matter."))
    assert not continues(long, Block("prose", text="Local people matter."))
    assert not continues(
        Block("prose", text="All is said and done here now, you know."),
        Block("prose", text="local people matter."),
    )


def test_repeated_table_headers_go_to_their_page() -> None:
    header = Block("table_header", cells=("What", "When"), header=("What", "When"))
    rows = [
        Block("table_row", cells=(f"Thing {i}", "Then"), header=("What", "When")) for i in (1, 2)
    ]
    loaded = Loaded((header, rows[0], Block("heading", text="Next", level=1), header, rows[1]))
    document = Document(id="d", system="s", title="t", file="f", sha256="0")
    (reading,) = assemble(loaded, [document])
    assert reading.text == "What\nWhen\n\nThing 1\nThen\n\nNext\n\nThing 2\nThen"


def test_an_empty_or_binary_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_bytes(b"  \n")
    (tmp_path / "binary.txt").write_bytes(b"\x00\x01\x02" * 99)
    for name, told in (("empty.txt", "is empty"), ("binary.txt", "binary.txt")):
        with pytest.raises(DocumentError, match=told):
            load(tmp_path / name)


def test_normalise_keeps_words_and_drops_what_hides() -> None:
    assert (
        normalise("ﬁnd\u00ad the\u200b o\ufb03ce\u202e now\u00a0 please")
        == "find the office now please"
    )
    assert normalise("e\u0301galite\u0301") == "égalité"
