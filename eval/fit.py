"""The weights of `search_api.rank`, fitted on our questions and on public collections.

    python -m eval.fit --index .index --dataset cranfield --dataset cacm --dataset cisi

prints the line to put into `search_api/rank.py`, and what each collection gains when it is left out
of the fitting: weights that only help where they were learned show there. Of our questions tune and
the former test are read, never the fresh ones.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from eval.dataset import open_dataset, read_dataset
from eval.metrics import mean
from eval.run import asked_of, judge_passages, query_of
from indexer.store import open_store
from search_api import rank
from search_api.model import MOST_CHARACTERS, Query
from search_api.retrieve import ordered, scope_of, text_to_embed
from search_api.searcher import Searcher
from search_api.settings import SearchSettings

Numbers = NDArray[np.float64]
STEPS = 2_000
RATE = 0.05
PENALTY = 0.001
OURS = "ours"


@dataclass(frozen=True, slots=True)
class Example:
    """One question: its candidates' features and relevance, and the best gains there could be."""

    group: str
    features: Numbers
    relevance: Numbers
    names: tuple[str, ...]
    ideal: float


def example(
    searcher: Searcher, query: Query, group: str, relevance: dict[str, int], by_document: bool
) -> Example | None:
    """The candidates of one question, or None where no relevant one is among them."""
    store = searcher.store
    understood, documents, _ = searcher._prepare(query)
    vector = store.encoder.query(text_to_embed(understood))
    first = ordered(store, understood, vector, scope_of(store, documents), searcher.settings)
    if first is None:
        return None
    passages = store.passages(first.pool.rows[first.head].tolist())
    names = [p.document_id if by_document else p.id for p in passages]
    grades = np.array([relevance.get(name, 0) for name in names], dtype=np.float64)
    keep = np.array([p.form != "contents" for p in passages])
    best = sorted(relevance.values(), reverse=True)[:10]
    if not grades[keep].sum():
        return None
    kept = tuple(name for name, k in zip(names, keep, strict=True) if k)
    ideal = gain(np.array(best, dtype=np.float64))
    return Example(group, first.features[keep], grades[keep], kept, ideal)


def gain(grades: Numbers) -> float:
    """Discounted gain of the first ten grades."""
    return float((grades[:10] / np.log2(np.arange(2, len(grades[:10]) + 2))).sum())


def fitted(examples: Sequence[Example], penalty: float = PENALTY) -> Numbers:
    """Weights that give relevant candidates the most probability, by gradient descent.

    Our own questions count as much as all other collections together, and these count the same.
    """
    groups = [e.group for e in examples]
    others = len(set(groups) - {OURS})
    share = [
        (0.5 if OURS in groups and others else 1.0)
        / (1 if e.group == OURS else others)
        / groups.count(e.group)
        for e in examples
    ]
    weights = np.zeros(len(rank.FEATURES))
    moment, spread = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, STEPS + 1):
        slope = 2 * penalty * weights
        for e, part in zip(examples, share, strict=True):
            z = e.features @ weights
            p = np.exp(z - z.max())
            slope += part * (e.features.T @ (p / p.sum() - e.relevance / e.relevance.sum()))
        # Adam (Kingma and Ba, ICLR 2015).
        moment = 0.9 * moment + 0.1 * slope
        spread = 0.999 * spread + 0.001 * slope**2
        size = RATE * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        change = size * moment / (np.sqrt(spread) + 1e-8)
        weights -= change
        if np.abs(change).max() < 1e-5:
            break
    return weights


def ndcg(examples: Iterable[Example], weights: Numbers) -> float:
    """Mean nDCG@10 when candidates are ordered by weights; a document counts once."""
    values = []
    for e in examples:
        places = np.argsort(-(e.features @ weights), kind="stable")
        first = {e.names[i]: e.relevance[i] for i in reversed(places)}
        seen = dict.fromkeys(e.names[i] for i in places)
        values.append(gain(np.array([first[name] for name in seen])) / e.ideal)
    return mean(values)


def gather(index: str, datasets: Sequence[Path], cache: Path) -> list[Example]:
    """Our questions, all but the fresh ones, and those of every dataset."""
    settings = SearchSettings(index=index)
    searcher = Searcher(open_store(index), settings)
    judged = judge_passages(searcher, asked_of(searcher, None))
    found = [
        example(searcher, query_of(searcher, q), OURS, dict(judged.qrels[q.query_id]), False)
        for q in judged.questions
    ]
    for folder in datasets:
        dataset = read_dataset(folder)
        other = open_dataset(dataset, searcher.store.encoder, settings, cache)
        numbers = {identity: f"d{i}" for i, (identity, _, _) in enumerate(dataset.documents)}
        for query_id, relevance in dataset.qrels.items():
            text = " ".join(dataset.queries[query_id].split())[:MOST_CHARACTERS]
            named = {numbers[d]: grade for d, grade in relevance.items() if d in numbers}
            found.append(example(other, Query(text), dataset.name, named, True))
    return [e for e in found if e is not None]


@click.command()
@click.option("--index", default=SearchSettings().index, show_default=True)
@click.option("--dataset", "datasets", multiple=True, type=click.Path(path_type=Path))
@click.option("--cache", type=click.Path(path_type=Path), default=Path(".eval"), show_default=True)
def main(index: str, datasets: tuple[Path, ...], cache: Path) -> None:
    """Fit the weights of the ranking and show what each collection gains unseen."""
    examples = gather(index, datasets, cache)
    for group in dict.fromkeys(e.group for e in examples):
        inside = [e for e in examples if e.group == group]
        others = [e for e in examples if e.group != group]
        line = f"{group}: {len(inside)} questions, now {ndcg(inside, rank.WEIGHTS):.4f}"
        line += f", fitted on all {ndcg(inside, fitted(examples)):.4f}"
        if others:
            line += f", fitted on the others {ndcg(inside, fitted(others)):.4f}"
        click.echo(line)
    weights = ", ".join(f"{w:.2f}" for w in fitted(examples))
    click.echo(f"WEIGHTS = np.array([{weights}])")


if __name__ == "__main__":
    main()
