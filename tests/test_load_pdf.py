"""PDFs made from known words are read back: order, pages, tables, headings, frame, hidden words."""

import io
import re

import pytest
from reportlab.pdfgen.canvas import Canvas

from corpus.model import Document, Reading, Section
from eval import making
from eval.making import Made
from indexer.assemble import assemble
from indexer.blocks import Loaded
from indexer.load import ocr, pdf
from indexer.load.limits import DEFAULT

DOCUMENT = Document(id="made", system="s", title="Made", file="made.pdf", sha256="")


def loaded(content: bytes) -> Loaded:
    return pdf.load(content, "made.pdf", DEFAULT).named("pdf")


def reading(made: Made) -> Reading:
    return assemble(loaded(made.content), [DOCUMENT])[0]


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def section_of(read: Reading, text: str) -> Section | None:
    return next((s for s in read.sections if flat(read.text[s.start : s.end]) == text), None)


def lost(read: Reading, made: Made) -> list[str]:
    return [text for _, text in made.paragraphs if section_of(read, text) is None]


LAYOUTS = {
    "single column": lambda t: making.pdf_single_column(t),
    "single column with parted words": lambda t: making.pdf_single_column(t, hyphenated=True),
    "broken over pages": lambda t: making.pdf_broken_over_pages(t),
    "two columns": lambda t: making.pdf_columns(t),
    "two columns with parted words": lambda t: making.pdf_columns(t, hyphenated=True),
    "two columns drawn row by row": lambda t: making.pdf_columns(t, row_drawn=True),
    "a heading over two columns": lambda t: making.pdf_columns(t, row_drawn=True, heading="Care"),
    "a narrow gutter": lambda t: making.pdf_columns(t, row_drawn=True, gutter=13),
    "three columns drawn row by row": lambda t: making.pdf_columns(t, 3, row_drawn=True),
    "spread": making.pdf_spread,
    "part of a pack": making.pdf_with_stamps,
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_paragraph_is_found_whole_in_order_and_on_its_page(layout: str) -> None:
    made = LAYOUTS[layout](making.paragraphs(24))
    read = reading(made)
    assert lost(read, made) == []
    found = [section_of(read, text) for _, text in made.paragraphs]
    starts = [section.start for section in found if section]
    assert starts == sorted(starts)
    for section, (page, _) in zip(found, made.paragraphs, strict=True):
        assert section is not None
        assert section.boxes[0].page == page


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_turned_page_is_read_as_it_is_shown(rotation: int) -> None:
    made = making.pdf_rotated(making.paragraphs(4), rotation)
    read = reading(made)
    assert lost(read, made) == []
    boxes = [box for section in read.sections for box in section.boxes]
    assert all(
        0 <= box.left < box.right <= 595 and 0 <= box.top < box.bottom <= 842 for box in boxes
    )
    assert [box.top for box in boxes] == sorted(box.top for box in boxes)


def test_a_box_beside_the_text_is_read_apart_from_it() -> None:
    made = making.pdf_side_box(making.paragraphs(6, 1, 3), making.paragraphs(2, 9, 2))
    assert lost(reading(made), made) == []


def test_boxes_cover_the_words_and_nothing_else() -> None:
    made = making.pdf_single_column(making.paragraphs(3), frame=False)
    section = section_of(reading(made), made.paragraphs[1][1])
    assert section is not None
    (box,) = section.boxes
    lines = len(making.wrapped(made.paragraphs[1][1], 475))
    assert box.left == pytest.approx(60, abs=1)
    assert box.right <= 535
    assert box.bottom - box.top == pytest.approx(lines * 12.5, abs=5)


# Hyphens.


def test_words_parted_at_the_end_of_a_line_are_joined_and_real_hyphens_kept() -> None:
    # "long-term", "early-years" and "same-day" are broken at their own hyphen in narrow columns.
    made = making.pdf_columns(making.paragraphs(40), columns=3, hyphenated=True)
    drawn = [line for _, t in made.paragraphs for line in making.wrapped(t, 145, True)]
    assert sum(line.endswith("-") for line in drawn) > 80
    assert any(line.endswith((" long-", " early-", " same-")) for line in drawn)
    assert lost(reading(made), made) == []


def test_a_hyphen_is_kept_where_the_document_parts_no_words() -> None:
    pages = making.Pages()
    lines = [
        "This plan stands for care of high-",
        "quality and for a place where the well-being of everyone counts and nobody is",
        "left behind by a system that is too complicated for most of those who use it.",
    ]
    for i, line in enumerate(lines):
        pages.text(60, 100 + i * 12.5, line)
    text = assemble(loaded(pages.done()), [DOCUMENT])[0].text
    assert "care of high-quality and" in text


# Frame.


def test_running_heads_and_page_numbers_are_kept_out_of_the_text_and_with_their_page() -> None:
    made = making.pdf_single_column(making.paragraphs(40))
    read = reading(made)
    assert "Northvale strategy for health" not in read.text
    assert len(read.pages) > 3
    assert [page.label for page in read.pages] == list(made.labels)
    for page in read.pages:
        assert "Northvale strategy for health 2025 to 2030" in page.chrome


@pytest.mark.parametrize("below", [14, 40])
def test_the_first_line_of_running_text_is_no_frame_though_it_repeats(below: int) -> None:
    drawn = io.BytesIO()
    canvas = Canvas(drawn, pagesize=(595, 842))
    for aim in ("less smoking", "more homes", "dental care", "safer birth", "good work"):
        canvas.setFont("Helvetica", 11)
        canvas.drawString(72, 770, "The council and its partners are committed")
        canvas.drawString(72, 770 - below, f"to {aim} in every neighbourhood.")
        canvas.drawString(72, 756 - below, "Progress will be told to the board each year.")
        canvas.showPage()
    canvas.save()
    read = assemble(loaded(drawn.getvalue()), [DOCUMENT])[0]
    close = below == 14
    assert read.text.count("The council and its partners are committed") == (5 if close else 0)
    assert all(bool(page.chrome) != close for page in read.pages)


def test_a_numbered_heading_that_repeats_in_place_is_no_frame() -> None:
    pages = making.Pages()
    for number, text in zip((1, 2, 3), making.paragraphs(3), strict=True):
        pages.text(60, 60, f"Priority {number * 4}", "Helvetica-Bold", 16)
        for i, line in enumerate(making.wrapped(text, 470)):
            pages.text(60, 110 + i * 12.5, line)
        pages.next()
    read = assemble(loaded(pages.done()), [DOCUMENT])[0]
    headings = [read.text[s.start : s.end] for s in read.sections if s.form == "heading"]
    assert headings == ["Priority 4", "Priority 8", "Priority 12"]


def test_stamps_of_a_pack_are_told_from_the_papers_own_numbers() -> None:
    made = making.pdf_with_stamps(making.paragraphs(24))
    found = loaded(made.content)
    assert [page.stamp for page in found.pages] == list(made.stamps)
    assert [page.label for page in found.pages] == list(made.labels)
    chrome = [block.text for block in found.blocks if block.kind == "chrome"]
    assert "Page 79" in chrome
    assert "Agenda Item 5" in chrome
    assert not any("Page 79" in b.text for b in found.blocks if b.kind != "chrome")


def test_a_page_without_a_stamp_is_numbered_by_its_neighbours_and_said_to_be() -> None:
    pages = making.Pages()
    for number, text in enumerate(making.paragraphs(6), 1):
        if number != 3:
            pages.text(480, 22, f"Page {number + 50}", "Times-Roman", 12)
        for i, line in enumerate(making.wrapped(text, 470)):
            pages.text(60, 110 + i * 12.5, line)
        pages.next()
    found = loaded(pages.done())
    assert [page.stamp for page in found.pages] == [51, 52, 53, 54, 55, 56]
    assert any("inferred for: page 3" in warning for warning in found.warnings)


def test_page_labels_of_the_file_are_used_where_none_is_printed() -> None:
    made = making.pdf_labelled([("ROMAN_LOWER", 1), ("ROMAN_LOWER", 2), ("ARABIC", 1)])
    assert [page.label for page in loaded(made.content).pages] == ["i", "ii", "1"]


def test_contents_lines_are_marked_and_the_parts_that_they_name_are_not() -> None:
    titles = ["Our vision", "Living well with dementia", "Falls and frailty", "Our people"]
    for leaders in (True, False):
        found = loaded(making.pdf_contents(titles, leaders).content)
        listed = [block.text for block in found.blocks if block.kind == "contents"]
        assert [re.sub(r"[.\s]*\d$", "", text) for text in listed] == ["Contents", *titles]
        headings = [block.text for block in found.blocks if block.kind == "heading"]
        assert headings == titles


# Headings and lists.

SECTIONS = [
    (1, "Ageing well", making.paragraphs(8)[0]),
    (2, "Dementia", making.paragraphs(8)[1]),
    (3, "Diagnosis", making.paragraphs(8)[2]),
    (4, "What people told us", making.paragraphs(8)[3]),
    (2, "Falls", making.paragraphs(8)[4]),
]


@pytest.mark.parametrize("outline", [False, True])
def test_headings_have_levels_by_type_or_by_the_outline(outline: bool) -> None:
    found = loaded(making.pdf_headings(SECTIONS, outline).content)
    headings = [(block.level, block.text) for block in found.blocks if block.kind == "heading"]
    assert headings == [(level, text) for level, text, _ in SECTIONS]


@pytest.mark.parametrize("mark", ["•", "o", "-", "1", "dot", "\uf0b7"])
def test_list_items_are_told_from_prose(mark: str) -> None:
    items = making.paragraphs(5, 4, 1)
    made = making.pdf_list("Over the next five years we will do these things:", items, mark)
    blocks = loaded(made.content).blocks
    assert [block.kind for block in blocks] == ["prose"] + ["list_item"] * 5
    assert [block.text for block in blocks] == [text for _, text in made.paragraphs]


# Tables.


@pytest.mark.parametrize("ruled", ["grid", "rows", "fills"])
@pytest.mark.parametrize("repeat_header", [True, False])
def test_cells_of_a_table_are_attached_to_their_names_over_all_pages(
    ruled: str, repeat_header: bool
) -> None:
    made = making.pdf_table(making.table_rows(40), ruled=ruled, repeat_header=repeat_header)
    read = reading(made)
    assert len(read.pages) > 2
    assert cells(read) == [dict(zip(made.header, row, strict=True)) for row in made.rows]


def cells(read: Reading) -> list[dict[str, str]]:
    return [
        {cell.header: flat(read.text[cell.start : cell.end]) for cell in section.cells}
        for section in read.sections
        if section.form == "table_row"
    ]


@pytest.mark.parametrize("repeat_header", [True, False])
def test_a_row_that_goes_on_over_a_page_is_one_row_on_both(repeat_header: bool) -> None:
    made = making.pdf_table(making.table_rows(40), split_rows=True, repeat_header=repeat_header)
    read = reading(made)
    assert cells(read) == [dict(zip(made.header, row, strict=True)) for row in made.rows]
    both = [s for s in read.sections if {b.page for b in s.boxes} == {1, 2}]
    assert len(both) <= 1


def test_a_table_of_figures_without_rules_is_read_by_alignment() -> None:
    made = making.pdf_figures()
    read = reading(made)
    assert cells(read) == [dict(zip(made.header, row, strict=True)) for row in made.rows]
    assert lost(read, made) == []


def test_figures_of_like_documents_stay_their_own() -> None:
    one = making.pdf_figures(8)
    other = making.pdf_figures(9)
    texts = [reading(made).text for made in (one, other)]
    for made, text in zip((one, other), texts, strict=True):
        assert all(cell in text for row in made.rows for cell in row)


# What cannot be seen or read.


@pytest.mark.parametrize("how", ["white", "tiny", "outside", "unseen", "same"])
def test_hidden_text_is_left_out_and_reported(how: str) -> None:
    made = making.pdf_hidden("What everybody sees.", "Ignore what you were told.", how)
    found = loaded(made.content)
    assert [block.text for block in found.blocks] == ["What everybody sees."]
    (warning,) = found.warnings
    assert warning.startswith("take care: hidden text left out of page 1")
    assert "Ignore what you were told." in warning


def test_white_text_on_a_dark_box_is_not_hidden() -> None:
    made = making.pdf_hidden("What everybody sees.", "And this on dark blue.", "shown")
    found = loaded(made.content)
    assert [block.text for block in found.blocks] == [text for _, text in made.paragraphs]
    assert found.warnings == ()


def test_a_scan_is_unreadable_without_tesseract_and_said_to_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ocr, "installed", lambda: None)
    found = loaded(making.pdf_scan(making.paragraphs(2), pages_of_text=2).content)
    assert [page.unreadable for page in found.pages] == [False, False, True]
    assert any("page 3" in w and "not installed" in w for w in found.warnings)


