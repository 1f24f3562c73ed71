"""The same need worded two ways should find the same passages."""

from dataclasses import dataclass

from eval.labels import read_labels
from eval.metrics import mean
from search_api.model import Query
from search_api.searcher import Searcher

DEPTH = 10


@dataclass(frozen=True, slots=True)
class Overlap:
    """Mean share of the first ten passages that both wordings find, over so many pairs."""

    overlap: float
    pairs: int


def overlaps(searcher: Searcher) -> dict[str, Overlap]:
    """Overlap by kind of rewording (acronym, number, form, typo) and over all pairs."""
    by_kind: dict[str, list[float]] = {}
    for pair in read_labels("metamorphic.jsonl"):
        one, other = (_first(searcher, pair[side]) for side in ("a", "b"))
        shared = len(one & other) / max(1, min(len(one), len(other)))
        by_kind.setdefault(pair["kind"], []).append(shared)
    out = {kind: Overlap(mean(v), len(v)) for kind, v in sorted(by_kind.items())}
    every = [v for values in by_kind.values() for v in values]
    return out | {"all": Overlap(mean(every), len(every))}


def _first(searcher: Searcher, text: str) -> set[str]:
    return {h.passage.id for h in searcher.search(Query(text, limit=DEPTH)).hits}
