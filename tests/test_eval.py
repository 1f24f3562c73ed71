"""The evaluation itself: runs, yardsticks, datasets, and files that other tools read."""

import json
from dataclasses import replace
from pathlib import Path

import ir_measures
import numpy as np
import pytest

from eval import fit, fit_judge, making
from eval.answers import failures
from eval.dataset import DatasetError, open_dataset, read_dataset, run_dataset
from eval.fit import Example, fitted, gain, ndcg
from eval.fit_judge import area, groups_of, logistic, made_up
from eval.labels import APART, FRESH, read_labels
from eval.metamorphic import overlaps
from eval.metrics import mean
from eval.reading import twins
from eval.run import (
    ask_all,
    asked_of,
    judge_passages,
    outcome,
    query_of,
    run,
    superseded,
    write_run,
)
from eval.statements import MANY, TOPICS, many_labels
from eval.yardstick import METHODS, Yardstick, as_chunks, chunks
from search_api import rank
from search_api.model import Query
from search_api.searcher import Searcher
from search_api.settings import SearchSettings


def test_every_labelled_quote_stands_in_the_index(searcher: Searcher) -> None:
    asked = asked_of(searcher, None)
    assert len(asked) == len(read_labels("questions.jsonl")) >= 200
    assert all(q.spans for q in asked if q.unanswerable is None)


@pytest.mark.parametrize("split", APART)
def test_every_quote_that_stands_apart_is_in_the_index_and_in_a_passage(
    searcher: Searcher, split: str
) -> None:
    asked = asked_of(searcher, split)
    assert len(asked) == len(read_labels(f"{split}.jsonl")) >= 49
    assert {q.split for q in asked} == {split}
    assert all(q.spans for q in asked if q.unanswerable is None)
    judged = judge_passages(searcher, asked)
    assert all(max(judged.qrels[q.query_id].values(), default=0) == 2 for q in judged.questions)


def test_splits_share_no_topic(searcher: Searcher) -> None:
    topics = {
        split: {q.topic for q in asked_of(searcher, split) if q.unanswerable is None}
        for split in ("tune", "test", FRESH)
    }
    assert not topics["tune"] & topics["test"]
    assert not topics[FRESH] & (topics["tune"] | topics["test"])


def test_every_answerable_question_has_a_passage_to_find(searcher: Searcher) -> None:
    judged = judge_passages(searcher, asked_of(searcher, None))
    assert all(any(g > 0 for g in judged.qrels[q.query_id].values()) for q in judged.questions)


def test_superseded_documents_are_asked_for_only_where_nothing_else_answers(
    searcher: Searcher,
) -> None:
    old = superseded(searcher)
    for question in asked_of(searcher, None):
        held = {s.document_id for s in question.spans}
        assert query_of(searcher, question).filters.include_superseded == bool(held & old)
        assert not held & old or held <= old


def test_search_beats_chance_and_every_measure_is_there(searcher: Searcher) -> None:
    judged, ours = run(searcher, "tune", depth=10)
    assert ours.mean("nDCG@10") > 0.7
    assert {"nDCG@10", "R@10", "RR@10", "judged@10", "alpha_nDCG@10", "spans read"} <= set(
        ours.values
    )
    assert set(judged.kinds) >= {"fact", "acronym", "paraphrase", "cross-system", "commitment"}
    assert ours.mean("nDCG@10", judged.kinds["keyword"]) > 0.8


def test_answers_are_judged_by_their_surest_statement(searcher: Searcher) -> None:
    asked = [q for q in asked_of(searcher, "tune") if q.query_id in ("q001", "q003", "q428")]
    results, answers = ask_all(searcher, asked)
    assert {r.query_id: r.answered for r in results} == {"q001": True, "q003": True, "q428": False}
    assert set(answers) == {q.query_id for q in asked}
    assert all(r.right for r in results if r.answerable)


def test_runs_and_qrels_are_read_by_other_tools(searcher: Searcher, tmp_path: Path) -> None:
    judged = judge_passages(searcher, asked_of(searcher, "tune")[:20])
    ranked = {q.query_id: list(judged.qrels[q.query_id]) for q in judged.questions}
    ours = outcome("ours", judged, ranked)
    write_run(tmp_path, judged, [ours])
    qrels = list(ir_measures.read_trec_qrels(str(tmp_path / "qrels.trec")))
    read = list(ir_measures.read_trec_run(str(tmp_path / "ours.run")))
    measure = ir_measures.parse_measure("nDCG@10")
    found = ir_measures.calc_aggregate([measure], qrels, read)[measure]
    assert found == pytest.approx(ours.mean("nDCG@10"))
    lines = (tmp_path / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0])["values"]["ours"]["nDCG@10"] > 0


