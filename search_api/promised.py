"""What a document promises: how much of it, by when and by whom.

Every row of a table that plans something (it has a column of objectives or actions, and one of
dates or leads) is a commitment, dated or not; so is every statement elsewhere that is graded target
or commitment. Nothing is added: `text` is the row's or sentence's own slice, and is what is cited.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from corpus.model import Document, Reading, Section
from indexer.statements import Stated, sentences, statements
from indexer.store import Store
from search_api.aims import SERVICE, aims_in
from search_api.cite import cite
from search_api.dates import Date, deadlines_in
from search_api.ladder import grade
from search_api.model import Commitment, Ladder, Milestone
from search_api.rows import Row
from search_api.topics import ThemeWords, themes_of

PROMISES: tuple[Ladder, ...] = ("target", "commitment")
NUMBERS = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve".split()
    )
} | {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50}
FIGURE = re.compile(r"\d[\d,]*(?:\.\d+)?")
UNIT_AFTER = re.compile(
    r"\s+((?!(?:and|or|of|by|to|in|the|for|with|at|from|additional|more|respectively)\b)[a-z]+)"
)
PERIOD = re.compile(r"\b(minute|hour|day|week|month)s?\b", re.IGNORECASE)
SCALE = re.compile(r"(bn|billion|m|million|k|thousand)$", re.IGNORECASE)
MARK = re.compile(r"\s*[xX✓✔√●•–-]?\s*")
"""A line of a table's row that only ticks off a column."""
SCALES = {"billion": "bn", "million": "m", "thousand": "k"}


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure to be reached: the words that state it, its value and unit where it has them."""

    text: str
    value: float | None
    unit: str | None


def promised_in(
    store: Store, document: Document, themes: Sequence[ThemeWords]
) -> Iterator[Commitment]:
    """The commitments of one document: its planning rows, and what its other text promises."""
    reading = store.reading(document.id)
    planned = [s for s in reading.sections if s.form == "table_row" and plans(s)]
    entries = [_from_row(store, document, reading, s, themes) for s in planned]
    rows = {(s.start, s.end) for s in planned}
    for stated in _stated(store, document, reading):
        if any(start <= stated.start < end for start, end in rows) or stated.form == "heading":
            continue
        rung, _ = grade(stated.text, stated.cells, stated.heading)
        if rung in PROMISES:
            entries.append(_from_words(store, stated, rung, themes))
    yield from sorted(entries, key=lambda c: c.citation.start)


def plans(section: Section) -> bool:
    """Whether a row belongs to a table that plans: what to do, and by when or by whom."""
    kinds = {kind for kind, _ in Row.of([(c.header, "") for c in section.cells]).columns}
    return bool(kinds & {"act", "aim"}) and bool(kinds & {"time", "owner"})


def _stated(store: Store, document: Document, reading: Reading) -> Iterator[Stated]:
    """The statements of a document, each once."""
    first, last = store.rows_of(document.id)
    seen = set()
    for passage in store.passages(range(first, last)):
        if passage.form == "contents":
            continue
        for stated in statements(passage, reading):
            if (stated.start, stated.end) not in seen:
                seen.add((stated.start, stated.end))
                yield stated


def _from_row(
    store: Store,
    document: Document,
    reading: Reading,
    section: Section,
    themes: Sequence[ThemeWords],
) -> Commitment:
    text = reading.text[section.start : section.end]
    cells = [(c.header, reading.text[c.start : c.end]) for c in section.cells]
    row = Row.of(cells)
    timeframe = "\n".join(row.texts("time"))
    dates = deadlines_in(timeframe, bare_years=True)
    first = next((d for d in dates if d.dated), None)
    measures = [
        m for kind in (("act", "aim"), ("time",), ("impact",)) for m in _measures(row.texts(*kind))
    ]
    rung, _ = grade(text, cells, section.heading)
    return _entry(
        store,
        document.id,
        (section.start, section.end),
        themes,
        action="\n".join(row.texts("act") or row.texts("aim")),
        measure=measures[0] if measures else None,
        due=first,
        due_text=timeframe or None,
        milestones=tuple(_milestones(timeframe, dates, first)),
        owner=" ".join(" ".join(row.owners).split()) or None,
        rung=rung,
    )


def _from_words(
    store: Store, stated: Stated, rung: Ladder, themes: Sequence[ThemeWords]
) -> Commitment:
    dates = deadlines_in(stated.text)
    first = next((d for d in dates if d.dated), None)
    measures = _measures([stated.text])
    if not measures and (money := re.search(r"£\s?[\d.,]+\s?\w*", stated.text)):
        measures = [measure_of(money[0], stated.text)]
    return _entry(
        store,
        stated.document_id,
        (stated.start, stated.end),
        themes,
        action="\n".join(line for line in stated.text.split("\n") if not MARK.fullmatch(line)),
        measure=measures[0] if measures else None,
        due=first,
        due_text=dates[0].text if dates else None,
        milestones=tuple(_milestones(stated.text, dates, first)),
        owner=None,
        rung=rung,
    )


def _entry(
    store: Store,
    document_id: str,
    place: tuple[int, int],
    themes: Sequence[ThemeWords],
    *,
    action: str,
    measure: Measure | None,
    due: Date | None,
    due_text: str | None,
    milestones: tuple[Milestone, ...],
    owner: str | None,
    rung: Ladder,
) -> Commitment:
    citation = cite(store, document_id, *place)
    about = "\n".join((citation.quote, *citation.heading[-1:]))
    return Commitment(
        id=citation.id,
        text=citation.quote,
        system=citation.system,
        document_id=document_id,
        themes=themes_of(about, themes),
        action=action,
        target=measure.text if measure else None,
        value=measure.value if measure else None,
        unit=measure.unit if measure else None,
        due=due.due if due else None,
        due_text=due_text,
        milestones=milestones,
        owner=owner,
        ladder=rung,
        citation=citation,
    )


def _milestones(text: str, dates: Sequence[Date], first: Date | None) -> Iterator[Milestone]:
    """The dates after the first, each with the words since the date before it."""
    named = first or next(iter(dates), None)
    at = named.end if named else 0
    for date in dates:
        if date is named or date.start < at:
            continue
        yield Milestone(date.due, text[at : date.end].strip(" \n.,;:–-"))
        at = date.end


def _measures(texts: Sequence[str]) -> list[Measure]:
    """The figures to be reached that texts state, each with the sentence that states it."""
    out: list[Measure] = []
    for text in texts:
        for start, end in sentences(text):
            sentence = text[start:end]
            out.extend(measure_of(figure, sentence) for figure in aims_in(sentence))
    return out


def measure_of(figure: str, sentence: str) -> Measure:
    """A figure as value and unit: "66.7%", "within two hours", "£6.9m", "all 16 competencies"."""
    value = _value(figure)
    if "%" in figure or "per cent" in figure.lower() or "percent" in figure.lower():
        return Measure(sentence, value, "%")
    if figure.startswith("£"):
        scale = SCALE.search(figure.strip())
        name = scale[1].lower() if scale else ""
        return Measure(sentence, value, "£" + SCALES.get(name, name))
    if re.search(r"net[- ]zero|carbon[- ]neutral", figure, re.IGNORECASE):
        return Measure(sentence, 0.0, "net zero")
    if figure in {m[0] for m in SERVICE.finditer(sentence)}:
        return Measure(sentence, None, "24/7" if figure == "24/7" else "7 days a week")
    if period := PERIOD.search(figure):
        return Measure(sentence, value, period[1].lower() + "s")
    if value is None:
        return Measure(sentence, None, None)
    after = UNIT_AFTER.match(sentence, sentence.find(figure) + len(figure))
    return Measure(sentence, value, after[1] if after else None)


def _value(figure: str) -> float | None:
    """The number in a figure, in digits or as a word."""
    if digits := FIGURE.search(figure):
        return float(digits[0].replace(",", ""))
    return next((float(NUMBERS[w]) for w in figure.lower().split() if w in NUMBERS), None)
