"""The priorities that systems declare, side by side, each linked to the themes it speaks to.

What a document declares is found by `search_api.declared`; here the lists of a system's documents
are put together, each once, cited, and set against those of the other systems by theme.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from corpus.model import Document, Reading
from indexer.store import Store
from search_api.cite import citation_id, cite
from search_api.declared import Declared, declared_of
from search_api.declaring import alike
from search_api.headline import plural
from search_api.ladder import grade
from search_api.listing import Item
from search_api.model import (
    LADDER,
    STATUS_OF,
    Citation,
    DeclaredList,
    Priorities,
    Priority,
    Searched,
    SharedTheme,
    Statement,
    SystemAnswer,
    SystemPriorities,
)
from search_api.naming import listed
from search_api.topics import ThemeWords, themes_of

Place = tuple[str, int, int]

BENEATH = 3
"""So many paragraphs under a heading count as what it speaks of."""
BREAKS_OFF = frozenset("a an and or of the to in for with that which our from".split())
GUESSED = (
    "{title} has lost its headings: lines that each say what to do were taken as its priorities, "
    "because it opens by speaking of them. Check them in the document."
)
BROKEN = "Some priorities of {title} break off in the text as it was read; the document has more."
GAPS = "{title} numbers its priorities, but {numbers} {were} not found."
COPIES = "{title} gives the same list as another document of {system}: shown once."


class Gatherer:
    """Collects what the documents of one index declare, with citations and notes."""

    def __init__(self, store: Store) -> None:
        """Start with nothing gathered."""
        self._store = store
        self._themes = [ThemeWords.of(theme) for theme in store.themes.values()]
        self._declared = declared_of(store)
        self._citations: dict[str, Citation] = {}
        self.notes: list[str] = []

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Every citation named so far, each once."""
        return tuple(self._citations.values())

    def system(self, documents: Sequence[Document]) -> tuple[DeclaredList, ...]:
        """The lists that a system's documents declare, each once, headline first."""
        found: list[tuple[Document, Declared]] = [
            (document, declared)
            for document in documents
            for declared in self._declared[document.id]
        ]
        # Of a list in several documents, that of the longest stays: it is the one with the plan.
        found.sort(
            key=lambda pair: (
                pair[1].rank == "supporting",
                -len(self._store.reading(pair[0].id).text),
                pair[0].id,
            )
        )
        kept: list[tuple[Document, Declared, list[Place]]] = []
        for document, declared in found:
            same = next((k for k in kept if self._same(k[:2], (document, declared))), None)
            if same is None:
                also = [(document.id, *place) for place in declared.also]
                kept.append((document, declared, also))
            else:
                same[2].append((document.id, declared.start, declared.end))
                name = self._store.systems[document.system].name
                self._note(COPIES.format(title=document.title, system=name))
        order = [d.id for d in documents]
        kept.sort(
            key=lambda k: (k[1].rank == "supporting", order.index(k[0].id), k[1].items[0].start)
        )
        return tuple(self._list(*one) for one in kept)

    def _same(self, one: tuple[Document, Declared], other: tuple[Document, Declared]) -> bool:
        if one[0].id == other[0].id or one[1].rank != other[1].rank:
            return False
        mine, theirs = (
            [self._store.reading(d.id).text[i.start : i.end] for i in declared.items]
            for d, declared in (one, other)
        )
        shared = sum(any(alike(text, own, whole=True) for own in mine) for text in theirs)
        return 2 * shared > max(len(mine), len(theirs))

    def _list(self, document: Document, declared: Declared, also: Sequence[Place]) -> DeclaredList:
        reading = self._store.reading(document.id)
        declared_by = self._cite(document.id, declared.start, declared.end)
        rows = list(self._rows(document.id, reading, declared))
        self._tell(document, declared, rows)
        return DeclaredList(
            called=declared.called,
            rank=declared.rank,
            basis=declared.basis,
            document_id=document.id,
            superseded=document.status == "superseded",
            declared_by=declared_by,
            priorities=tuple(rows),
            also=tuple(self._cite(*place) for place in also),
            missing=declared.missing,
        )

    def _rows(self, document_id: str, reading: Reading, declared: Declared) -> Iterator[Priority]:
        for item in declared.items:
            top = self._priority(document_id, reading, item, None)
            yield top
            for part in item.parts:
                yield self._priority(document_id, reading, part, top.id)

    def _priority(
        self, document_id: str, reading: Reading, item: Item, under: str | None
    ) -> Priority:
        identity = self._cite(document_id, item.start, item.end)
        text = reading.text[item.start : item.end]
        own = themes_of(text, self._themes)
        beneath = themes_of(text_beneath(reading, item), self._themes)
        return Priority(
            id=identity,
            text=text,
            number=item.number,
            under=under,
            themes=own,
            themes_beneath=tuple(t for t in beneath if t not in own),
            citation=identity,
        )

    def _tell(self, document: Document, declared: Declared, rows: Sequence[Priority]) -> None:
        """Note what a reader must know about a list before relying on it."""
        if declared.basis == "opening":
            self._note(GUESSED.format(title=document.title))
        if any(breaks_off(row.text) for row in rows):
            self._note(BROKEN.format(title=document.title))
        if declared.missing:
            numbers = listed([str(n) for n in declared.missing])
            were = "was" if len(declared.missing) == 1 else "were"
            self._note(GAPS.format(title=document.title, numbers=numbers, were=were))

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def _cite(self, document_id: str, start: int, end: int) -> str:
        identity = citation_id(document_id, start, end)
        if identity not in self._citations:
            self._citations[identity] = cite(self._store, document_id, start, end)
        return identity


