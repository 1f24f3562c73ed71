"""Nothing is lost: faults at the calls that change files, damage, locks, and going back.

The long version of the first test is `make soak`; docs/reliability.md has what it found.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from corpus.errors import CatalogueError, IndexBusy, IndexDamaged, IndexGone, ModelError
from indexer import administer, assemble, build, disk, embed
from indexer.build import build_index
from indexer.embed import DEFAULT_MODEL, prepare
from indexer.settings import CHECKOUT, IndexSettings
from indexer.store import GENERATIONS, current_id, kept_ids, open_store
from indexer.store.publish import roll_back
from search_api.cli import main
from search_api.model import Query, SearchResult
from search_api.serving import Serving
from search_api.settings import SearchSettings
from tests.soak.trace import FAULTS, supported


@pytest.mark.skipif(not supported(), reason="tracing needs Linux on x86-64")
def test_no_fault_at_a_change_of_a_file_loses_anything(tmp_path: Path) -> None:
    """Three points of every command that writes, every fault; `make soak` tries all points."""
    output = tmp_path / "results.json"
    ran = subprocess.run(
        [sys.executable, "-m", "tests.soak.crash", "--most", "3", "--output", str(output)],
        cwd=CHECKOUT,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    results = json.loads(output.read_text())
    assert not results["failures"]
    for command, counts in results["commands"].items():
        assert counts["points"] > (5 if command == "roll back" else 100)
        assert all(counts[fault] for fault in FAULTS), command


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux")
def test_no_reader_outlives_what_started_it_and_none_that_is_killed_loses_anything(
    tmp_path: Path,
) -> None:
    """One kill of a reader, one of `index` while readers are at work; `make soak` tries many."""
    output = tmp_path / "results.json"
    command = [sys.executable, "-m", "tests.soak.reader", "--most", "0", "--kills", "1"]
    command += ["--seed", "10"]  # both kills come about halfway, while readers are at work
    ran = subprocess.run(
        [*command, "--output", str(output)],
        cwd=CHECKOUT,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(output.read_text())["readers"]["kills"]["index"] == 1


def another_plan(settings: IndexSettings, text: str = "We will plant trees by May 2027.") -> None:
    path = settings.corpus.parent / "trees.txt"
    path.write_text(f"Trees\n\n{text}\n")
    addition = administer.Addition(path, "northvale", "Trees")
    administer.add(settings.corpus, addition, lambda: build_index(settings))


def test_every_flipped_bit_is_named_and_nothing_is_deleted(tiny_settings: IndexSettings) -> None:
    manifest = build_index(tiny_settings)
    root = Path(tiny_settings.index)
    (model,) = (root / "models").iterdir()  # what is shared with other tests stays whole
    shared = model.resolve()
    model.unlink()
    shutil.copytree(shared, model)
    folder = root / GENERATIONS / manifest.index_id
    files = [folder / name for name in manifest.files]
    files += [folder / "manifest.json", *(root / "models").glob("*/tokenizer.json")]
    before = sorted(p for p in root.rglob("*") if p.suffix != ".lock")
    for path in files:
        good = path.read_bytes()
        for at in (0, len(good) // 3, len(good) - 1):
            for bit in (0, 7):
                bad = bytearray(good)
                bad[at] ^= 1 << bit
                path.write_bytes(bytes(bad))
                found = CliRunner().invoke(
                    main,
                    ["index", "--check", "--index", str(root), "--corpus"]
                    + [str(tiny_settings.corpus)],
                )
                assert found.exit_code == 1
                assert str(path) in found.stderr
        path.write_bytes(good)
    assert sorted(p for p in root.rglob("*") if p.suffix != ".lock") == before
    pointer = root / "CURRENT"
    good = pointer.read_bytes()
    for at in range(len(good) - 1):
        for bit in range(8):
            bad = bytearray(good)
            bad[at] ^= 1 << bit
            pointer.write_bytes(bytes(bad))
            with pytest.raises(IndexDamaged, match=f"rollback {manifest.index_id}"):
                open_store(str(root))
    assert roll_back(root, manifest.index_id).index_id == current_id(str(root))


def test_damage_is_not_taken_over_into_the_next_generation(
    tiny_settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build_index(tiny_settings)
    (vectors,) = (Path(tiny_settings.index) / GENERATIONS / first.index_id).rglob("vectors.npy")
    good = vectors.read_bytes()
    vectors.write_bytes(good[:-2] + bytes([good[-2] ^ 4]) + good[-1:])
    # As with a file too big to be hashed whenever it is opened.
    monkeypatch.setattr("indexer.store.folder.MOST_HASHED", 0)
    another_plan(tiny_settings)
    administer.remove(tiny_settings.corpus, "northvale-trees", lambda: build_index(tiny_settings))
    assert current_id(tiny_settings.index) == first.index_id
    assert vectors.read_bytes() == good
    assert list((Path(tiny_settings.index) / GENERATIONS).glob(".damaged-*"))


def test_going_back_and_forward(tiny_settings: IndexSettings) -> None:
    root = Path(tiny_settings.index)
    first = build_index(tiny_settings).index_id
    with pytest.raises(IndexGone, match="no other generation"):
        roll_back(root)
    another_plan(tiny_settings)
    second = current_id(str(root))
    runner = CliRunner()
    back = runner.invoke(main, ["index", "--rollback", "--index", str(root)])
    assert back.exit_code == 0
    assert f"Generation {first} is served again" in back.output
    assert current_id(str(root)) == first
    assert roll_back(root).index_id == second
    named = runner.invoke(main, ["index", "--rollback", first, "--index", str(root)])
    assert named.exit_code == 0 and current_id(str(root)) == first
    with pytest.raises(IndexGone, match="does not keep"):
        roll_back(root, "0123456789abcdef")
    (damaged,) = (root / GENERATIONS / second).rglob("statements.npy")
    damaged.write_bytes(damaged.read_bytes()[:-1])
    with pytest.raises(IndexDamaged, match="statements.npy"):
        roll_back(root)
    assert current_id(str(root)) == first


def test_nothing_depends_on_the_clock(tiny_settings: IndexSettings) -> None:
    """Files from the future and from 1970: the generations served last are kept all the same."""
    root = Path(tiny_settings.index)
    served = [build_index(tiny_settings).index_id]
    for n, stamp in enumerate((4_000_000_000, 0, 2_000_000_000, 1)):
        os.utime(root / GENERATIONS / served[-1], (stamp, stamp))
        listing = tiny_settings.corpus / "documents.toml"
        listing.write_text(
            listing.read_text().replace("Plan of northvale", f"{n} Plan of northvale")
        )
        served.append(build_index(tiny_settings).index_id)
    assert kept_ids(str(root)) == served[-1:-4:-1]


def test_a_copy_made_while_served_and_a_read_only_copy_open(
    tiny_settings: IndexSettings, tmp_path: Path
) -> None:
    manifest = build_index(tiny_settings)
    serving = Serving(SearchSettings(index=tiny_settings.index))
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            serving.searcher().search(Query("dental"))

    thread = threading.Thread(target=ask)
    thread.start()
    copy = tmp_path / "copy"
    try:
        shutil.copytree(tiny_settings.index, copy)
    finally:
        stop.set()
        thread.join()
    for lock in copy.rglob(".tantivy-*.lock"):
        lock.unlink()
    lexical = copy / GENERATIONS / manifest.index_id / "lexical"
    # A folder where the lock file should be: as with a read-only disk, none can be made.
    (lexical / ".tantivy-meta.lock").mkdir()
    store = open_store(str(copy))
    assert len(store.matching({"dental": 1.0}, 5, None)[0])
    checked = CliRunner().invoke(
        main, ["index", "--check", "--index", str(copy), "--corpus", str(tiny_settings.corpus)]
    )
    assert checked.exit_code == 0, checked.stderr


def test_a_generation_pruned_under_a_server_still_answers_who_has_it_open(
    tiny_settings: IndexSettings,
) -> None:
    first = build_index(tiny_settings).index_id
    serving = Serving(SearchSettings(index=tiny_settings.index))
    old = serving.searcher(first)
    shutil.rmtree(old.store.folder)  # type: ignore[attr-defined]
    found: list[SearchResult] = []
    # In another thread than the one that opened it.
    thread = threading.Thread(
        target=lambda: found.append(old.search(Query("housing keeps people well")))
    )
    thread.start()
    thread.join()
    assert "Good housing keeps people well." in [hit.passage.text for hit in found[0].hits][0]


def test_what_a_killed_build_left_is_cleared_away(tiny_settings: IndexSettings) -> None:
    root = Path(tiny_settings.index)
    left = [
        root / "models" / ".export-abc",
        *(root / GENERATIONS / n for n in (".building-a", ".deleting-b")),
    ]
    for folder in left:
        folder.mkdir(parents=True)
        (folder / "half").write_text("half of something")
    build_index(tiny_settings)
    assert not [folder for folder in left if folder.exists()]


def test_the_lock_of_a_dead_process_does_not_block(tiny_settings: IndexSettings) -> None:
    code = (
        "import os, sys; from pathlib import Path; from indexer import disk\n"
        "with disk.locked(Path(sys.argv[1]), 'writing'), "
        "disk.corpus_locked(Path(sys.argv[2]), change=True):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, f"{tiny_settings.index}/lock", str(tiny_settings.corpus)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
    )
    assert holder.stdin and holder.stdout
    with holder.stdin, holder.stdout:
        holder.stdout.readline()
        with pytest.raises(IndexBusy, match=f"process {holder.pid}"):
            build_index(tiny_settings)
        with pytest.raises(IndexBusy, match="indexing, adding to or removing from"):
            another_plan(tiny_settings)
        holder.kill()
        holder.wait()
    build_index(tiny_settings)
    another_plan(tiny_settings)


def test_a_change_that_is_refused_does_not_end_the_one_under_way(tmp_path: Path) -> None:
    with disk.corpus_locked(tmp_path, change=True):
        with pytest.raises(IndexBusy), disk.corpus_locked(tmp_path, change=True):
            pass
        with disk.corpus_locked(tmp_path, change=False):  # the index that the change builds
            pass


def test_a_file_left_by_a_crash_is_named_and_kept(tiny_settings: IndexSettings) -> None:
    build_index(tiny_settings)
    left = tiny_settings.corpus / "documents" / "northvale-trees.txt"
    left.write_text("What a crash left, or somebody's own file.")
    options = ["--index", tiny_settings.index, "--corpus", str(tiny_settings.corpus)]
    ran = CliRunner().invoke(main, ["index", *options])
    assert ran.exit_code == 0
    assert f"Left over: {left} has no entry" in ran.stderr
    another_plan(tiny_settings)
    assert left.read_text() == "What a crash left, or somebody's own file."
    assert "northvale-trees-2" in open_store(tiny_settings.index).documents


def test_adding_a_left_over_file_that_cannot_be_read_keeps_it(tiny_settings: IndexSettings) -> None:
    build_index(tiny_settings)
    left = tiny_settings.corpus / "documents" / "northvale-bad.txt"
    left.write_bytes(b"\x00\x01\x02" * 50)
    addition = administer.Addition(left, "northvale", "Bad")
    served = current_id(tiny_settings.index)
    with pytest.raises(CatalogueError, match="was not added"):
        administer.add(tiny_settings.corpus, addition, lambda: build_index(tiny_settings))
    assert left.exists()
    assert current_id(tiny_settings.index) == served


def test_a_damaged_export_of_the_model_is_made_again(
    index_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(index_dir / "models", tmp_path / "models")
    folder = prepare(DEFAULT_MODEL, tmp_path / "models")
    tokenizer = folder / "tokenizer.json"
    good = tokenizer.read_bytes()
    tokenizer.write_bytes(good.replace(b'"dementia"', b'"dementib"', 1))
    assert tokenizer.read_bytes() != good
    embed._opened.cache_clear()
    with pytest.raises(ModelError, match="tokenizer.json is not the file that was exported"):
        embed.open_encoder(folder)
    made: list[Path] = []
    monkeypatch.setattr(embed, "_export", lambda *given: made.append(given[-1]))
    prepare(DEFAULT_MODEL, tmp_path / "models")
    assert made == [folder]
    assert (tmp_path / "models" / f".damaged-{folder.name}" / "tokenizer.json").exists()


def test_an_index_of_an_older_reader_opens_and_is_read_anew_by_the_next_build(
    tiny_settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = build_index(tiny_settings).index_id
    read: list[str] = []
    real = build.read_isolated

    def spy(path: Path, *given: Any) -> Any:
        read.append(path.name)
        return real(path, *given)

    monkeypatch.setattr(build, "read_isolated", spy)
    build_index(tiny_settings)
    assert not read
    monkeypatch.setattr(assemble, "READER_VERSION", "a newer one")
    assert open_store(tiny_settings.index).manifest.index_id == older
    newer = build_index(tiny_settings).index_id
    assert sorted(read) == ["north.txt", "south.md"]
    assert newer != older
    assert roll_back(Path(tiny_settings.index)).index_id == older
