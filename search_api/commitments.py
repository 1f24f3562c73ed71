"""The register of commitments: what was promised, how much of it, by when and by whom.

Every row of a table that plans something (it has a column of objectives or actions, and one of
dates or leads) is an entry, dated or not; so is every statement elsewhere that is graded target or
commitment. Nothing is added: `text` is the row's or sentence's own slice, and is what is cited.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from corpus.errors import QueryError
from corpus.model import Document, Reading, Section
from indexer.analyse import terms, tokens
from indexer.statements import Stated, sentences, statements
from indexer.store import Store
from search_api.aims import aims_in
from search_api.cite import cite
from search_api.dates import Date, deadlines_in
from search_api.derived import by_document, once_a_store
from search_api.ladder import grade
from search_api.model import Citation, Commitment, Commitments, Filters, Ladder, Milestone
from search_api.rows import Row
from search_api.serialise import to_json
from search_api.topics import ThemeWords, theme_of

RULES = tuple(
    f"{package}.{name}"
    for package, names in (
        ("search_api", ("commitments", "dates", "ladder", "wording", "aims", "rows")),
        ("search_api", ("topics", "cite", "model")),
        ("indexer", ("statements", "analyse")),
    )
    for name in names
)
"""What decides what is in the register: kept registers are of no use once one of these changes."""
Speaks = Callable[[Commitment], bool]

DUE = re.compile(r"\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?")
PROMISES: tuple[Ladder, ...] = ("target", "commitment")
LATEST_DAY = "-31"
UNDATED_LAST = "9999"
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
SCALES = {"billion": "bn", "million": "m", "thousand": "k"}


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure to be reached: the words that state it, its value and unit where it has them."""

    text: str
    value: float | None
    unit: str | None


@once_a_store
def register(store: Store) -> tuple[Commitment, ...]:
    """Every commitment of an index in the order of its documents: kept beside it, or made now."""
    themes = [ThemeWords.of(t) for t in store.themes.values()]
    found = by_document(
        store, "commitments", RULES, lambda d: to_json(list(_of_document(store, d, themes)))
    )
    index_id = store.manifest.index_id
    return tuple(_from_json(entry, index_id) for d in store.documents for entry in found[d])


def found_anew(store: Store) -> tuple[Commitment, ...]:
    """The register as the rules find it in the documents, whatever is kept."""
    themes = [ThemeWords.of(t) for t in store.themes.values()]
    return tuple(
        entry for d in store.documents.values() for entry in _of_document(store, d, themes)
    )


def _from_json(entry: dict[str, Any], index_id: str) -> Commitment:
    """A commitment as it was kept, by this generation or by one with the same document."""
    citation = entry["citation"] | {"index_id": index_id}
    for name in ("heading", "pages"):
        citation[name] = tuple(citation[name])
    return Commitment(
        **entry
        | {
            "themes": tuple(entry["themes"]),
            "milestones": tuple(Milestone(**m) for m in entry["milestones"]),
            "citation": Citation(**citation),
        }
    )


def commitments(
    store: Store,
    filters: Filters,
    documents: Sequence[Document],
    theme: str | None = None,
    due_before: str | None = None,
    limit: int = 50,
    offset: int = 0,
) -> Commitments:
    """A page of the register, the soonest due first.

    Args:
        filters: as asked; `documents` are those that they leave.
        theme: the id or label of a catalogue theme, or free text.
        due_before: YYYY, YYYY-MM or YYYY-MM-DD; undated commitments are then left out.
        limit: how many; 0 for all.

    Raises:
        QueryError: the date, the limit or the offset is not usable.
    """
    if due_before is not None and not DUE.fullmatch(due_before):
        raise QueryError("due_before must be a month such as 2024-03.", field="due_before")
    if limit < 0:
        raise QueryError("The limit must not be negative.", field="limit")
    if offset < 0:
        raise QueryError("The offset must not be negative.", field="offset")
    speaks = speaks_of(store, theme) if theme and theme.strip() else None
    ids = {d.id for d in documents if d.overlaps(filters.from_year, filters.to_year)}
    among = select(register(store), documents=ids, speaks=speaks)
    found = select(among, due_before=due_before)
    undated = sum(c.due is None for c in among)
    notes = []
    if due_before is not None and undated:
        notes.append(
            f"{undated} without a month to be due in {'is' if undated == 1 else 'are'} left out."
        )
    last = offset + limit if limit else None
    return Commitments(
        total=len(found),
        commitments=found[offset:last],
        notes=tuple(notes),
        index_id=store.manifest.index_id,
    )


def select(
    entries: Sequence[Commitment],
    *,
    documents: Collection[str] | None = None,
    speaks: Speaks | None = None,
    due_before: str | None = None,
    overdue_at: str | None = None,
) -> tuple[Commitment, ...]:
    """The entries that pass every test given, the soonest due first and the undated last.

    Args:
        documents: ids of documents.
        speaks: whether an entry is about something (see `speaks_of`).
        due_before: a year, month or day before which it is due.
        overdue_at: a day (YYYY-MM-DD) by which its date has passed.
    """
    kept = [
        c
        for c in entries
        if (documents is None or c.document_id in documents)
        and (speaks is None or speaks(c))
        and (due_before is None or is_due_before(c, due_before))
        and (overdue_at is None or is_due_before(c, overdue_at))
    ]
    return tuple(sorted(kept, key=lambda c: _last_day(c) or UNDATED_LAST))


def is_due_before(commitment: Commitment, moment: str) -> bool:
    """Whether its date has passed at a moment: a month is due until its end."""
    last = _last_day(commitment)
    return last is not None and last < moment


def _last_day(commitment: Commitment) -> str | None:
    due = commitment.due
    return due if due is None or len(due) > len("2024-03") else due + LATEST_DAY


def speaks_of(store: Store, theme: str) -> Speaks:
    """A test whether a commitment is about a catalogue theme, or holds the words of free text."""
    known = store.themes.get(theme) or theme_of(theme, store.themes.values())
    if known is not None:
        identity = known.id
        return lambda c: identity in c.themes
    choices = [frozenset(terms(_plain(text))) for text in (theme, *_also(store, theme))]
    wanted = [c for c in choices if c]

    def speaks(commitment: Commitment) -> bool:
        about = "\n".join((commitment.text, *commitment.citation.heading[-1:]))
        words = set(terms(_plain(about)))
        return any(choice <= words for choice in wanted)

    return speaks


def _plain(text: str) -> str:
    """A text without accents, so that "cafes" finds "cafés"."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def _also(store: Store, theme: str) -> list[str]:
    """The long form of an acronym, and the acronym of a long form."""
    asked = theme.strip()
    long = [a.long for a in store.acronyms if a.short == asked]
    short = [a.short for a in store.acronyms if a.long.casefold() == asked.casefold()]
    return [*long, *short]


def _of_document(
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
        action=stated.text,
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


def themes_of(text: str, themes: Sequence[ThemeWords]) -> tuple[str, ...]:
    """The themes of which a text uses a word; its words are taken apart once for all of them."""
    stems = {word for word, _, _ in tokens(text)}
    return tuple(
        theme.id
        for theme in themes
        if (
            any(stems.issuperset(p) for p in theme.phrases)
            or any(a in text for a in theme.acronyms)
        )
        and theme.spoken_in(text)
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
    if "24/7" in figure:
        return Measure(sentence, None, "24/7")
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
