"""Splitting, embedding, building and opening an index; and what happens when something is wrong."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpus import open_catalogue
from corpus.errors import (
    CatalogueError,
    DocumentError,
    IndexBusy,
    IndexDamaged,
    IndexGone,
    IndexMissing,
    IndexWriteError,
    ModelError,
    UnknownId,
)
from corpus.model import Document
from indexer import acronyms, administer, embed, embedding, split, tuning
from indexer.analyse import stem
from indexer.build import build_index
from indexer.embed import DEFAULT_MODEL, OnnxEncoder, Vectors, open_encoder, prepare
from indexer.settings import IndexSettings
from indexer.split import MOST_WORDS
from indexer.statements import sentences, statements
from indexer.store import current_id, kept_ids, open_store, publish, writer
from indexer.store.folder import FolderStore
from search_api.searcher import Searcher


def test_passages_are_slices_and_of_a_readable_length(searcher: Searcher) -> None:
    store = searcher.store
    passages = store.passages(range(store.manifest.passages))
    assert len({p.id for p in passages}) == len(passages)
    for passage in passages:
        text = store.reading(passage.document_id).text
        assert text[passage.start : passage.end] == passage.text
        assert store.encoder.count_pieces(passage.text) <= 256
    words = [len(p.text.split()) for p in passages if p.form != "contents"]
    assert 50 <= sum(words) / len(words) < 150
    assert max(words) <= MOST_WORDS + 20


def test_passages_cover_every_word(searcher: Searcher) -> None:
    store = searcher.store
    for document_id in store.documents:
        reading = store.reading(document_id)
        covered = np.zeros(len(reading.text), dtype=bool)
        for section in reading.sections:
            if section.form == "heading" and section.level == 0:
                covered[section.start : section.end] = True
        for passage in store.passages(range(*store.rows_of(document_id))):
            covered[passage.start : passage.end] = True
        missed = "".join(c for c, k in zip(reading.text, covered, strict=True) if not k)
        assert not missed.strip()


def test_statement_vectors_belong_to_their_statements(searcher: Searcher) -> None:
    store = searcher.store
    for row in range(0, store.manifest.passages, 37):
        (passage,) = store.passages([row])
        found = statements(passage, store.reading(passage.document_id))
        vectors, _ = store.vectors_of_statements(np.array([row]))
        assert len(vectors) == len(found)
        if found:
            made = store.encoder.passages([found[-1].text])[0]
            assert float(made @ vectors[-1]) > 0.999


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One here. Two there! Three?", ["One here.", "Two there!", "Three?"]),
        (
            "See e.g. Dr. Smith for 66.7% more. Then go.",
            ["See e.g. Dr. Smith for 66.7% more.", "Then go."],
        ),
        ("“We will.” They did", ["“We will.”", "They did"]),
        ("a line\nanother line", ["a line", "another line"]),
        ("", []),
    ],
)
def test_sentences(text: str, parts: list[str]) -> None:
    assert [text[a:b] for a, b in sentences(text)] == parts


def test_onnx_equals_sentence_transformers(index_dir: Path) -> None:
    from sentence_transformers import SentenceTransformer

    texts = [
        "What do other ICSs say about dementia?",
        "x",
        "Recover the dementia diagnosis rate to 66.7%, in line with available resources. " * 20,
        "café “naïve” – £6.9m",
    ]
    store = open_store(str(index_dir))
    model = SentenceTransformer(str(embed.find_model(DEFAULT_MODEL)), device="cpu")
    tuning.add(tuning.shipped().passages, model)
    theirs = model.encode(texts, normalize_embeddings=True)
    assert np.sum(store.encoder.passages(texts) * theirs, axis=1).min() > 0.99999
    tuning.add(tuning.shipped().questions, model)
    questions = model.encode(texts, normalize_embeddings=True)
    for text, vector in zip(texts, questions, strict=True):
        assert float(store.encoder.query(text) @ vector) > 0.99999


def test_weights_that_are_not_the_official_ones_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "model"
    fake.mkdir()
    (fake / "model.safetensors").write_bytes(b"not the weights")
    monkeypatch.setattr(embed, "find_model", lambda name: fake)
    with pytest.raises(ModelError, match="not those of all-MiniLM-L6-v2"):
        prepare(DEFAULT_MODEL, tmp_path / "store")


def test_an_altered_export_is_refused(index_dir: Path, tmp_path: Path) -> None:
    source = next((index_dir / "models").glob("[!.]*"))
    for file in source.iterdir():
        os.link(file, tmp_path / file.name)
    (tmp_path / "model.onnx").unlink()
    (tmp_path / "model.onnx").write_bytes(b"another model")
    with pytest.raises(ModelError, match="not the file that was exported"):
        open_encoder(tmp_path)


def test_build_reuse_and_determinism(tiny_settings: IndexSettings, tmp_path: Path) -> None:
    first = build_index(tiny_settings)
    stages: list[tuple[str, int]] = []
    again = build_index(tiny_settings, lambda stage, done, total: stages.append((stage, total)))
    assert again.index_id == first.index_id
    assert again.built_at == first.built_at
    assert not [s for s in stages if s[0] == "Embedding"]
    other = IndexSettings(corpus=tiny_settings.corpus, index=str(tmp_path / "second"))
    (tmp_path / "second").mkdir()
    os.symlink(Path(tiny_settings.index) / "models", tmp_path / "second" / "models")
    assert build_index(other).index_id == first.index_id


def test_only_what_changed_is_embedded(
    tiny_settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_index(tiny_settings)
    before = open_store(tiny_settings.index)
    new = tiny_settings.corpus.parent / "new.txt"
    new.write_text("A new plan.\n\nWe will plant a thousand trees by May 2027.")
    seen: list[str] = []
    real = embed.OnnxEncoder.passages

    def spy(self: Any, texts: list[str], *args: Any) -> Any:
        seen.extend(texts)
        return real(self, texts, *args)

    monkeypatch.setattr(embed.OnnxEncoder, "passages", spy)
    addition = administer.Addition(new, "northvale", "Trees plan", period="2026-27")
    identity, manifest = administer.add(
        tiny_settings.corpus, addition, lambda: build_index(tiny_settings)
    )
    assert seen
    assert all("plan" in text.lower() or "trees" in text for text in seen)
    assert not any("dental" in text for text in seen)
    after = open_store(tiny_settings.index)
    assert set(after.documents) == {*before.documents, identity}
    assert after.documents[identity].period_to == 2027
    assert manifest.index_id != before.manifest.index_id
    row = before.rows_of("southmere-plan")[0]
    kept = after.rows_of("southmere-plan")[0]
    assert np.array_equal(before.vectors(np.array([row])), after.vectors(np.array([kept])))
    # The older generation still answers, and removing brings back what was.
    assert open_store(tiny_settings.index, before.manifest.index_id).documents == before.documents
    removed = administer.remove(tiny_settings.corpus, identity, lambda: build_index(tiny_settings))
    assert removed.index_id == before.manifest.index_id
    assert not list((tiny_settings.corpus / "documents").glob("*trees*"))


def test_adding_is_undone_when_the_document_cannot_be_read(tiny_settings: IndexSettings) -> None:
    build_index(tiny_settings)
    before = (tiny_settings.corpus / "documents.toml").read_bytes()
    bad = tiny_settings.corpus.parent / "bad.txt"
    bad.write_bytes(b"\x00\x01\x02\x03" * 50)
    addition = administer.Addition(bad, "northvale", "Bad")
    with pytest.raises(CatalogueError, match="was not added"):
        administer.add(tiny_settings.corpus, addition, lambda: build_index(tiny_settings))
    assert (tiny_settings.corpus / "documents.toml").read_bytes() == before
    assert len(list((tiny_settings.corpus / "documents").iterdir())) == 2


def test_what_cannot_be_added_or_removed_is_told(tiny_settings: IndexSettings) -> None:
    corpus = tiny_settings.corpus
    known = corpus / "documents" / "north.txt"

    def never() -> Any:
        raise AssertionError("must not build")

    with pytest.raises(CatalogueError, match="no system 'eastham'"):
        administer.add(corpus, administer.Addition(known, "eastham", "T"), never)
    with pytest.raises(CatalogueError, match="already, as northvale-plan"):
        administer.add(corpus, administer.Addition(known, "northvale", "T"), never)
    with pytest.raises(CatalogueError, match="no file"):
        administer.add(corpus, administer.Addition(corpus / "none.pdf", "northvale", "T"), never)
    with pytest.raises(UnknownId, match="no document nope"):
        administer.remove(corpus, "nope", never)


def test_a_changed_document_without_a_new_hash_is_not_read(tiny_settings: IndexSettings) -> None:
    build_index(tiny_settings)
    path = tiny_settings.corpus / "documents" / "north.txt"
    path.write_text(path.read_text() + "\nMore.\n")
    manifest = build_index(tiny_settings)
    assert "not the file that the catalogue describes" in manifest.failures["northvale-plan"]
    assert "former version stays" in manifest.failures["northvale-plan"]
    assert "northvale-plan" in open_store(tiny_settings.index).documents


def test_nothing_readable_is_told(tiny_settings: IndexSettings) -> None:
    for path in (tiny_settings.corpus / "documents").iterdir():
        path.write_text("changed")
    with pytest.raises(DocumentError, match="Not one document could be read"):
        build_index(tiny_settings)


def test_missing_gone_and_damaged_indexes_are_told(tiny_settings: IndexSettings) -> None:
    root = Path(tiny_settings.index)
    with pytest.raises(IndexMissing, match="no index at"):
        open_store(str(root))
    manifest = build_index(tiny_settings)
    with pytest.raises(IndexGone, match="no longer kept"):
        open_store(str(root), "0123456789abcdef")
    folder = root / "generations" / manifest.index_id
    for name in manifest.files:
        path = folder / name
        good = path.read_bytes()
        flipped = bytearray(good)
        flipped[len(good) // 2] ^= 1
        path.write_bytes(bytes(flipped))
        with pytest.raises(IndexDamaged, match=path.name):
            open_store(str(root))
        path.write_bytes(good)
    next(folder.rglob("vectors.npy")).unlink()
    with pytest.raises(IndexDamaged, match="vectors.npy"):
        open_store(str(root))
    # Indexing again puts the damaged generation aside and makes it anew.
    assert build_index(tiny_settings).index_id == manifest.index_id
    open_store(str(root))
    assert list((root / "generations").glob(".damaged-*"))


def test_an_older_format_says_what_to_do(tiny_settings: IndexSettings) -> None:
    manifest = build_index(tiny_settings)
    path = Path(tiny_settings.index) / "generations" / manifest.index_id / "manifest.json"
    for made, advice in ((1, "run: icsearch index.$"), (99, "or install the newer version.$")):
        replace(manifest, format=made).write(path.parent)
        with pytest.raises(IndexDamaged, match=advice):
            open_store(tiny_settings.index)
    manifest.write(path.parent)
    # Generations without a SHA-256 of the manifest were made before there was one.
    path.with_name("manifest.sha256").unlink()
    assert open_store(tiny_settings.index).manifest.index_id == manifest.index_id


def test_two_writers_at_once(tiny_settings: IndexSettings) -> None:
    build_index(tiny_settings)
    with (Path(tiny_settings.index) / "lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(IndexBusy, match="is writing to"):
            build_index(tiny_settings)


@pytest.mark.parametrize("step", ["write", "publish", "switch"])
def test_a_full_disk_leaves_the_old_generation(
    tiny_settings: IndexSettings, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    build_index(tiny_settings)
    served = current_id(tiny_settings.index)
    south = tiny_settings.corpus / "documents" / "south.md"
    south.write_text(south.read_text() + "\n## More\n\nWe will do more things for people here.\n")
    listing = tiny_settings.corpus / "documents.toml"
    from corpus.catalogue import sha256_of

    text = listing.read_text()
    old = open_catalogue(tiny_settings.corpus).documents["southmere-plan"].sha256
    listing.write_text(text.replace(old, sha256_of(south)))

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer if step == "write" else publish, step, full)
    with pytest.raises(IndexWriteError, match="No space left on device"):
        build_index(tiny_settings)
    assert current_id(tiny_settings.index) == served
    open_store(tiny_settings.index)
    left = [p.name for p in (Path(tiny_settings.index) / "generations").iterdir()]
    assert not [name for name in left if name.startswith(".building")]


def test_a_really_full_disk(tiny_settings: IndexSettings, tmp_path: Path) -> None:
    """A file-size limit stands in for a full disk: the child may write 20 kB to a file."""
    build_index(tiny_settings)
    served = current_id(tiny_settings.index)
    south = tiny_settings.corpus / "documents" / "south.md"
    listing = tiny_settings.corpus / "documents.toml"
    from corpus.catalogue import sha256_of

    old = sha256_of(south)
    south.write_text(south.read_text() + "\n## More\n\nWe will do more things for people here.\n")
    listing.write_text(listing.read_text().replace(old, sha256_of(south)))
    code = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000));"
        "from search_api.cli import main; main()"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            code,
            "index",
            "--corpus",
            str(tiny_settings.corpus),
            "--index",
            tiny_settings.index,
            "--quiet",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert current_id(tiny_settings.index) == served
    open_store(tiny_settings.index)


def test_old_generations_are_pruned_but_never_the_current(tiny_settings: IndexSettings) -> None:
    ids = []
    listing = tiny_settings.corpus / "documents.toml"
    for n in range(5):
        listing.write_text(
            listing.read_text().replace("Plan of northvale", f"Plan {n} of northvale", 1)
            if n == 0
            else listing.read_text().replace(f"Plan {n - 1} of", f"Plan {n} of")
        )
        ids.append(build_index(tiny_settings).index_id)
    assert len(set(ids)) == 5
    assert kept_ids(tiny_settings.index)[0] == ids[-1]
    assert len(kept_ids(tiny_settings.index)) == tiny_settings.keep_generations


def test_exact_search_within_documents(searcher: Searcher) -> None:
    store = searcher.store
    vector = store.encoder.query("net zero")
    rows = np.arange(*store.rows_of("sel-strategic-priorities"))
    found, scores = store.nearest(vector, 3, ["sel-strategic-priorities"])
    every = store.vectors(rows) @ vector
    assert list(found) == [rows[i] for i in np.argsort(-every)[:3]]
    assert np.allclose(scores, np.sort(every)[::-1][:3], atol=1e-5)


def test_lexical_search_within_documents(searcher: Searcher) -> None:
    store = searcher.store
    rows, scores = store.matching({"dementia": 1.0}, 50, ["hwe-integrated-care-strategy"])
    assert len(rows) == 1
    assert scores[0] > 0
    every, _ = store.matching({"dementia": 1.0}, 500, None)
    assert len(every) > 5
    assert isinstance(store, FolderStore)
    assert store.document_frequency("dementia") <= len(every)


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        (
            "the Improving Access to Psychological Therapies (IAPT) service",
            [("IAPT", "Improving Access to Psychological Therapies")],
        ),
        ("primary care networks (PCNs) work", [("PCN", "primary care networks")]),
        (
            "IAPT (Improving Access to Psychological Therapy) treatment",
            [("IAPT", "Improving Access to Psychological Therapy")],
        ),
        (
            "Voluntary, community and faith (VCF) sector",
            [("VCF", "Voluntary, community and faith")],
        ),
        ("the plan (see below) and Tier (II)", []),
        ("adults (aged 18-25) need", []),
    ],
)
def test_schwartz_hearst(text: str, pairs: list[tuple[str, str]]) -> None:
    assert list(acronyms.definitions(text)) == pairs


def test_spellings_of_one_meaning_are_one_acronym() -> None:
    texts = {"a": "Children & Young People (CYP) and", "b": "the children and young people (CYP)"}
    found = acronyms.mine({name: [*acronyms.definitions(text)] for name, text in texts.items()})
    (cyp,) = [a for a in found if a.short == "CYP"]
    assert cyp.documents == ("a", "b")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("emergency", "emerging", False),
        ("emergency", "emergencies", True),
        ("building", "build", False),
        ("buildings", "building", True),
        ("medication", "medical", False),
        ("hospitals", "hospitality", False),
        ("several", "severe", False),
        ("carers", "carer", True),
    ],
)
def test_other_words_do_not_share_a_stem(one: str, other: str, same: bool) -> None:
    assert (stem(one) == stem(other)) is same


def test_nearest_word_corrects_only_what_is_not_a_word(searcher: Searcher) -> None:
    assert searcher.store.nearest_word("demenita") == "dementia"
    assert searcher.store.nearest_word("dementia") is None
    assert searcher.store.nearest_word("armed") is None
    for spelt_right in ("hoarding", "injections", "slimming", "drinkers"):
        assert not searcher.store.document_frequency(stem(spelt_right))
        assert searcher.store.nearest_word(spelt_right) is None
    assert searcher.store.nearest_word("xyzzyplugh") is None


def test_a_stopped_build_goes_on_where_it_was(
    tiny_settings: IndexSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was encoded before the stop is not encoded again, and the index is the same."""
    whole = build_index(tiny_settings.model_copy(update={"index": str(tmp_path / "whole")}))
    encoded: list[str] = []
    encode = OnnxEncoder.passages

    def counted(self: OnnxEncoder, texts: Sequence[str], *rest: Any) -> Vectors:
        if len(encoded) >= 6:
            raise KeyboardInterrupt
        encoded.extend(texts)
        return encode(self, texts, *rest)

    monkeypatch.setattr(embedding, "KEPT_AT_ONCE", 2)
    monkeypatch.setattr(OnnxEncoder, "passages", counted)
    with pytest.raises(KeyboardInterrupt):
        build_index(tiny_settings)
    folder = Path(tiny_settings.index) / "embedding"
    kept = sorted(folder.glob("*.npz"))
    assert len(kept) == 3
    # A file that the stop cut short counts for nothing.
    (folder / "000003.npz").write_bytes(kept[0].read_bytes()[:100])
    before, encoded[:] = set(encoded), []

    def noted(self: OnnxEncoder, texts: Sequence[str], *rest: Any) -> Vectors:
        encoded.extend(texts)
        return encode(self, texts, *rest)

    monkeypatch.setattr(OnnxEncoder, "passages", noted)
    assert build_index(tiny_settings).index_id == whole.index_id
    assert encoded and not before & set(encoded)
    assert not folder.exists()
    one, two = open_store(tiny_settings.index), open_store(str(tmp_path / "whole"))
    rows = np.arange(whole.passages)
    assert np.abs(one.vectors(rows) - two.vectors(rows)).max() <= 2e-6


def test_what_is_unchanged_is_not_split_again(
    tiny_settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_index(tiny_settings)
    before = open_store(tiny_settings.index)
    split_now: list[str] = []
    whole = split.split

    def counted(document: Document, *rest: Any) -> Any:
        split_now.append(document.id)
        return whole(document, *rest)

    monkeypatch.setattr(split, "split", counted)
    build_index(tiny_settings.model_copy(update={"context_share": 0.25}))
    assert split_now == []
    after = open_store(tiny_settings.index)
    rows = range(before.manifest.passages)
    assert after.passages(rows) == before.passages(rows)
    listing = tiny_settings.corpus / "documents.toml"
    listing.write_text(listing.read_text().replace("Plan of northvale", "The plan of northvale"))
    build_index(tiny_settings)
    assert split_now == ["northvale-plan"]
