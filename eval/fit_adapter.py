"""The matrix of `search_api.adapter`, fitted on questions written for passages.

    python -m eval.fit_adapter --index .index

Each question should have a greater cosine with its passage than with any other of the same corpus
(softmax, cross-entropy); a penalty on the size of the matrix keeps it from learning the passages by
heart. Judged questions are not read. `--without CORPUS` leaves the questions of one corpus
out and says what the matrix does for them, unseen; it then writes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import click
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from eval.labels import read_labels
from indexer.store import Store, open_store
from search_api import adapter
from search_api.adapter import Adapter
from search_api.retrieve import text_to_embed
from search_api.understand import Understander

Numbers = NDArray[np.float64]

SCALE = 20.0
"""How sharply the softmax tells cosines apart: as the model itself was trained."""
PENALTY = 0.02
STEPS = 200


@dataclass(frozen=True, slots=True)
class Corpus:
    """Questions to the passages of some documents.

    Attributes:
        passages: unit vectors, shape (passages, dimensions).
        questions: unit vectors, shape (questions, dimensions).
        answers: the place of each question's passage, shape (questions,).
    """

    passages: Numbers
    questions: Numbers
    answers: NDArray[np.int64]


Asked = list[tuple[int, str]]
"""Questions, each with the row of the passage that it was written for."""


def written_for(store: Store) -> tuple[dict[str, Asked], int]:
    """The written questions by corpus, and how many passages of theirs a store does not hold."""
    rows = {p.id: row for row, p in enumerate(store.passages(range(store.manifest.passages)))}
    found: dict[str, Asked] = {}
    missing = 0
    for entry in read_labels("written.jsonl"):
        row = rows.get(entry["passage"])
        if row is None:
            missing += 1
        else:
            found.setdefault(entry["corpus"], []).extend((row, q) for q in entry["questions"])
    return found, missing


def embedded(store: Store, asked: Asked) -> Corpus:
    """Questions with every passage of the documents that they were written for."""
    understander = Understander(store)
    rows = np.array([row for row, _ in asked], dtype=np.int64)
    documents = {document.id for document in store.documents_of(rows)}
    among = np.sort(np.concatenate([np.arange(*store.rows_of(d)) for d in documents]))
    texts = [text_to_embed(understander.understand(question, None)) for _, question in asked]
    questions = np.stack([store.encoder.query(text) for text in texts])
    return Corpus(
        passages=store.vectors(among).astype(np.float64),
        questions=questions.astype(np.float64),
        answers=np.searchsorted(among, rows),
    )


def bent(questions: Numbers, matrix: Numbers) -> tuple[Numbers, Numbers]:
    """Questions bent by a matrix, of unit length, and the lengths that they had."""
    whole = questions + questions @ matrix
    length = np.linalg.norm(whole, axis=1, keepdims=True)
    return whole / length, length


def fitted(corpora: Sequence[Corpus], penalty: float = PENALTY) -> Numbers:
    """The matrix that gives each question's passage the most probability (L-BFGS)."""
    size = corpora[0].questions.shape[1]
    count = sum(len(corpus.questions) for corpus in corpora)

    def loss(flat: Numbers) -> tuple[float, Numbers]:
        matrix = flat.reshape(size, size)
        value, slope = penalty * float(flat @ flat), 2 * penalty * matrix
        for corpus in corpora:
            unit, length = bent(corpus.questions, matrix)
            scores = SCALE * unit @ corpus.passages.T
            scores -= scores.max(axis=1, keepdims=True)
            chances = np.exp(scores)
            chances /= chances.sum(axis=1, keepdims=True)
            each = np.arange(len(unit))
            value -= float(np.log(chances[each, corpus.answers]).sum()) / count
            chances[each, corpus.answers] -= 1
            pull = SCALE * chances @ corpus.passages
            across = (pull - unit * (pull * unit).sum(axis=1, keepdims=True)) / length
            slope = slope + corpus.questions.T @ across / count
        return value, slope.ravel()

    start = np.zeros(size * size)
    best: Numbers = minimize(
        loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS}
    ).x.reshape(size, size)
    return best


def told_of(corpus: Corpus, matrix: Numbers) -> str:
    """How well questions find their passages with a matrix, and without."""
    shown = []
    for used in (np.zeros_like(matrix), matrix):
        unit, _ = bent(corpus.questions, used)
        scores = unit @ corpus.passages.T
        right = scores[np.arange(len(unit)), corpus.answers]
        rank = (scores > right[:, np.newaxis]).sum(axis=1) + 1
        shown.append(f"MRR {(1 / rank).mean():.3f}, R@10 {(rank <= 10).mean():.3f}")
    return f"{shown[0]} without, {shown[1]} with"


@click.command()
@click.option("--index", required=True, metavar="DIR|URL", help="Index that holds the passages.")
@click.option(
    "--penalty",
    type=click.FloatRange(0, min_open=True),
    default=PENALTY,
    show_default=True,
    help="On the size of the matrix.",
)
@click.option("--without", metavar="CORPUS", help="Leave this corpus out, and judge by it.")
def main(index: str, penalty: float, without: str | None) -> None:
    """Fit the query adapter and keep it."""
    store = open_store(index)
    written, missing = written_for(store)
    if without is not None and without not in written:
        known = ", ".join(written) or "none"
        raise click.ClickException(
            f"{index} holds no passages of the corpus {without} that questions were written for; "
            f"of those it holds: {known}."
        )
    if not written.keys() - {without}:
        raise click.ClickException(
            f"{index} holds no other passages that questions were written for; "
            "eval/labels/NOTES-written.md says which documents they are of."
        )
    if missing:
        click.echo(f"{missing} passages with questions are not in this index: left out.")
    corpora = {name: embedded(store, asked) for name, asked in written.items()}
    matrix = fitted([corpus for name, corpus in corpora.items() if name != without], penalty)
    for name, corpus in corpora.items():
        seen = "unseen" if name == without else "fitted on"
        click.echo(f"{name}, {len(corpus.questions)} questions, {seen}: {told_of(corpus, matrix)}")
    if without is None:
        adapter.write(Adapter(adapter.told(store.encoder.facts), matrix.astype(np.float32)))
        click.echo(f"Written: {adapter.MADE}")


if __name__ == "__main__":
    main()
