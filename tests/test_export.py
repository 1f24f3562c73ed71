"""Exports: what they hold, that they are harmless, and that bytes do not vary."""

import csv
import io
import json
import time
import zipfile
from dataclasses import fields, replace

import docx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import QueryError
from search_api.cite import packed, sha256
from search_api.export import export, export_commitments, export_priorities
from search_api.headline import DOUBTFUL
from search_api.model import Citation, Comparison, Statement
from search_api.searcher import Searcher
from search_api.serialise import to_json
from search_api.sheets import CITED, harmless, office_text, plain_text, restored

THEMES = ["dementia", "dental care", "net zero"]
RISKY = ["=1+1", "+44 151", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"]


@pytest.fixture(scope="module")
def comparison(searcher: Searcher) -> Comparison:
    return searcher.compare(THEMES, home="sefton")


def hostile(comparison: Comparison, quote: str) -> Comparison:
    """The comparison with the words of its first statement replaced."""
    cell = next(c for c in comparison.cells if c.statements)
    first: Statement = cell.statements[0]
    citations = tuple(
        replace(c, quote=quote, quote_sha256=sha256(quote)) if c.id == first.citation else c
        for c in comparison.citations
    )
    cells = tuple(
        replace(c, statements=(replace(first, text=quote, triggers=(quote,)),)) if c is cell else c
        for c in comparison.cells
    )
    return replace(comparison, cells=cells, citations=citations)


def rows_of(content: bytes) -> list[dict[str, str]]:
    text = content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("form", ["csv", "xlsx", "docx", "json"])
def test_the_same_comparison_gives_the_same_bytes(comparison: Comparison, form: str) -> None:
    first = export(comparison, form)
    time.sleep(1.1)  # Office files keep the time to the second
    assert export(comparison, form) == first


@pytest.mark.parametrize("form", ["csv", "xlsx", "docx", "json"])
def test_the_same_priorities_give_the_same_bytes(searcher: Searcher, form: str) -> None:
    found = searcher.priorities(home="sefton")
    assert export_priorities(found, form) == export_priorities(found, form)


def test_priorities_as_rows(searcher: Searcher) -> None:
    found = searcher.priorities()
    rows = rows_of(export_priorities(found, "csv"))
    given = [p for s in found.systems for of in s.lists for p in of.priorities]
    assert [r["quote"] for r in rows] == [p.text for p in given]
    dementia = next(r for r in rows if r["quote"] == "Dementia")
    assert (dementia["under"], dementia["rank"]) == ("Age well", "headline")
    assert dementia["declared_by"] == "2. Life-course priorities"


def test_a_system_without_priorities_has_a_row_that_says_so(searcher: Searcher) -> None:
    found = searcher.priorities()
    silent = replace(found.systems[0], status="none", lists=())
    none = replace(found, systems=(silent, *found.systems[1:]))
    first = rows_of(export_priorities(none, "csv"))[0]
    assert (first["system_name"], first["status"], first["quote"]) == (silent.name, "none", "")
    paper = docx.Document(io.BytesIO(export_priorities(none, "docx")))
    assert "No declared list of priorities was found" in paper.tables[0].rows[1].cells[0].text


@pytest.mark.parametrize("form", ["csv", "xlsx", "json"])
def test_the_same_register_gives_the_same_bytes(searcher: Searcher, form: str) -> None:
    found = searcher.commitments(limit=0)
    systems = searcher.store.systems
    assert export_commitments(found, form, systems) == export_commitments(found, form, systems)


def test_csv_has_every_field_of_every_citation(comparison: Comparison) -> None:
    rows = rows_of(export(comparison, "csv"))
    cited = {c.id: c for c in comparison.citations}
    assert len(rows) == sum(max(1, len(c.statements)) for c in comparison.cells)
    for row in rows:
        citation = cited[row["citation_id"]]
        assert restored(row["quote"]) == citation.quote
        for name in ("document_sha256", "text_sha256", "quote_sha256", "index_id", "url"):
            assert row[name] == getattr(citation, name)
        assert (int(row["start"]), int(row["end"])) == (citation.start, citation.end)
    assert len(CITED) == len(fields(Citation))


def test_silence_says_how_much_was_searched(comparison: Comparison) -> None:
    silent = [r for r in rows_of(export(comparison, "csv")) if r["status"] == "silent"]
    assert silent
    assert all(int(r["passages_searched"]) > 0 and r["role"] == "nearest miss" for r in silent)


def test_what_is_in_doubt_is_marked(comparison: Comparison) -> None:
    doubtful, certain = (
        replace(
            comparison,
            cells=tuple(
                replace(c, statements=tuple(replace(s, sure=sure) for s in c.statements))
                for c in comparison.cells
            ),
        )
        for sure in (False, True)
    )
    roles = [r["role"] for r in rows_of(export(doubtful, "csv")) if r["status"] != "silent"]
    assert roles and set(roles) == {"in doubt"}
    told = {r["status"] for r in rows_of(export(doubtful, "csv"))}
    assert told == {"in doubt", "silent"}
    assert DOUBTFUL in words_of(export(doubtful, "docx"))
    assert DOUBTFUL not in words_of(export(certain, "docx"))


def test_a_paper_says_whose_page_numbers_are_meant(
    comparison: Comparison, searcher: Searcher
) -> None:
    packs = packed(searcher.store)
    paper = docx.Document(io.BytesIO(export(comparison, "docx", packs)))
    said = [p.text for p in paper.paragraphs if p.style.name == "Evidence"]
    for citation, line in zip(comparison.citations, said, strict=True):
        assert ("of the pack" in line) == (citation.document_id in packs and bool(citation.pages))
    assert {c.document_id in packs for c in comparison.citations} == {True, False}


def words_of(content: bytes) -> str:
    paper = docx.Document(io.BytesIO(content))
    return "\n".join(c.text for t in paper.tables for row in t.rows for c in row.cells)


def test_json_is_what_the_api_gives(comparison: Comparison) -> None:
    assert json.loads(export(comparison, "json")) == to_json(comparison)


def test_a_sheet_of_cells_one_of_evidence_and_one_of_notes(comparison: Comparison) -> None:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(export(comparison, "xlsx")))
    assert book.sheetnames == ["Cells", "Evidence", "Notes"]
    cells, evidence, notes = (list(s.iter_rows(values_only=True)) for s in book.worksheets)
    assert len(cells) == 1 + len(comparison.cells)
    assert set(CITED) <= set(evidence[0])
    assert any(comparison.index_id in str(r[0]) for r in notes)