# Yardsticks


def test_chunks_are_ranges_of_the_text() -> None:
    text = "\n\n".join(f"Paragraph {i} says what it has to say at some length." for i in range(80))
    cut = chunks({"d": text})
    assert all(text[c.start : c.end] == c.text and len(c.text) <= 1_000 for c in cut)
    assert any(a.end > b.start for a, b in zip(cut, cut[1:], strict=False)), "chunks overlap"


def test_the_yardstick_finds_words_and_meaning(searcher: Searcher) -> None:
    passages = searcher.store.passages(range(searcher.store.manifest.passages))
    spoken = [p for p in passages if "dementia diagnosis" in p.text.lower()]
    pieces = as_chunks([*passages[40:70], *spoken])
    stick = Yardstick(pieces, searcher.store.encoder)
    wanted = next(i for i, c in enumerate(pieces) if "dementia diagnosis rate" in c.text.lower())
    found = stick.find("dementia diagnosis rate", np.ones(len(pieces)))
    assert set(found) == set(METHODS)
    assert all(wanted in found[m][:3] for m in METHODS)
    nothing = np.ones(len(pieces))
    nothing[wanted] = 0
    assert wanted not in stick.find("dementia diagnosis rate", nothing)["rrf"]


# Wordings


def test_two_wordings_of_one_need_find_the_same(searcher: Searcher) -> None:
    found = overlaps(searcher)
    assert found["all"].pairs == len(read_labels("metamorphic.jsonl"))
    assert all(o.overlap >= 0.75 for o in found.values())
    assert found["all"].overlap >= 0.8


# Datasets


