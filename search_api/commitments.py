"""The register of commitments: found in each document and kept, filtered and paged."""

import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from typing import Any, get_args

from corpus.errors import QueryError
from corpus.model import Document
from indexer.analyse import terms
from indexer.store import Store
from search_api.derived import by_document, once_a_store
from search_api.model import Citation, Commitment, Commitments, Filters, Milestone, Order
from search_api.promised import promised_in
from search_api.serialise import to_json
from search_api.topics import ThemeWords, theme_of

RULES = tuple(
    f"{package}.{name}"
    for package, names in (
        ("search_api", ("promised", "dates", "ladder", "wording", "aims", "rows")),
        ("search_api", ("topics", "cite", "model")),
        ("indexer", ("statements", "analyse")),
    )
    for name in names
)
"""What decides what is in the register: kept registers are of no use once one of these changes."""
Speaks = Callable[[Commitment], bool]

DUE = re.compile(r"\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?")
LATEST_DAY = "-31"
UNDATED_LAST = "9999"


@once_a_store
def register(store: Store) -> tuple[Commitment, ...]:
    """Every commitment of an index in the order of its documents: kept beside it, or made now."""
    themes = [ThemeWords.of(t) for t in store.themes.values()]
    found = by_document(
        store, "commitments", RULES, lambda d: to_json(list(promised_in(store, d, themes)))
    )
    index_id = store.manifest.index_id
    return tuple(_from_json(entry, index_id) for d in store.documents for entry in found[d])


def found_anew(store: Store) -> tuple[Commitment, ...]:
    """The register as the rules find it in the documents, whatever is kept."""
    themes = [ThemeWords.of(t) for t in store.themes.values()]
    return tuple(entry for d in store.documents.values() for entry in promised_in(store, d, themes))


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
    sort: Order = "due",
) -> Commitments:
    """A page of the register.

    Args:
        filters: as asked; `documents` are those that they leave.
        theme: the id or label of a catalogue theme, or free text.
        due_before: YYYY, YYYY-MM or YYYY-MM-DD; undated commitments are then left out.
        limit: how many; 0 for all.
        sort: the soonest due first and the undated last; by owner, the unowned last; or as they
            stand in the documents.

    Raises:
        QueryError: the date, the limit, the offset or the order is not usable.
    """
    if due_before is not None and not DUE.fullmatch(due_before):
        raise QueryError("due_before must be a month such as 2024-03.", field="due_before")
    if limit < 0:
        raise QueryError("The limit must not be negative.", field="limit")
    if offset < 0:
        raise QueryError("The offset must not be negative.", field="offset")
    if sort not in get_args(Order):
        known = ", ".join(get_args(Order))
        raise QueryError(f"There is no order {sort!r}; there are {known}.", field="sort")
    speaks = speaks_of(store, theme) if theme and theme.strip() else None
    ids = {d.id for d in documents if d.overlaps(filters.from_year, filters.to_year)}
    among = select(register(store), documents=ids, speaks=speaks)
    found = ordered(select(among, due_before=due_before), sort)
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


def ordered(entries: Sequence[Commitment], sort: Order) -> tuple[Commitment, ...]:
    """Entries that are sorted by date, in another order; those alike in it stay sorted by date."""
    if sort == "due":
        return tuple(entries)
    if sort == "owner":
        return tuple(sorted(entries, key=lambda c: (c.owner is None, (c.owner or "").casefold())))
    return tuple(sorted(entries, key=lambda c: (c.system, c.document_id, c.citation.start)))


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
