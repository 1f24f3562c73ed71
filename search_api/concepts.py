"""What a question is about, told by how people ask: wordings near to it lead to official terms.

"Beds full of people who could go home" shares no word with "no criteria to reside". Here is a list
of concepts, each with the terms that documents use and with wordings that people ask in
(`concepts.toml`; the groups of `thesaurus.toml` count as concepts too). A question's vector is
compared with those of the wordings, and passages that hold terms of the nearest concepts are put
higher. It is explicit semantic analysis (Gabrilovich and Markovitch, IJCAI 2007) with a list made
for this field instead of an encyclopaedia, and an embedding model instead of words in common.

    python -m search_api.concepts

embeds the wordings with the model that comes with the package, into `concepts.npz`. For another
model they are embedded once for each index, by `icsearch index` or by whoever needs them first.
"""

import io
import json
import math
import tomllib
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce
from hashlib import sha256
from operator import and_
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from corpus.errors import CatalogueError
from indexer import disk
from indexer.analyse import distinct, terms
from indexer.embed import Encoder, Vectors, open_encoder, prepare
from indexer.gist import Standing
from indexer.store import Store
from search_api.derived import FOLDER, index_of, keep, once_a_store
from search_api.thesaurus import FILE as THESAURUS

FILE = Path(__file__).parent / "concepts.toml"
MADE = Path(__file__).parent / "concepts.npz"
NEAREST_WORDINGS = 64
MOST = 6
"""So many concepts a question may be about."""
LEAST = 0.3
"""The least cosine of question and wording for the concept to count."""
SHARPNESS = 10.0
"""How much more a nearer concept counts: by the exponential of this times the cosine."""
SURELY = 0.3
"""The least weight of a concept that the asker is told of."""
AROUND = 0.7
"""What a term counts where some of its words stand only in headings or the title."""
STEPS = 127


@dataclass(frozen=True, slots=True)
class About:
    """A concept that a question is about: its place in the list, and how much, 0 to 1."""

    concept: int
    weight: float


@dataclass(frozen=True)
class Concepts:
    """Concepts by their terms, and the vectors of their wordings as whole numbers.

    Attributes:
        told: what the vectors depend on.
        words: the terms of each concept.
        owner: the concept of each wording, shape (wordings,).
        codes: vectors times `scale`, rounded, shape (wordings, dimensions).
    """

    told: str
    words: tuple[tuple[str, ...], ...]
    owner: NDArray[np.int32]
    codes: NDArray[np.int8]
    scale: float

    @cached_property
    def _index(self) -> Any:
        # Half floats hold whole numbers up to 2,048 as they are, in half the memory to go through.
        half = faiss.ScalarQuantizer.QT_fp16
        index = faiss.IndexScalarQuantizer(self.codes.shape[1], half, faiss.METRIC_INNER_PRODUCT)
        index.add(self.codes.astype(np.float32))
        return index

    @cached_property
    def _asked(self) -> Callable[[bytes], tuple[About, ...]]:
        return lru_cache(maxsize=256)(self._about)

    def about(self, vector: Vectors) -> tuple[About, ...]:
        """What a question is about, most first; nothing where no wording is near.

        Args:
            vector: of the question, shape (dimensions,).
        """
        return self._asked(vector.tobytes())

    def _about(self, content: bytes) -> tuple[About, ...]:
        vector = np.frombuffer(content, dtype=np.float32)
        found, which = self._index.search(vector[None, :], min(NEAREST_WORDINGS, len(self.owner)))
        cosines = found[0] / np.float32(self.scale)
        nearest: dict[int, float] = {}
        for cosine, concept in zip(cosines.tolist(), self.owner[which[0]].tolist(), strict=True):
            if cosine >= LEAST:
                nearest.setdefault(concept, cosine)
        best = sorted(nearest.items(), key=lambda n: (-round(n[1], 6), n[0]))[:MOST]
        shares = [math.exp(SHARPNESS * cosine) for _, cosine in best]
        whole = sum(shares)
        return tuple(
            About(concept, cosine * share / whole)
            for (concept, cosine), share in zip(best, shares, strict=True)
        )

    def foreign(self, about: Sequence[About], store: Store) -> float:
        """The share of what a question is about the documents have no term for; 1 for nothing."""
        total = sum(found.weight for found in about)
        known = sum(
            found.weight
            for found in about
            if any(
                stems and all(store.document_frequency(stem) for stem in stems)
                for stems in map(stems_of, self.words[found.concept])
            )
        )
        return 1 - known / total if total else 1.0

    def unsaid(self, about: Sequence[About], asked: Set[str], found: Sequence[str]) -> list[str]:
        """Terms of what a question is surely about that it does not use and what was found does.

        Args:
            asked: the stems of the question.
            found: the passages found.
        """
        sure = [self.words[concept.concept] for concept in about if concept.weight >= SURELY]
        other = [words for words in sure if not any(stems_of(word) <= asked for word in words)]
        if not other:
            return []
        texts = [distinct(text) for text in found]
        told: dict[frozenset[str], str] = {}
        for words in other:
            word = next((w for w in words if any(stems_of(w) <= own for own in texts)), None)
            if word is not None:
                told.setdefault(stems_of(word), word)
        return list(told.values())

    def stems(self, about: Sequence[About]) -> frozenset[str]:
        """The stems of all terms of what a question is about."""
        return frozenset().union(*(stems for _, terms_ in self._terms(about) for stems in terms_))

    def held(self, about: Sequence[About], known: Sequence[Standing]) -> NDArray[np.float64]:
        """How much of what a question is about is spoken of in each passage, 0 to 1.

        Args:
            known: of each passage, which stems of the terms stand there.
        """
        own: defaultdict[str, int] = defaultdict(int)  # of each stem the passages, as bits
        beside: defaultdict[str, int] = defaultdict(int)
        place = 1
        for inside, around in known:
            for stem in inside:
                own[stem] |= place
            for stem in around:
                beside[stem] |= place
            place <<= 1
        both = {stem: own[stem] | beside[stem] for stem in [*own, *beside]}
        out = np.zeros(len(known), dtype=np.float64)
        for weight, terms_ in self._terms(about):
            partly = _any_whole(terms_, both)
            if partly:
                whole = _bits(_any_whole(terms_, own), len(out))
                out += weight * np.where(whole, 1.0, AROUND * _bits(partly, len(out)))
        return out

    def _terms(self, about: Sequence[About]) -> list[tuple[float, Sequence[frozenset[str]]]]:
        """Of each thing that a question is about the weight, and the stems of each term."""
        return [(found.weight, stems_of_each(self.words[found.concept])) for found in about]


