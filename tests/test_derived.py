"""What rules find is kept beside the index: the same as found anew, never trusted if damaged."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from corpus.catalogue import sha256_of
from corpus.model import Document
from indexer.build import build_index
from indexer.settings import IndexSettings
from indexer.store import open_store
from search_api import commitments, declared
from search_api.cli import main
from search_api.derived import FOLDER, by_document, path_of, prepare

RULES = ("search_api.dates",)


@pytest.fixture()
def built(tiny_settings: IndexSettings) -> Iterator[IndexSettings]:
    build_index(tiny_settings)
    yield tiny_settings


class Finder:
    """Finds the first word of a document, and remembers which documents it was asked for."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.asked: list[str] = []

    def __call__(self, document: Document) -> list[str]:
        self.asked.append(document.id)
        return self.store.reading(document.id).text.split()[:1]


def find(settings: IndexSettings) -> tuple[dict[str, Any], list[str]]:
    store = open_store(settings.index)
    finder = Finder(store)
    return dict(by_document(store, "words", RULES, finder)), finder.asked


def test_found_once_then_kept(built: IndexSettings) -> None:
    first, asked = find(built)
    assert asked == ["northvale-plan", "southmere-plan"]
    assert find(built) == (first, [])


def test_a_new_generation_takes_over_what_has_not_changed(
    built: IndexSettings, tiny_corpus: Path
) -> None:
    find(built)
    before = path_of(open_store(built.index), "words", RULES)
    source = tiny_corpus / "documents" / "north.txt"
    catalogue = tiny_corpus / "documents.toml"
    old = sha256_of(source)
    source.write_text("Rewritten. " + source.read_text())
    catalogue.write_text(catalogue.read_text().replace(old, sha256_of(source)))
    build_index(built)
    found, asked = find(built)
    assert asked == ["northvale-plan"]
    assert found["northvale-plan"] == ["Rewritten."]
    assert before is not None and before.is_file(), "its generation is still kept"


@pytest.mark.parametrize("harm", ["cut", "edited", "empty", "not text"])
def test_a_damaged_file_is_found_anew(built: IndexSettings, harm: str) -> None:
    first, _ = find(built)
    path = path_of(open_store(built.index), "words", RULES)
    assert path is not None
    content = path.read_bytes()
    harmed = {
        "cut": content[:-5],
        "edited": content.replace(b"Northvale", b"Southvale"),
        "empty": b"",
        "not text": b"\xff\xfe",
    }[harm]
    assert harmed != content
    path.write_bytes(harmed)
    assert find(built) == (first, ["northvale-plan", "southmere-plan"])
    assert path.read_bytes() == content


def test_rules_that_change_find_anew(built: IndexSettings) -> None:
    find(built)
    store = open_store(built.index)
    finder = Finder(store)
    by_document(store, "words", ("search_api.ladder",), finder)
    assert finder.asked == ["northvale-plan", "southmere-plan"]
    kept = [p.name for p in (Path(built.index) / FOLDER).iterdir()]
    assert len(kept) == 1, "what the former rules found is removed"


def test_where_nothing_can_be_written_it_is_found_each_time(built: IndexSettings) -> None:
    (Path(built.index) / FOLDER).write_text("in the way")
    first, asked = find(built)
    assert len(asked) == 2
    assert find(built) == (first, asked)


def test_kept_and_found_anew_are_the_same(built: IndexSettings) -> None:
    def both() -> tuple[Any, Any]:
        store = open_store(built.index)
        return commitments.register(store), declared.declared_of(store)

    anew, kept = both(), both()
    assert anew == kept
    assert len(anew[0]) > 2


def test_the_register_of_the_shipped_corpus_is_kept_to_the_letter(index_dir: Path) -> None:
    folder = index_dir / FOLDER
    kept = commitments.register(open_store(str(index_dir)))
    for path in folder.glob("*.commitments.*"):
        path.unlink()
    assert commitments.register(open_store(str(index_dir))) == kept


def test_building_from_the_command_line_leaves_it_ready(tiny_settings: IndexSettings) -> None:
    given = ["--corpus", str(tiny_settings.corpus), "--index", tiny_settings.index]
    done = CliRunner().invoke(main, ["index", *given, "--quiet"])
    assert done.exit_code == 0, done.output
    kinds = sorted(p.name.split(".")[1] for p in (Path(tiny_settings.index) / FOLDER).iterdir())
    assert kinds == ["commitments", "priorities"]


def test_nothing_to_prepare_is_no_error(tmp_path: Path) -> None:
    prepare(str(tmp_path / "nothing"))
    assert not (tmp_path / "nothing").exists()
