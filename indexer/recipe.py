"""How documents are made into what an index holds of them, and the hashes that tell it."""

import hashlib
import importlib.metadata
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from corpus import Document, Reading, System
from indexer import assemble, gist, split
from indexer.embed import EncoderFacts
from indexer.manifest import FORMAT, digest
from indexer.settings import IndexSettings
from indexer.store import writer

SPLITTER_VERSION = "1"
VERSIONS_THAT_COUNT = ("icsearch", "faiss-cpu", "tantivy", "onnxruntime", "numpy")


def recipe_of(settings: IndexSettings, facts: EncoderFacts) -> dict[str, Any]:
    """How every document is made into what the index holds of it."""
    return {
        "format": FORMAT,
        "model": asdict(facts),
        "context_share": settings.context_share,
        "splitter": SPLITTER_VERSION,
        "reader": reader_version(),
        "words": words(),
        "gists": gist.VERSION,
        "fields": writer.FIELDS,
        "versions": {name: importlib.metadata.version(name) for name in VERSIONS_THAT_COUNT},
    }


def key_of(
    document: Document, systems: Mapping[str, System], reading_sha256: str, recipe: object
) -> str:
    """A hash of all that decides what the index holds of a document."""
    return digest([recipe, asdict(document), systems[document.system].name, reading_sha256])


def reader_version() -> str:
    """The version of what makes sections and canonical texts of what loaders find."""
    return assemble.READER_VERSION


def words() -> dict[str, int]:
    """How many words a passage is to have, and has at most."""
    return {"target": split.TARGET_WORDS, "most": split.MOST_WORDS}


def sha256_of_reading(reading: Reading) -> str:
    """SHA-256 of all that reading a document gave, in hexadecimal."""
    return digest(asdict(reading))


def text_sha256(text: str) -> str:
    """SHA-256 of a canonical text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