@pytest.mark.parametrize("risky", RISKY)
def test_no_cell_of_a_csv_is_a_formula(comparison: Comparison, risky: str) -> None:
    for row in csv.reader(
        io.StringIO(export(hostile(comparison, risky), "csv").decode("utf-8-sig"), newline="")
    ):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝")) for cell in row)


@pytest.mark.parametrize("risky", RISKY)
def test_no_cell_of_a_workbook_is_a_formula(comparison: Comparison, risky: str) -> None:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(export(hostile(comparison, risky), "xlsx")))
    assert not any(
        cell.data_type == "f" for s in book.worksheets for row in s.iter_rows() for cell in row
    )


@given(st.text())
def test_harmless_text_is_given_back(text: str) -> None:
    assert restored(harmless(text)) == text
    assert not harmless(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.text(st.characters(codec="utf-8")))
def test_office_text_is_given_back(text: str) -> None:
    assert plain_text(office_text(text)) == text


def test_a_control_character_does_not_break_an_office_file(comparison: Comparison) -> None:
    strange = hostile(comparison, "one\x0btwo _x0041_ three\ufffe")
    for form in ("xlsx", "docx"):
        assert export(strange, form).startswith(b"PK")


def test_a_paper_has_real_styles_a_header_row_and_every_quote(comparison: Comparison) -> None:
    from docx import Document

    paper = Document(io.BytesIO(export(comparison, "docx")))
    section = paper.sections[0]
    assert (section.page_width or 0) > (section.page_height or 0)
    styles = [p.style.name if p.style else "" for p in paper.paragraphs]
    assert styles[0] == "Title"
    assert styles.count("Quote") == styles.count("Evidence hash") == len(comparison.citations)
    quotes = [p.text for p, s in zip(paper.paragraphs, styles, strict=True) if s == "Quote"]
    assert quotes == [c.quote for c in comparison.citations]
    table = paper.tables[0]
    assert len(table.rows) == 1 + len(comparison.themes)
    assert len(table.columns) == 1 + len(comparison.systems)
    assert "tblHeader" in table.rows[0]._tr.xml
    assert paper.core_properties.author == "icsearch"


def test_office_files_hold_no_time_and_no_macro(comparison: Comparison) -> None:
    for form in ("xlsx", "docx"):
        with zipfile.ZipFile(io.BytesIO(export(comparison, form))) as package:
            assert {i.date_time for i in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            assert not any("vba" in n.lower() for n in package.namelist())


def test_the_register_as_a_table(searcher: Searcher) -> None:
    found = searcher.commitments(theme="dementia", limit=0)
    rows = rows_of(export_commitments(found, "csv", searcher.store.systems))
    assert {r["system_name"] for r in rows} == {"Sefton"}
    assert [r["due"] for r in rows] == [c.due or "" for c in found.commitments]
    assert any(r["value"] == "66.7" and r["unit"] == "%" for r in rows)


def test_an_unknown_format_is_refused(comparison: Comparison, searcher: Searcher) -> None:
    with pytest.raises(QueryError, match="pdf"):
        export(comparison, "pdf")
    with pytest.raises(QueryError, match="docx"):
        export_commitments(searcher.commitments(), "docx", searcher.store.systems)
