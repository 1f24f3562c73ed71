"""A made-up corpus of any size, the same for the same seed, written as a generation of an index.

Words follow Zipf's law: the shipped corpus's own are the commonest, made-up ones the long tail, so
that real questions find postings of likely lengths. Vectors lie in clusters about the shipped
corpus's own, spread the way those are spread, so that real questions fall among them.
"""

import math
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.model import Document, Page, Passage, Reading, Section, System
from indexer.embed import Vectors
from indexer.manifest import DocumentReport, FileFacts, Manifest, digest, sha256
from indexer.settings import IndexSettings
from indexer.store import GENERATIONS, MODELS, POINTER, Store, ann, writer
from indexer.store.base import Contents, Parts

VERSION = 1
PASSAGES_OF_A_DOCUMENT = 250
PASSAGES_UNDER_A_HEADING = 10
PASSAGES_OF_A_PAGE = 4
SENTENCES = 3
FEWEST_WORDS, MOST_WORDS = 18, 46
SYSTEMS = 42
KINDS = ("integrated care strategy", "joint forward plan", "place plan", "topic strategy")
DISTINCT_WORDS = 200_000
ZIPF_EXPONENT, ZIPF_SHIFT = 1.07, 2.7
SPREAD, STATEMENT_SPREAD = 0.7, 0.3
ROWS_AT_ONCE = 20_000
SYLLABLES = "ba be bo da de do fa ka la le lo ma me mo na ne pa re ri ro sa se ta te ti to".split()
# Words that would end no sentence before a full stop.
LEFT_OUT = frozenset("etc vs cf no st fig para approx inc ltd dr mr mrs ms prof cllr".split())

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Likeness:
    """What made-up text and vectors are made like: words by rank, and real vectors' spread."""

    words: NDArray[np.str_]
    chances: Numbers
    middles: Vectors
    axes: Vectors
    """Directions of the real vectors' spread, each as long as the spread, shape (n, dimensions)."""

    @classmethod
    def of(cls, store: Store) -> "Likeness":
        """The likeness of an index."""
        counts: Counter[str] = Counter()
        for identity in store.documents:
            counts.update(re.findall(r"\b[a-z]{2,}\b", store.reading(identity).text.lower()))
        real = [w for w, _ in sorted(counts.items(), key=lambda i: (-i[1], i[0]))]
        words = dict.fromkeys(w for w in real if w not in LEFT_OUT)
        number = 0
        while len(words) < DISTINCT_WORDS:
            words.setdefault(_made_up(number), None)
            number += 1
        ranks = np.arange(len(words)) + 1 + ZIPF_SHIFT
        chances = ranks**-ZIPF_EXPONENT
        rows = np.arange(store.manifest.passages)
        own = [store.statement_vectors(row) for row in rows.tolist()]
        middles = np.concatenate([store.vectors(rows), *own]).astype(np.float32)
        _, spread, axes = np.linalg.svd(middles - middles.mean(axis=0), full_matrices=False)
        lengths = spread / math.sqrt(len(middles))
        return cls(
            np.array(list(words)),
            np.cumsum(chances / chances.sum()),
            middles,
            (lengths[:, np.newaxis] * axes).astype(np.float32),
        )

    def vectors(self, count: int, seed: tuple[int, ...]) -> Vectors:
        """Unit vectors in clusters, shape (count, dimensions)."""
        chance = np.random.default_rng(seed)
        near = self.middles[chance.integers(len(self.middles), size=count)]
        return self._moved(near, SPREAD, chance)

    def about(self, vectors: Vectors, each: int, seed: tuple[int, ...]) -> Vectors:
        """Unit vectors close to given ones, `each` in turn: a passage's statements."""
        chance = np.random.default_rng(seed)
        return self._moved(np.repeat(vectors, each, axis=0), STATEMENT_SPREAD, chance)

    def _moved(self, near: Vectors, spread: float, chance: np.random.Generator) -> Vectors:
        steps = chance.standard_normal((len(near), len(self.axes)), dtype=np.float32)
        moved: Vectors = near + np.float32(spread) * (steps @ self.axes)
        moved /= np.linalg.norm(moved, axis=1, keepdims=True)
        return moved


def _made_up(number: int) -> str:
    """A word that nobody wrote: a number in syllables, at least three of them."""
    parts: list[str] = []
    while number or len(parts) < 3:
        number, at = divmod(number, len(SYLLABLES))
        parts.append(SYLLABLES[at])
    return "".join(parts)