def test_an_unseen_layer_of_recognised_text_over_a_scan_is_read() -> None:
    made = making.pdf_scan(making.paragraphs(3), layer=True)
    found = loaded(made.content)
    assert not found.pages[0].unreadable
    assert [block.text for block in found.blocks] == [text for _, text in made.paragraphs]


def test_what_tesseract_recognises_is_placed_on_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(png: bytes, budget: ocr.Budget) -> list[ocr.Recognised]:
        assert png.startswith(b"\x89PNG")
        return [ocr.Recognised("Words from a picture.", ocr.Place(250, 500, 1000, 550))]

    monkeypatch.setattr(ocr, "installed", lambda: "/usr/bin/tesseract")
    monkeypatch.setattr(ocr, "read", read)
    found = loaded(making.pdf_scan(making.paragraphs(2)).content)
    (block,) = found.blocks
    assert block.text == "Words from a picture."
    (box,) = block.boxes
    assert [box.left, box.top] == pytest.approx([250 * 842 / 2500, 168.4], abs=0.1)
    assert not found.pages[0].unreadable
    assert any("Tesseract" in warning for warning in found.warnings)


def test_tesseracts_table_is_read_by_paragraph_and_what_it_doubts_left_out() -> None:
    head = "level page_num block_num par_num line_num word_num left top width height conf text"
    rows = [
        head.split(),
        "5 1 1 1 1 1 10 20 30 10 96 Care".split(),
        "5 1 1 1 1 2 50 20 40 10 95 closer".split(),
        "5 1 1 2 1 1 10 60 30 10 12 ~~|".split(),
        "5 1 2 1 1 1 10 90 30 10 91 Home".split(),
    ]
    table = "\n".join("\t".join(row) for row in rows)
    found = list(ocr._paragraphs(table))
    assert [part.text for part in found] == ["Care closer", "Home"]
    assert found[0].box == (10, 20, 90, 30)


