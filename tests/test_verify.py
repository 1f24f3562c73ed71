"""Verification: sound exports pass, and each kind of damage is named for what it is."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from corpus.catalogue import open_catalogue
from corpus.errors import VerifyError
from eval import making
from indexer.build import build_index
from indexer.settings import IndexSettings
from search_api.cite import sha256
from search_api.export import export, export_commitments, export_priorities
from search_api.model import Comparison
from search_api.searcher import Searcher, open_searcher
from search_api.serialise import to_json
from search_api.settings import SearchSettings
from search_api.verify import SourceDocuments, citations_in, verify_citations, verify_file

FORMATS = ["csv", "xlsx", "docx", "json"]
WORD, OTHER = "dementia diagnosis", "dementia assessment"


@pytest.fixture(scope="module")
def comparison(searcher: Searcher) -> Comparison:
    return searcher.compare(["dementia", "dental care"], home="sefton")


@pytest.fixture()
def citation(comparison: Comparison) -> dict[str, Any]:
    """The citation of the dementia diagnosis rate, as JSON has it."""
    found = next(c for c in comparison.citations if WORD in c.quote)
    return dict(to_json(found))


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_passes(
    searcher: Searcher, comparison: Comparison, tmp_path: Path, form: str
) -> None:
    found = citations_in(written(tmp_path, "any-name", export(comparison, form)))
    assert {c["id"] for c in found} == {c.id for c in comparison.citations}
    assert {c["quote"] for c in found} == {c.quote for c in comparison.citations}
    results = verify_citations(found, searcher.store)
    assert all(r.valid and r.reason is None for r in results)


@pytest.mark.parametrize("form", ["csv", "xlsx", "json"])
def test_a_register_passes(searcher: Searcher, tmp_path: Path, form: str) -> None:
    content = export_commitments(searcher.commitments(limit=0), form, searcher.store.systems)
    found = citations_in(written(tmp_path, "register", content))
    assert all(r.valid for r in verify_citations(found, searcher.store))


def edit_csv(content: bytes, word: str = WORD, other: str = OTHER) -> bytes:
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    at = rows[0].index("quote")
    row = next(r for r in rows[1:] if word in r[at])
    row[at] = row[at].replace(word, other)
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def edit_xlsx(content: bytes, word: str = WORD, other: str = OTHER) -> bytes:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(content))
    sheet = book["Evidence" if "Evidence" in book.sheetnames else "Priorities"]
    at = [c.value for c in sheet[1]].index("quote") + 1
    row = next(r for r in range(2, sheet.max_row + 1) if word in (sheet.cell(r, at).value or ""))
    sheet.cell(row, at).value = str(sheet.cell(row, at).value).replace(word, other)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def edit_docx(content: bytes, word: str = WORD, other: str = OTHER) -> bytes:
    from docx import Document

    paper = Document(io.BytesIO(content))
    run = next(r for p in paper.paragraphs for r in p.runs if word in r.text)
    run.text = run.text.replace(word, other)
    out = io.BytesIO()
    paper.save(out)
    return out.getvalue()


def edit_json(content: bytes, word: str = WORD, other: str = OTHER) -> bytes:
    value = json.loads(content)
    edited = next(c for c in value["citations"] if word in c["quote"])
    edited["quote"] = edited["quote"].replace(word, other)
    said = [s for cell in value.get("cells", ()) for s in cell["statements"]]
    lists = [of for system in value["systems"] for of in system.get("lists", ())]
    for statement in [*said, *(p for of in lists for p in of["priorities"])]:
        if statement["citation"] == edited["id"]:
            statement["text"] = edited["quote"]
    return json.dumps(value).encode()


EDITS = {"csv": edit_csv, "xlsx": edit_xlsx, "docx": edit_docx, "json": edit_json}


@pytest.mark.parametrize("form", FORMATS)
def test_priorities_pass_and_one_edited_word_is_found_in_its_row_alone(
    searcher: Searcher, tmp_path: Path, form: str
) -> None:
    found = searcher.priorities()
    content = export_priorities(found, form)
    citations = citations_in(written(tmp_path, "priorities", content))
    assert {p.id for s in found.systems for of in s.lists for p in of.priorities} <= {
        c["id"] for c in citations
    }
    assert all(r.valid for r in verify_citations(citations, searcher.store))
    edited = EDITS[form](content, "living with dementia", "dying of dementia")
    path = written(tmp_path, "edited", edited)
    results = verify_citations(citations_in(path), searcher.store)
    failed = [r for r in results if not r.valid]
    assert [r.reason for r in failed] == ["changed"]
    assert failed[0].citation.startswith("hwe-integrated-care-strategy.")


@pytest.mark.parametrize(("form", "edit"), EDITS.items())
def test_one_edited_word_is_found_in_its_row_and_no_other(
    searcher: Searcher,
    comparison: Comparison,
    tmp_path: Path,
    form: str,
    edit: Callable[[bytes], bytes],
) -> None:
    path = written(tmp_path, "edited", edit(export(comparison, form)))
    found = citations_in(path)
    failed = [
        (c, r)
        for c, r in zip(found, verify_citations(found, searcher.store), strict=True)
        if not r.valid
    ]
    assert [r.reason for _, r in failed] == ["changed"]
    assert OTHER in failed[0][0]["quote"]


def test_a_statement_of_a_json_file_that_departs_from_its_citation(
    searcher: Searcher, comparison: Comparison, tmp_path: Path
) -> None:
    value = json.loads(export(comparison, "json"))
    cell = next(c for c in value["cells"] if c["statements"])
    cell["statements"][0]["text"] += " Indeed."
    found = citations_in(written(tmp_path, "file", json.dumps(value).encode()))
    reasons = [r.reason for r in verify_citations(found, searcher.store) if not r.valid]
    assert reasons == ["changed"]


def test_moved_changed_and_missing(searcher: Searcher, citation: dict[str, Any]) -> None:
    def reason(**changes: object) -> str | None:
        return verify_citations([citation | changes], searcher.store)[0].reason

    assert reason() is None
    moved = {"id": "", "start": citation["start"] + 5, "end": citation["end"] + 5}
    assert reason(**moved) == "moved"
    assert reason(pages=[1]) == "moved"
    made_up = "We will cure dementia by June 2024."
    assert reason(quote=made_up) == "changed"
    assert reason(quote=made_up, quote_sha256=sha256(made_up)) == "changed"
    assert reason(quote="") == "changed"
    assert reason(document_id="no-such-plan") == "missing"


@pytest.mark.parametrize(
    "citation",
    [
        {},
        {"quote": 1, "document_id": 2},
        {"document_id": "sefton-plan-2023-25"},
        {"document_id": "sefton-plan-2023-25", "quote": "x" * 40, "start": -5, "end": "nought"},
        {"document_id": "sefton-plan-2023-25", "quote": "the", "start": True, "end": [1]},
        {"id": "sefton-plan-2023-25.9-1", "quote": "nowhere at all in the plan", "pages": {}},
    ],
)
def test_nonsense_fails_without_a_fault(searcher: Searcher, citation: dict[str, Any]) -> None:
    assert not verify_citations([citation], searcher.store)[0].valid


def test_order_is_kept(searcher: Searcher, citation: dict[str, Any]) -> None:
    results = verify_citations([citation, {}, citation], searcher.store)
    assert [r.valid for r in results] == [True, False, True]


def test_a_changed_source_file_is_told_when_the_words_still_stand(
    searcher: Searcher, citation: dict[str, Any]
) -> None:
    result = verify_citations([citation | {"document_sha256": "0" * 64}], searcher.store)[0]
    assert result.valid
    assert "source file has changed" in result.detail


def test_without_an_index_from_the_documents_alone(
    tiny_settings: IndexSettings, tiny_corpus: Path, tmp_path: Path
) -> None:
    build_index(tiny_settings)
    small = open_searcher(SearchSettings(index=tiny_settings.index))
    content = export(small.compare(["dementia", "dental care", "housing"]), "csv")
    found = citations_in(written(tmp_path, "small.csv", content))
    assert all(r.valid for r in verify_file(found, corpus=tiny_corpus))

    plan = tiny_corpus / "documents" / "south.md"
    plan.write_text("A new first line.\n\n" + plan.read_text().replace("70%", "69%"))
    reasons = {
        c["quote"][:12]: r.reason
        for c, r in zip(found, verify_file(found, corpus=tiny_corpus), strict=True)
        if c["document_id"] == "southmere-plan"
    }
    assert reasons["Recover the "] == "changed"
    assert "moved" in reasons.values()

    plan.unlink()
    gone = verify_citations(found, SourceDocuments(open_catalogue(tiny_corpus)))
    assert {
        r.reason for c, r in zip(found, gone, strict=True) if c["document_id"] == "southmere-plan"
    } == {"missing"}


def test_a_csv_saved_again_by_a_spreadsheet(
    searcher: Searcher, comparison: Comparison, tmp_path: Path
) -> None:
    text = export(comparison, "csv").decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    out = io.StringIO()
    csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL).writerows(rows)
    path = written(tmp_path, "again.csv", out.getvalue().encode("cp1252", "replace"))
    results = verify_citations(citations_in(path), searcher.store)
    assert all(r.valid for r in results)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no citations"),
        (b"hello", "no citations"),
        (b"a,b\n1,2\n", "no citations"),
        (b"{}", "no citations"),
        (b"[" * 100_000, "damaged"),
        (b"{broken", "damaged"),
        (b"PK\x03\x04 not a zip", "damaged"),
        (b"\x00\xff\xfe", "no citations"),
    ],
)
def test_a_file_without_citations_is_told_in_one_sentence(
    tmp_path: Path, content: bytes, why: str
) -> None:
    with pytest.raises(VerifyError, match=why):
        citations_in(written(tmp_path, "file", content))


def test_a_file_too_large_for_an_export_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "vast.csv"
    with path.open("wb") as file:
        file.truncate(64 * 2**20 + 1)
    with pytest.raises(VerifyError, match=r"vast\.csv is larger than 64 MB\.$"):
        citations_in(path)


def test_a_file_that_unpacks_to_too_much_is_not_unpacked(tmp_path: Path) -> None:
    part = "word/document.xml"
    package = making.with_lie_about_size(making.archive({part: b"<x/>"}), part, 512 * 2**20 + 1)
    with pytest.raises(VerifyError, match="unpacks to too much"):
        citations_in(written(tmp_path, "bomb.docx", package))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(VerifyError, match="Cannot read"):
        citations_in(tmp_path / "none.csv")


def test_control_characters_and_formulas_survive_the_way_there_and_back(
    comparison: Comparison, tmp_path: Path
) -> None:
    quote = "=cmd|' /C calc'!A0 _x0041_\tand\nmore"
    first = comparison.citations[0]
    changed = replace(
        comparison,
        citations=(
            replace(first, quote=quote, quote_sha256=sha256(quote)),
            *comparison.citations[1:],
        ),
    )
    for form in FORMATS:
        path = written(tmp_path, form, export(changed, form))
        assert quote in [c["quote"] for c in citations_in(path)]
