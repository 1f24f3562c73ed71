"""Word and PowerPoint files: document order, tables with names, slides, what is left out."""

import pytest

from corpus.errors import DocumentError
from eval import making
from indexer.blocks import Block, Loaded
from indexer.load import docx, pptx
from indexer.load.limits import DEFAULT, Limits


def word(content: bytes) -> Loaded:
    return docx.load(content, "made.docx", DEFAULT)


def slides(content: bytes) -> Loaded:
    return pptx.load(content, "made.pptx", DEFAULT)


def told(found: Loaded) -> list[tuple[str, str]]:
    return [(block.kind, block.words) for block in found.blocks]


# Word.


def test_styles_become_headings_with_levels_and_lists() -> None:
    made = making.docx_plain(
        [
            ("Title", "Our plan"),
            ("Heading 1", "Ageing well"),
            ("", "A paragraph of plain words."),
            ("Heading 2", "Dementia"),
            ("List Bullet", "first"),
            ("List Number", "second"),
        ]
    )
    found = word(made.content)
    assert told(found) == [
        ("heading", "Our plan"),
        ("heading", "Ageing well"),
        ("prose", "A paragraph of plain words."),
        ("heading", "Dementia"),
        ("list_item", "first"),
        ("list_item", "second"),
    ]
    assert [b.level for b in found.blocks if b.kind == "heading"] == [1, 1, 2]
    assert found.pages == ()


@pytest.mark.parametrize("marked", ["bold", "shaded", "header"])
def test_a_marked_first_row_names_the_columns(marked: str) -> None:
    made = making.docx_table(making.table_rows(5), marked=marked)
    found = word(made.content).blocks
    assert found[0].text == "Before the table."
    assert found[-1].text == "After the table."
    assert found[1].kind == "table_header"
    rows = [block for block in found if block.kind == "table_row"]
    assert [row.cells for row in rows] == list(made.rows)
    assert {row.header for row in rows} == {made.header}


def test_an_unmarked_first_row_is_a_row() -> None:
    made = making.docx_table(making.table_rows(3), marked="")
    rows = [block for block in word(made.content).blocks if block.kind == "table_row"]
    assert [row.cells for row in rows] == [made.header, *made.rows]
    assert {row.header for row in rows} == {()}


def test_merged_cells_come_once_and_inner_tables_are_flattened() -> None:
    made = making.docx_merged()
    rows = [block for block in word(made.content).blocks if block.kind == "table_row"]
    assert [row.cells for row in rows] == list(made.rows)


def test_tracked_deletions_are_out_and_insertions_in() -> None:
    content = making.docx_tracked("We will", "perhaps", "certainly")
    assert told(word(content)) == [("prose", "We will certainly")]


def test_hidden_words_are_left_out_and_reported() -> None:
    found = word(making.docx_hidden("Seen.", "Never seen by anyone."))
    assert told(found) == [("prose", "Seen."), ("prose", "Marked but seen.")]
    assert found.warnings == ('take care: hidden text left out, 4 words: "Never seen by anyone."',)


def test_a_text_box_is_read_once() -> None:
    content = making.docx_text_box("Around it.", "Words in a box.")
    assert told(word(content)) == [("prose", "Around it."), ("prose", "Words in a box.")]


def test_footnotes_follow_their_paragraph() -> None:
    content = making.docx_footnote("As the audit found.", "Audit of 2024, table 3.")
    assert told(word(content)) == [
        ("prose", "As the audit found."),
        ("prose", "Audit of 2024, table 3."),
    ]


def test_typed_contents_are_marked() -> None:
    made = making.docx_plain(
        [("", "Contents"), ("", "1\tOur vision\t4"), ("", "2\tFalls\t9"), ("", "Now the plan.")]
    )
    kinds = [block.kind for block in word(made.content).blocks]
    assert kinds == ["contents", "contents", "contents", "prose"]


def test_more_than_may_be_read_is_refused_by_name() -> None:
    made = making.docx_plain([("", "word")] * 300)
    with pytest.raises(DocumentError, match=r"^big\.docx holds more than 100 paragraphs"):
        docx.load(made.content, "big.docx", Limits(pages=1))


# PowerPoint.


def test_a_slide_is_a_page_and_its_title_a_heading() -> None:
    made = making.pptx_slides([("Start well", ["a", "b"]), ("Age well", ["c", "d"])])
    found = slides(made.content)
    assert [(block.page, block.words) for block in found.blocks] == list(made.paragraphs)
    assert [b.kind for b in found.blocks] == ["heading", "list_item", "list_item"] * 2
    assert [page.number for page in found.pages] == [1, 2]
    assert found.warnings == ()


def test_notes_are_left_out_with_a_warning() -> None:
    found = slides(making.pptx_slides([("Title", ["a", "b"])], notes="Say it slowly.").content)
    assert not any("slowly" in block.words for block in found.blocks)
    assert found.warnings == ("speakers' notes left out: slide 1",)


def test_shapes_are_read_from_the_top_left_with_groups_tables_and_charts() -> None:
    made = making.pptx_shapes()
    found = slides(made.content)
    plain = [b.words for b in found.blocks if b.kind in ("heading", "prose")]
    assert plain == [text for _, text in made.paragraphs] + ["Admissions fall"]
    rows: list[Block] = [b for b in found.blocks if b.kind == "table_row"]
    assert [row.cells for row in rows] == list(made.rows)
    assert {row.header for row in rows} == {made.header}
    assert found.warnings == ("charts of which only the title is read: slide 1",)


def test_a_slide_that_is_a_picture_is_unreadable_and_a_hidden_one_left_out() -> None:
    found = slides(making.pptx_picture())
    assert [page.unreadable for page in found.pages] == [True, False]
    assert found.blocks == ()
    assert "hidden slides left out: slide 2" in found.warnings
    assert "a picture without text: slide 1" in found.warnings


def test_too_many_slides_are_refused_by_name() -> None:
    made = making.pptx_slides([("Title", ["a", "b"])] * 3)
    with pytest.raises(DocumentError, match=r"^many\.pptx has 3 slides; up to 2 are read\.$"):
        pptx.load(made.content, "many.pptx", Limits(pages=2))
