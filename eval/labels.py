"""The questions of `eval/labels` and where their judged quotes stand in the canonical texts.

A judgement is a quote in a document. It is found in the canonical text whatever the spacing, so it
survives a new reader and a new splitting.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from corpus.errors import IcsearchError
from corpus.model import Passage

LABELS = Path(__file__).parent / "labels"
FRESH, BLIND = "fresh", "blind"
APART = (FRESH, BLIND)
"""Splits with files of their own, asked only if named, so that their totals are looked at on
purpose. *blind* is the later one; since when the other is spent, docs/evaluation.md says."""
LEAST_SHARE = 0.5


class LabelError(IcsearchError):
    """A label does not fit the documents."""

    code = "label"


@dataclass(frozen=True, slots=True)
class Span:
    """A judged range of a document's canonical text."""

    document_id: str
    start: int
    end: int
    relevance: int


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its judged spans; none for one that the corpus cannot answer."""

    query_id: str
    text: str
    kind: str
    topic: str
    split: str
    home: str | None
    unanswerable: str | None
    spans: tuple[Span, ...]


def read_labels(name: str) -> list[dict[str, Any]]:
    """The entries of one label file."""
    path = LABELS / name
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    except (OSError, ValueError) as error:
        raise LabelError(f"{path} cannot be read: {error}.") from error


def questions(texts: Mapping[str, str], split: str | None = None) -> list[Question]:
    """The questions of a split, their quotes found in the texts by document id.

    Without a split, all but those of the splits that stand apart.

    Raises:
        LabelError: a quote is not in its document.
    """
    out = []
    for entry in read_labels(f"{split}.jsonl" if split in APART else "questions.jsonl"):
        if split is not None and entry["split"] != split:
            continue
        spans = []
        for judged in entry.get("judgements", ()):
            start, end = find_quote(
                texts, judged["document"], judged["quote"], judged.get("occurrence", 1)
            )
            spans.append(Span(judged["document"], start, end, judged["relevance"]))
        out.append(
            Question(
                query_id=entry["id"],
                text=entry["text"],
                kind=entry["kind"],
                topic=entry["topic"],
                split=entry["split"],
                home=entry.get("home"),
                unanswerable=entry.get("unanswerable"),
                spans=tuple(spans),
            )
        )
    return out


def find_quote(
    texts: Mapping[str, str], document_id: str, quote: str, occurrence: int = 1
) -> tuple[int, int]:
    """Where a quote stands, white space aside.

    Raises:
        LabelError: the document is not indexed, or the quote is not in it so often.
    """
    if document_id not in texts:
        raise LabelError(f"The labels speak of {document_id}, which is not in the index.")
    found = list(_pattern(quote).finditer(texts[document_id]))
    if len(found) < occurrence:
        raise LabelError(f"{document_id} does not hold the labelled words {quote!r}.")
    return found[occurrence - 1].span()


@lru_cache(maxsize=10_000)
def _pattern(quote: str) -> re.Pattern[str]:
    return re.compile(r"\s+".join(re.escape(word) for word in quote.split()))


def qrels(
    asked: Iterable[Question], passages: Sequence[tuple[str, str, int, int]]
) -> dict[str, dict[str, int]]:
    """Relevance of passages (id, document, start, end) for each question.

    A passage has the relevance of a span of which it holds at least half, or which makes up at
    least half of it; the highest of several.
    """
    by_document: dict[str, list[tuple[str, int, int]]] = {}
    for passage_id, document_id, start, end in passages:
        by_document.setdefault(document_id, []).append((passage_id, start, end))
    out: dict[str, dict[str, int]] = {}
    for question in asked:
        relevance: dict[str, int] = {}
        for span in question.spans:
            for passage_id, start, end in by_document.get(span.document_id, ()):
                shared = min(end, span.end) - max(start, span.start)
                if shared <= 0:
                    continue
                if shared >= LEAST_SHARE * (span.end - span.start) or (
                    shared >= LEAST_SHARE * (end - start)
                ):
                    relevance[passage_id] = max(relevance.get(passage_id, 0), span.relevance)
        out[question.query_id] = relevance
    return out


def as_ranges(passages: Iterable[Passage]) -> list[tuple[str, str, int, int]]:
    """Passages as `qrels` takes them."""
    return [(p.id, p.document_id, p.start, p.end) for p in passages]
