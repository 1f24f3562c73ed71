"""Hostile and deceiving files by the way that administrators send them: over the web."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from indexer.settings import IndexSettings
from tests.attacks import ATTACKS, SEEN
from tests.test_admin import admin, open_site, outsider, over, text_of, tiny, upload
from tests.test_hostile import FILES

__all__ = ["admin", "open_site", "outsider", "tiny"]
REFUSED = ("locked.pdf", "garbage.pdf", "entities.docx", "cut.pptx")


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_file_is_refused_in_a_sentence_and_leaves_nothing(
    admin: TestClient, tiny: tuple[Path, IndexSettings], name: str
) -> None:
    folder = tiny[1].corpus
    before = sorted(p.name for p in folder.rglob("*")), (folder / "documents.toml").read_bytes()
    make, _ = FILES[name]
    tree = over(admin, upload(admin, make(), name=name))
    assert "Failed" in text_of(tree, "#state")
    told = text_of(tree, ".app-desk__failed")
    assert "was not added" in told
    assert "Traceback" not in told
    assert before == (
        sorted(p.name for p in folder.rglob("*")),
        (folder / "documents.toml").read_bytes(),
    )
    assert admin.get("/api/v1/health").json()["status"] == "ok"


def test_a_deceiving_file_is_added_and_told_of(admin: TestClient) -> None:
    tree = over(admin, upload(admin, ATTACKS["html-white"].make(), name="plan.html"))
    assert "Failed" not in text_of(tree, "#state")
    assert "hidden text left out" in text_of(tree)
    found = [
        d
        for d in admin.get("/api/v1/documents").json()["documents"]
        if d["title"] == "Northvale dental plan"
    ]
    assert any("hidden text left out" in c for d in found for c in d["cautions"])
    text = admin.get(f"/api/v1/documents/{found[0]['id']}/text").json()["text"]
    assert SEEN[1] in text
    assert "ninety" not in text
