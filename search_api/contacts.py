"""Contact details of people left out of answers, where a setting asks for it.

A quote is a range of the canonical text, so nothing is blacked out in it: the range is made smaller
until no detail is inside, at the ends of sentences, lines and cells. What cannot be made smaller is
not quoted. The documents themselves, their canonical text and their pages stay as published.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from corpus.model import Passage
from indexer.statements import Stated, sentences
from indexer.store import Store
from search_api.answer import Weighed
from search_api.cite import cite
from search_api.model import Citation, Commitment, DeclaredList, Hit, Priorities

NOTE = (
    "Contact details of people are left out of answers here: quotes end before them, and what "
    "cannot be quoted without them is not. The documents hold them as published."
)
MAIL = re.compile(r"[\w.+'’-]+@[\w-]+(?:\.[\w-]+)+")
PHONE = re.compile(
    r"(?<![\w/.-])(?:\+44[\s()]{0,3}0?[\s()]{0,2}|\(?0)\d(?:[\s()-]{0,2}\d){7,9}(?![\w/])"
)
NAME = r"(?:(?:Dr|Mr|Mrs|Ms|Miss|Prof|Cllr)\.? )?[A-Z][\w’'-]+(?: [A-Z][\w’'.-]*){1,3}"
LABELLED = re.compile(rf"\b[Cc]ontact(?: [Oo]fficer| [Pp]erson| [Nn]ame)?:\s{{0,3}}{NAME}")
NAMED = re.compile(NAME)
FEWEST_WORDS = 4


def details(text: str) -> list[tuple[int, int]]:
    """Where mail addresses, telephone numbers and the names of those to contact stand.

    >>> details("Ask Jo on 0151 496 0000."), details("In 2024 we spent £1,000,000.")
    ([(10, 23)], [])
    """
    return sorted(m.span() for kind in (MAIL, PHONE, LABELLED) for m in kind.finditer(text))


def clear_range(text: str, fewest_words: int = FEWEST_WORDS) -> tuple[int, int] | None:
    """The longest range of whole sentences without a contact detail, or a name beside one.

    >>> text = "We care.\\nWe will open a clinic.\\nJo Bell\\njo@x.example"
    >>> text[slice(*clear_range(text))]
    'We care.\\nWe will open a clinic.'
    >>> clear_range("Write to jo@x.example about clinics.") is None
    True
    """
    found = details(text)
    if not found:
        return 0, len(text)
    units = list(sentences(text))
    marked = [any(a < end and start < b for a, b in found) for start, end in units]
    names = [bool(NAMED.fullmatch(text[start:end])) for start, end in units]
    beside = [
        name and (any(marked[max(0, i - 1) : i]) or any(marked[i + 1 : i + 2]))
        for i, name in enumerate(names)
    ]
    best: tuple[int, int] | None = None
    first: int | None = None
    for i in range(len(units) + 1):
        if i < len(units) and not marked[i] and not beside[i]:
            first = i if first is None else first
            continue
        if first is not None:
            run = units[first][0], units[i - 1][1]
            if best is None or run[1] - run[0] > best[1] - best[0]:
                best = run
            first = None
    if best is None or len(text[slice(*best)].split()) < fewest_words:
        return None
    return best


def without_contacts(weighed: Iterable[Weighed]) -> list[Weighed]:
    """The statements that can be quoted without a contact detail, smaller where they must be."""
    out = []
    for one in weighed:
        stated = _smaller(one.stated)
        if stated is not None:
            out.append(one if stated is one.stated else replace(one, stated=stated))
    return out


def _smaller(stated: Stated) -> Stated | None:
    kept = clear_range(stated.text)
    if kept is None:
        return None
    around = (stated.lead, *stated.heading, *(text for _, text in stated.cells))
    whole = kept == (0, len(stated.text))
    if whole and not any(details(text) for text in around):
        return stated
    return replace(
        stated,
        start=stated.start + kept[0],
        end=stated.start + kept[1],
        text=stated.text[slice(*kept)],
        cells=tuple((name, text) for name, text in stated.cells if not details(text)),
        lead="" if details(stated.lead) else stated.lead,
        heading=clear_headings(stated.heading),
    )


def clear_headings(heading: Sequence[str]) -> tuple[str, ...]:
    """The headings without a contact detail."""
    return tuple(text for text in heading if not details(text))


def clear_citations(citations: Iterable[Citation]) -> tuple[Citation, ...]:
    """The same citations, headings with a contact detail left out of what stands around them."""
    return tuple(replace(c, heading=clear_headings(c.heading)) for c in citations)


def clear_hits(store: Store, hits: Iterable[Hit]) -> Iterator[Hit]:
    """The hits whose passages can be shown without a contact detail, ranked anew."""
    rank = 0
    for hit in hits:
        passage = _smaller_passage(store, hit.passage)
        if passage is not None:
            rank += 1
            yield replace(hit, rank=rank, passage=passage)


def _smaller_passage(store: Store, passage: Passage) -> Passage | None:
    kept = clear_range(passage.text)
    if kept is None:
        return None
    start, end = passage.start + kept[0], passage.start + kept[1]
    told = cite(store, passage.document_id, start, end)
    return replace(
        passage,
        id=told.id,
        text=told.quote,
        heading=clear_headings(passage.heading),
        pages=told.pages,
        page_label=told.page_label,
        page_inferred=told.page_inferred,
        file_page=told.file_page,
        start=start,
        end=end,
        cells=tuple(c for c in passage.cells if start <= c.start and c.end <= end),
    )


def clear_commitments(store: Store, found: Iterable[Commitment]) -> tuple[Commitment, ...]:
    """The commitments that can be quoted without a contact detail."""
    out = []
    for one in found:
        kept = clear_range(one.text)
        parts = [p for p in (one.action, one.target, one.owner, one.due_text) if p]
        if kept is None or details(one.action):
            continue
        if kept == (0, len(one.text)) and not any(details(part) for part in parts):
            out.append(one)
            continue
        start = one.citation.start + kept[0]
        told = cite(store, one.document_id, start, start + kept[1] - kept[0])
        out.append(
            replace(
                one,
                text=told.quote,
                target=_clear(one.target),
                owner=_clear(one.owner),
                due_text=_clear(one.due_text),
                citation=replace(told, heading=clear_headings(told.heading)),
            )
        )
    return tuple(out)


def _clear(text: str | None) -> str | None:
    return None if text and (details(text) or NAMED.fullmatch(text)) else text


def clear_priorities(found: Priorities) -> Priorities:
    """Declared priorities without those whose words hold a contact detail."""
    gone = {c.id for c in found.citations if details(c.quote)}

    def clear(one: DeclaredList) -> DeclaredList:
        return replace(
            one,
            priorities=tuple(
                p for p in one.priorities if p.citation not in gone and p.under not in gone
            ),
            also=tuple(identity for identity in one.also if identity not in gone),
        )

    systems = tuple(
        replace(s, lists=tuple(clear(one) for one in s.lists if one.declared_by not in gone))
        for s in found.systems
    )
    whose = {p.id: s.system for s in systems for one in s.lists for p in one.priorities}
    left_of = [(t, tuple(p for p in t.priorities if p in whose)) for t in found.themes]
    themes = tuple(
        replace(t, priorities=own, systems=tuple(dict.fromkeys(whose[p] for p in own)))
        for t, own in left_of
        if own
    )
    left = clear_citations(c for c in found.citations if c.id not in gone)
    return replace(found, systems=systems, themes=themes, citations=left)