@pytest.fixture()
def folder(tmp_path: Path) -> Path:
    documents = [
        {"_id": "x/1", "title": "Wings", "text": "The lift of a wing in a slipstream."},
        {"_id": "x/2", "title": "", "text": "Heat conduction in composite slabs."},
        {"_id": "x/3", "title": "Title alone", "text": ""},
        {"_id": "x/4", "title": "", "text": ""},
    ]
    out = tmp_path / "tiny"
    out.mkdir()
    (out / "corpus.jsonl").write_text("\n".join(map(json.dumps, documents)))
    queries = [{"_id": "1", "text": "heat conduction"}, {"_id": "2", "text": "unjudged"}]
    (out / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    (out / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n1\tx/2\t2\n1\tx/4\t1\n")
    return out


def test_a_dataset_goes_through_the_same_searcher(
    folder: Path, searcher: Searcher, tmp_path: Path
) -> None:
    dataset = read_dataset(folder)
    assert list(dataset.qrels) == ["1"]
    cache = tmp_path / "cache"
    for _ in range(2):  # the second time from the cache
        other = open_dataset(dataset, searcher.store.encoder, SearchSettings(), cache)
        found = run_dataset(other, dataset)
        assert found.ranked["1"][0] == "x/2"
        assert 0 < found.mean("nDCG@10") < 1, "an empty document cannot be found"
    assert len(list(cache.iterdir())) == 1


def test_a_folder_that_is_no_dataset_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"corpus\.jsonl"):
        read_dataset(tmp_path)


# Fitting


def example(features: list[list[float]], relevance: list[float]) -> Example:
    padded = np.zeros((len(features), len(rank.FEATURES)))
    padded[:, : len(features[0])] = features
    grades = np.array(relevance)
    ideal = gain(np.sort(grades)[::-1])
    return Example("ours", padded, grades, tuple(f"p{i}" for i in range(len(grades))), ideal)


def test_fitting_finds_the_feature_that_tells() -> None:
    examples = [example([[1.0, 0.3], [0.0, 0.9], [0.2, 0.1]], [1, 0, 0]) for _ in range(4)]
    weights = fitted(examples)
    assert weights[0] > 1 > weights[1]
    assert ndcg(examples, weights) == 1.0


def test_each_source_of_questions_counts_the_same_however_many_it_holds() -> None:
    one = example([[1.0, 0.0], [0.0, 1.0]], [1, 0])
    other = example([[1.0, 0.0], [0.0, 1.0]], [0, 1])
    many = [replace(other, group="many")] * 9
    assert fitted([one, *many])[:2] == pytest.approx(np.zeros(2), abs=1e-6)
    public = [replace(other, group=name) for name in ("cranfield", "cisi")]
    assert fitted([one, *public])[:2] == pytest.approx(np.zeros(2), abs=1e-6)
    assert fitted([one, one, *many[:1], *public])[0] < 0


@pytest.fixture
def few_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the many labelled statements: enough to see that they are used."""
    for where in (fit, fit_judge):
        monkeypatch.setattr(where, "many_labels", lambda: many_labels()[::10])


@pytest.mark.usefixtures("few_labels")
def test_what_was_asked_of_many_statements_ranks_their_passages(searcher: Searcher) -> None:
    found = fit.many(searcher.settings.index)
    assert len(found) > 5
    assert {grade for e in found for grade in e.relevance} == {0.0, 1.0, 2.0}
    assert all(e.group == "many" and e.ideal > 0 for e in found)


@pytest.mark.usefixtures("few_labels")
def test_labelled_statements_are_statements_still(searcher: Searcher) -> None:
    rows = range(searcher.store.manifest.passages)
    there = {
        (s.document_id, s.start, s.end) for found in searcher.store.statements(rows) for s in found
    }
    ours = groups_of(searcher)[0]
    assert len(ours) == 8 and not groups_of(searcher)[1]
    examples, missing = fit_judge.many(searcher, ours[:1])
    for file in (MANY, TOPICS):
        labelled = {
            place
            for labels in many_labels(file)
            for place in labels.grades
            if place[0] in searcher.store.documents
        }
        assert len(labelled & there) / len(labelled) > 0.99
    assert examples and missing > 0, "what other documents say is not found in one"


def test_logistic_regression_parts_what_can_be_parted() -> None:
    values = np.array([[0.0], [0.1], [0.9], [1.0]])
    model = logistic(values, np.array([0.0, 0.0, 1.0, 1.0]))
    assert model((0.0,)) < 0.5 < model((1.0,))
    assert area(np.array([0.1, 0.2, 0.8]), np.array([0.0, 0.0, 1.0])) == 1.0


def test_made_up_questions_are_about_nothing_in_the_corpus(searcher: Searcher) -> None:
    text = " ".join(searcher.store.reading(d).text.casefold() for d in searcher.store.documents)
    lines = (Path(__file__).parents[1] / "eval" / "calibration.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    assert len(made_up()) == len(entries)
    strange = [
        e["text"] for e in entries if any(len(a) > 6 and a.casefold() in text for a in e["absent"])
    ]
    assert len(strange) <= 3, strange
    assert mean(len(e["absent"]) for e in entries) >= 1


def test_twins_tell_what_is_missing(tmp_path: Path) -> None:
    texts = making.paragraphs(8)
    plain, designed = tmp_path / "plain.pdf", tmp_path / "designed.pdf"
    plain.write_bytes(making.pdf_single_column(texts).content)
    changed = [*texts[:-1], texts[-1].replace(" links it ", " joins it ")]
    designed.write_bytes(making.pdf_columns(changed, row_drawn=True).content)
    agreed = twins(plain, designed)
    gone = texts[-1].count(" links it ")
    assert agreed.sentences > 20 and len(agreed.missing) == gone > 0
    assert agreed.found == agreed.sentences - gone
    assert agreed.found_by_plain_pypdfium2 < agreed.found


def test_a_citation_that_does_not_hold_is_a_failure(searcher: Searcher) -> None:
    answer = searcher.ask(Query("dementia diagnosis rate"))
    said = [s for system in answer.systems for s in system.statements]
    assert failures(searcher, answer.citations, said) == []
    first, *rest = answer.citations
    moved = replace(first, start=first.start + 1, end=first.end + 1)
    assert len(failures(searcher, [moved, *rest])) == 1
    unhashed = replace(first, text_sha256="0" * 64)
    assert failures(searcher, [unhashed])
    reworded = replace(said[0], text=said[0].text + "!")
    assert failures(searcher, answer.citations, [reworded])
