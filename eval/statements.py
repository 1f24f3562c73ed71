"""Whether the statements that are shown are about what was asked, as a reader labelled them.

Every labelled question is asked and every labelled theme compared again, and each statement given
is looked up among the labels. Statements that nobody has labelled are counted, not guessed: the
share on the subject is of those that were judged (compare judged@k of a ranking).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.labels import LabelError, find_quote, read_labels
from search_api.model import MOST_THEMES, Answer, Citation, Comparison, Query, Statement
from search_api.searcher import Searcher

FITTED = ("statements.jsonl", "statements_fresh.jsonl")
"""The passes of labels that the model was fitted on."""
FILES = (*FITTED, "statements_pooled.jsonl")
TOPICS = "statements_topics.jsonl"
PASSES = (*FILES, "statements_blind.jsonl", "statements_apart.jsonl", TOPICS)
"""The last three are told alone: one has been asked what the pooled ones were, one what stands
apart and no line was set by, one is large."""
QUESTIONS = ("questions.jsonl", "fresh.jsonl", "nuggets.jsonl", "blind.jsonl")
SAME = 0.8
"""A statement is the one labelled if they share at least this part of the longer."""
Z = 1.959964
"""Two-sided 95 %: the quantile .975 of the normal distribution."""

Place = tuple[str, int, int]
MANY = "statements_many.jsonl"
GRADES = {"on_subject": 2, "partly": 1, "off": 0}
"""How far a statement of `statements_many.jsonl` is on the subject, by its label."""

Given = dict[str, list[tuple[Place, bool]]]
"""The places stated for each thing asked, and whether each is taken to be sure."""


@dataclass(frozen=True, slots=True)
class Label:
    """A statement that was shown once: for what, where it stands, and whether it is on subject."""

    asked: str
    place: Place
    on_subject: bool


@dataclass(frozen=True, slots=True)
class ManyLabels:
    """Something asked, as a question or as a theme, with the grades of statements by their place.

    `source` is what it was written for: `shipped` or `elsewhere`, documents of the product or not,
    or `unwritten`, none; `topic` is a word of a theme.
    """

    asked: str
    question: bool
    source: str
    grades: Mapping[Place, int]


def many_labels(file: str = MANY) -> list[ManyLabels]:
    """All of `statements_many.jsonl`, or of another file in its format."""
    out = []
    for entry in read_labels(file):
        question = "query" in entry
        grades = {_where(p): grade for label, grade in GRADES.items() for p in entry[label]}
        asked = entry["query" if question else "theme"]
        out.append(ManyLabels(asked, question, entry["source"], grades))
    return out


def _where(place: str) -> Place:
    document, _, span = place.rpartition(".")
    start, end = span.split("-")
    return document, int(start), int(end)


@dataclass(frozen=True, slots=True)
class OnSubject:
    """Statements given against their labels.

    `share` is of the labelled ones given, with its Wilson interval; `unlabelled` were given and
    are not judged. `kept` is the share of the labelled statements on the subject that are still
    given, `dropped` that of those off it which are not: a cure that drops both is none.
    """

    asked: int
    given: int
    labelled: int
    on_subject: int
    share: float
    low: float
    high: float
    judged: float
    unlabelled: int
    kept: float
    dropped: float


def statements(searcher: Searcher, files: Sequence[str] = FILES) -> dict[str, OnSubject]:
    """The score over everything labelled in some files, and by how it was asked.

    Keys: all, sure (of those, what the product is sure of), ask, compare (themes of the catalogue),
    compare_free_text.
    """
    labels = labels_of(searcher, files)
    given = {
        "ask": _asked(searcher, _once(labels["ask"])),
        "compare": _compared(searcher, _once(labels["compare"])),
        "compare_free_text": _compared(searcher, _once(labels["compare_free_text"])),
    }
    scores = {way: score(labels[way], _plain(given[way])) for way in labels}
    together = [Label(f"{w}: {one.asked}", one.place, one.on_subject)
                for w, some in labels.items() for one in some]  # fmt: skip
    every = {f"{w}: {a}": places for w, some in given.items() for a, places in some.items()}
    sure = {asked: [one for one in places if one[1]] for asked, places in every.items()}
    whole = {"all": score(together, _plain(every)), "sure": score(together, _plain(sure))}
    return whole | scores


@dataclass(frozen=True, slots=True)
class Silence:
    """Systems that speak of something asked, and those that do not, as labelled statements tell.

    `falsely_silent` is the share of the `spoken` pairs of something asked and a system for which
    nothing was given; `falsely_spoken` that of the `silent` ones for which something was.
    """

    spoken: int
    falsely_silent: float
    silent: int
    falsely_spoken: float


def silence(searcher: Searcher, file: str) -> Silence:
    """The score over what a file in the format of `statements_many.jsonl` was asked.

    A system speaks of it if one of its statements was labelled as squarely on the subject, and is
    silent if two or more were labelled and all of them off; others are left out.
    """
    old = {d.id for d in searcher.store.documents.values() if d.status == "superseded"}
    silent, spoken = [], []
    for labels in many_labels(file):
        grades: dict[str, list[int]] = {}
        for (document, _, _), grade in labels.grades.items():
            if document in searcher.store.documents and document not in old:
                system = searcher.store.documents[document].system
                grades.setdefault(system, []).append(grade)
        said = _who_speaks(searcher, labels)
        for system in grades.keys() & said.keys():
            if max(grades[system]) == GRADES["on_subject"]:
                silent.append(not said[system])
            elif not any(grades[system]) and len(grades[system]) > 1:
                spoken.append(said[system])
    return Silence(
        spoken=len(silent),
        falsely_silent=_part(sum(silent), len(silent)),
        silent=len(spoken),
        falsely_spoken=_part(sum(spoken), len(spoken)),
    )


def _who_speaks(searcher: Searcher, labels: ManyLabels) -> dict[str, bool]:
    """For each system that something was asked of, whether a statement of it was given."""
    if labels.question:
        answer = searcher.ask(Query(labels.asked))
        return {of.system: bool(of.statements) for of in answer.systems}
    return {c.system: bool(c.statements) for c in searcher.compare([labels.asked]).cells}


def labels_of(searcher: Searcher, files: Sequence[str]) -> dict[str, list[Label]]:
    """The labelled statements of some files: of ask, compare and compare_free_text."""
    rows = [row for file in files if file != TOPICS for row in read_labels(file)]
    texts = {d: searcher.store.reading(d).text for d in searcher.store.documents}
    labels: dict[str, list[Label]] = {"ask": [], "compare": [], "compare_free_text": []}
    for row in rows:
        asked = str(row["query"] if "query" in row else row["theme"])
        free = "compare" if asked in searcher.store.themes else "compare_free_text"
        way = "ask" if "query" in row else free
        labels[way].append(Label(asked, place_of(texts, row), bool(row["on_subject"])))
    for topic in many_labels(TOPICS) if TOPICS in files else ():
        labels["compare_free_text"] += [
            Label(topic.asked, place, grade > 0)
            for place, grade in topic.grades.items()
            if place[0] in texts
        ]
    return labels


def homes() -> dict[str, str | None]:
    """The home system that each labelled question is asked from."""
    return {
        row["text"]: row.get("home") for name in reversed(QUESTIONS) for row in read_labels(name)
    }


def _plain(given: Given) -> dict[str, list[Place]]:
    return {asked: [place for place, _ in places] for asked, places in given.items()}


def place_of(texts: Mapping[str, str], row: Mapping[str, Any]) -> Place:
    """Where a labelled statement stands now: where it stood, or else where its words do.

    Raises:
        LabelError: its words are not in the document.
    """
    document, start, end = str(row["document_id"]), int(row["start"]), int(row["end"])
    if document in texts and texts[document][start:end] == row["quote"]:
        return document, start, end
    try:
        return document, *find_quote(texts, document, row["quote"])
    except LabelError as error:
        raise LabelError(
            f"{error.message} It is in {' or '.join(PASSES)}; label it again."
        ) from error


def score(labels: Sequence[Label], given: Mapping[str, Sequence[Place]]) -> OnSubject:
    """The score of the places given for each thing asked.

    >>> labels = [Label("q", ("plan", 0, 10), True), Label("q", ("plan", 20, 30), False)]
    >>> found = score(labels, {"q": [("plan", 0, 10), ("plan", 40, 50)]})
    >>> found.share, found.unlabelled, found.kept, found.dropped
    (1.0, 1, 1.0, 1.0)
    """
    judged: list[bool] = []
    met: set[int] = set()
    total = 0
    for asked, places in given.items():
        known = [(n, label) for n, label in enumerate(labels) if label.asked == asked]
        for place in places:
            total += 1
            same = next(((n, one) for n, one in known if is_same(one.place, place)), None)
            if same is not None:
                met.add(same[0])
                judged.append(same[1].on_subject)
    good = [n for n, label in enumerate(labels) if label.on_subject]
    bad = [n for n, label in enumerate(labels) if not label.on_subject]
    low, high = wilson(sum(judged), len(judged))
    return OnSubject(
        asked=len(given),
        given=total,
        labelled=len(judged),
        on_subject=sum(judged),
        share=_part(sum(judged), len(judged)),
        low=low,
        high=high,
        judged=_part(len(judged), total),
        unlabelled=total - len(judged),
        kept=_part(len(met & set(good)), len(good)),
        dropped=_part(len(set(bad) - met), len(bad)),
    )


def is_same(one: Place, other: Place) -> bool:
    """Whether two places are of one statement: most of the longer is in both.

    >>> is_same(("plan", 0, 100), ("plan", 0, 90)), is_same(("plan", 0, 100), ("plan", 0, 50))
    (True, False)
    """
    shared = min(one[2], other[2]) - max(one[1], other[1])
    longer = max(one[2] - one[1], other[2] - other[1])
    return one[0] == other[0] and shared >= SAME * longer


def wilson(good: int, of: int) -> tuple[float, float]:
    """The Wilson score interval of a share, 95 % (Wilson, 1927); 0 to 1 of none.

    >>> wilson(178, 272)
    (0.5961, 0.7084)
    """
    if not of:
        return 0.0, 1.0
    share, square = good / of, Z * Z / of
    middle = share + square / 2
    half = Z * math.sqrt(share * (1 - share) / of + square / (4 * of))
    low, high = (middle - half) / (1 + square), (middle + half) / (1 + square)
    return round(max(0.0, low), 4), round(min(1.0, high), 4)


def _asked(searcher: Searcher, questions: Iterable[str]) -> Given:
    """The places that the answer to each question states, asked from home where one is known."""
    home, out = homes(), {}
    for question in questions:
        answer = searcher.ask(Query(question, home=home.get(question)))
        out[question] = _places(answer, [s for of in answer.systems for s in of.statements])
    return out


def _compared(searcher: Searcher, themes: Sequence[str]) -> Given:
    """The places that the cells of each theme state."""
    out: Given = {}
    for at in range(0, len(themes), MOST_THEMES):
        some = themes[at : at + MOST_THEMES]
        found = searcher.compare(some)
        for theme in dict.fromkeys(t.id for t in found.themes if t.id in some):
            cells = [cell for cell in found.cells if cell.theme == theme]
            out[theme] = _places(found, [s for cell in cells for s in cell.statements])
    return out


def _places(reply: Answer | Comparison, given: Iterable[Statement]) -> list[tuple[Place, bool]]:
    cited: dict[str, Citation] = {c.id: c for c in reply.citations}
    spans = [(cited[s.citation], s.sure) for s in given]
    return [((c.document_id, c.start, c.end), sure) for c, sure in spans]


def _once(labels: Sequence[Label]) -> list[str]:
    return list(dict.fromkeys(label.asked for label in labels))


def _part(count: int, of: int) -> float:
    return round(count / of, 4) if of else 0.0
