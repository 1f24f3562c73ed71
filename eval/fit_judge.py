"""The models of `search_api.judge`, fitted on the tune and former test questions and on labels.

    python -m eval.fit_judge --index .index

(the index may hold more documents than the product's; what is labelled of others helps STATEMENT,
while QUESTION is to be taken from an index of the product's own, whose words it weighs by rarity)
prints the lines to put into `search_api/judge.py`, and how well questions that have an answer are
told from those that have none when whole topics are held back. Statements come from those
questions (a judged span is on the subject, all else is not) and, for more each, from the first two
passes of statements labelled by hand. No other fresh question is read than those of these passes.
Whether a question has an answer is also learned from what `statements_many.jsonl` was asked.
Questions that a rule settles (bodies outside the corpus, personal medical advice, themes, a figure
asked for that no statement gives) are left out: no model sees them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import click
import numpy as np
from numpy.typing import NDArray

from corpus.model import Document
from eval.labels import Question, read_labels
from eval.run import asked_of, query_of
from eval.statements import FITTED, GRADES, Label, Place, homes, is_same, labels_of, many_labels
from indexer.store import open_store
from search_api.answer import Weighed, telling
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
LABELLED = 0.2
"""What a thing asked counts of which only labelled statements tell whether it has an answer.

Held back, .05 to .5 told as many of our own questions as any other, and 1 fewer.
"""
PARTLY = 0.75
"""What a statement counts that only a lenient reader would take to be on the subject.

Of those labelled so, about so many were on the subject for who labelled the passes by hand.
"""
WORTH = (0.0, PARTLY, 1.0)
"""What each grade of `statements_many.jsonl` counts."""


@dataclass(frozen=True, slots=True)
class Example:
    """A statement's features, how far it is on the subject (0 to 1), and the topic asked for."""

    values: tuple[float, ...]
    right: float
    topic: str


CaseSource = Literal["ours", "made up", "labelled"]


@dataclass(frozen=True, slots=True)
class Case:
    """A question: its topic, whether it has an answer, and what the judgement rests on."""

    text: str
    topic: str
    answered: bool
    source: CaseSource
    values: tuple[float, ...]


def logistic(
    features: Numbers, right: Numbers, penalty: float = PENALTY, counts: Numbers | None = None
) -> Logistic:
    """A logistic model by Newton's method with a ridge penalty on scaled features.

    Args:
        right: from 0 to 1, each row's.
        counts: for how many each row counts; for one if not given.
    """
    counts = np.ones(len(right)) if counts is None else counts
    middle, spread = features.mean(axis=0), features.std(axis=0) + 1e-9
    x = np.column_stack([np.ones(len(features)), (features - middle) / spread])
    ridge = np.diag([0.0] + [penalty] * features.shape[1])
    w = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        slope = x.T @ (counts * (p - right)) + ridge @ w
        step = np.linalg.solve((x * (counts * p * (1 - p))[:, None]).T @ x + ridge, slope)
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


def cases(searcher: Searcher, documents: Sequence[Document]) -> list[Case]:
    """The questions of tune and test and those made up, asked of some documents.

    Those that a rule settles are left out.

    Each is there twice: as it is, and without the thesaurus. Whoever keeps the thesaurus knows the
    tune questions better than those to come; without it they look like questions nobody foresaw.
    """
    out = []
    sources: list[tuple[CaseSource, list[Question]]] = [
        ("ours", asked_of(searcher, None)),
        ("made up", made_up()),
        ("labelled", told_by_labels(documents)),
    ]
    for source, question in ((name, one) for name, some in sources for one in some):
        understood, kept, _ = searcher._prepare(query_of(searcher, question))
        bare = tuple(e for e in understood.expansions if e.source != SOURCE)
        for one in (understood, replace(understood, expansions=bare)):
            asked, weighed = _weighed(searcher, one, [d for d in kept if d in documents])
            if asked is not None and (found := telling(asked, weighed)):
                answered = question.unanswerable is None
                values = _support(asked, found)
                out.append(Case(question.text, question.topic, answered, source, values))
    return out


