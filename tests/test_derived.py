"""What rules find is kept beside the index: the same as found anew, never trusted if damaged."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from corpus.model import Document
from indexer.build import build_index
from indexer.settings import IndexSettings
from indexer.store import GENERATIONS, POINTER, open_store
from search_api import commitments, declared
from search_api.cli import main
from search_api.derived import FOLDER, MOST_KEPT, by_document, path_of
from search_api.prepare import prepare, prepare_beside
from search_api.searcher import Searcher

RULES = ("search_api.dates",)
TWO = ["hwe-integrated-care-strategy", "lsc-integrated-care-strategy"]


class Elsewhere:
    """A generation of two documents that is in no folder, as one in a database is."""

    def __init__(self, store: Any, index_id: str = "0" * 16) -> None:
        self.documents = {d: store.documents[d] for d in TWO}
        self.themes, self.reading = store.themes, store.reading
        self.manifest = replace(store.manifest, index_id=index_id)
        self.asked: list[str] = []

    def first_words(self, document: Document) -> list[str]:
        """The first word of a document; which documents were asked for is remembered."""
        self.asked.append(document.id)
        return self.reading(document.id).text.split()[:1]


@pytest.fixture()
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which this machine keeps what belongs to indexes in databases."""
    monkeypatch.setenv("ICSEARCH_MODELS", str(tmp_path / "cache" / "models"))
    return tmp_path / "cache" / FOLDER


def find(store: Any, rules: tuple[str, ...] = RULES) -> tuple[dict[str, Any], list[str]]:
    """What is found, and the documents that had to be looked at."""
    store.asked.clear()
    return dict(by_document(store, "words", rules, store.first_words)), list(store.asked)


@pytest.fixture()
def store(searcher: Searcher, machine: Path) -> Any:
    return Elsewhere(searcher.store)


def test_found_once_then_kept(store: Any) -> None:
    found, asked = find(store)
    assert found == {TWO[0]: ["Hertfordshire"], TWO[1]: ["Our"]}
    assert asked == TWO
    assert find(store) == (found, [])


def test_a_new_generation_takes_over_what_has_not_changed(
    store: Any, searcher: Searcher, machine: Path
) -> None:
    found, _ = find(store)
    later = Elsewhere(searcher.store, "1" * 16)
    later.documents[TWO[0]] = replace(later.documents[TWO[0]], title="Another title")
    assert find(later) == (found, [TWO[0]])
    assert len(list(machine.iterdir())) == 2, "that of the former generation is still there"


@pytest.mark.parametrize("harm", ["cut", "edited", "empty", "not text"])
def test_a_damaged_file_is_found_anew(store: Any, harm: str) -> None:
    found, _ = find(store)
    path = path_of(store, "words", RULES)
    content = path.read_bytes()
    harmed = {
        "cut": content[:-5],
        "edited": content.replace(b"Hertfordshire", b"Herefordshire"),
        "empty": b"",
        "not text": b"\xff\xfe",
    }[harm]
    assert harmed != content
    path.write_bytes(harmed)
    assert find(store) == (found, TWO)
    assert path.read_bytes() == content


def test_rules_that_change_find_anew(store: Any, machine: Path) -> None:
    find(store)
    assert find(store, ("search_api.ladder",))[1] == TWO
    assert len(list(machine.iterdir())) == 1, "what the former rules found is removed"


def test_where_nothing_can_be_written_it_is_found_each_time(store: Any, machine: Path) -> None:
    machine.parent.mkdir()
    machine.write_text("in the way")
    found, asked = find(store)
    assert asked == TWO
    assert find(store) == (found, TWO)


def test_of_indexes_in_databases_the_latest_are_kept(
    store: Any, searcher: Searcher, machine: Path
) -> None:
    for number in range(MOST_KEPT + 3):
        there = Elsewhere(searcher.store, f"{number:016x}")
        assert len(find(there)[1]) == (0 if number else 2), "taken over from the one before"
        os.utime(path_of(there, "words", RULES), (number, number))  # type: ignore[arg-type]
    kept = sorted(p.name[:16] for p in machine.iterdir())
    assert len(kept) == MOST_KEPT + 1
    assert kept[-1] == f"{MOST_KEPT + 2:016x}"


def test_of_an_index_in_a_folder_what_is_no_longer_served_goes(
    searcher: Searcher, index_dir: Path
) -> None:
    commitments.register(open_store(str(index_dir)))
    (kept,) = (index_dir / FOLDER).glob(f"{searcher.index_id}.commitments.*")
    gone = kept.with_name(kept.name.replace(searcher.index_id, "f" * 16))
    gone.write_bytes(kept.read_bytes())
    kept.unlink()
    commitments.register(open_store(str(index_dir)))
    assert kept.is_file() and not gone.exists()


def test_kept_and_found_anew_are_the_same(index_dir: Path) -> None:
    prepare(str(index_dir))
    store = open_store(str(index_dir))
    assert commitments.register(store) == commitments.found_anew(store)
    lists = declared.declared_of(store)
    assert lists == {d: declared.declared_in(store.reading(d)) for d in store.documents}
    assert len([of for found in lists.values() for of in found]) > 5


def test_building_from_the_command_line_leaves_it_ready(tiny_settings: IndexSettings) -> None:
    given = ["--corpus", str(tiny_settings.corpus), "--index", tiny_settings.index]
    done = CliRunner().invoke(main, ["index", *given, "--quiet"])
    assert done.exit_code == 0, done.output
    kinds = sorted(p.name.split(".")[1] for p in (Path(tiny_settings.index) / FOLDER).iterdir())
    assert kinds == ["commitments", "priorities"]


def test_nothing_to_prepare_is_no_error(tmp_path: Path) -> None:
    prepare(str(tmp_path / "nothing"))
    assert not (tmp_path / "nothing").exists()


def test_a_server_has_it_found_in_a_process_of_its_own(tiny_settings: IndexSettings) -> None:
    build_index(tiny_settings)
    folder = Path(tiny_settings.index) / FOLDER
    prepare_beside(tiny_settings.index)
    assert sorted(p.name.split(".")[1] for p in folder.iterdir()) == ["commitments", "priorities"]
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    prepare_beside(tiny_settings.index)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_that_process_ends_in_silence_when_it_is_done(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "search_api.prepare", str(tmp_path / "nothing")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, **pipes) as process:  # its input stays open, as a server's does
        assert process.wait(30) == 0
        assert process.stdout is not None
        assert process.stdout.read() == b""


def test_that_process_ends_with_the_server(tmp_path: Path) -> None:
    (tmp_path / GENERATIONS).mkdir()
    os.mkfifo(tmp_path / POINTER)  # whoever reads it waits
    command = [sys.executable, "-m", "search_api.prepare", str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(3)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(20) == 1