class Corpus:
    """Documents made as they are asked for, so that a million passages need no memory."""

    def __init__(self, like: Likeness, passages: int, seed: int) -> None:
        """A corpus of so many passages."""
        self.like = like
        self.passages = passages
        self.seed = seed
        self.systems = [System(f"system-{i:02}", f"System {i:02}") for i in range(SYSTEMS)]

    def __len__(self) -> int:
        """How many documents there are."""
        return math.ceil(self.passages / PASSAGES_OF_A_DOCUMENT)

    def __contains__(self, parts: object) -> bool:
        """Whether it holds a document; only there to make it a collection."""
        return any(parts == own for own in self)

    def __iter__(self) -> Iterator[Parts]:
        """Every document with its reading and passages, in order of its system."""
        for number in range(len(self)):
            yield self._parts(number)

    def document(self, number: int) -> Document:
        """One document's entry in the catalogue."""
        system = self.systems[number * SYSTEMS // len(self)].id
        return Document(
            id=f"made-{number:05}",
            system=system,
            title=f"{KINDS[number % len(KINDS)].capitalize()} {number}",
            file=f"made-{number:05}.txt",
            sha256=digest([VERSION, self.seed, number]),
            kind=KINDS[number % len(KINDS)],
            period_from=2020 + number % 5,
            period_to=2025 + number % 5,
        )

    def size(self, number: int) -> int:
        """How many passages a document has."""
        return min(PASSAGES_OF_A_DOCUMENT, self.passages - number * PASSAGES_OF_A_DOCUMENT)

    def _parts(self, number: int) -> Parts:
        document, count = self.document(number), self.size(number)
        chance = np.random.default_rng((VERSION, self.seed, number))
        lengths = chance.integers(FEWEST_WORDS, MOST_WORDS, size=count * SENTENCES)
        total = int(lengths.sum()) + 6 * count
        ranks = np.searchsorted(self.like.chances, chance.random(total))
        words = iter(self.like.words[np.minimum(ranks, len(self.like.words) - 1)].tolist())
        text, at = [], 0
        sections: list[Section] = []
        passages: list[Passage] = []
        pages: list[Page] = []
        heading: tuple[str, ...] = ()

        def put(line: str) -> tuple[int, int]:
            nonlocal at
            text.append(line)
            start, at = at, at + len(line) + 1
            return start, start + len(line)

        for i in range(count):
            if i % PASSAGES_OF_A_PAGE == 0:
                pages.append(Page(len(pages) + 1, at, at))
            if i % PASSAGES_UNDER_A_HEADING == 0:
                title = " ".join(next(words) for _ in range(5)).capitalize()
                sections.append(Section(*put(title), "heading", (), 1))
                heading = (title,)
            own = lengths[i * SENTENCES : (i + 1) * SENTENCES].tolist()
            said = [" ".join(next(words) for _ in range(n)).capitalize() + "." for n in own]
            start, end = put(" ".join(said))
            sections.append(Section(start, end, "prose", heading))
            page = len(pages)
            pages[-1] = Page(page, pages[-1].start, at)
            passages.append(
                Passage(
                    id=f"{document.id}.{start}-{end}",
                    text=text[-1],
                    system=document.system,
                    document_id=document.id,
                    document_title=document.title,
                    form="prose",
                    heading=heading,
                    pages=(page,),
                    page_label=None,
                    page_inferred=False,
                    file_page=None,
                    start=start,
                    end=end,
                )
            )
        return (
            document,
            Reading("\n".join(text), tuple(sections), tuple(pages), (), "made"),
            passages,
        )


def build(root: Path, store: Store, source: Path, passages: int, settings: IndexSettings) -> str:
    """Write an index of a made-up corpus, unless it is there; its index_id.

    Args:
        root: where the index goes.
        store: the index that it is made like; `source` is its folder, whose model is used.
    """
    dimensions = store.encoder.facts.dimensions
    how = ann.plan(passages, dimensions, settings.exact_up_to, settings.graph_megabytes)
    made = dict(store.manifest.made) | {"synthetic": [VERSION, passages]}
    made |= {"nearest": dict(how)} if how else {}
    index_id = digest([made, store.manifest.index_id])[:16]
    target = root / GENERATIONS / index_id
    if not (target / "manifest.json").exists():
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        _write(target, Corpus(Likeness.of(store), passages, seed=1), made, index_id)
    if not (root / MODELS).exists():
        (root / MODELS).symlink_to((source / MODELS).resolve(), target_is_directory=True)
    (root / POINTER).write_text(index_id + "\n", encoding="ascii")
    return index_id


def _write(target: Path, corpus: Corpus, made: dict[str, object], index_id: str) -> None:
    count, dimensions = corpus.passages, corpus.like.middles.shape[1]
    raw = target / "raw.npy", target / "raw-statements.npy"
    opened = np.lib.format.open_memmap
    vectors = opened(raw[0], mode="w+", dtype=np.float32, shape=(count, dimensions))
    own = opened(raw[1], mode="w+", dtype=np.float16, shape=(count * SENTENCES, dimensions))
    for first in range(0, count, ROWS_AT_ONCE):
        end = min(first + ROWS_AT_ONCE, count)
        vectors[first:end] = corpus.like.vectors(end - first, (VERSION, corpus.seed, first))
        own[first * SENTENCES : end * SENTENCES] = corpus.like.about(
            vectors[first:end], SENTENCES, (VERSION, corpus.seed, first, 1)
        )
    nearest = made.get("nearest")
    assert nearest is None or isinstance(nearest, dict)
    contents = Contents(
        systems=corpus.systems,
        themes=[],
        documents=corpus,
        vectors=vectors,
        statement_vectors=own,
        statement_ends=np.arange(1, count + 1, dtype=np.int64) * SENTENCES,
        embedding_keys=[f"{row:x}" for row in range(count)],
        acronyms=[],
        nearest=nearest,
    )
    writer.write(target, contents)
    for path in raw:
        path.unlink()
    written = sorted(p for p in target.rglob("*") if p.is_file() and p.name[0] != ".")
    Manifest(
        index_id=index_id,
        built_at="2026-01-01T00:00:00+00:00",
        made=made,
        documents=tuple(_report(corpus, number) for number in range(len(corpus))),
        failures={},
        passages=count,
        systems=len(corpus.systems),
        files={str(p.relative_to(target)): FileFacts(sha256(p), p.stat().st_size) for p in written},
    ).write(target)


def _report(corpus: Corpus, number: int) -> DocumentReport:
    document, size = corpus.document(number), corpus.size(number)
    pages = math.ceil(size / PASSAGES_OF_A_PAGE)
    return DocumentReport(document.id, document.sha256, "", "made", pages, 0, size, 0, 0, (), 0.0)
