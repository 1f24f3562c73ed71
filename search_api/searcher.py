"""The one door: search, ask, compare and look up documents, on one generation of an index.

The command line, the HTTP API, the pages and the evaluation all enter here, so what is measured is
what is served. A Searcher is safe to use from many threads.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import Literal

from corpus.errors import QueryError
from corpus.model import Document, Passage, Reading, Theme
from indexer.analyse import distinct
from indexer.embed import Vectors
from indexer.store import Store, open_store
from search_api import answer as answering
from search_api import contacts, scope
from search_api.answer import Sheet, Weighed
from search_api.concepts import concepts_of
from search_api.cover import holds
from search_api.diversify import Found, diversify, known_of
from search_api.facets import facets_of
from search_api.headline import (
    IN_DOUBT,
    comparison_summary,
    headline,
    not_found_reason,
    standing,
)
from search_api.judge import Asked, ask_for
from search_api.medical import is_personal_medical
from search_api.model import (
    MOST_CHARACTERS,
    MOST_RESULTS,
    MOST_THEMES,
    SEEN,
    Answer,
    Cell,
    Citation,
    Commitments,
    ComparedSystem,
    ComparedTheme,
    Comparison,
    Filters,
    Hit,
    Order,
    Priorities,
    Query,
    Searched,
    SearchResult,
    SystemAnswer,
    Understood,
    Verified,
)
from search_api.naming import listed
from search_api.priorities import DeclaredAnswer, answered_by, gather
from search_api.rerank import open_reranker, reranked
from search_api.retrieve import Candidate, Scope, retrieve, scope_of, text_to_embed
from search_api.settings import SearchSettings
from search_api.topics import ThemeWords, theme_of
from search_api.understand import Understander, asks_for_priorities
from search_api.weighing import Weigher
from search_api.whom import asks_across


class Searcher:
    """Answers questions from one generation of an index.

    Example:
        >>> searcher = open_searcher(SearchSettings())
        >>> answer = searcher.ask(Query("what do other ICSs say about dementia", home="sefton"))
    """

    def __init__(self, store: Store, settings: SearchSettings) -> None:
        """Answer from a store that is open.

        Raises:
            ModelError: a reranker is set and cannot be loaded.
        """
        self.store = store
        self.settings = settings
        self._understander = Understander(store)
        self._reranker = open_reranker(settings.reranker) if settings.reranker else None
        self._query_vector = lru_cache(maxsize=2_000)(store.encoder.query)
        self._weigher = Weigher(store, settings, self._vector_of)
        # Each Searcher has one generation, so what it answered stays right.
        self._searched = lru_cache(maxsize=settings.answers_kept)(self._search)
        self._asked = lru_cache(maxsize=settings.answers_kept)(self._ask)

    @property
    def index_id(self) -> str:
        """The generation that answers."""
        return self.store.manifest.index_id

    def search(self, query: Query) -> SearchResult:
        """Passages for a question, best first.

        Raises:
            QueryError: the question, a filter or the limit is not usable.
            UnknownId: a system or document is not in the index.
        """
        started = time.perf_counter()
        result = self._searched(query)
        return replace(result, took_ms=round((time.perf_counter() - started) * 1000, 3))

    def _search(self, query: Query) -> SearchResult:
        if not 1 <= query.limit <= MOST_RESULTS:
            raise QueryError(f"The limit must be from 1 to {MOST_RESULTS}.", field="limit")
        understood, documents, notes = self._prepare(query)
        vector, whole = self._vector_of(understood), scope_of(self.store, documents)
        candidates = retrieve(self.store, understood, vector, whole, self.settings)
        known = known_of(self.store, candidates)
        found = [one for one in known if one.gist.form != "contents"]
        if self._reranker is not None:
            first = self._read(found[: self.settings.reranked])
            found = reranked(self._reranker, understood.subject, found, first)
        kept = self._wanted(understood, found)
        if not kept and understood.phrases:
            # A quotation that stands nowhere still says what is looked for.
            kept = self._wanted(replace(understood, phrases=()), found)
            quoted = ", ".join(f"“{p}”" for p in understood.phrases)
            notes = (*notes, f"No passage found holds {quoted} word for word.")
        one_system = bool(query.filters.system or understood.systems)
        shown = diversify(kept, self._read, not one_system, asks_across(understood.text))
        hits = self._hits(shown, query.limit)
        higher = self._put_higher(understood, vector, hits)
        cautions = scope.cautions(self.store, (h.passage.document_id for h in hits))
        return SearchResult(
            query=query.text,
            understood=replace(understood, notes=understood.notes + higher),
            hits=hits,
            facets=facets_of(self.store, [one.document for one in shown]),
            notes=notes + higher + cautions,
            index_id=self.index_id,
            took_ms=0.0,
        )

    def ask(self, query: Query) -> Answer:
        """A cited answer by system, strongest statements first, with proof of silence.

        Raises:
            QueryError: the question or a filter is not usable.
            UnknownId: a system or document is not in the index.
        """
        return self._asked(query)

    def _ask(self, query: Query) -> Answer:
        understood, documents, notes = self._prepare(query)
        sheet = Sheet(self.store)
        scopes = scope.by_system(self.store, documents)
        asked = ask_for(understood, self.store, self._vector_of(understood))
        outside = bool(understood.outside and not understood.systems)
        refused = outside or is_personal_medical(understood.text)
        declared = None
        if asks_for_priorities(understood.subject) and not refused:
            declared = self._declared(scopes, query.home)
            notes += declared.notes
        weighed: dict[str, list[Weighed]] = {s: [] for s in scopes}
        if not refused:
            weighed = self._weigher.weighed(*self._named(understood, asked), scopes)
        spoken = answering.spoken_to(asked, weighed)
        answers = []
        for system, own in scopes.items():
            if declared and system in declared.said:
                answers.append(declared.said[system])
                continue
            found = [
                w for w in spoken[system] if holds(understood, w.stated.text + w.stated.around)
            ]
            answers.append(
                answering.system_answer(self.store, system, own, weighed[system], found, sheet)
            )
        answered = any(a.statements for a in answers)
        citations = (*(declared.citations if declared else ()), *self._clear(sheet.citations))
        told = declared.headline if declared else None
        if not refused and not any(s.sure for a in answers for s in a.statements):
            nowhere = self._understander.nowhere(understood, answered)
            understood = replace(understood, notes=understood.notes + nowhere)
            notes = nowhere + notes
        return Answer(
            query=query.text,
            understood=understood,
            status="answered" if answered else "not_found",
            reason=None if answered else not_found_reason(understood, answers, asked),
            headline=told or headline(understood, answers, asked),
            systems=tuple(sorted(answers, key=_by_strength)),
            citations=citations,
            searched=answering.searched_all(answers),
            notes=tuple(dict.fromkeys(notes + scope.level_notes(self.store, scopes)))
            + scope.cautions(self.store, (c.document_id for c in citations)),
            index_id=self.index_id,
        )

    def _declared(self, scopes: Mapping[str, Scope], home: str | None) -> DeclaredAnswer:
        """What systems declare, for who asks for priorities as such."""
        return answered_by(
            self._gathered({s: own.documents for s, own in scopes.items()}, home, ())
        )

    def compare(
        self, themes: Sequence[str], home: str | None = None, filters: Filters | None = None
    ) -> Comparison:
        """Themes by systems: what each says, how strongly, and where it is silent.

        Args:
            themes: ids or labels of catalogue themes, or free text.
            home: the asker's own system, kept and marked.

        Raises:
            QueryError: a theme or filter is not usable, or there are too many themes.
            UnknownId: a system or document is not in the index.
        """
        if not 1 <= len(themes) <= MOST_THEMES:
            raise QueryError(f"Give 1 to {MOST_THEMES} themes.", field="theme")
        filters = filters or Filters()
        documents, notes = self._documents(filters, home)
        sheet = Sheet(self.store)
        scopes = scope.by_system(self.store, documents)
        sizes = {s: answering.searched_in(self.store, own) for s, own in scopes.items()}
        compared, cells = [], []
        for text in themes:
            theme, understood, asked = self._theme(text)
            if theme in compared:
                continue
            compared.append(theme)
            weighed = self._weigher.weighed(understood, asked, scopes)
            spoken = answering.spoken_to(asked, weighed)
            for system, own in scopes.items():
                found = spoken[system]
                cells.append(
                    self._cell(theme, system, own, weighed[system], found, sizes[system], sheet)
                )
        bodies = tuple(
            ComparedSystem(
                id=s,
                name=self.store.systems[s].name,
                level=self.store.systems[s].level,
                home=s == home,
                superseded=all(d.status == "superseded" for d in scopes[s].documents),
            )
            for s in scopes
        )
        return Comparison(
            themes=tuple(compared),
            systems=bodies,
            cells=tuple(cells),
            summary=comparison_summary(compared, bodies, cells),
            citations=self._clear(sheet.citations),
            notes=notes
            + scope.level_notes(self.store, scopes)
            + scope.cautions(self.store, (c.document_id for c in sheet.citations)),
            index_id=self.index_id,
        )

    def commitments(
        self,
        *,
        theme: str | None = None,
        home: str | None = None,
        filters: Filters | None = None,
        due_before: str | None = None,
        limit: int = 50,
        offset: int = 0,
        sort: Order = "due",
    ) -> Commitments:
        """The register of commitments: every dated or measured promise, filtered and paged.

        Raises:
            QueryError: a filter is not usable.
            UnknownId: a system or document is not in the index.
        """
        from search_api.commitments import commitments

        filters = filters or Filters()
        documents, notes = self._documents(filters, home)
        found = commitments(self.store, filters, documents, theme, due_before, limit, offset, sort)
        cautions = scope.cautions(self.store, (c.document_id for c in found.commitments))
        found = replace(found, notes=notes + found.notes + cautions)
        if self.settings.mask_contacts:
            kept = contacts.clear_commitments(self.store, found.commitments)
            found = replace(found, commitments=kept)
        return found

    def priorities(self, home: str | None = None, filters: Filters | None = None) -> Priorities:
        """The priorities that each system declares, side by side, linked to themes.

        Example:
            >>> found = searcher.priorities(home="sefton")  # doctest: +SKIP

        Raises:
            QueryError: a filter is not usable.
            UnknownId: a system or document is not in the index.
        """
        documents, notes = self._documents(filters or Filters(), home)
        scopes = scope.by_system(self.store, documents)
        return self._gathered({s: own.documents for s, own in scopes.items()}, home, notes)

    def _gathered(
        self,
        own: Mapping[str, Sequence[Document]],
        home: str | None,
        notes: tuple[str, ...],
    ) -> Priorities:
        scopes = {s: scope_of(self.store, documents) for s, documents in own.items()}
        searched = {s: answering.searched_in(self.store, found) for s, found in scopes.items()}
        notes += scope.level_notes(self.store, own)
        found = gather(self.store, own, home, searched, notes)
        return contacts.clear_priorities(found) if self.settings.mask_contacts else found

    def verify(self, citations: Sequence[Mapping[str, object]]) -> list[Verified]:
        """Whether each citation still stands in this generation's documents, in order."""
        from search_api.verify import verify_citations

        return verify_citations(citations, self.store)

    def document(self, document_id: str) -> tuple[Document, Reading]:
        """A document and what was read of it.

        Raises:
            UnknownId: it is not in the index.
        """
        document = scope.known_document(self.store, document_id)
        return document, self.store.reading(document_id)

    def _prepare(self, query: Query) -> tuple[Understood, list[Document], tuple[str, ...]]:
        if query.home is not None:
            scope.known_system(self.store, query.home, "home")
        understood = self._understander.understand(query.text, query.home)
        documents, notes = self._documents(query.filters, query.home)
        kept = [d for d in documents if d.system not in understood.excluded_systems]
        if understood.systems and not query.filters.system:
            kept = [d for d in kept if d.system in understood.systems]
        return understood, kept, tuple(dict.fromkeys(understood.notes + notes))

    def _documents(
        self, filters: Filters, home: str | None
    ) -> tuple[list[Document], tuple[str, ...]]:
        documents, notes = scope.filtered(self.store, filters, home)
        return documents, (contacts.NOTE, *notes) if self.settings.mask_contacts else notes

    def _read(self, found: Sequence[Found]) -> list[Passage]:
        """The passages of candidates."""
        return self.store.passages([one.candidate.row for one in found])

    def _wanted(self, understood: Understood, found: list[Found]) -> list[Found]:
        """Candidates that hold what was quoted and nothing that was ruled out."""
        if not (understood.phrases or understood.without):
            return found
        texts = (passage.text for passage in self._read(found))
        return [one for one, text in zip(found, texts, strict=True) if holds(understood, text)]

    def _hits(self, shown: Sequence[Found], limit: int) -> tuple[Hit, ...]:
        """The first candidates as they are shown."""
        masked = self.settings.mask_contacts
        some = shown if masked else shown[:limit]  # what is masked whole gives way to the next
        hits = (
            Hit(rank, round(one.candidate.score, 5), _matched_by(one.candidate), passage)
            for rank, (one, passage) in enumerate(zip(some, self._read(some), strict=True), start=1)
        )
        return tuple(islice(contacts.clear_hits(self.store, hits) if masked else hits, limit))

    def _put_higher(
        self, understood: Understood, vector: Vectors, hits: Sequence[Hit]
    ) -> tuple[str, ...]:
        """What is told of the concepts that a question is about, if the asker did not name them."""
        concepts = concepts_of(self.store)
        said = " ".join((understood.subject, *(e.to for e in understood.expansions)))
        found = [hit.passage.text for hit in hits]
        terms = concepts.unsaid(concepts.about(vector), distinct(said), found)
        return (f"Passages on {listed(terms)} were put higher.",) if terms else ()

    def _vector_of(self, understood: Understood) -> Vectors:
        return self._query_vector(text_to_embed(understood))

    def _clear(self, citations: tuple[Citation, ...]) -> tuple[Citation, ...]:
        return contacts.clear_citations(citations) if self.settings.mask_contacts else citations

    def _named(self, understood: Understood, asked: Asked) -> tuple[Understood, Asked]:
        """A question about a theme as the theme itself, so that each wording finds the same."""
        if asked.theme is None:
            return understood, asked
        named = self._understander.understand(asked.theme.label, None)
        found = ask_for(named, self.store, self._vector_of(named))
        return named, replace(found, theme=asked.theme, amount=asked.amount)

    def _theme(self, text: str) -> tuple[ComparedTheme, Understood, Asked]:
        text = " ".join(text.split())
        if not SEEN.search(text) or len(text) > MOST_CHARACTERS:
            raise QueryError(
                f"A theme must have 1 to {MOST_CHARACTERS:,} characters.", field="theme"
            )
        known: Theme | None = self.store.themes.get(text) or theme_of(
            text, self.store.themes.values()
        )
        understood = self._understander.understand(known.label if known else text, None)
        asked = ask_for(understood, self.store, self._vector_of(understood))
        if known is None:
            return ComparedTheme(text, text), understood, asked
        asked = replace(asked, theme=ThemeWords.of(known))
        return ComparedTheme(known.id, known.label), understood, asked

    def _cell(
        self,
        theme: ComparedTheme,
        system: str,
        own: Scope,
        weighed: Sequence[Weighed],
        found: Sequence[Weighed],
        searched: Searched,
        sheet: Sheet,
    ) -> Cell:
        said = answering.system_answer(self.store, system, own, weighed, found, sheet)
        return Cell(
            theme=theme.id,
            system=system,
            status=said.status,
            ladder=said.ladder,
            statements=said.statements,
            nearest=said.nearest,
            searched=searched,
            emphasis=round(100 * len(found) / max(1, searched.passages), 2),
        )


def _matched_by(candidate: Candidate) -> tuple[Literal["lexical", "dense"], ...]:
    return ("lexical", "dense") if candidate.lexical else ("dense",)


def _by_strength(said: SystemAnswer) -> int:
    order = ("commits", "says", "mentions", IN_DOUBT, "unreadable", "silent")
    return order.index(standing(said.status, said.statements))


def open_searcher(settings: SearchSettings, index_id: str | None = None) -> Searcher:
    """A Searcher on the current generation of an index, or on a named one."""
    return Searcher(open_store(settings.index, index_id, settings.threads), settings)
