"""What a question is about, told by how people ask."""

from pathlib import Path

import numpy as np
import pytest

from corpus.errors import CatalogueError
from indexer.gist import Standing
from search_api import concepts
from search_api.concepts import About, Concepts, concepts_of, embedded
from search_api.model import Query
from search_api.searcher import Searcher


def held(own: str = "", around: str = "") -> Standing:
    return Standing(concepts.stems_of(own), concepts.stems_of(around))


def of(words: tuple[tuple[str, ...], ...], vectors: list[list[float]]) -> Concepts:
    codes = np.rint(np.array(vectors) * 100).astype(np.int8)
    owner = np.arange(len(words), dtype=np.int32)
    return Concepts("x", words, owner, codes, 100.0)


def names(searcher: Searcher, question: str) -> list[str]:
    found = concepts_of(searcher.store)
    about = found.about(searcher.store.encoder.query(question))
    return [found.words[a.concept][0] for a in about]


def test_what_ships_was_embedded_from_the_lists_as_they_are(searcher: Searcher) -> None:
    shipped = concepts_of(searcher.store)
    assert shipped is concepts._shipped(), "run `python -m search_api.concepts`"
    some = range(0, len(shipped.owner), 700)
    texts = list(concepts.wordings())
    for at in some:
        number, text = texts[at]
        assert shipped.owner[at] == number
        near = searcher.store.encoder.query(text) @ (shipped.codes[at] / shipped.scale)
        assert near > 0.99, text


@pytest.mark.parametrize(
    ("question", "term"),
    [
        ("why do so many pensioners end up on the floor", "falls prevention"),
        ("who looks in on folk with nobody to talk to", "loneliness"),
    ],
)
def test_everyday_words_lead_to_the_official_term(
    searcher: Searcher, question: str, term: str
) -> None:
    found = " ".join(names(searcher, question)[:3])
    assert term.split()[0] in found


def test_a_question_about_none_of_them_is_about_none() -> None:
    assert of((("falls",),), [[1.0, 0.0]]).about(np.array([0.0, 1.0], np.float32)) == ()


def test_the_nearer_concept_weighs_more() -> None:
    near, far = of((("a",), ("b",)), [[0.6, 0.8], [1.0, 0.0]]).about(
        np.array([1.0, 0.0], np.float32)
    )
    assert (near.concept, far.concept) == (1, 0)
    assert near.weight > 10 * far.weight


def test_a_term_counts_less_where_part_of_it_stands_in_headings() -> None:
    found = of((("falls prevention", "strength and balance"),), [[1.0, 0.0]])
    shares = found.held(
        [About(0, 0.5)],
        [
            held("prevention of falls"),
            held("balance", "strength"),
            held("balance"),
            held("strength and balance"),
        ],
    )
    assert shares.tolist() == [0.5, 0.5 * concepts.AROUND, 0.0, 0.5]


def test_the_asker_is_told_of_terms_that_are_not_their_own(searcher: Searcher) -> None:
    def told(question: str) -> list[str]:
        return [n for n in searcher.search(Query(question)).notes if "put higher" in n]

    assert told("old people taking too many tablets") == [
        "Passages on structured medication reviews were put higher."
    ]
    assert not told("structured medication reviews")


def test_only_terms_that_stand_in_what_was_found_are_told() -> None:
    found = of((("falls prevention", "strength and balance"),), [[1.0, 0.0]])
    about = [About(0, 0.9)]
    assert found.unsaid(about, set(), ["the balance of strength"]) == ["strength and balance"]
    assert not found.unsaid(about, set(), ["carers"])
    assert not found.unsaid(about, concepts.stems_of("prevention of falls"), [])
    assert not found.unsaid([About(0, 0.1)], set(), ["falls prevention"])


def test_another_model_embeds_the_wordings_once_for_an_index(
    searcher: Searcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = tmp_path / "concepts.toml"
    small.write_text('[[concept]]\nwords = ["falls"]\nasked = ["on the floor"]\n')
    groups = tmp_path / "thesaurus.toml"
    groups.write_text('[[group]]\nwords = ["carers", "caring"]\n')
    monkeypatch.setattr(concepts, "FILE", small)
    monkeypatch.setattr(concepts, "THESAURUS", groups)
    monkeypatch.setattr(concepts, "index_of", lambda _: tmp_path)
    made = concepts.kept_or_made(searcher.store)
    assert made.words == (("falls",), ("carers", "caring"))
    assert made.owner.tolist() == [0, 0, 1, 1]
    monkeypatch.setattr(concepts, "embedded", lambda _: pytest.fail("embedded again"))
    again = concepts.kept_or_made(searcher.store)
    assert again.words == made.words
    assert (again.codes == made.codes).all()


def test_damaged_vectors_are_made_again_or_told(
    searcher: Searcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = of((("falls",),), [[1.0, 0.0]])
    monkeypatch.setattr(concepts, "index_of", lambda _: tmp_path)
    monkeypatch.setattr(concepts, "embedded", lambda _: made)
    concepts.kept_or_made(searcher.store)
    (file,) = (tmp_path / "derived").iterdir()
    whole = file.read_bytes()
    at = whole.index(made.codes.tobytes())
    for damaged in (whole[:-40], whole[:at] + b"\x00" + whole[at + 1 :], b""):
        file.write_bytes(damaged)
        assert concepts._read(file) is None
        concepts.kept_or_made(searcher.store)
        assert file.read_bytes() == whole
    monkeypatch.setattr(concepts, "MADE", tmp_path / "nowhere.npz")
    with pytest.raises(CatalogueError, match=r"nowhere\.npz"):
        concepts._shipped.__wrapped__()


def test_a_list_that_cannot_be_read_is_named(
    searcher: Searcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "concepts.toml"
    broken.write_text("[[concept]]\nasked = 3\n")
    monkeypatch.setattr(concepts, "FILE", broken)
    with pytest.raises(CatalogueError, match=r"concepts\.toml"):
        embedded(searcher.store.encoder)