def gather(
    store: Store, documents: Mapping[str, Sequence[Document]], home: str | None,
    searched: Mapping[str, Searched], notes: Sequence[str],
) -> Priorities:  # fmt: skip
    """The priorities of systems side by side.

    Args:
        documents: those of each system that filters leave, systems in order.
        searched: how much of each system that is.
        notes: what is to be said of the documents and bodies.
    """
    gatherer = Gatherer(store)
    systems = []
    for system, own in documents.items():
        lists = gatherer.system(own)
        unread = searched[system].unreadable_pages
        body = store.systems[system]
        systems.append(
            SystemPriorities(
                system=system,
                name=body.name,
                level=body.level,
                home=system == home,
                superseded=all(d.status == "superseded" for d in own),
                status="declares" if lists else "unreadable" if unread else "none",
                lists=lists,
                searched=searched[system],
            )
        )
    themes = shared_themes(store, systems)
    return Priorities(
        systems=tuple(systems),
        themes=themes,
        citations=gatherer.citations,
        summary=summary_of(systems, themes),
        notes=(*notes, *gatherer.notes),
        index_id=store.manifest.index_id,
    )


def text_beneath(reading: Reading, item: Item) -> str:
    """What stands right under a priority that is a heading, and the areas named under it."""
    parts = [reading.text[p.start : p.end] for p in item.parts]
    inside = False
    for section in reading.sections:
        if section.start <= item.start < section.end:
            inside = section.form == "heading"
        elif inside:
            if section.form != "prose" or len(parts) - len(item.parts) >= BENEATH:
                break
            parts.append(reading.text[section.start : section.end])
    return "\n".join(parts)


def breaks_off(text: str) -> bool:
    """Whether a priority ends in the middle of a phrase: its last word needs another.

    >>> breaks_off("Priority 2: Strong, engaged and"), breaks_off("Ageing well")
    (True, False)
    """
    return text.split()[-1].lower() in BREAKS_OFF


def shared_themes(store: Store, systems: Sequence[SystemPriorities]) -> tuple[SharedTheme, ...]:
    """The themes that headline priorities speak to, those of most systems first."""
    out = []
    for at, theme in enumerate(store.themes.values()):
        speaking = {s.system: _speaking(headline(s), theme.id) for s in systems}
        found = {system: ids for system, ids in speaking.items() if ids}
        if found:
            priorities = tuple(i for ids in found.values() for i in ids)
            out.append((at, SharedTheme(theme.id, theme.label, tuple(found), priorities)))
    out.sort(key=lambda pair: (-len(pair[1].systems), pair[0]))
    return tuple(theme for _, theme in out)


def _speaking(priorities: Sequence[Priority], theme: str) -> list[str]:
    """Those that speak to a theme; of one and its areas, the areas that name it."""
    named = {p.under for p in priorities if theme in p.themes}
    return [
        p.id
        for p in priorities
        if theme in p.themes or (theme in p.themes_beneath and p.id not in named)
    ]


