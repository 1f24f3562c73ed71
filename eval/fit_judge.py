"""The models of `search_api.judge`, fitted on the tune and former test questions and on labels.

    python -m eval.fit_judge --index .index

prints the lines to put into `search_api/judge.py`, and how well questions that have an answer are
told from those that have none when whole topics are held back. Statements come from those
questions (a judged span is on the subject, all else is not) and, for more each, from the first two
passes of statements labelled by hand. No other fresh question is read than those of these passes.
Questions that a rule settles (bodies outside the corpus, personal medical advice, themes) are left
out: no model sees them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from corpus.model import Document
from eval.labels import Question, read_labels
from eval.run import asked_of, meets, query_of
from eval.statements import FITTED, Label, homes, is_same, labels_of
from indexer.store import open_store
from search_api.answer import Weighed
from search_api.judge import Asked, Logistic, ask_for, support
from search_api.medical import is_personal_medical
from search_api.model import Filters, Query, Understood
from search_api.scope import by_system
from search_api.searcher import Searcher
from search_api.settings import SearchSettings
from search_api.thesaurus import SOURCE

Numbers = NDArray[np.float64]
PENALTY = 1.0
FOLDS = 8
CALIBRATION = Path(__file__).parent / "calibration.jsonl"
MOST_REFUSED = 0.02
LABELLED = 10.0
"""What a labelled statement weighs beside one of a question: it says what we want to know."""


@dataclass(frozen=True, slots=True)
class Row:
    """A question with its statements, weighed, and which of them were judged to answer."""

    question: Question
    weighed: tuple[Weighed, ...]
    right: tuple[bool, ...]
    values: tuple[float, ...]
    settled: bool
    asked: Asked


def logistic(
    features: Numbers,
    right: Numbers,
    penalty: float = PENALTY,
    weight: Numbers | None = None,
) -> Logistic:
    """A logistic model by Newton's method with a ridge penalty on scaled features.

    Args:
        weight: what each row counts; 1 each if not given.
    """
    each = np.ones(len(features)) if weight is None else weight
    middle, spread = features.mean(axis=0), features.std(axis=0) + 1e-9
    x = np.column_stack([np.ones(len(features)), (features - middle) / spread])
    ridge = np.diag([0.0] + [penalty] * features.shape[1])
    w = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        slope = x.T @ (each * (p - right)) + ridge @ w
        step = np.linalg.solve((x * (each * p * (1 - p))[:, None]).T @ x + ridge, slope)
        w -= step
        if np.abs(step).max() < 1e-8:
            break
    weights = w[1:] / spread
    return Logistic(float(w[0] - weights @ middle), tuple(round(float(v), 3) for v in weights))


def made_up() -> list[Question]:
    """Questions of `calibration.jsonl`, which nothing in the corpus answers.

    They were written from general knowledge of the field, and the words in `absent` were searched
    for in the corpus and not found.
    """
    lines = CALIBRATION.read_text(encoding="utf-8").splitlines()
    texts = [(json.loads(line)["text"], json.loads(line)["kind"]) for line in lines if line]
    return [
        Question(f"c{i:03}", text, "unanswerable", f"made-{i}", "tune", None, kind, ())
        for i, (text, kind) in enumerate(texts)
    ]


def gather(searcher: Searcher, split: str | None = None) -> list[Row]:
    """The questions of a split (or all but the fresh ones), and those made up.

    With each comes what is found for it in each system.
    Each is there twice: as it is, and without the thesaurus. Whoever keeps the thesaurus knows the
    tune questions better than those to come; without it they look like questions nobody foresaw.
    """
    rows = []
    for question in [*asked_of(searcher, split), *made_up()]:
        understood, documents, _ = searcher._prepare(query_of(searcher, question))
        rows.append(_row(searcher, question, understood, documents))
        bare = tuple(e for e in understood.expansions if e.source != SOURCE)
        rows.append(_row(searcher, question, replace(understood, expansions=bare), documents))
    return rows


def _row(
    searcher: Searcher, question: Question, understood: Understood, documents: list[Document]
) -> Row:
    asked = ask_for(understood, searcher.store, searcher._vector_of(understood))
    weighed = _weighed(searcher, understood, asked, documents)
    right = tuple(
        any(meets(s, w.stated.document_id, w.stated.start, w.stated.end) for s in question.spans)
        for w in weighed
    )
    outside = bool(understood.outside and not understood.systems)
    settled = outside or is_personal_medical(question.text) or asked.theme is not None
    return Row(question, weighed, right, (), settled, asked)


def _weighed(
    searcher: Searcher, understood: Understood, asked: Asked, documents: list[Document]
) -> tuple[Weighed, ...]:
    scopes = by_system(searcher.store, documents)
    found = searcher._weigher.weighed(understood, asked, scopes)
    return tuple(w for held in found.values() for w in held)


@dataclass(frozen=True, slots=True)
class Example:
    """A statement's features, whether it is on the subject, its topic, and what it weighs."""

    values: tuple[float, ...]
    right: bool
    topic: str
    weight: float