def told_by_labels(documents: Sequence[Document]) -> list[Question]:
    """What `statements_many.jsonl` was asked and some documents surely have an answer to, or none.

    Where something is squarely on the subject there is one; where all is off it, none; where
    something is partly on it, who knows.
    """
    ours = {d.id for d in documents}
    out = []
    for n, labels in enumerate(many_labels()):
        grades = {grade for (document, _, _), grade in labels.grades.items() if document in ours}
        if grades and max(grades) != GRADES["partly"]:
            kind = None if max(grades) else "labelled"
            name = f"many-{n}"
            out.append(Question(name, labels.asked, "labelled", name, "tune", None, kind, ()))
    return out


def labelled_by_hand(searcher: Searcher, documents: Sequence[Document]) -> list[Example]:
    """The labelled statements of the first two passes, but for themes of the catalogue."""
    home = homes()
    whole: dict[tuple[str, bool], list[Label]] = {}
    for way, labels in labels_of(searcher, FITTED).items():
        for label in labels:
            whole.setdefault((label.asked, way == "ask"), []).append(label)
    topics = {str(row["text"]): str(row["topic"]) for row in read_labels("questions.jsonl")}
    out = []
    for (text, question), known in whole.items():
        understood, kept = _understood(searcher, text, question, documents, home.get(text))
        _, weighed = _weighed(searcher, understood, kept)
        for w in weighed:
            same = next((one for one in known if is_same(one.place, _place(w))), None)
            if same is not None:
                topic = topics.get(text, text)
                out.append(Example(w.evidence.values, float(same.on_subject), topic))
    return out


def groups_of(searcher: Searcher) -> list[list[Document]]:
    """The documents that come with the product, and the others that statements are labelled of."""
    named = {document for labels in many_labels() for document, _, _ in labels.grades}
    others = {
        entry["passage"].rpartition(".")[0]
        for entry in read_labels("written.jsonl")
        if entry["corpus"] != "shipped"
    }
    every, _ = searcher._documents(Filters(), None)
    return [
        [d for d in every if d.id in named - others],
        [d for d in every if d.id in named & others],
    ]


def many(searcher: Searcher, documents: Sequence[Document]) -> tuple[list[Example], int]:
    """The statements of `statements_many.jsonl`, and how many of them are not found."""
    found: list[Example] = []
    missing = 0
    for n, labels in enumerate(many_labels()):
        understood, kept = _understood(searcher, labels.asked, labels.question, documents, None)
        asked, weighed = _weighed(searcher, understood, [d for d in kept if d in documents])
        if asked is None:
            continue
        known = [(w, labels.grades[_place(w)]) for w in weighed if _place(w) in labels.grades]
        found += [Example(w.evidence.values, WORTH[grade], f"many-{n}") for w, grade in known]
        missing += len(labels.grades) - len(known)
    return found, missing


def _understood(
    searcher: Searcher, text: str, question: bool, documents: Sequence[Document], home: str | None
) -> tuple[Understood, Sequence[Document]]:
    """What is asked, as a question or as a theme, and the documents that it is asked of."""
    if question:
        understood, kept, _ = searcher._prepare(Query(text, home=home))
        return understood, kept
    _, understood, _ = searcher._theme(text)
    return understood, documents


def _weighed(
    searcher: Searcher, understood: Understood, documents: Sequence[Document]
) -> tuple[Asked | None, list[Weighed]]:
    """What was asked with every statement weighed for it; nothing where a rule settles it."""
    asked = ask_for(understood, searcher.store, searcher._vector_of(understood))
    outside = bool(understood.outside and not understood.systems)
    if outside or is_personal_medical(understood.text) or asked.theme is not None:
        return None, []
    scopes = by_system(searcher.store, documents)
    found = searcher._weigher.weighed(understood, asked, scopes)
    return asked, [w for held in found.values() for w in held]


def _support(asked: Asked, weighed: Sequence[Weighed]) -> tuple[float, ...]:
    likely = max((w.probability for w in weighed), default=0.0)
    return support(asked, [w.evidence for w in weighed], likely).values


def _place(weighed: Weighed) -> Place:
    stated = weighed.stated
    return stated.document_id, stated.start, stated.end


