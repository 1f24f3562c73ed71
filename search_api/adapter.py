"""A question's vector bent towards passages, by how people ask and how plans put it.

A model of general English puts "nobody helps me look after dad" and "support for unpaid carers"
some way apart. Written questions show in which directions: a question q becomes q + qA, of unit
length, where the matrix A was learned from questions and the passages that answer them. Passages
are left as they are, so nothing is embedded again. It is supervised semantic indexing (Bai, Weston,
Grangier and others, CIKM 2009), whose W = I + A acts on words, applied to the vectors of a model.

`python -m eval.fit_adapter` fits it, for the model that comes with the package. With another model
questions stay as they are.
"""

import io
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np

from corpus.errors import CatalogueError
from indexer import disk
from indexer.embed import EncoderFacts, Vectors
from indexer.store import Store
from search_api.derived import once_a_store

MADE = Path(__file__).parent / "adapter.npz"
DECIMALS = 6


@dataclass(frozen=True)
class Adapter:
    """What a question's vector is bent by.

    Attributes:
        told: what it was fitted for: a hash of all that a question's vector depends on.
        matrix: A, shape (dimensions, dimensions).
    """

    told: str
    matrix: Vectors

    def adapted(self, vector: Vectors) -> Vectors:
        """The unit vector to look for passages with.

        Args:
            vector: of the question, shape (dimensions,).
        """
        bent = vector + vector @ self.matrix
        unit: Vectors = np.round(bent / np.linalg.norm(bent), DECIMALS).astype(np.float32)
        return unit


def adapted(store: Store, vector: Vectors) -> Vectors:
    """The vector to look for passages of a store with: itself, where the model is another one."""
    adapter = adapter_of(store)
    return vector if adapter is None else adapter.adapted(vector)


@once_a_store
def adapter_of(store: Store) -> Adapter | None:
    """The adapter, if it was fitted for the model of a store."""
    made = shipped()
    return made if made.told == told(store.encoder.facts) else None


def told(facts: EncoderFacts) -> str:
    """A hash of all of the model that a question's vector depends on."""
    return sha256(facts.of_questions().encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def shipped() -> Adapter:
    """The adapter that comes with the package.

    Raises:
        CatalogueError: it is missing or damaged.
    """
    try:
        with np.load(io.BytesIO(MADE.read_bytes()), allow_pickle=False) as held:
            return Adapter(str(held["told"]), held["matrix"].astype(np.float32))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise CatalogueError(f"{MADE} is missing or damaged: install icsearch again.") from error


def write(adapter: Adapter) -> None:
    """Keep an adapter as the one that comes with the package, in half precision."""
    content = io.BytesIO()
    np.savez(content, told=adapter.told, matrix=adapter.matrix.astype(np.float16))
    disk.replace(MADE, content.getvalue())
