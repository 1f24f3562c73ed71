"""How good answers are: rungs, cells, statements, commitments, and whether every citation holds.

The ladder's labels are split; the rules were made on *tune* and are judged on *test*. Cells of
the catalogue's themes were tuned on, the fresh ones were not. Nuggets and commitments have no
split, and no rule was set on single items of theirs.

Nuggets, and recall of them, are as in TREC question answering (Voorhees, 2003): a nugget is a fact
that a good answer holds, *vital* if an answer without it is wanting.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from eval.labels import APART, BLIND, FRESH, find_quote, questions, read_labels
from eval.priorities import priorities
from eval.statements import MANY, PASSES, TOPICS, silence, statements
from search_api.cite import heading_at, sha256
from search_api.ladder import grade
from search_api.model import LADDER, Answer, Citation, Filters, Ladder, Query, Statement
from search_api.searcher import Searcher
from search_api.verify import verify_citations

LEAST_SHARE = 0.5
"""A statement carries a nugget if it holds at least this share of its characters."""
Span = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class LadderScore:
    """Rungs given against rungs labelled.

    `exact` and `within_one` compare with the label alone; the `accepted` ones also with the rungs
    that the annotator thought a fair second reader might give.
    """

    statements: int
    exact: float
    within_one: float
    accepted_exact: float
    accepted_within_one: float
    confusion: tuple[tuple[int, ...], ...]
    """Rows: the label; columns: the rung given; both in the ladder's order."""


@dataclass(frozen=True, slots=True)
class CellScore:
    """Cells of the comparison against those filled in by hand."""

    cells: int
    right: float
    spoken: int
    false_silence: float
    silent: int
    false_speech: float
    wrong: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NuggetScore:
    """Statements of answers against the facts that good answers hold.

    `precision` counts only statements that carry a labelled nugget; others may be on the subject
    too, so it is a lower bound.
    """

    questions: int
    nuggets: int
    recall: float
    vital_recall: float
    statements: int
    precision: float
    silent: int
    silence_kept: float


@dataclass(frozen=True, slots=True)
class CommitmentScore:
    """The register against a hand count of its rows."""

    rows: int
    found: int
    due_right: int
    due_right_or_acceptable: int
    milestones_right: int
    owner_right: int
    disagreements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """Whether every citation of every reply is what stands in its document."""

    questions: int
    cells: int
    commitments: int
    priorities: int
    citations: int
    failed: tuple[str, ...]

    @property
    def share(self) -> float:
        """The share of citations that hold."""
        return 1 - len(self.failed) / self.citations if self.citations else 1.0


def report(searcher: Searcher, split: str = "test") -> dict[str, Any]:
    """Every measure of this module, ready for JSON."""
    trip = round_trip(searcher)
    return {
        "ladder": asdict(ladder(searcher, "test" if split in APART else split)),
        "cells": asdict(cells(searcher)),
        "cells_fresh": asdict(cells(searcher, FRESH)),
        "cells_blind": asdict(cells(searcher, BLIND)),
        "nuggets": asdict(nuggets(searcher)),
        "commitments": asdict(commitments(searcher)),
        "priorities": asdict(priorities(searcher)),
        "silence_by_labels": {
            "in own words": asdict(silence(searcher, MANY)),
            "one word of a theme": asdict(silence(searcher, TOPICS)),
        },
        "statements_on_subject": {k: asdict(v) for k, v in statements(searcher).items()},
        **{
            f"{file.removesuffix('.jsonl')}_on_subject_in_one_pass": {
                way: asdict(score) for way, score in statements(searcher, (file,)).items()
            }
            for file in PASSES
        },
        "round_trip": asdict(trip) | {"share": trip.share},
    }


# The ladder


def ladder(searcher: Searcher, split: str) -> LadderScore:
    """The rules against the labels of a split, each statement with its row and its headings."""
    texts = _texts(searcher)
    pairs = []
    for label in read_labels("ladder.jsonl"):
        if label["split"] != split:
            continue
        start, _ = find_quote(texts, label["document"], label["quote"])
        headings = heading_at(searcher.store.reading(label["document"]), start)
        rung, _ = grade(label["quote"], tuple((label["row"] or {}).items()), headings)
        pairs.append((label["ladder"], frozenset(label.get("acceptable", ())), rung))
    return ladder_score(pairs)