def labelled(searcher: Searcher) -> list[Example]:
    """The labelled statements of everything asked that no theme of the catalogue settles."""
    documents, _ = searcher._documents(Filters(), None)
    home = homes()
    whole: dict[tuple[str, bool], list[Label]] = {}
    for way, labels in labels_of(searcher, FITTED).items():
        for label in labels:
            whole.setdefault((label.asked, way == "ask"), []).append(label)
    topics = {str(row["text"]): str(row["topic"]) for row in read_labels("questions.jsonl")}
    out = []
    for (text, question), known in whole.items():
        if question:
            understood, kept, _ = searcher._prepare(Query(text, home=home.get(text)))
            asked = ask_for(understood, searcher.store, searcher._vector_of(understood))
        else:
            _, understood, asked = searcher._theme(text)
            kept = documents
        if asked.theme is not None:
            continue
        for w in _weighed(searcher, understood, asked, kept):
            place = w.stated.document_id, w.stated.start, w.stated.end
            same = next((one for one in known if is_same(one.place, place)), None)
            if same is not None:
                topic = topics.get(text, text)
                out.append(Example(w.evidence.values, same.on_subject, topic, LABELLED))
    return out


def examples(rows: Sequence[Row], known: Sequence[Example]) -> list[Example]:
    """Every statement of the questions that no theme settles, then those labelled."""
    found = [
        Example(w.evidence.values, ok, row.question.topic, 1.0)
        for row in rows
        if not row.settled or row.question.unanswerable
        for w, ok in zip(row.weighed, row.right, strict=True)
        if not w.spoken
    ]
    return [*found, *known]


def fitted(some: Sequence[Example]) -> Logistic:
    """The model of statements, fitted on examples."""
    return logistic(
        np.array([e.values for e in some]),
        np.array([e.right for e in some], dtype=np.float64),
        weight=np.array([e.weight for e in some]),
    )


def statements_held_back(some: Sequence[Example]) -> tuple[Numbers, Numbers]:
    """The probability of each labelled statement by a model that saw none of its topic; labels."""
    topics = sorted({e.topic for e in some if e.weight == LABELLED})
    scores, right = [], []
    for f in range(FOLDS):
        ours = set(topics[f::FOLDS])
        model = fitted([e for e in some if e.topic not in ours])
        held = [e for e in some if e.topic in ours and e.weight == LABELLED]
        scores += [model(e.values) for e in held]
        right += [e.right for e in held]
    return np.array(scores), np.array(right, dtype=np.float64)


def _values(row: Row) -> tuple[float, ...]:
    """What the judgement of a question rests on."""
    return support(row.asked, [w.evidence for w in row.weighed]).values


def held_back(rows: Sequence[Row], penalty: float) -> Numbers:
    """The probability of each question by a model that saw no question of its topic."""
    topics = sorted({r.question.topic for r in rows})
    fold = np.array([topics.index(r.question.topic) % FOLDS for r in rows])
    values = np.array([r.values for r in rows])
    right = np.array([r.question.unanswerable is None for r in rows], dtype=np.float64)
    out = np.zeros(len(rows))
    for f in range(FOLDS):
        model = logistic(values[fold != f], right[fold != f], penalty)
        out[fold == f] = [model(v) for v in values[fold == f]]
    return out


def area(scores: Numbers, right: Numbers) -> float:
    """How often an answerable question scores above one that is not (area under the ROC curve)."""
    good, bad = scores[right == 1], scores[right == 0]
    return float((good[:, None] > bad[None, :]).mean() + 0.5 * (good[:, None] == bad).mean())


@click.command()
@click.option("--index", default=SearchSettings().index, show_default=True)
@click.option("--penalty", default=PENALTY, show_default=True)
@click.option("--show", is_flag=True, help="List the questions near the line.")
def main(index: str, penalty: float, show: bool) -> None:
    """Fit both models and show how they do on topics held back."""
    searcher = Searcher(open_store(index), SearchSettings(index=index))
    rows = gather(searcher)
    some = examples(rows, labelled(searcher))
    model = fitted(some)
    click.echo(f"STATEMENT = Logistic({model.intercept:.3f}, {model.weights})")
    likely, good = statements_held_back(some)
    click.echo(f"{len(good)} labelled statements held back, area {area(likely, good):.3f}")
    for line in (0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
        on = good[likely >= line]
        click.echo(f"from {line:.1f}: {on.mean():.2f} of {len(on)} on the subject")
    rows = [replace(row, values=_values(row)) for row in rows]
    open_rows = [r for r in rows if not r.settled]
    scores = held_back(open_rows, penalty)
    right = np.array([r.question.unanswerable is None for r in open_rows], dtype=np.float64)
    whole = logistic(np.array([r.values for r in open_rows]), right, penalty)
    click.echo(f"QUESTION = Logistic({whole.intercept:.3f}, {whole.weights})")
    made = np.array([r.question.query_id.startswith("c") for r in open_rows])
    answerable = sum(r.question.unanswerable is None for r in rows)
    for share in (MOST_REFUSED, 0.03, 0.05):
        line = np.sort(scores[right == 1])[int(share * answerable)]
        caught = float((scores[right == 0] < line).mean())
        ours = float((scores[(right == 0) & ~made] < line).mean())
        click.echo(
            f"{share:.0%} refused below {line:.3f}: {ours:.2f} of our questions without an "
            f"answer told, {caught:.2f} with those made up, all held back"
        )
    click.echo(f"area under the curve, topics held back: {area(scores, right):.3f}")
    if show:
        for i in np.argsort(scores)[:60]:
            q = open_rows[i].question
            values = " ".join(f"{v:.2f}" for v in open_rows[i].values)
            click.echo(f"{scores[i]:.3f} {q.unanswerable or '-'} | {q.text} | {values}")


if __name__ == "__main__":
    main()
