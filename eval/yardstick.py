"""What a search engineer would build in an afternoon, over the same texts with the same model.

Chunks of 1,000 characters that overlap by 200, BM25 (Robertson and Zaragoza 2009) and exact cosine
search, joined by equal reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009). It stays
here so that every report measures both in one run. `over_chunks` is the forty-line script's
splitting; `over_passages` gives the same methods our passages, which tells splitting from finding.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.model import Passage
from eval.labels import Question
from eval.run import Judged, Outcome, Range, judged_by, outcome, query_of, superseded
from indexer.embed import Encoder, Vectors, open_encoder, prepare
from indexer.settings import DatabaseSettings
from indexer.store import MODELS, in_database
from search_api.searcher import Searcher

CHARACTERS = 1_000
OVERLAP = 200
RRF_K = 60
DEPTH = 100
METHODS = ("bm25", "dense", "rrf")
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A range of a document that the yardstick finds."""

    id: str
    document_id: str
    start: int
    end: int
    text: str

    @property
    def range(self) -> Range:
        """Its id, document and place."""
        return self.id, self.document_id, self.start, self.end


def chunks(texts: Mapping[str, str]) -> list[Chunk]:
    """Texts by document id, cut as the forty-line script does."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter(
        chunk_size=CHARACTERS, chunk_overlap=OVERLAP, add_start_index=True
    )
    out = []
    for document_id, text in texts.items():
        for piece in splitter.create_documents([text]):
            start = int(piece.metadata["start_index"])
            end = start + len(piece.page_content)
            name = f"{document_id}.{start}-{end}"
            out.append(Chunk(name, document_id, start, end, piece.page_content))
    return out


def as_chunks(passages: Iterable[Passage]) -> list[Chunk]:
    """Our passages as the yardstick takes them, the words alone."""
    return [
        Chunk(p.id, p.document_id, p.start, p.end, p.text) for p in passages if p.form != "contents"
    ]


class Yardstick:
    """BM25, dense and equal RRF over chunks."""

    def __init__(self, among: Sequence[Chunk], encoder: Encoder) -> None:
        """Index the chunks."""
        import bm25s
        import Stemmer

        self.chunks = among
        self._encoder = encoder
        self._stemmer = Stemmer.Stemmer("english")
        self._bm25 = bm25s.BM25()
        self._bm25.index(self._words([c.text for c in among]), show_progress=False)
        self._vectors: Vectors = encoder.passages([c.text for c in among])

    def _words(self, texts: Sequence[str]) -> list[list[str]]:
        import bm25s

        words: list[list[str]] = bm25s.tokenize(
            list(texts),
            stopwords="en",
            stemmer=self._stemmer,
            show_progress=False,
            return_ids=False,
        )
        return words

    def find(self, text: str, among: Numbers, depth: int = DEPTH) -> dict[str, list[int]]:
        """The best chunks by each method, as places in the list of chunks.

        Args:
            among: 1 for each chunk that may be found, 0 for the rest.
        """
        words = self._words([text])[0]
        lexical = self._bm25.get_scores(words) if words else np.zeros(len(self.chunks))
        dense = self._vectors @ self._encoder.query(text)
        by_bm25 = [i for i in _best(lexical, among, depth) if lexical[i] > 0]
        by_dense = _best(dense.astype(np.float64), among, depth)
        joined: dict[int, float] = {}
        for ranked in (by_bm25, by_dense):
            for rank, i in enumerate(ranked, start=1):
                joined[i] = joined.get(i, 0.0) + 1 / (RRF_K + rank)
        by_both = sorted(joined, key=lambda i: (-joined[i], i))
        return {"bm25": by_bm25, "dense": by_dense, "rrf": by_both}


def _best(scores: Numbers, among: Numbers, depth: int) -> list[int]:
    allowed = np.where(among > 0, scores, -np.inf)
    best = np.argsort(-allowed, kind="stable")[:depth]
    return [int(i) for i in best if np.isfinite(allowed[i])]


def as_it_comes(searcher: Searcher) -> Encoder:
    """The encoder of an index without what was learned for its model, exported if need be.

    Raises:
        ModelError: it cannot be exported.
    """
    facts, index = searcher.store.encoder.facts, searcher.settings.index
    if not facts.tuned:
        return searcher.store.encoder
    models = DatabaseSettings().models if in_database(index) else Path(index) / MODELS
    return open_encoder(prepare(facts.model, models, tuned=False), 0)


def yardsticks(
    searcher: Searcher, asked: Sequence[Question], over: str = "chunks", depth: int = 20
) -> tuple[Judged, list[Outcome]]:
    """Runs of each method over chunks, or over our passages, in the documents Searcher searches.

    The yardstick is given as filters what Searcher has to understand: superseded documents are out,
    and so is the home system of a question that has one.
    """
    store = searcher.store
    old = superseded(searcher)
    system_of = {d.id: d.system for d in store.documents.values()}
    if over == "chunks":
        pieces = chunks({d: store.reading(d).text for d in system_of})
    else:
        pieces = as_chunks(store.passages(range(store.manifest.passages)))
    stick = Yardstick(pieces, as_it_comes(searcher))
    judged = judged_by(asked, [c.range for c in pieces], system_of)
    systems = np.asarray([system_of[c.document_id] for c in pieces])
    current = np.asarray([c.document_id not in old for c in pieces])
    ranked: dict[str, dict[str, list[str]]] = {m: {} for m in METHODS}
    for question in judged.questions:
        everything = query_of(searcher, question).filters.include_superseded
        among = ((systems != (question.home or "")) & (current | everything)).astype(np.float64)
        for method, found in stick.find(question.text, among).items():
            ranked[method][question.query_id] = [pieces[i].id for i in found[:depth]]
    return judged, [outcome(f"{m}-{over}", judged, ranked[m]) for m in METHODS]