def ladder_score(pairs: Sequence[tuple[Ladder, frozenset[str], Ladder]]) -> LadderScore:
    """The score of (label, other acceptable rungs, rung given).

    >>> none = frozenset()
    >>> score = ladder_score([("action", none, "action"), ("target", none, "mention")])
    >>> score.exact, score.within_one
    (0.5, 0.5)
    """
    confusion = Counter((label, given) for label, _, given in pairs)
    return LadderScore(
        statements=len(pairs),
        exact=_share(label == given for label, _, given in pairs),
        within_one=_share(_steps((label,), given) <= 1 for label, _, given in pairs),
        accepted_exact=_share(given in {label, *also} for label, also, given in pairs),
        accepted_within_one=_share(
            _steps((label, *also), given) <= 1 for label, also, given in pairs
        ),
        confusion=tuple(tuple(confusion[label, given] for given in LADDER) for label in LADDER),
    )


def _steps(labels: Iterable[str], given: Ladder) -> int:
    rungs: Sequence[str] = LADDER
    return min(abs(rungs.index(label) - rungs.index(given)) for label in labels)


# Cells


def cells(searcher: Searcher, split: str = "test") -> CellScore:
    """The comparison of all labelled themes by systems against the cells filled in by hand.

    The *fresh* and the *blind* split have cells of their own; those of the others were tuned on.
    """
    labels = read_labels(f"cells_{split}.jsonl" if split in APART else "cells.jsonl")
    themes = list(dict.fromkeys(label["theme"] for label in labels))
    systems = tuple(dict.fromkeys(label["system"] for label in labels))
    filters = Filters(system=systems)
    # One by one, because two wordings of one theme are compared once.
    given: dict[tuple[str, str], str] = {
        (theme, cell.system): cell.status
        for theme in themes
        for cell in searcher.compare([theme], filters=filters).cells
    }
    return cell_score(labels, given)


def cell_score(
    labels: Sequence[Mapping[str, Any]], given: Mapping[tuple[str, str], str]
) -> CellScore:
    """The score of statuses by (theme, system); a cell that was not given counts as silent."""
    right, wrong, silence, speech = [], [], [], []
    for label in labels:
        status = given.get((label["theme"], label["system"]), "silent")
        accepted = {label["status"], *label.get("acceptable", ())}
        right.append(status in accepted)
        if status not in accepted:
            wrong.append(f"{label['theme']} × {label['system']}: {label['status']}, not {status}")
        if "silent" not in accepted:
            silence.append(status in ("silent", "unreadable"))
        elif accepted == {"silent"}:
            speech.append(status not in ("silent", "unreadable"))
    return CellScore(
        cells=len(labels),
        right=_share(right),
        spoken=len(silence),
        false_silence=_share(silence),
        silent=len(speech),
        false_speech=_share(speech),
        wrong=tuple(wrong),
    )


# Nuggets


def nuggets(searcher: Searcher) -> NuggetScore:
    """The answers to the nugget questions against the facts that they should hold."""
    texts = _texts(searcher)
    found: list[tuple[bool, bool]] = []
    carried: list[bool] = []
    kept: list[bool] = []
    labels = read_labels("nuggets.jsonl")
    for label in labels:
        answer = searcher.ask(Query(label["text"], home=label["home"]))
        spans = [(n["document"], *find_quote(texts, n["document"], n["quote"])) for n in
                 label["nuggets"]]  # fmt: skip
        said = _quoted(answer)
        found.extend(
            (bool(nugget["vital"]), any(carries(s, span) for s in said))
            for nugget, span in zip(label["nuggets"], spans, strict=True)
        )
        carried.extend(any(carries(s, span) for span in spans) for s in said)
        statuses = {s.system: s.statements for s in answer.systems}
        kept.extend(not statuses.get(system) for system in label["silent"])
    return NuggetScore(
        questions=len(labels),
        nuggets=len(found),
        recall=_share(hit for _, hit in found),
        vital_recall=_share(hit for vital, hit in found if vital),
        statements=len(carried),
        precision=_share(carried),
        silent=len(kept),
        silence_kept=_share(kept),
    )


def carries(statement: Span, nugget: Span) -> bool:
    """Whether a statement holds most of a nugget's words, or stands within them.

    >>> carries(("plan", 0, 50), ("plan", 10, 30)), carries(("plan", 0, 12), ("plan", 10, 30))
    (True, False)
    """
    shared = min(statement[2], nugget[2]) - max(statement[1], nugget[1])
    least = LEAST_SHARE * min(nugget[2] - nugget[1], statement[2] - statement[1])
    return statement[0] == nugget[0] and shared > 0 and shared >= least


def _quoted(answer: Answer) -> list[Span]:
    """The places that an answer's statements quote."""
    cited = {c.id: c for c in answer.citations}
    statements = (s for system in answer.systems for s in system.statements)
    return [_span(cited[s.citation]) for s in statements]