def held_back(
    values: Numbers,
    right: Numbers,
    topics: Sequence[str],
    penalty: float,
    counts: Numbers | None = None,
) -> Numbers:
    """The probability of each row by a model that saw no row of its topic."""
    counts = np.ones(len(right)) if counts is None else counts
    order = {topic: n for n, topic in enumerate(sorted(set(topics)))}
    fold = np.array([order[topic] % FOLDS for topic in topics])
    out = np.zeros(len(values))
    for f in range(FOLDS):
        model = logistic(values[fold != f], right[fold != f], penalty, counts[fold != f])
        out[fold == f] = [model(v) for v in values[fold == f]]
    return out


def area(scores: Numbers, right: Numbers) -> float:
    """How often what is right scores above what is not (area under the ROC curve)."""
    good, bad = scores[right == 1], scores[right == 0]
    return float((good[:, None] > bad[None, :]).mean() + 0.5 * (good[:, None] == bad).mean())


@click.command()
@click.option("--index", default=SearchSettings().index, show_default=True)
@click.option("--penalty", default=PENALTY, show_default=True)
@click.option("--show", is_flag=True, help="List the questions near the line.")
def main(index: str, penalty: float, show: bool) -> None:
    """Fit both models and show how they do on topics held back."""
    searcher = Searcher(open_store(index), SearchSettings(index=index))
    ours, others = groups_of(searcher)
    found, missing = many(searcher, [*ours, *others])
    if missing:
        click.echo(f"{missing} labelled statements are not found in this index: left out.")
    _tell_statements([*found, *labelled_by_hand(searcher, ours)], penalty)
    _tell_questions(cases(searcher, ours), penalty, show)


def _tell_statements(some: Sequence[Example], penalty: float) -> None:
    right = np.array([e.right for e in some])
    values = np.array([e.values for e in some])
    model = logistic(values, right, penalty)
    click.echo(f"STATEMENT = Logistic({model.intercept:.3f}, {model.weights})")
    likely = held_back(values, right, [e.topic for e in some], penalty)
    for name, least in (("on the subject", 1.0), ("at least partly", PARTLY)):
        good = (right >= least).astype(np.float64)
        click.echo(f"{len(good)} statements held back, {name}: area {area(likely, good):.3f}")
        for line in np.arange(1, 10) / 10:
            on = good[likely >= line]
            share = float(on.sum() / good.sum())
            click.echo(f"from {line:.1f}: {on.mean():.2f} of {len(on)}, {share:.2f} of all such")


def _tell_questions(some: Sequence[Case], penalty: float, show: bool) -> None:
    values = np.array([c.values for c in some])
    right = np.array([c.answered for c in some], dtype=np.float64)
    of = {name: np.array([c.source == name for c in some]) for name in get_args(CaseSource)}
    counts = np.where(of["labelled"], LABELLED, 1.0)
    whole = logistic(values, right, penalty, counts)
    click.echo(f"QUESTION = Logistic({whole.intercept:.3f}, {whole.weights})")
    scores = held_back(values, right, [c.topic for c in some], penalty, counts)
    for name, rows in of.items():
        if 0 < right[rows].mean() < 1:
            click.echo(f"{name}, held back: area {area(scores[rows], right[rows]):.3f}")
    answered = np.sort(scores[right == 1])
    for share in (MOST_REFUSED, 0.03, 0.05):
        line = answered[int(share * len(answered))]
        refused = (scores[of["ours"] & (right == 1)] < line).mean()
        told = ", ".join(
            f"{(scores[rows & (right == 0)] < line).mean():.2f} {name}" for name, rows in of.items()
        )
        click.echo(
            f"{share:.0%} with an answer refused, {refused:.1%} of ours, below {line:.3f}; "
            f"told of those without: {told}"
        )
    if show:
        for i in np.argsort(scores)[:60]:
            shown = " ".join(f"{v:.2f}" for v in values[i])
            told = "answered" if some[i].answered else "-"
            click.echo(f"{scores[i]:.3f} {told} | {some[i].text} | {shown}")


if __name__ == "__main__":
    main()
