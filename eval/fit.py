"""The weights of `search_api.rank`, fitted on our questions and on public collections.

    python -m eval.fit --index .index --many OTHER --dataset cranfield --dataset cacm --dataset cisi

prints the line to put into `search_api/rank.py`, and what each collection gains when it is left out
of the fitting: weights that only help where they were learned show there. Of our questions tune and
the former test are read, never the fresh ones, and each twice: with other words from the thesaurus
and without, because its author had read tune, and the next question's words may not be in it.
`--many` is an index that holds the documents of `eval/labels/statements_many.jsonl`: of what was
asked there for no passage, a passage has the grade of its best statement (what nobody labelled
counts as off the subject).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from corpus.model import Document, Passage
from eval.dataset import open_dataset, read_dataset
from eval.metrics import mean
from eval.run import asked_of, judge_passages, query_of
from eval.statements import many_labels
from indexer.store import open_store
from search_api import rank
from search_api.model import MOST_CHARACTERS, Query, Understood
from search_api.retrieve import ordered_each, scope_of, text_to_embed
from search_api.searcher import Searcher
from search_api.settings import SearchSettings
from search_api.thesaurus import SOURCE

Numbers = NDArray[np.float64]
PENALTY = 0.001
OURS = "ours"
MANY = "many"


@dataclass(frozen=True, slots=True)
class Example:
    """One question: its candidates' features and relevance, and the best gains there could be."""

    group: str
    features: Numbers
    relevance: Numbers
    names: tuple[str, ...]
    ideal: float


def examples_of(
    searcher: Searcher, query: Query, group: str, relevance: dict[str, int], by_document: bool
) -> Iterator[Example]:
    """One question with the thesaurus and, where that changes it, without."""
    understood, documents, _ = searcher._prepare(query)
    bare = tuple(e for e in understood.expansions if e.source != SOURCE)
    for asked in dict.fromkeys((understood, replace(understood, expansions=bare))):
        found = example(searcher, asked, documents, group, relevance, by_document)
        if found is not None:
            yield found


def example(
    searcher: Searcher,
    understood: Understood,
    documents: Sequence[Document],
    group: str,
    relevance: dict[str, int],
    by_document: bool,
) -> Example | None:
    """The candidates of one question, or None where no relevant one is among them."""
    store = searcher.store
    vector = store.encoder.query(text_to_embed(understood))
    scopes = [scope_of(store, documents)]
    (first,) = ordered_each(store, understood, vector, scopes, searcher.settings)
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
    """Weights that give relevant candidates the most probability (L-BFGS).

    Our own questions, the things asked of many statements, and all public collections together
    count the same.
    """
    groups = [e.group for e in examples]
    ours = {OURS, MANY}
    public = len(set(groups) - ours)
    parts = len(set(groups) & ours) + (public > 0)
    share = [
        1 / parts / (1 if e.group in ours else public) / groups.count(e.group) for e in examples
    ]

    def loss(weights: Numbers) -> tuple[float, Numbers]:
        value, slope = penalty * float(weights @ weights), 2 * penalty * weights
        for e, part in zip(examples, share, strict=True):
            z = e.features @ weights
            wanted = e.relevance / e.relevance.sum()
            p = np.exp(z - z.max())
            value += part * float(np.log(p.sum()) + z.max() - wanted @ z)
            slope = slope + part * (e.features.T @ (p / p.sum() - wanted))
        return value, slope

    start = np.zeros(len(rank.FEATURES))
    best: Numbers = minimize(loss, start, jac=True, method="L-BFGS-B").x
    return best


def ndcg(examples: Iterable[Example], weights: Numbers) -> float:
    """Mean nDCG@10 when candidates are ordered by weights; a document counts once."""
    values = []
    for e in examples:
        places = np.argsort(-(e.features @ weights), kind="stable")
        first = {e.names[i]: e.relevance[i] for i in reversed(places)}
        seen = dict.fromkeys(e.names[i] for i in places)
        values.append(gain(np.array([first[name] for name in seen])) / e.ideal)
    return mean(values)


def many(index: str) -> list[Example]:
    """What was asked for no passage in `statements_many.jsonl`, by its labelled statements."""
    searcher = Searcher(open_store(index), SearchSettings(index=index))
    passages = searcher.store.passages(range(searcher.store.manifest.passages))
    inside: dict[str, list[Passage]] = {}
    for passage in passages:
        inside.setdefault(passage.document_id, []).append(passage)
    found: list[Example] = []
    for labels in many_labels():
        if labels.source != "unwritten":
            continue
        relevance: dict[str, int] = {}
        for (document, start, _), grade in labels.grades.items():
            for p in inside.get(document, ()):
                if grade and p.start <= start < p.end:
                    relevance[p.id] = max(grade, relevance.get(p.id, 0))
        found += examples_of(searcher, Query(labels.asked), MANY, relevance, False)
    return found


def gather(index: str, datasets: Sequence[Path], cache: Path) -> list[Example]:
    """Our questions, all but the fresh ones, and those of every dataset."""
    settings = SearchSettings(index=index)
    searcher = Searcher(open_store(index), settings)
    judged = judge_passages(searcher, asked_of(searcher, None))
    found: list[Example] = []
    for q in judged.questions:
        relevance = dict(judged.qrels[q.query_id])
        found += examples_of(searcher, query_of(searcher, q), OURS, relevance, False)
    for folder in datasets:
        dataset = read_dataset(folder)
        other = open_dataset(dataset, searcher.store.encoder, settings, cache)
        numbers = {identity: f"d{i}" for i, (identity, _, _) in enumerate(dataset.documents)}
        for query_id, judged_documents in dataset.qrels.items():
            text = " ".join(dataset.queries[query_id].split())[:MOST_CHARACTERS]
            named = {numbers[d]: grade for d, grade in judged_documents.items() if d in numbers}
            found += examples_of(other, Query(text), dataset.name, named, True)
    return found


@click.command()
@click.option("--index", default=SearchSettings().index, show_default=True)
@click.option("--many", "other", metavar="DIR|URL", help="Index with the documents of many labels.")
@click.option("--dataset", "datasets", multiple=True, type=click.Path(path_type=Path))
@click.option("--cache", type=click.Path(path_type=Path), default=Path(".eval"), show_default=True)
def main(index: str, other: str | None, datasets: tuple[Path, ...], cache: Path) -> None:
    """Fit the weights of the ranking and show what each collection gains unseen."""
    examples = gather(index, datasets, cache) + (many(other) if other else [])
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