def _span(citation: Citation) -> Span:
    return citation.document_id, citation.start, citation.end


# Commitments


def commitments(searcher: Searcher) -> CommitmentScore:
    """The register against the hand count: rows found by their words, then dates and owners."""
    from search_api.commitments import register

    entries = list(register(searcher.store))
    labels = read_labels("commitments.jsonl")
    found = due = acceptable = milestones = owner = 0
    disagreements = []
    for label in labels:
        match = next((c for c in entries if _is_row(label, c.document_id, c.text)), None)
        if match is None:
            disagreements.append(f"row {label['n']} (page {label['page']}) is not in the register")
            continue
        entries.remove(match)  # rows that share an objective are found one after the other
        found += 1
        due += match.due == label["due"]
        acceptable += match.due in (label["due"], *label.get("acceptable_due", ()))
        dates = [m["due"] or m["due_year"] for m in label["milestones"]]
        milestones += [m.due for m in match.milestones] == dates
        owner += _spaced(match.owner) == _spaced(label["owner"])
        if match.due != label["due"]:
            disagreements.append(f"row {label['n']}: {label['due']}, not {match.due}")
    return CommitmentScore(
        len(labels), found, due, acceptable, milestones, owner, tuple(disagreements)
    )


def _is_row(label: Mapping[str, Any], document_id: str, text: str) -> bool:
    row = _spaced(text)
    return (
        document_id == label["document"]
        and _spaced(label["action"]) in row
        and row.endswith(_spaced(label["timeframe"]))
    )


# Citations


def round_trip(searcher: Searcher, split: str | None = None) -> RoundTrip:
    """Every citation of every kind of reply, checked against the documents.

    The answers to all questions (of a split, if one is named), the comparison of all labelled
    themes, the register of commitments and the declared priorities, superseded ones too.
    """
    asked = questions(_texts(searcher), split)
    total = 0
    failed: list[str] = []
    for question in asked:
        answer = searcher.ask(Query(question.text, home=question.home))
        total += len(answer.citations)
        said = [s for system in answer.systems for s in (*system.statements, system.nearest) if s]
        found = failures(searcher, answer.citations, said)
        failed.extend(f"{question.query_id}: {f}" for f in found)
    old = Filters(include_superseded=True)
    themes = list(dict.fromkeys(label["theme"] for label in read_labels("cells.jsonl")))
    comparison = searcher.compare(themes, filters=old)
    said = [s for cell in comparison.cells for s in (*cell.statements, cell.nearest) if s]
    failed.extend(f"compare: {f}" for f in failures(searcher, comparison.citations, said))
    register = searcher.commitments(filters=old, limit=0).commitments
    promised = [c.citation for c in register]
    failed.extend(f"commitments: {f}" for f in failures(searcher, promised))
    declared = searcher.priorities(filters=old)
    failed.extend(f"priorities: {f}" for f in failures(searcher, declared.citations))
    stated = [p for s in declared.systems for of in s.lists for p in of.priorities]
    quotes = {c.id: c.quote for c in declared.citations}
    failed.extend(
        f"priorities: {p.id} is not what is said" for p in stated if quotes.get(p.id) != p.text
    )
    total += len(comparison.citations) + len(promised) + len(declared.citations)
    cells = len(comparison.cells)
    return RoundTrip(len(asked), cells, len(promised), len(stated), total, tuple(failed))


def failures(
    searcher: Searcher, citations: Sequence[Citation], said: Iterable[Statement] = ()
) -> list[str]:
    """What is wrong with citations, and with the statements that name them."""
    out = []
    entries = [asdict(c) for c in citations]
    for citation, result in zip(citations, verify_citations(entries, searcher.store), strict=True):
        text = searcher.store.reading(citation.document_id).text
        if not result.valid:
            out.append(f"{citation.id} {result.reason}")
        elif citation.text_sha256 != sha256(text) or citation.quote_sha256 != sha256(
            citation.quote
        ):
            out.append(f"{citation.id} has a wrong hash")
    quotes = {c.id: c.quote for c in citations}
    out.extend(
        f"{s.citation} is not what is said" for s in said if quotes.get(s.citation) != s.text
    )
    return out


def _texts(searcher: Searcher) -> dict[str, str]:
    return {d: searcher.store.reading(d).text for d in searcher.store.documents}


def _share(values: Iterable[bool]) -> float:
    """The share of values that are true, to five decimals; 0 of none."""
    counted = list(values)
    return round(sum(counted) / len(counted), 5) if counted else 0.0


def _spaced(text: str | None) -> str:
    return " ".join((text or "").split())
