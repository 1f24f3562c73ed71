"""Vectors for a generation: taken over where nothing changed, and otherwise encoded once.

What is encoded is kept beside the index until the new generation serves, so that a build that is
stopped goes on where it was.
"""

import hashlib
import shutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from corpus import Catalogue, Document, Passage, Reading
from indexer import split
from indexer.embed import Encoder, Vectors
from indexer.manifest import digest
from indexer.statements import statements
from indexer.store.base import Made, Store

KEPT_AT_ONCE = 2_048
TAKEN_AT_ONCE = 5_000
KEY_BYTES = 16


def clear(folder: Path) -> None:
    """Forget what a build kept there: the generation that it was for is served."""
    shutil.rmtree(folder, ignore_errors=True)


class Progress:
    """Vectors of texts in a folder, while a build is under way. Only whole files count."""

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        """What an earlier build of the same model left, if it was stopped."""
        self._folder = folder
        self._encoder = encoder
        self._recipe = digest(asdict(encoder.facts)).encode()
        self._known: dict[bytes, Vectors] = {}
        self._next = 0
        for path in sorted(folder.glob("*.npz")):
            with suppress(OSError, ValueError, KeyError, zipfile.BadZipFile):
                with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
                    keys = [key.tobytes() for key in held["keys"]]
                    self._known.update(zip(keys, held["vectors"], strict=True))
            self._next = int(path.stem) + 1

    def passages(
        self, texts: Sequence[str], done: Callable[[int], None] = lambda _: None
    ) -> Vectors:
        """Unit vectors, shape (texts, dimensions): known ones, and others encoded and kept.

        The longest texts come first, so that batches are of like length.
        """
        keys = [self._key(text) for text in texts]
        missing = [i for i, key in enumerate(keys) if key not in self._known]
        missing.sort(key=lambda i: -len(texts[i]))
        done(len(texts) - len(missing))
        for at in range(0, len(missing), KEPT_AT_ONCE):
            some = missing[at : at + KEPT_AT_ONCE]
            vectors = self._encoder.passages([texts[i] for i in some], done)
            self._keep([keys[i] for i in some], vectors)
        out = np.empty((len(texts), self._encoder.facts.dimensions), dtype=np.float32)
        for i, key in enumerate(keys):
            out[i] = self._known[key]
        return out

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(self._recipe + text.encode()).digest()[:KEY_BYTES]

    def _keep(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        self._known.update(zip(keys, vectors, strict=True))
        self._folder.mkdir(parents=True, exist_ok=True)
        table = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(len(keys), KEY_BYTES)
        unfinished = self._folder / "unfinished"
        with unfinished.open("wb") as file:
            np.savez(file, keys=table, vectors=vectors)
        unfinished.replace(self._folder / f"{self._next:06}.npz")
        self._next += 1


@dataclass(frozen=True, slots=True)
class Split:
    """A document that was read and split into passages, ready to be embedded."""

    document: Document
    reading: Reading
    passages: Sequence[Passage]


def embed(
    parts: Sequence[Split],
    catalogue: Catalogue,
    share: float,
    encoder: Encoder,
    former: Store | None,
    known: Mapping[str, int],
    progress: Progress,
    tell: Callable[[str, int, int], None],
) -> list[Made]:
    """Documents with vectors of every passage and statement; only what is not known is encoded.

    A passage's vector is the mean, by `share`, of those of it alone and with its context.

    Args:
        known: by what vectors were made of, the row of the former generation that has them.
    """
    recipe = [asdict(encoder.facts), share]
    keys: list[str] = []
    alone: list[str] = []
    context: list[str] = []
    said: list[list[str]] = []
    fresh: list[int] = []
    for part in parts:
        for passage in part.passages:
            own = [s.text for s in statements(passage, part.reading)]
            key = key_of(passage, own, catalogue.systems[passage.system].name, recipe)
            if key not in known:
                text = split.embedded_text(passage, passage.start)
                whose = split.context(passage, catalogue.systems[passage.system].name)
                fresh.append(len(keys))
                alone.append(text)
                context.append(f"{whose}\n{text}")
                said.append(own)
            keys.append(key)
    texts, single = [*alone, *context], list(dict.fromkeys(t for own in said for t in own))
    count = 0

    def done(more: int) -> None:
        nonlocal count
        count += more
        tell("Embedding", count, len(texts) + len(single))

    done(0)
    made = progress.passages(texts, done)
    by_text = dict(zip(single, progress.passages(single, done), strict=True))
    mixed = (1 - share) * made[: len(fresh)] + share * made[len(fresh) :]
    dimensions = encoder.facts.dimensions
    vectors = np.empty((len(keys), dimensions), dtype=np.float32)
    # Six decimals: what is left of how a batch was put together is rounded away.
    vectors[fresh] = np.round(mixed / np.linalg.norm(mixed, axis=1, keepdims=True), 6)
    none = np.empty((0, dimensions), dtype=np.float32)
    rows: list[Vectors] = [none] * len(keys)
    for i, own in zip(fresh, said, strict=True):
        rows[i] = np.stack([by_text[text] for text in own]) if own else none
    new = set(fresh)
    same = [i for i in range(len(keys)) if i not in new]
    for at in range(0, len(same), TAKEN_AT_ONCE):
        assert former is not None
        some = same[at : at + TAKEN_AT_ONCE]
        held = np.array([known[keys[i]] for i in some], dtype=np.int64)
        vectors[some] = former.vectors(held)
        own_vectors, counts = former.vectors_of_statements(held)
        for i, taken in zip(some, np.split(own_vectors, np.cumsum(counts)[:-1]), strict=True):
            rows[i] = taken
    out, at = [], 0
    for part in parts:
        end = at + len(part.passages)
        own_rows = rows[at:end]
        out.append(
            Made(
                reading=part.reading,
                passages=part.passages,
                vectors=vectors[at:end],
                statements=np.round(np.concatenate([none, *own_rows]), 4),
                ends=np.cumsum([len(own) for own in own_rows], dtype=np.int64),
                embedding_keys=keys[at:end],
            )
        )
        at = end
    return out


def key_of(passage: Passage, said: Sequence[str], system: str, recipe: Sequence[object]) -> str:
    """A hash of all that a passage's vectors are made of: its words, statements and context."""
    text = split.embedded_text(passage, passage.start)
    return digest([recipe, split.context(passage, system), text, said])
