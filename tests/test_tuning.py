"""What is learned for the model: by a tiny model made here, and what comes with the package."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from corpus.errors import ModelError
from eval import fit_encoder
from eval.fit_encoder import (
    INVENTED,
    PAIRS,
    TAUGHT,
    WORDS_KEPT,
    Corpus,
    Known,
    Learner,
    batches,
    of_another_field,
    pairs,
    taught,
    told_of,
    wanted_of,
)
from eval.labels import read_labels
from indexer import embed, tuning
from indexer.embed import DEFAULT_MODEL, DEFAULT_SHA256, QUESTIONS, OnnxEncoder, folder_of
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
    """Questions of a word each, and for each a passage of other words in its own direction."""
    questions = ("dementia", "care", "carers", "housing", "people", "living")[:count]
    passages = ("we will", "the priority", "of the plan", "and well", "to say", "in the")[:count]
    vectors = np.linalg.qr(np.random.default_rng(3).normal(size=(16, 16)))[0][:count]
    answers = tuple({place: 1.0} for place in range(count))
    return Corpus(passages, passages, questions, answers, vectors.astype(np.float32))


def reciprocal(told: str) -> float:
    return float(told.removeprefix("MRR ").split(",")[0])


@pytest.mark.parametrize("both", [True, False])
def test_questions_come_nearer_to_their_passages_and_the_model_stays_as_it_is(
    small_model: Path, both: bool
) -> None:
    learner, corpus = learner_of(small_model), asked()
    plain = learner_of(small_model).encoded(corpus.questions)
    assert np.array_equal(learner.encoded(corpus.questions), plain)  # nothing is learned yet
    judged = replace(corpus, vectors=None) if both else corpus
    before = reciprocal(told_of(judged, learner))
    learn = learner.learn_both if both else learner.learn_questions
    losses = [*learn([corpus], epochs=120, rate=0.02)]
    assert losses[-1] < losses[0] / 2
    assert reciprocal(told_of(judged, learner)) > before + 0.25
    weights = dict(learner._model.named_modules())
    untouched = dict(learner_of(small_model)._model.named_modules())
    for name in learner.added:
        assert (weights[name].weight == untouched[name].weight).all()


@pytest.mark.parametrize("both", [True, False])
def test_texts_of_other_fields_keep_their_vectors(small_model: Path, both: bool) -> None:
    kept = ["well plan", "priority", "we will", "the priority of the plan"]
    before = learner_of(small_model).encoded(kept)
    near = []
    for given in ((), kept):
        learner = learner_of(small_model)
        learn = learner.learn_both if both else learner.learn_questions
        [*learn([asked()], epochs=60, rate=0.02, kept=given)]
        near.append(float((learner.encoded(kept) * before).sum(axis=1).mean()))
        learner.settle(0.0)
        assert np.allclose(learner.encoded(kept), before, atol=1e-6)
    assert near[1] > near[0] + 0.1


def test_a_text_of_another_field_is_the_first_words_of_a_document(tmp_path: Path) -> None:
    documents = [{"_id": str(n), "title": f"Title {n}", "text": "word " * 90} for n in range(2_500)]
    (tmp_path / "corpus.jsonl").write_text("\n".join(json.dumps(d) for d in documents))
    (tmp_path / "queries.jsonl").write_text("")
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n")
    found = of_another_field(tmp_path)
    words = " word" * (WORDS_KEPT - 2)
    assert found[:2] == [f"Title 0{words}", f"Title 3{words}"]
    assert len(found) == 834


def test_what_was_learned_is_kept_and_added_to_a_model_as_it_was(
    small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forgotten: None
) -> None:
    from sentence_transformers import SentenceTransformer

    learner, corpus = learner_of(small_model), asked()
    [*learner.learn_both([corpus], epochs=60, rate=0.02)]
    first = learner.encoded(corpus.questions)
    passages = learner.settle()
    assert np.allclose(learner.encoded(corpus.questions), first, atol=1e-5)
    fixed = replace(corpus, vectors=learner.of_passages(corpus))
    [*learner.learn_questions([fixed], epochs=60, rate=0.02)]
    questions = learner.settle(0.5)
    monkeypatch.setattr(tuning, "MADE", tmp_path / "tuning.npz")
    tuning.write("abc", passages, questions)
    found = tuning.shipped()
    assert tuning.tuned_by("abc") == found.id and tuning.tuned_by("abd") == ""
    model = SentenceTransformer(str(small_model), device="cpu")
    texts = list(corpus.questions)

    def near(ours: np.ndarray) -> float:
        theirs = model.encode(texts, prompt="", normalize_embeddings=True)
        return float((ours * theirs).sum(axis=1).min())

    assert near(first) < 0.99
    tuning.add(found.passages, model)
    assert near(first) > 0.9999
    tuning.add(found.questions, model)
    assert near(learner.encoded(corpus.questions)) > 0.9999
    assert near(first) < 0.9999


def test_questions_are_spread_over_what_answers_them_and_as_a_teacher_does(
    small_model: Path,
) -> None:
    answers: tuple[Mapping[int, float], ...] = ({0: 1.0, 2: 0.25}, {1: 1.0}, {2: 1.0})
    corpus = replace(asked(3), answers=answers)
    unanswered = replace(corpus, answers=({},) * 3)
    assert np.allclose(wanted_of(corpus, [0, 1]), np.array([[0.8, 0, 0.2], [0, 1, 0]]))
    assert np.allclose(wanted_of(corpus, (0, 1), (2, 1)), np.array([[1, 0], [0, 1]]))
    now, open_ = taught({"shipped": [corpus, unanswered]}, learner_of(small_model))["shipped"]
    assert now.taught is not None and open_.taught is not None
    questions, passages = now.taught
    assert np.array_equal(passages, open_.taught[1])
    assert np.allclose(np.linalg.norm(passages, axis=1), 1, atol=1e-5)
    teachers = np.exp(20 * questions @ passages.T)
    some = teachers[:, [2, 0]] / teachers[:, [2, 0]].sum(axis=1, keepdims=True)
    teachers /= teachers.sum(axis=1, keepdims=True)
    assert np.allclose(wanted_of(open_, [0, 1, 2]), teachers, atol=1e-5)
    assert np.allclose(wanted_of(open_, (1,), (2, 0)), some[1], atol=1e-5)
    wanted = wanted_of(now, [0, 1, 2])
    assert np.allclose(wanted[0], (1 - TAUGHT) * np.array([0.8, 0, 0.2]) + TAUGHT * teachers[0])
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
    assert len(shipped.alone) == len(shipped.context) == len(passages)
    assert all(passages[n].text[:20] in shipped.alone[n] for n in (0, 9, 99))
    assert all(shipped.context[n].endswith(shipped.alone[n]) for n in (0, 9, 99))
    assert shipped.context[0].startswith(searcher.store.systems[passages[0].system].name)
    assert invented.alone == invented.context
    at = wordings.questions.index("couples who want to start a family soon")
    told = {invented.alone[place] for place in wordings.answers[at]}
    named = [e for e in read_labels("invented.jsonl") if e["concept"] == "preconception health"]
    assert told == {e["text"] for e in named} and len(told) > 1
    tagged = {e["passage"]: e for e in read_labels("tagged.jsonl")}
    at = concepts.questions.index("unpaid carers")
    for place, worth in concepts.answers[at].items():
        tags = tagged[passages[place].id]
        assert "unpaid carers" in tags["squarely" if worth == 1 else "partly"]
    assert 1 in concepts.answers[at].values()
    assert not any(others.answers) and set(others.questions) <= set(invented.questions)
    assert len(known.corpora("shipped")["shipped"][2].questions) == len(others.questions)


def test_every_question_is_in_one_batch_with_what_answers_it() -> None:
    texts = tuple(f"passage {n}" for n in range(40))
    questions = tuple(f"question {n}" for n in range(300))
    many = Corpus(texts, texts, questions, tuple({n % 40: 1.0} for n in range(300)))
    corpora = [asked(), many]
    chance = np.random.default_rng(0)
    alone, paired = batches(corpora, chance), pairs(corpora, chance)
    for which, corpus in enumerate(corpora):
        own = np.concatenate([some for of, some in alone if of == which])
        assert sorted(own.tolist()) == [*range(len(corpus.questions))]
        with_passages = [batch for batch in paired if batch.corpus == which]
        asked_for = sorted(n for batch in with_passages for n in batch.questions)
        assert asked_for == [*range(len(corpus.questions))]
        for batch in with_passages:
            assert len(batch.questions) <= PAIRS
            assert len(batch.passages) == len({*batch.passages})
            wanted = wanted_of(corpus, batch.questions, batch.passages)
            assert (wanted.sum(axis=1) > 0.999).all()


def test_what_does_not_fit_a_model_is_told(small_model: Path) -> None:
    for out, into in ((16, 8), (8, 16)):
        half = np.zeros((out, 2), np.float16), np.zeros((2, into), np.float16)
        for name in ("0.auto_model.pooler.dense", "nowhere"):
            with pytest.raises(ModelError, match=f"no such layer {name}"):
                tuning.add({name: half}, learner_of(small_model)._model)


def test_it_is_for_the_model_that_comes_with_the_package(searcher: Searcher) -> None:
    facts = searcher.store.encoder.facts
    assert tuning.shipped().weights_sha256 == DEFAULT_SHA256 == facts.weights_sha256
    assert facts.tuned == tuning.shipped().id
    folder = (
        Path(searcher.settings.index) / "models" / folder_of(searcher.store.manifest.made["model"])
    )
    assert OnnxEncoder(folder).facts == facts
    assert QUESTIONS in json.loads((folder / embed.FILES).read_text())


def test_an_export_without_what_encodes_questions_is_not_used(
    searcher: Searcher, tmp_path: Path
) -> None:
    name = folder_of(searcher.store.manifest.made["model"])
    for file in (Path(searcher.settings.index) / "models" / name).iterdir():
        os.link(file, tmp_path / file.name)
    (tmp_path / embed.FILES).unlink()  # as a copy from a database has none
    assert OnnxEncoder(tmp_path).facts.tuned
    (tmp_path / QUESTIONS).unlink()
    with pytest.raises(ModelError, match=r"questions.onnx is missing; run icsearch index."):
        OnnxEncoder(tmp_path)


def test_a_model_as_it_comes_has_an_export_and_vectors_of_its_own(
    searcher: Searcher, tmp_path: Path
) -> None:
    tuned = searcher.store.encoder
    plain = OnnxEncoder(embed.prepare(DEFAULT_MODEL, tmp_path, tuned=False))
    assert plain.facts.tuned == "" and plain.facts.weights_sha256 == tuned.facts.weights_sha256
    assert plain.facts.of_questions() != tuned.facts.of_questions()
    assert 0.3 < float(plain.query(QUESTION) @ tuned.query(QUESTION)) < 0.99
    assert np.array_equal(plain.query(QUESTION), plain.passages([QUESTION])[0])
    assert 0.3 < float(tuned.query(QUESTION) @ tuned.passages([QUESTION])[0]) < 0.99
    assert [folder.name for folder in tmp_path.iterdir()] == [DEFAULT_SHA256[:16]]


def test_questions_are_nearer_to_what_they_were_written_for_with_it(
    searcher: Searcher, tmp_path: Path
) -> None:
    plain = OnnxEncoder(embed.prepare(DEFAULT_MODEL, tmp_path, tuned=False))
    passages = searcher.store.passages(range(searcher.store.manifest.passages))
    place = {passage.id: n for n, passage in enumerate(passages)}
    written = [e for e in read_labels("written.jsonl") if e["corpus"] == "shipped"][::4]
    right = []
    for encoder in (plain, searcher.store.encoder):
        vectors = encoder.passages([passage.text for passage in passages])
        nearest = (np.argmax(vectors @ encoder.query(e["questions"][0])) for e in written)
        right.append(sum(n == place[e["passage"]] for n, e in zip(nearest, written, strict=True)))
    assert right[1] > right[0] + len(written) / 10


def test_what_is_damaged_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forgotten: None
) -> None:
    whole = tuning.MADE.read_bytes()
    monkeypatch.setattr(tuning, "MADE", tmp_path / "tuning.npz")
    with pytest.raises(ModelError, match="install icsearch again"):
        tuning.shipped()
    for content in (b"", b"not an archive", whole[:1_000], whole[:-1_000]):
        tuning.MADE.write_bytes(content)
        with pytest.raises(ModelError, match="install icsearch again"):
            tuning.shipped()


def test_what_cannot_be_learned_is_told(searcher: Searcher) -> None:
    given = ["--index", searcher.settings.index, "--without", "nowhere"]
    told = CliRunner().invoke(fit_encoder.main, given)
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
