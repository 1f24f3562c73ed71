"""An optional cross-encoder that reads question and passage together and orders the best again.

None ships with the product: a name or a folder is set by `ICSEARCH_RERANKER`, and is loaded by
sentence-transformers. Nogueira and Cho, "Passage Re-ranking with BERT" (2019).
"""

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np

from corpus.errors import ModelError
from corpus.model import Passage
from search_api.diversify import Found
from search_api.rank import Numbers


class Reranker(Protocol):
    """Something that reads a question and passages together."""

    def scores(self, question: str, texts: Sequence[str]) -> Numbers:
        """How well each text answers, shape (texts,); more is better, on a scale of its own."""
        ...


class CrossEncoderReranker:
    """A cross-encoder of sentence-transformers, on the GPU where there is one."""

    def __init__(self, name: str) -> None:
        """Load it.

        Raises:
            ModelError: sentence-transformers is missing, or the model cannot be loaded.
        """
        if Path(name).is_dir():
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
        try:
            from sentence_transformers import CrossEncoder
        except ImportError as error:
            raise ModelError(
                "A reranker needs sentence-transformers; run: pip install 'icsearch[index]'"
            ) from error
        try:
            self._model = CrossEncoder(name)
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError(
                f"The reranker {name} cannot be loaded ({error}). Set ICSEARCH_RERANKER to the "
                "name or folder of a cross-encoder, or unset it."
            ) from error

    def scores(self, question: str, texts: Sequence[str]) -> Numbers:
        """How well each text answers, shape (texts,)."""
        pairs = [(question, text) for text in texts]
        found = self._model.predict(pairs, show_progress_bar=False)
        scores: Numbers = np.asarray(found, dtype=np.float64).reshape(len(texts), -1)[:, -1]
        return scores


@lru_cache(maxsize=2)
def open_reranker(name: str) -> Reranker:
    """The reranker of a name or folder, loaded once in a process.

    Raises:
        ModelError: it cannot be loaded.
    """
    return CrossEncoderReranker(name)


def text_of(passage: Passage) -> str:
    """What a reranker reads of a passage: whose it is and under which headings, then its text."""
    above = " – ".join(dict.fromkeys((passage.document_title, *passage.heading)))
    return f"{above}\n{passage.text}"


def reranked(
    reranker: Reranker, question: str, found: Sequence[Found], passages: Sequence[Passage]
) -> list[Found]:
    """The first candidates in the reranker's order, the rest below them as they were.

    The scores that the first had are dealt out anew from the best to the least, so that what goes
    by scores (spreading over systems) works on the same scale as without a reranker.

    Args:
        passages: those of the first, which are ordered again.
    """
    head, rest = list(found[: len(passages)]), list(found[len(passages) :])
    if not head:
        return []
    read = reranker.scores(question, [text_of(passage) for passage in passages])
    order = sorted(
        range(len(head)), key=lambda i: (-round(float(read[i]), 5), head[i].candidate.row)
    )
    worth = sorted((one.candidate.score for one in head), reverse=True)
    dealt = [
        head[i]._replace(candidate=head[i].candidate._replace(score=score))
        for i, score in zip(order, worth, strict=True)
    ]
    return dealt + rest
