"""A made-up corpus of any size, the same for the same seed, written as a generation of an index.

Words follow Zipf's law: the shipped corpus's own are the commonest, made-up ones the long tail, so
that real questions find postings of likely lengths. Vectors lie in clusters about the shipped
corpus's own, spread the way those are spread, so that real questions fall among them. The documents
lie beside the index as a corpus, so that one more can be added to it.
"""

import json
import math
import re
import shutil
from collections import Counter
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.model import Document, Page, Passage, Reading, Section, System
from indexer import acronyms, embedding
from indexer.embed import Vectors
from indexer.manifest import DocumentReport, Manifest, digest
from indexer.recipe import key_of, reader_version, recipe_of, sha256_of_reading, text_sha256
from indexer.settings import IndexSettings
from indexer.statements import statements
from indexer.store import GENERATIONS, MODELS, POINTER, Store, ann, writer
from indexer.store.base import Contents, Entry, Made, as_planted
from indexer.store.publish import written

VERSION = 2
CORPUS = "corpus"
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
        statements, _ = store.vectors_of_statements(rows)
        middles = np.concatenate([store.vectors(rows), statements]).astype(np.float32)
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

    def document(self, number: int, text: str) -> Document:
        """One document's entry in the catalogue; its file holds its text and nothing else."""
        system = self.systems[number * SYSTEMS // len(self)].id
        return Document(
            id=f"made-{number:05}",
            system=system,
            title=f"{KINDS[number % len(KINDS)].capitalize()} {number}",
            file=f"made-{number:05}.txt",
            sha256=text_sha256(text),
            kind=KINDS[number % len(KINDS)],
            period_from=2020 + number % 5,
            period_to=2025 + number % 5,
        )

    def size(self, number: int) -> int:
        """How many passages a document has."""
        return min(PASSAGES_OF_A_DOCUMENT, self.passages - number * PASSAGES_OF_A_DOCUMENT)

    def made(self, number: int) -> tuple[Document, Reading, list[Passage]]:
        """One document as read and split."""
        count = self.size(number)
        chance = np.random.default_rng((VERSION, self.seed, number))
        lengths = chance.integers(FEWEST_WORDS, MOST_WORDS, size=count * SENTENCES)
        total = int(lengths.sum()) + 6 * count
        ranks = np.searchsorted(self.like.chances, chance.random(total))
        words = iter(self.like.words[np.minimum(ranks, len(self.like.words) - 1)].tolist())
        text, at = [], 0
        sections: list[Section] = []
        passages: list[Passage] = []
        pages: list[Page] = []
        spans: list[tuple[int, int, int, tuple[str, ...]]] = []
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
            spans.append((start, end, page, heading))
        whole = "\n".join(text)
        document = self.document(number, whole)
        for start, end, page, heading in spans:
            passages.append(
                Passage(
                    id=f"{document.id}.{start}-{end}",
                    text=whole[start:end],
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
            Reading(whole, tuple(sections), tuple(pages), (), f"made/{reader_version()}"),
            passages,
        )


def build(root: Path, store: Store, source: Path, passages: int, settings: IndexSettings) -> str:
    """Write an index of a made-up corpus, unless it is there; its index_id.

    Args:
        root: where the index goes.
        store: the index that it is made like; `source` is its folder, whose model is used.
    """
    facts = store.encoder.facts
    how = ann.plan(passages, facts.dimensions, settings.exact_up_to, settings.graph_megabytes)
    made = recipe_of(settings, facts) | {"synthetic": [VERSION, passages]}
    made |= {"nearest": dict(how)} if how else {}
    index_id = digest([made, store.manifest.index_id])[:16]
    target = root / GENERATIONS / index_id
    if not (target / "manifest.json").exists():
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        corpus = Corpus(Likeness.of(store), passages, seed=1)
        _Generation(root, target, corpus, made, settings, store).write(index_id)
    if not (root / MODELS).exists():
        (root / MODELS).symlink_to((source / MODELS).resolve(), target_is_directory=True)
    (root / POINTER).write_text(index_id + "\n", encoding="ascii")
    return index_id


class _Generation:
    """A made-up generation and its corpus on their way to the disk."""

    def __init__(
        self,
        root: Path,
        target: Path,
        corpus: Corpus,
        made: dict[str, Any],
        settings: IndexSettings,
        like: Store,
    ) -> None:
        self._root = root
        self._target = target
        self._corpus = corpus
        self._made = made
        facts = like.encoder.facts
        self._recipe = recipe_of(settings, facts)
        self._embedded = [asdict(facts), settings.context_share]
        self._systems = {system.id: system for system in corpus.systems}
        self._themes = like.themes
        self._dimensions = facts.dimensions

    def write(self, index_id: str) -> None:
        """Write all of it."""
        corpus, target = self._corpus, self._target
        documents, reports = self._documents()
        vectors, own = self._vectors()
        entries = [
            Entry(document, r.passages, r.key, partial(self._make, number, vectors, own))
            for number, (document, r) in enumerate(zip(documents, reports, strict=True))
        ]
        contents = Contents(
            systems=corpus.systems,
            themes=list(self._themes.values()),
            documents=entries,
            dimensions=self._dimensions,
            acronyms=acronyms.mine({}),
            definitions={document.id: [] for document in documents},
            nearest=self._made.get("nearest"),
            planted=as_planted(entries),
        )
        writer.write(target, contents)
        for path in target.glob("raw*.npy"):
            path.unlink()
        Manifest(
            index_id=index_id,
            built_at="2026-01-01T00:00:00+00:00",
            made=self._made,
            documents=tuple(reports),
            failures={},
            passages=corpus.passages,
            systems=len(corpus.systems),
            files=written(target),
        ).write(target)

    def _documents(self) -> tuple[list[Document], list[DocumentReport]]:
        """Write the corpus; its documents and what reading them would have found."""
        folder = self._root / CORPUS
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "documents").mkdir(parents=True)
        documents, reports = [], []
        for number in range(len(self._corpus)):
            document, reading, passages = self._corpus.made(number)
            (folder / "documents" / document.file).write_text(reading.text, encoding="utf-8")
            read = sha256_of_reading(reading)
            documents.append(document)
            reports.append(
                DocumentReport(
                    id=document.id,
                    sha256=document.sha256,
                    text_sha256=text_sha256(reading.text),
                    reader=reading.reader,
                    pages=len(reading.pages),
                    words=len(reading.text.split()),
                    passages=len(passages),
                    tables=0,
                    unreadable_pages=0,
                    warnings=(),
                    seconds=0.0,
                    reading_sha256=read,
                    key=key_of(document, self._systems, read, self._recipe),
                )
            )
        for name, items in (("system", self._corpus.systems), ("document", documents)):
            tables = (f"[[{name}]]\n{_toml(asdict(item))}" for item in items)
            (folder / f"{name}s.toml").write_text("\n".join(tables), encoding="utf-8")
        return documents, reports

    def _vectors(self) -> tuple[Vectors, Vectors]:
        """Vectors of all passages and of their statements, in files that go again."""
        corpus, opened = self._corpus, np.lib.format.open_memmap
        count, shape = corpus.passages, (corpus.passages * SENTENCES, self._dimensions)
        vectors = opened(
            self._target / "raw.npy", mode="w+", dtype=np.float32, shape=(count, shape[1])
        )
        own = opened(self._target / "raw-statements.npy", mode="w+", dtype=np.float16, shape=shape)
        for first in range(0, count, ROWS_AT_ONCE):
            end = min(first + ROWS_AT_ONCE, count)
            vectors[first:end] = corpus.like.vectors(end - first, (VERSION, corpus.seed, first))
            own[first * SENTENCES : end * SENTENCES] = corpus.like.about(
                vectors[first:end], SENTENCES, (VERSION, corpus.seed, first, 1)
            )
        return vectors, own

    def _make(self, number: int, vectors: Vectors, own: Vectors) -> Made:
        document, reading, passages = self._corpus.made(number)
        first = number * PASSAGES_OF_A_DOCUMENT
        end = first + len(passages)
        name = self._systems[document.system].name
        return Made(
            reading=reading,
            passages=passages,
            vectors=vectors[first:end],
            statements=own[first * SENTENCES : end * SENTENCES],
            ends=np.arange(1, len(passages) + 1, dtype=np.int64) * SENTENCES,
            embedding_keys=[
                embedding.key_of(p, [s.text for s in statements(p, reading)], name, self._embedded)
                for p in passages
            ],
        )


def _toml(fields: dict[str, Any]) -> str:
    """Plain fields as lines of TOML; those that are empty are left out."""
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in fields.items() if value)
