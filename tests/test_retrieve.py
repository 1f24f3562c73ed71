"""Finding passages: candidates, ranking, and a list that is not the same thing again."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from corpus.model import Document, Passage
from indexer.build import build_index
from indexer.gist import gist_of
from indexer.settings import IndexSettings
from search_api import rank
from search_api.concepts import concepts_of
from search_api.cover import Weight, shares
from search_api.diversify import (
    CHECKED,
    Found,
    alike,
    diversify,
    is_title,
    known_of,
    repeats,
    words_in,
)
from search_api.model import Expansion, Filters, Query, Understood
from search_api.retrieve import Candidate, retrieve, scope_of, text_to_embed, words_of
from search_api.searcher import Searcher, open_searcher
from search_api.settings import SearchSettings
from search_api.thesaurus import SOURCE


def passage(identity: str, text: str, document: str = "d1", system: str = "s1") -> Passage:
    return Passage(
        identity, text, system, document, "Title", "prose", (), (), None, False, None, 0, len(text)
    )


Scored = tuple[float, Passage]


def diversified(*entries: Scored, by_document: bool = True, across: bool = False) -> list[Passage]:
    """The passages with scores in the order they are shown; their rows are their places here."""
    passages = [passage for _, passage in entries]
    found = [
        Found(Candidate(i, score, 1.0), document_of(p), gist_of(p))
        for i, (score, p) in enumerate(entries)
    ]

    def read(some: Sequence[Found]) -> list[Passage]:
        return [passages[one.candidate.row] for one in some]

    return read(diversify(found, read, by_document, across))


def document_of(passage: Passage) -> Document:
    return Document(passage.document_id, passage.system, passage.document_title, "a.txt", "0" * 64)


# Candidates


def test_the_right_row_comes_first(searcher: Searcher) -> None:
    first = searcher.search(Query("dementia diagnosis rate")).hits[0]
    assert "66.7%" in first.passage.text
    assert first.rank == 1 and "lexical" in first.matched_by


def test_other_words_find_the_documents_words(searcher: Searcher) -> None:
    hits = searcher.search(Query("casualty")).hits[:5]
    assert any("emergency" in h.passage.text.lower() for h in hits)


def test_a_question_is_answered_the_same_each_time(searcher: Searcher) -> None:
    query = Query("help for unpaid carers", home="sefton", limit=50)
    first, again = searcher.search(query), searcher.search(query)
    assert first.hits == again.hits and first.facets == again.facets


def test_only_the_systems_asked_for_are_searched(searcher: Searcher) -> None:
    only = Filters(system=("south-east-london",))
    hits = searcher.search(Query("prevention", filters=only, limit=100)).hits
    assert {h.passage.system for h in hits} == {"south-east-london"}


def test_superseded_documents_stay_out_unless_asked_for(searcher: Searcher) -> None:
    def documents(filters: Filters) -> set[str]:
        hits = searcher.search(Query("commissioning older people", filters=filters, limit=100)).hits
        return {h.passage.document_id for h in hits}

    old = {d.id for d in searcher.store.documents.values() if d.status == "superseded"}
    assert not documents(Filters()) & old
    assert documents(Filters(include_superseded=True)) & old


def test_contents_pages_are_never_found(searcher: Searcher) -> None:
    hits = searcher.search(Query("contents introduction page", limit=100)).hits
    assert hits and all(h.passage.form != "contents" for h in hits)


def test_a_scope_without_rows_has_no_candidates(searcher: Searcher) -> None:
    store = searcher.store
    vector = store.encoder.query("dementia")
    understood = Understood("dementia", subject="dementia")
    assert retrieve(store, understood, vector, scope_of(store, []), searcher.settings) == []


def test_scores_fall_and_ties_go_to_the_lower_row(searcher: Searcher) -> None:
    store = searcher.store
    scope = scope_of(store, list(store.documents.values()))
    vector = store.encoder.query("dementia")
    understood = Understood("dementia", subject="dementia")
    out = retrieve(store, understood, vector, scope, searcher.settings)
    keys = [(-round(c.score, 5), c.row) for c in out]
    assert keys == sorted(keys)
    assert len({c.row for c in out}) == len(out)


def test_a_tiny_corpus_is_searched_like_a_large_one(tiny_settings: IndexSettings) -> None:
    build_index(tiny_settings)
    tiny = open_searcher(SearchSettings(index=tiny_settings.index))
    assert "dental" in tiny.search(Query("dentist appointments")).hits[0].passage.text.lower()
    # Words that nothing matches still have a nearest passage, and no score is undefined.
    hits = tiny.search(Query("zzzz qqqq")).hits
    assert hits and all(np.isfinite(h.score) for h in hits)


def test_words_asked_for_outweigh_words_added() -> None:
    understood = Understood(
        "GPs",
        subject="GPs on call",
        expansions=(
            Expansion("GPs", "general practice"),
            Expansion("call", "primary care", SOURCE),
        ),
    )
    settings = SearchSettings()
    words = words_of(understood, settings)
    assert words["gps"] == 1.0 if "gps" in words else words["gp"] == 1.0
    assert words["practic"] == settings.expansion_weight
    assert words["primari"] == settings.alike_weight


def test_an_acronym_and_its_long_form_are_embedded_alike() -> None:
    short = Understood(
        "x", subject="TEC plans", expansions=(Expansion("TEC", "technology enabled care"),)
    )
    long = Understood(
        "x",
        subject="technology enabled care plans",
        expansions=(Expansion("technology enabled care", "TEC"),),
    )
    assert text_to_embed(short) == text_to_embed(long) == "technology enabled care (TEC) plans"


# Ranking


def test_features_are_as_many_as_weights_and_finite(searcher: Searcher) -> None:
    store = searcher.store
    rows = np.arange(20, dtype=np.int64)
    vector = store.encoder.query("care homes")
    understood = Understood("when are care homes inspected", subject="care homes")
    zeros = np.zeros(20)
    about = concepts_of(store).about(vector)
    features = rank.features(store, understood, vector, about, rows, zeros, zeros)
    assert features.shape == (20, len(rank.FEATURES)) == (20, len(rank.WEIGHTS))
    assert np.isfinite(features).all()


def test_scaling_values_that_are_all_the_same() -> None:
    assert not rank.scaled(np.ones(5)).any()
    assert rank.scaled(np.array([1.0, 3.0])).tolist() == [-1.0, 1.0]


def test_rare_words_count_more_and_other_words_less() -> None:
    words = {
        "rare": Weight(3.0),
        "common": Weight(1.0, ((frozenset({"usual", "thing"}), 0.7),)),
    }
    assert shares(words, {"rare"}, set()) == (0.75, 0.75)
    assert shares(words, {"rare", "usual"}, {"thing"}) == (0.75, pytest.approx(3.7 / 4))
    assert shares(words, {"usual", "thing"}, {"rare"}) == (
        pytest.approx(0.7 / 4),
        pytest.approx(3.7 / 4),
    )
    assert shares({}, {"rare"}, set()) == (0.0, 0.0)


# Diversity

LONG = "We will open ten new clinics for people with long term conditions in every town by March"


def test_a_repeat_goes_behind_what_is_new() -> None:
    entries = (3.0, passage("a", LONG)), (2.9, passage("b", LONG)), (1.0, passage("c", "New"))
    assert [p.id for p in diversified(*entries)] == ["a", "c", "b"]


def test_passages_with_different_figures_are_never_the_same() -> None:
    assert repeats(words_in(LONG + " 2024"), words_in(LONG + " 2024."))
    assert not repeats(words_in(LONG + " 2024"), words_in(LONG + " 2025"))
    assert not repeats(words_in(LONG + " 66.7%"), words_in(LONG + " 70%"))


def test_all_that_repeats_is_alike_by_its_stems(searcher: Searcher) -> None:
    rows = range(searcher.store.manifest.passages)
    found = known_of(searcher.store, [Candidate(row, 0.0, 0.0) for row in rows])
    words = [words_in(passage.text) for passage in searcher.store.passages(rows)]
    pairs = [(found[i], found[j]) for i in rows for j in range(i) if repeats(words[i], words[j])]
    assert len(pairs) > 10
    assert all(alike(pair) == [*pair] for pair in pairs)
    first = found[:CHECKED]
    assert len(alike(first)) < len(first) / 2


def test_a_short_passage_is_not_a_repeat_of_a_long_one_that_holds_it() -> None:
    assert not repeats(
        words_in(LONG), words_in(LONG + " " + "with many more words that say another thing " * 3)
    )


def test_bare_titles_go_behind() -> None:
    title = replace(passage("t", "Our vision"), form="heading")
    assert is_title(gist_of(title))
    stating = replace(title, text="Priority 4: support people living with dementia at home")
    assert not is_title(gist_of(stating))
    shown = diversified((3.0, title), (1.0, passage("c", "New words here")))
    assert [p.id for p in shown] == ["c", "t"]


def crowd(second: float) -> list[Scored]:
    one = [(5 - i / 100, passage(f"a{i}", f"word{i} alone {i}")) for i in range(12)]
    two = [(second - i / 100, passage(f"b{i}", f"other{i} text {i}", "d2")) for i in range(6)]
    return [*one, *two]


def test_no_document_takes_more_than_half_while_another_is_of_like_worth() -> None:
    first = [p.document_id for p in diversified(*crowd(4.8))][:10]
    assert first.count("d1") == 5 and first.count("d2") == 5


def test_a_document_that_alone_has_something_keeps_its_places() -> None:
    first = [p.document_id for p in diversified(*crowd(1.0))][:10]
    assert first.count("d1") == 10


def test_one_document_is_not_parted_where_one_was_asked_for() -> None:
    first = [p.id for p in diversified(*crowd(4.8), by_document=False)][:10]
    assert first == [f"a{i}" for i in range(10)]


def test_every_system_is_heard_where_all_are_asked() -> None:
    one = [(5 - i / 100, passage(f"a{i}", f"word{i} alone {i}")) for i in range(12)]
    far = [(3.5, passage("b", "far away text", "d2", "s2"))]
    assert "b" in [p.id for p in diversified(*one, *far, across=True)][:10]
    assert "b" not in [p.id for p in diversified(*one, *far)][:10]


def test_nothing_is_lost_or_doubled_by_spreading() -> None:
    entries = crowd(4.8)
    for across in (True, False):
        shown = diversified(*entries, across=across)
        assert sorted(p.id for p in shown) == sorted(p.id for _, p in entries)


def test_a_search_reads_what_it_shows_and_little_else(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    passages = searcher.store.passages

    def reading(rows: Sequence[int]) -> list[Passage]:
        read.extend(rows)
        return passages(rows)

    monkeypatch.setattr(searcher.store, "passages", reading)
    result = Searcher(searcher.store, searcher.settings).search(Query("unpaid carers and respite"))
    assert len(result.hits) == 10
    assert sum(value.count for value in result.facets.document) > 100
    assert len({*read}) <= CHECKED + 10


@pytest.mark.parametrize("text", ["older people", "prevention", "digital", "carers"])
def test_the_first_ten_are_shared_out_on_the_shipped_corpus(searcher: Searcher, text: str) -> None:
    hits = searcher.search(Query(text)).hits
    assert len({h.passage.system for h in hits}) > 1
    assert [h.rank for h in hits] == list(range(1, len(hits) + 1))


def test_a_quotation_that_stands_nowhere_is_said_and_still_searched_for(searcher: Searcher) -> None:
    held = searcher.search(Query('"dementia diagnosis rate"', limit=50))
    assert held.hits
    assert all("dementia diagnosis rate" in h.passage.text.lower() for h in held.hits)
    loose = searcher.search(Query('"dementia rate diagnosis"'))
    assert loose.hits and any("word for word" in note for note in loose.notes)
