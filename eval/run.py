"""Judged questions through the one door, Searcher, into runs that any evaluation tool can read."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from corpus.model import Passage
from eval.labels import Question, Span, as_ranges, qrels, questions
from eval.metrics import Asked, Qrels, Ranked, diversity, mean, measure
from search_api.model import Answer, Filters, Query
from search_api.searcher import Searcher

DEPTH = 20
READ_CHARACTERS = 5_000
"""How much of a result list one is taken to read: a page and a half, about 800 words."""
Range = tuple[str, str, int, int]
Tell = Callable[[str, int, int], None]
"""Told a stage, how much of it is done, and how much there is."""


def _quiet(stage: str, done: int, total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Questions with their judgements against one way of splitting the documents.

    Judgements in superseded documents are left out (see `asked_of`), because Searcher leaves those
    documents out unless it is told otherwise.
    """

    questions: tuple[Question, ...]
    qrels: Qrels
    ranges: Mapping[str, Range]
    systems: Mapping[str, str]

    @property
    def topics(self) -> dict[str, str]:
        """The topic of each question."""
        return {q.query_id: q.topic for q in self.questions}

    @property
    def kinds(self) -> dict[str, list[str]]:
        """The questions of each kind."""
        out: dict[str, list[str]] = {}
        for q in self.questions:
            out.setdefault(q.kind, []).append(q.query_id)
        return dict(sorted(out.items()))


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run with each measure's value for each question, and how long each took."""

    name: str
    ranked: Ranked
    values: dict[str, dict[str, float]]
    took_ms: Mapping[str, float] = field(default_factory=dict)

    def mean(self, name: str, among: Iterable[str] | None = None) -> float:
        """A measure's mean, over some of the questions if named."""
        values = self.values[name]
        return mean(values[q] for q in (among if among is not None else values) if q in values)


def asked_of(searcher: Searcher, split: str | None) -> list[Question]:
    """The questions of a split, without judgements in documents that are superseded.

    A question that only superseded documents answer keeps its judgements, and is asked with them
    included.
    """
    store = searcher.store
    texts = {d: store.reading(d).text for d in store.documents}
    old = superseded(searcher)
    out = []
    for q in questions(texts, split):
        spans = tuple(s for s in q.spans if s.document_id not in old) or q.spans
        out.append(
            Question(q.query_id, q.text, q.kind, q.topic, q.split, q.home, q.unanswerable, spans)
        )
    return out


def superseded(searcher: Searcher) -> frozenset[str]:
    """The documents that are left out unless they are asked for."""
    documents = searcher.store.documents.values()
    return frozenset(d.id for d in documents if d.status == "superseded")


def query_of(searcher: Searcher, question: Question, limit: int = 10) -> Query:
    """A question as it is put to the Searcher."""
    old = superseded(searcher)
    filters = Filters(include_superseded=any(s.document_id in old for s in question.spans))
    return Query(question.text, home=question.home, filters=filters, limit=limit)


def judged_by(
    asked: Sequence[Question], ranges: Sequence[Range], system_of: Mapping[str, str]
) -> Judged:
    """The questions that have an answer, judged against ranges (id, document, start, end).

    Args:
        system_of: the system of each document.
    """
    answerable = tuple(q for q in asked if q.spans)
    return Judged(
        answerable,
        qrels(answerable, ranges),
        {r[0]: r for r in ranges},
        {r[0]: system_of[r[1]] for r in ranges},
    )


def judge_passages(searcher: Searcher, asked: Sequence[Question]) -> Judged:
    """The questions judged against the passages that the searcher finds."""
    store = searcher.store
    passages = [p for p in store.passages(range(store.manifest.passages)) if p.form != "contents"]
    return judged_by(asked, as_ranges(passages), {d.id: d.system for d in store.documents.values()})


def search_all(
    searcher: Searcher, asked: Sequence[Question], depth: int = DEPTH, tell: Tell = _quiet
) -> tuple[dict[str, list[Passage]], dict[str, float]]:
    """The passages found for each question, and the milliseconds that each took."""
    found: dict[str, list[Passage]] = {}
    took: dict[str, float] = {}
    for i, question in enumerate(asked):
        tell("Searching", i, len(asked))
        result = searcher.search(query_of(searcher, question, depth))
        found[question.query_id] = [hit.passage for hit in result.hits]
        took[question.query_id] = result.took_ms
    return found, took


def outcome(
    name: str, judged: Judged, ranked: Ranked, took_ms: Mapping[str, float] | None = None
) -> Outcome:
    """A run with every measure."""
    ranked = {q: list(passages) for q, passages in ranked.items()}
    values = measure(judged.qrels, ranked) | diversity(judged.qrels, ranked, judged.systems)
    values["spans read"] = {
        q.query_id: spans_read(q.spans, [judged.ranges[p] for p in ranked.get(q.query_id, ())])
        for q in judged.questions
    }
    return Outcome(name, ranked, values, took_ms or {})