def _any_whole(wanted: Sequence[frozenset[str]], places: Mapping[str, int]) -> int:
    """Where all stems of some term stand, as bits."""
    found = 0
    for stems in wanted:
        if stems <= places.keys():
            found |= reduce(and_, (places[stem] for stem in stems))
    return found


def _bits(found: int, count: int) -> NDArray[np.uint8]:
    """The lowest bits of a number, the lowest first."""
    content = np.frombuffer(found.to_bytes(count // 8 + 1, "little"), dtype=np.uint8)
    return np.unpackbits(content, count=count, bitorder="little")


@lru_cache(maxsize=10_000)
def stems_of(word: str) -> frozenset[str]:
    """The stems of a term, without the commonest words."""
    return frozenset(terms(word))


@lru_cache(maxsize=10_000)
def stems_of_each(words: tuple[str, ...]) -> tuple[frozenset[str], ...]:
    """The stems of each of several terms, but for those that are made of the commonest words."""
    return tuple(stems for word in words if (stems := stems_of(word)))


@once_a_store
def concepts_of(store: Store) -> Concepts:
    """The concepts, with wordings embedded by the model of an index."""
    made = _shipped()
    return made if made.told == _told(store.encoder) else kept_or_made(store)


def kept_or_made(store: Store) -> Concepts:
    """The concepts for a model that does not come with the package: embedded once for an index."""
    path = index_of(store) / FOLDER / f"concepts.{_told(store.encoder)}.npz"
    kept = _read(path)
    if kept is not None:
        return kept
    found = embedded(store.encoder)
    keep(path, _packed(found))
    return found


@lru_cache(maxsize=1)
def _shipped() -> Concepts:
    found = _read(MADE)
    if found is None:
        raise CatalogueError(f"{MADE} is missing or damaged: install icsearch again.")
    return found


def _told(encoder: Encoder) -> str:
    """A hash of the wordings and of all of the model that a question's vector depends on."""
    found = sha256(encoder.facts.of_questions().encode())
    for path in (FILE, THESAURUS):
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


def listed() -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Of both lists, the terms of each concept and the wordings people ask in.

    Raises:
        CatalogueError: a list cannot be read.
    """
    for path, key, asked in ((FILE, "concept", "asked"), (THESAURUS, "group", "lay")):
        try:
            for concept in tomllib.loads(path.read_text(encoding="utf-8"))[key]:
                yield tuple(concept["words"]), tuple(concept.get(asked, ()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CatalogueError(f"{path} is no list of concepts: {error!r}.") from error


def wordings() -> Iterator[tuple[int, str]]:
    """Everything that is embedded: the number of a concept with a wording or a term of it."""
    for number, (words, asked) in enumerate(listed()):
        for text in (*asked, *words):
            yield number, text


def embedded(encoder: Encoder) -> Concepts:
    """The concepts of both lists, their wordings embedded.

    Raises:
        CatalogueError: a list cannot be read.
    """
    owner, texts = zip(*wordings(), strict=True)
    vectors = np.stack([encoder.query(text) for text in texts])
    scale = STEPS / float(np.abs(vectors).max())
    return Concepts(
        told=_told(encoder),
        words=tuple(words for words, _ in listed()),
        owner=np.array(owner, dtype=np.int32),
        codes=np.rint(vectors * scale).astype(np.int8),
        scale=scale,
    )


def _read(path: Path) -> Concepts | None:
    """The concepts of a file, if it is there and whole."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as held:
            told = json.loads(str(held["told"]))
            return Concepts(
                told=told["told"],
                words=tuple(tuple(w) for w in told["words"]),
                owner=held["owner"],
                codes=held["codes"],
                scale=float(told["scale"]),
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _packed(found: Concepts) -> bytes:
    """The content of a file of concepts."""
    told = {"told": found.told, "words": found.words, "scale": found.scale}
    content = io.BytesIO()
    np.savez(content, told=json.dumps(told), owner=found.owner, codes=found.codes)
    return content.getvalue()


def main() -> None:
    """Embed the wordings with the model that comes with the package."""
    from indexer.settings import IndexSettings

    settings = IndexSettings()
    folder = prepare(settings.model, Path(settings.index) / "models")
    disk.replace(MADE, _packed(embedded(open_encoder(folder))))


if __name__ == "__main__":
    main()
