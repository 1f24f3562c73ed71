"""What is learned for questions: by a tiny model made here, and what comes with the package."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from corpus.errors import ModelError
from eval import fit_questions
from eval.fit_questions import (
    INVENTED,
    Corpus,
    Known,
    Learner,
    batches,
    of_another_field,
    taught,
    told_of,
    wanted_of,
)
from eval.labels import read_labels
from indexer import embed, tuning
from indexer.embed import DEFAULT_MODEL, DEFAULT_SHA256, MODEL, QUESTIONS, OnnxEncoder
from indexer.store.folder import FolderStore
from search_api.model import Query
from search_api.searcher import Searcher
from tests.models import embedding_model

QUESTION = "who helps me look after my dad"


@pytest.fixture(scope="module")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return embedding_model(tmp_path_factory.mktemp("models"))


@pytest.fixture()
def forgotten() -> Iterator[None]:
    """What comes with the package is read again, and again afterwards."""
    tuning.shipped.cache_clear()
    yield
    tuning.shipped.cache_clear()


def learner_of(folder: Path, rank: int = 4) -> Learner:
    from sentence_transformers import SentenceTransformer

    return Learner(SentenceTransformer(str(folder), device="cpu"), rank)


def asked(count: int = 6) -> Corpus:
    """Questions of a word each, and for each a direction of its own."""
    questions = ("dementia", "care", "carers", "housing", "people", "living")[:count]
    vectors = np.linalg.qr(np.random.default_rng(3).normal(size=(16, 16)))[0][:count]
    answers = tuple({place: 1.0} for place in range(count))
    return Corpus(vectors.astype(np.float32), questions, questions, answers)


def reciprocal(told: str) -> float:
    return float(told.removeprefix("MRR ").split(",")[0])


def test_questions_come_nearer_to_their_passages_and_the_model_stays_as_it_is(
    small_model: Path,
) -> None:
    learner, corpus = learner_of(small_model), asked()
    plain = learner_of(small_model).encoded(corpus.questions)
    assert np.array_equal(learner.encoded(corpus.questions), plain)  # nothing is learned yet
    before = reciprocal(told_of(corpus, learner))
    losses = [*learner.learn([corpus], epochs=60, rate=0.02)]
    assert losses[-1] < losses[0] / 2
    assert reciprocal(told_of(corpus, learner)) > before + 0.25
    weights = dict(learner._model.named_modules())
    untouched = dict(learner_of(small_model)._model.named_modules())
    for name in learner.added:
        assert (weights[name].weight == untouched[name].weight).all()


def test_texts_of_other_fields_keep_their_vectors(small_model: Path) -> None:
    kept = ["well plan", "priority", "we will", "the priority of the plan"]
    before = learner_of(small_model).encoded(kept)
    near = []
    for given in ((), kept):
        learner = learner_of(small_model)
        [*learner.learn([asked()], epochs=60, rate=0.02, kept=given)]
        near.append(float((learner.encoded(kept) * before).sum(axis=1).mean()))
        learner.keep(0.0)
        assert np.allclose(learner.encoded(kept), before, atol=1e-6)
    assert near[1] > near[0] + 0.1


def test_a_text_of_another_field_is_the_first_words_of_a_document(tmp_path: Path) -> None:
    documents = [{"_id": str(n), "title": f"Title {n}", "text": "word " * 30} for n in range(2_500)]
    (tmp_path / "corpus.jsonl").write_text("\n".join(json.dumps(d) for d in documents))
    (tmp_path / "queries.jsonl").write_text("")
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n")
    found = of_another_field(tmp_path)
    assert found[:2] == ["Title 0" + " word" * 18, "Title 3" + " word" * 18]
    assert len(found) == 834


def test_what_was_learned_is_kept_and_added_to_a_model_as_it_was(
    small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forgotten: None
) -> None:
    from sentence_transformers import SentenceTransformer

    learner, corpus = learner_of(small_model), asked()
    [*learner.learn([corpus], epochs=60, rate=0.02)]
    monkeypatch.setattr(tuning, "MADE", tmp_path / "questions.npz")
    tuning.write("abc", learner.halves())
    found = tuning.shipped()
    assert tuning.tuned_by("abc") == found.id and tuning.tuned_by("abd") == ""
    model = SentenceTransformer(str(small_model), device="cpu")
    found.add_to(model)
    theirs = model.encode(list(corpus.questions), prompt="", normalize_embeddings=True)
    cosines = (learner.encoded(corpus.questions) * theirs).sum(axis=1)
    assert cosines.min() > 0.9999
    assert (learner_of(small_model).encoded(corpus.questions) * theirs).sum(axis=1).min() < 0.99


def test_questions_are_spread_over_what_answers_them_and_as_a_teacher_does(
    small_model: Path,
) -> None:
    answers: tuple[Mapping[int, float], ...] = ({0: 1.0, 2: 0.25}, {1: 1.0}, {2: 1.0})
    corpus = replace(asked(3), answers=answers)
    unanswered = replace(corpus, answers=({},) * 3)
    assert np.allclose(wanted_of(corpus, [0, 1]), np.array([[0.8, 0, 0.2], [0, 1, 0]]))
    now, open_ = taught({"shipped": [corpus, unanswered]}, learner_of(small_model))["shipped"]
    assert now.taught is not None and open_.taught is not None
    questions, passages = now.taught
    assert np.array_equal(passages, open_.taught[1])
    assert np.allclose(np.linalg.norm(passages, axis=1), 1, atol=1e-5)
    teachers = np.exp(20 * questions @ passages.T)
    teachers /= teachers.sum(axis=1, keepdims=True)
    assert np.allclose(wanted_of(open_, [0, 1, 2]), teachers, atol=1e-5)
    wanted = wanted_of(now, [0, 1, 2])
    share = fit_questions.TAUGHT
    assert np.allclose(wanted[0], (1 - share) * np.array([0.8, 0, 0.2]) + share * teachers[0])
    # The teacher has learned what it was given before it tells.
    untaught = learner_of(small_model).encoded(corpus.questions)
    assert not np.array_equal(untaught, questions)


def test_concepts_are_asked_of_all_that_is_about_them(searcher: Searcher) -> None:
    known = Known(searcher.store)
    assert known.names == ["shipped", INVENTED]
    corpora = known.corpora(None)
    shipped, concepts, others = corpora["shipped"]
    invented, wordings = corpora[INVENTED]
    passages = searcher.store.passages(range(searcher.store.manifest.passages))
    assert len(shipped.passages) == len(shipped.texts) == len(passages)
    assert all(passages[n].text[:20] in shipped.texts[n] for n in (0, 9, 99))
    at = wordings.questions.index("couples who want to start a family soon")
    told = {invented.texts[place] for place in wordings.answers[at]}
    named = [e for e in read_labels("invented.jsonl") if e["concept"] == "preconception health"]
    assert told == {e["text"] for e in named} and len(told) > 1
    tagged = {e["passage"]: e for e in read_labels("tagged.jsonl")}
    at = concepts.questions.index("unpaid carers")
    for place, worth in concepts.answers[at].items():
        tags = tagged[passages[place].id]
        assert "unpaid carers" in tags["squarely" if worth == 1 else "partly"]
    assert 1 in concepts.answers[at].values()
    assert not any(others.answers) and set(others.questions) <= set(invented.questions)


def test_every_question_is_in_one_batch_with_others_of_its_corpus() -> None:
    corpora = [asked(), asked(4)]
    found = batches(corpora, np.random.default_rng(0))
    for which, corpus in enumerate(corpora):
        own = np.concatenate([some for of, some in found if of == which])
        assert sorted(own.tolist()) == [*range(len(corpus.questions))]


def test_what_does_not_fit_a_model_is_told(small_model: Path) -> None:
    for out, into in ((16, 8), (8, 16)):
        half = np.zeros((out, 2), np.float16), np.zeros((2, into), np.float16)
        for name in ("0.auto_model.pooler.dense", "nowhere"):
            with pytest.raises(ModelError, match=f"no such layer {name}"):
                tuning.Tuning("abc", {name: half}, "1").add_to(learner_of(small_model)._model)


def test_it_is_for_the_model_that_comes_with_the_package(searcher: Searcher) -> None:
    encoder = searcher.store.encoder
    assert tuning.shipped().weights_sha256 == DEFAULT_SHA256 == encoder.facts.weights_sha256
    assert encoder.tuned == tuning.shipped().id
    question, passage = encoder.query(QUESTION), encoder.passages([QUESTION])[0]
    assert question.dtype == np.float32 and question.shape == passage.shape
    assert np.linalg.norm(question) == pytest.approx(1, abs=1e-5)
    assert isinstance(encoder, OnnxEncoder)
    assert np.array_equal(encoder.untuned(QUESTION), passage)  # this model wants no prefixes
    assert 0.3 < float(question @ passage) < 0.99


@pytest.fixture()
def former(searcher: Searcher, tmp_path: Path) -> Path:
    """An export of a version that knew of nothing learned for questions."""
    folder = tmp_path / "models" / DEFAULT_SHA256[:16]
    source = Path(searcher.settings.index) / "models" / folder.name
    folder.mkdir(parents=True)
    hashes = json.loads((source / embed.FILES).read_text())
    own = QUESTIONS.format(tuning.shipped().id)
    assert own in hashes
    for name in hashes.keys() - {own}:
        os.link(source / name, folder / name)
    (folder / embed.FILES).write_text(json.dumps({n: h for n, h in hashes.items() if n != own}))
    return folder


def test_an_export_of_a_former_version_is_used_and_then_added_to(
    former: Path, searcher: Searcher
) -> None:
    plain = OnnxEncoder(former)
    assert plain.tuned == ""
    older = former / QUESTIONS.format("0123456789abcdef")
    older.write_bytes(b"of another version")
    assert np.array_equal(plain.query(QUESTION), plain.passages([QUESTION])[0])
    model = (former / MODEL).stat().st_ino
    assert embed.prepare(DEFAULT_MODEL, former.parent) == former
    assert (former / MODEL).stat().st_ino == model  # the passages' export is left alone
    assert json.loads((former / embed.FILES).read_text()).keys() == embed._files(former)
    assert not older.exists()  # nobody opens it any more
    assert not [*former.parent.glob(f"{embed.EXPORTING}*")]
    now = OnnxEncoder(former)
    assert now.tuned == tuning.shipped().id
    assert np.allclose(now.query(QUESTION), searcher.store.encoder.query(QUESTION), atol=1e-6)
    (former / QUESTIONS.format(now.tuned)).unlink()
    (former / QUESTIONS.format(now.tuned)).write_bytes(b"cut short")
    with pytest.raises(ModelError, match="not the file that was exported"):
        OnnxEncoder(former)


def test_search_finds_what_was_asked_for_more_often_with_it(
    former: Path, searcher: Searcher
) -> None:
    assert isinstance(searcher.store, FolderStore)
    plain = Searcher(FolderStore(searcher.store.folder, OnnxEncoder(former)), searcher.settings)
    written = [e for e in read_labels("written.jsonl") if e["corpus"] == "shipped"][::8]
    found = []
    for one in (plain, searcher):
        hits = ((e["passage"], one.search(Query(e["questions"][0])).hits) for e in written)
        found.append(sum(wanted in {hit.passage.id for hit in some} for wanted, some in hits))
    assert found[1] > found[0] > len(written) / 3


def test_what_is_damaged_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forgotten: None
) -> None:
    whole = tuning.MADE.read_bytes()
    monkeypatch.setattr(tuning, "MADE", tmp_path / "questions.npz")
    with pytest.raises(ModelError, match="install icsearch again"):
        tuning.shipped()
    for content in (b"", b"not an archive", whole[:1_000], whole[:-1_000]):
        tuning.MADE.write_bytes(content)
        with pytest.raises(ModelError, match="install icsearch again"):
            tuning.shipped()


def test_what_cannot_be_learned_is_told(searcher: Searcher) -> None:
    given = ["--index", searcher.settings.index, "--without", "nowhere"]
    told = CliRunner().invoke(fit_questions.main, given)
    assert told.exit_code == 1 and "questions were written for" in told.output
    assert "Traceback" not in told.output


def test_no_invented_passage_is_asked_for_in_the_words_of_a_judged_question() -> None:
    judged = {
        "".join(c for c in str(e["text"]).lower() if c.isalnum() or c == " ").strip()
        for name in ("questions.jsonl", "fresh.jsonl")
        for e in read_labels(name)
    }
    for entry in read_labels("invented.jsonl"):
        for question in entry["questions"]:
            plain = "".join(c for c in question.lower() if c.isalnum() or c == " ").strip()
            assert plain not in judged, question