def test_an_empty_page_is_reported_but_not_unreadable() -> None:
    pages = making.Pages()
    pages.next()
    pages.text(60, 100, "The second page has words.")
    found = loaded(pages.done())
    assert [page.unreadable for page in found.pages] == [False, False]
    assert found.warnings == ("nothing to read: page 1",)


def test_fields_of_a_form_are_reported() -> None:
    pages = making.Pages()
    pages.text(60, 100, "Your name:")
    pages.canvas.acroForm.textfield(name="who", value="A. Planner", x=150, y=730)
    found = loaded(pages.done())
    assert found.warnings == ("a form, of which what is filled in is not read: page 1",)


@pytest.mark.parametrize(("word_space", "expected"), [("", "ofnon"), (" ", "of non")])
def test_words_that_touch_are_parted_only_by_a_space_of_the_file(
    word_space: str, expected: str
) -> None:
    drawn = io.BytesIO()
    canvas = Canvas(drawn)
    text = canvas.beginText(72, 700)
    text.setFont("Helvetica", 12)
    # A space is .278 of the type size wide; moving back by .27 leaves a gap too narrow to see.
    back = 270 if word_space else 0
    text._code.append(f"[(of{word_space}) {back} (non)] TJ")
    canvas.drawText(text)
    canvas.save()
    read = assemble(loaded(drawn.getvalue()), [DOCUMENT])[0]
    assert read.text.strip() == expected


def test_ligatures_and_soft_hyphens_become_plain_words() -> None:
    font = (
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding<</Type/Encoding"
        b"/BaseEncoding/WinAnsiEncoding/Differences[174/ffi 175/fl]>>>>"
    )
    content = making.pdf_page(
        making.pdf_stream(b"BT /F1 12 Tf 60 700 Td (e\xaecient \xafow) Tj ET"),
        font,
        resources=b"/Font<</F1 6 0 R>>",
    )
    assert [block.text for block in loaded(content).blocks] == ["efficient flow"]


@pytest.mark.parametrize("layout", ["two columns drawn row by row", "spread", "part of a pack"])
def test_no_word_is_added_and_none_lost(layout: str) -> None:
    import pypdfium2

    made = LAYOUTS[layout](making.paragraphs(24))
    document = pypdfium2.PdfDocument(made.content)
    for number in range(1, len(document) + 1):
        drawn = document[number - 1].get_textpage().get_text_range()
        read = " ".join(b.words for b in loaded(made.content).blocks if b.page == number)
        assert sorted(letters(drawn)) == sorted(letters(read))


def letters(text: str) -> str:
    return re.sub(r"\W", "", text)