def spans_read(spans: Sequence[Span], found: Sequence[Range], most: int = READ_CHARACTERS) -> float:
    """Share of the judged spans, by relevance, that stand in what is read from the top.

    It does not depend on how documents are split, so runs over different passages compare: long
    passages hold more, but fewer of them are read.
    """
    total = sum(s.relevance for s in spans)
    read: list[tuple[str, int, int]] = []
    for _, document_id, start, end in found:
        end = min(end, start + most)
        most -= end - start
        read.append((document_id, start, end))
        if most <= 0:
            break
    got = sum(s.relevance for s in spans if _is_read(s, read))
    return got / total if total else 0.0


def _is_read(span: Span, read: Sequence[tuple[str, int, int]]) -> bool:
    """Whether at least half of a span, each character once, is in what was read."""
    seen: set[int] = set()
    for document_id, start, end in read:
        if document_id == span.document_id:
            seen.update(range(max(start, span.start), min(end, span.end)))
    return 2 * len(seen) >= span.end - span.start


def run(
    searcher: Searcher, split: str | None, depth: int = DEPTH, tell: Tell = _quiet
) -> tuple[Judged, Outcome]:
    """The questions of a split and what Searcher.search finds for them."""
    judged = judge_passages(searcher, asked_of(searcher, split))
    found, took = search_all(searcher, judged.questions, depth, tell)
    ranked = {q: [p.id for p in passages if p.id in judged.ranges] for q, passages in found.items()}
    return judged, outcome("icsearch", judged, ranked, took)


def ask_all(
    searcher: Searcher, asked: Sequence[Question], tell: Tell = _quiet
) -> tuple[list[Asked], dict[str, Answer]]:
    """Whether each question is answered, how surely, and whether its surest statement is judged."""
    out: list[Asked] = []
    answers: dict[str, Answer] = {}
    for i, question in enumerate(asked):
        tell("Asking", i, len(asked))
        answer = searcher.ask(query_of(searcher, question))
        answers[question.query_id] = answer
        cited = {c.id: c for c in answer.citations}
        said = [s for a in answer.systems for s in (*a.statements, *filter(None, [a.nearest]))]
        first = max(said, key=lambda s: s.score, default=None)
        right = first is not None and any(
            meets(span, cited[first.citation].document_id, *_ends(cited[first.citation]))
            for span in question.spans
        )
        out.append(
            Asked(
                query_id=question.query_id,
                answerable=question.unanswerable is None,
                answered=answer.status == "answered",
                confidence=first.score if first else 0.0,
                right=right,
            )
        )
    return out, answers


def _ends(citation: object) -> tuple[int, int]:
    return getattr(citation, "start"), getattr(citation, "end")  # noqa: B009


def meets(span: Span, document_id: str, start: int, end: int) -> bool:
    """Whether a statement and a judged span share at least half of the shorter."""
    shared = min(span.end, end) - max(span.start, start)
    return span.document_id == document_id and 2 * shared >= min(span.end - span.start, end - start)


def write_trec_run(path: Path, ranked: Ranked, name: str) -> None:
    """A run as TREC tools read it: query Q0 passage rank score name."""
    lines = [
        f"{query} Q0 {passage} {rank} {len(found) - rank + 1} {name}"
        for query, found in ranked.items()
        for rank, passage in enumerate(found, start=1)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_trec_qrels(path: Path, judged: Qrels, subtopic: Mapping[str, str] | None = None) -> None:
    """Judgements as TREC tools read them: query subtopic passage relevance."""
    lines = [
        f"{query} {subtopic[passage] if subtopic else 0} {passage} {grade}"
        for query, relevance in judged.items()
        for passage, grade in relevance.items()
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_run(folder: Path, judged: Judged, outcomes: Sequence[Outcome]) -> None:
    """Runs and judgements in TREC format, and every value by question as JSON lines."""
    folder.mkdir(parents=True, exist_ok=True)
    write_trec_qrels(folder / "qrels.trec", judged.qrels)
    write_trec_qrels(folder / "qrels-by-system.trec", judged.qrels, judged.systems)
    for one in outcomes:
        write_trec_run(folder / f"{one.name}.run", one.ranked, one.name)
    with (folder / "questions.jsonl").open("w", encoding="utf-8") as file:
        for q in judged.questions:
            values = {
                one.name: {
                    m: round(v[q.query_id], 5) for m, v in one.values.items() if q.query_id in v
                }
                for one in outcomes
            }
            entry = {"query_id": q.query_id, "kind": q.kind, "text": q.text, "values": values}
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