def headline(system: SystemPriorities) -> list[Priority]:
    """A system's headline priorities with the areas under them."""
    return [p for of in system.lists if of.rank == "headline" for p in of.priorities]


@dataclass(frozen=True, slots=True)
class DeclaredAnswer:
    """Declared priorities as an answer: what each system that declares any says.

    `headline` counts them; None where no system declares any.
    """

    said: Mapping[str, SystemAnswer]
    citations: tuple[Citation, ...]
    headline: str | None
    notes: tuple[str, ...]


def answered_by(found: Priorities) -> DeclaredAnswer:
    """The headline priorities of each system as what it says, in its own order."""
    cited = {c.id: c for c in found.citations}
    said = {}
    for system in found.systems:
        statements = tuple(_statements(system, cited))
        if not statements:
            continue
        strongest = max((s.ladder for s in statements), key=LADDER.index)
        said[system.system] = SystemAnswer(
            system=system.system,
            name=system.name,
            level=system.level,
            status=STATUS_OF[strongest],
            statements=statements,
            nearest=None,
            searched=system.searched,
            ladder=strongest,
        )
    if not said:
        return DeclaredAnswer({}, (), None, ())
    used = dict.fromkeys(s.citation for one in said.values() for s in one.statements)
    lines = 1 if len(said) == len(found.systems) else 2  # the second says who declares none
    return DeclaredAnswer(
        said=said,
        citations=tuple(cited[identity] for identity in used),
        headline=" ".join(found.summary[:lines]),
        notes=(*found.summary[lines:], *found.notes),
    )


def _statements(system: SystemPriorities, cited: Mapping[str, Citation]) -> Iterator[Statement]:
    for of in system.lists:
        rows = of.priorities if of.rank == "headline" else ()
        for row in (row for row in rows if row.under is None):
            heading = cited[row.citation].heading
            ladder, triggers = grade(row.text, (), heading)
            # What the list is called and the areas under a priority, where nothing else says so.
            named = of.called.casefold() in "\n".join(heading).casefold()
            called = [] if named or of.basis == "opening" else [of.called]
            areas = [p.text for p in rows if p.under == row.id]
            yield Statement(
                text=row.text,
                ladder=ladder,
                triggers=triggers,
                citation=row.citation,
                score=1.0,
                form="list_item",
                context=" · ".join([*called, *areas]),
            )


def summary_of(
    systems: Sequence[SystemPriorities], themes: Sequence[SharedTheme]
) -> tuple[str, ...]:
    """Which systems declare priorities, what they share and what is one system's own, in counts."""
    declaring = [s for s in systems if s.status == "declares"]
    silent = [s.name for s in systems if s.status != "declares"]
    names = {s.system: s.name for s in systems}
    out = []
    if not systems:
        return ()
    found = {s.name: sum(p.under is None for p in headline(s)) for s in declaring}
    counts = [f"{name} ({count})" for name, count in found.items()]
    if len(systems) == 1 and found:
        ((name, count),) = found.items()
        out.append(f"{name} declares {plural(count, 'headline priority', 'headline priorities')}.")
    elif counts:
        out.append(
            f"{len(declaring)} of {plural(len(systems), 'system')} "
            f"{'declares' if len(declaring) == 1 else 'declare'} headline priorities: "
            f"{listed(counts)}."
        )
    if silent:
        out.append(
            f"No declared list of priorities was found for {listed(silent)}. "
            "It may state them in another form: ask about a subject to see what it says."
        )
    if len(declaring) > 1:
        shared = [t for t in themes if len(t.systems) == len(declaring)]
        if shared:
            out.append(f"Shared by all {len(declaring)}: {'; '.join(t.label for t in shared)}.")
        some = [t for t in themes if 1 < len(t.systems) < len(declaring)]
        if some:
            labels = "; ".join(f"{t.label} ({len(t.systems)})" for t in some)
            out.append(f"Shared by some: {labels}.")
        for system in declaring:
            own = [t.label for t in themes if t.systems == (system.system,)]
            if own:
                out.append(f"Only {names[system.system]}: {'; '.join(own)}.")
    return tuple(out)
