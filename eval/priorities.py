"""Declared priorities against those that a reader listed: found, and found word for word."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.labels import read_labels
from search_api.declaring import alike
from search_api.model import Filters
from search_api.searcher import Searcher


@dataclass(frozen=True, slots=True)
class PriorityScore:
    """Priorities found against those labelled.

    *Exact* compares words, white space aside; the others also take a priority whose words hold
    those of the label, or most of them. `headline` are the top-level ones; the rest are areas under
    them, and the principles, themes and enablers beside them.
    """

    labelled: int
    recall: float
    precision: float
    headline_labelled: int
    headline_found: int
    headline_recall: float
    headline_precision: float
    headline_exact: float
    missed: tuple[str, ...]
    wrong: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A priority that was found: where, its words, and whether it is a headline one."""

    document: str
    text: str
    headline: bool


def priorities(searcher: Searcher) -> PriorityScore:
    """The priorities declared in every document, superseded ones too, against the labels."""
    found = searcher.priorities(filters=Filters(include_superseded=True))
    return priority_score(
        read_labels("priorities.jsonl"),
        [
            Found(of.document_id, p.text, of.rank == "headline" and p.under is None)
            for system in found.systems
            for of in system.lists
            for p in of.priorities
        ],
    )


def priority_score(labels: Sequence[Mapping[str, Any]], found: Sequence[Found]) -> PriorityScore:
    """The score of priorities found; each label is met once, by one of its own document.

    >>> label = {"document": "plan", "quote": "Age well", "headline": True}
    >>> score = priority_score([label], [Found("plan", "Age  well", True)])
    >>> score.headline_recall, score.headline_precision, score.headline_exact
    (1.0, 1.0, 1.0)
    """
    left = list(found)
    met: list[tuple[Mapping[str, Any], Found | None]] = []
    for exact in (True, False):
        for label in labels:
            if any(label is done for done, match in met if match is not None):
                continue
            match = next((f for f in left if _meets(label, f, exact)), None)
            if match is not None:
                left.remove(match)
                met.append((label, match))
    matches = {id(label): match for label, match in met}
    chief = [label for label in labels if label["headline"]]
    chief_found = [matches.get(id(label)) for label in chief]
    hits = [f for f in chief_found if f is not None and f.headline]
    given = [f for f in found if f.headline]
    exact_hits = sum(
        f is not None and f.headline and _spaced(f.text) == _spaced(label["quote"])
        for label, f in zip(chief, chief_found, strict=True)
    )
    return PriorityScore(
        labelled=len(labels),
        recall=_part(len(met), len(labels)),
        precision=_part(len(met), len(found)),
        headline_labelled=len(chief),
        headline_found=len(given),
        headline_recall=_part(len(hits), len(chief)),
        headline_precision=_part(len(hits), len(given)),
        headline_exact=_part(exact_hits, len(chief)),
        missed=tuple(
            f"{label['document']}: {label['quote']}" for label in labels if id(label) not in matches
        ),
        wrong=tuple(f"{f.document}: {f.text}" for f in left),
    )


def _meets(label: Mapping[str, Any], found: Found, exact: bool) -> bool:
    if label["document"] != found.document:
        return False
    if exact:
        return _spaced(label["quote"]) == _spaced(found.text)
    return alike(label["quote"], found.text)


def _part(count: int, of: int) -> float:
    return round(count / of, 5) if of else 0.0


def _spaced(text: str) -> str:
    return " ".join(text.split())
