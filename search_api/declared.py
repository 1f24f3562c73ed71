"""The priorities that a document declares, found by rules in its canonical text.

A document declares a list in one of five ways, and each list found says in which:

* heading: a heading names it ("Our strategic priorities") and the list stands beneath
* sentence: a sentence announces it ("We have identified three main strategic priority areas:")
* numbered: lines are numbered as priorities wherever they stand ("Priority 1: ...")
* table: a column of a table is headed "Priority"
* opening: the text lost its headings; it opens by speaking of its priorities, and lines of one form
  that each say what to do stand together. A guess, and shown as one.

Lists of somebody else's priorities (the nation's, another strategy's) are passed over, and so are
lists that only point to the lists themselves. What a document calls principles, enablers or themes
that help is *supporting*, not headline. docs/priorities.md explains the rules to readers.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from corpus.model import Reading, Section
from indexer.statements import sentences
from indexer.store import Store
from search_api.declaring import (
    ANY_NOUN,
    COLUMN,
    PRIORITY_WORD,
    THROUGHOUT,
    Rank,
    alike_in_stems,
    announced_after,
    announced_in,
    called_in_heading,
    counted_in,
    counted_out_in,
    says_what_to_do,
)
from search_api.derived import by_document, once_a_store
from search_api.listing import FEWEST, LONGEST_PART, Item, Listing, is_a_list
from search_api.serialise import to_json

Basis = Literal["heading", "sentence", "numbered", "table", "opening"]

OPENING = 4
"""A text without headings must speak of its priorities in so many first paragraphs."""
RULES = (
    "search_api.declared",
    "search_api.listing",
    "search_api.declaring",
    "search_api.wording",
    "indexer.statements",
    "indexer.analyse",
)
"""What decides what is found: what was kept is of no use once one of these changes."""
BASES: tuple[Basis, ...] = ("heading", "sentence", "numbered", "table", "opening")


@dataclass(frozen=True, slots=True)
class Declared:
    """A list that a document declares.

    `start` and `end` are the words that declare it; `called` is what they call it. `also` are the
    places at which the document says the same list again; `missing` the numbers that were not
    found among those of a numbered list.
    """

    called: str
    basis: Basis
    rank: Rank
    start: int
    end: int
    items: tuple[Item, ...]
    missing: tuple[int, ...] = ()
    also: tuple[tuple[int, int], ...] = ()


@once_a_store
def declared_of(store: Store) -> dict[str, tuple[Declared, ...]]:
    """What each document of an index declares: kept beside it, or found now."""
    found = by_document(
        store, "priorities", RULES, lambda d: to_json(declared_in(store.reading(d.id)))
    )
    return {d: tuple(_declared(entry) for entry in entries) for d, entries in found.items()}


def _declared(entry: dict[str, Any]) -> Declared:
    items = tuple(_item(item) for item in entry["items"])
    also = tuple((start, end) for start, end in entry["also"])
    return Declared(**entry | {"items": items, "also": also, "missing": tuple(entry["missing"])})


def _item(entry: dict[str, Any]) -> Item:
    return Item(**entry | {"parts": tuple(_item(part) for part in entry["parts"])})


def declared_in(reading: Reading) -> tuple[Declared, ...]:
    """The lists of priorities that a document declares, headline first, then in its order."""
    document = _Document(reading)
    found = [*document.by_heading(), *document.by_sentence(), *document.by_number()]
    if not any(d.rank == "headline" for d in found):
        found += [*document.by_table(), *document.by_opening()]
    if any(d.rank == "headline" and PRIORITY_WORD.search(d.called) for d in found):
        # Beside priorities, goals and themes are headline only where they cut across everything.
        found = [
            d
            if PRIORITY_WORD.search(d.called) or THROUGHOUT.search(d.called)
            else replace(d, rank="supporting")
            for d in found
        ]
    kept = document.distinct(found)
    if not any(d.rank == "headline" for d in kept):
        return ()
    kept.sort(key=lambda d: (d.rank == "supporting", d.items[0].start))
    headline = {document.key(i) for d in kept if d.rank == "headline" for i in d.items}
    return tuple(
        replace(d, items=tuple(document.with_parts(i, headline) for i in d.items)) for d in kept
    )


class _Document(Listing):
    """The sections of one document, and the ways in which they may declare a list."""

    # The five ways

    def by_heading(self) -> Iterator[Declared]:
        """Lists beneath headings that name them."""
        for at, section in enumerate(self.sections):
            if section.form != "heading" or section.level == 0:
                continue
            called = called_in_heading(self.words(section))
            if called is None:
                continue
            items = self.beneath(at, counted_in(self.words(section)))
            if is_a_list(items):
                place = self.trimmed(section.start, section.end)
                yield Declared(called[0], "heading", called[1], *place, items)

    def by_sentence(self) -> Iterator[Declared]:
        """Lists that a sentence announces."""
        for at, section in enumerate(self.sections):
            if section.form not in ("prose", "list_item"):
                continue
            text = self.words(section)
            called, count = announced_in(text), counted_in(text)
            before = self.words(self.sections[at - 1]) if at else ""
            called = called or announced_after(text, before)
            sure = called is not None
            if not sure:
                called = counted_out_in(text)
            if called is None:
                continue
            items = self.following(at + 1, count)
            if is_a_list(items) and (sure or len(items) == count):
                *_, (start, end) = sentences(text)
                place = section.start + start, section.start + end
                yield Declared(called, "sentence", "headline", *place, items)

    def by_number(self) -> Iterator[Declared]:
        """Runs of lines that are numbered as priorities, themes, ambitions and so on."""
        runs: dict[str, list[dict[int, Item]]] = {}
        for at, section in enumerate(self.sections):
            match = self.labelled(section)
            if match is None:
                continue
            noun, number = match["noun"].lower(), int(match["number"])
            item = self.item_of_label(at, match)
            if item is None:
                continue
            of_noun = runs.setdefault(noun, [{}])
            if number in of_noun[-1]:
                of_noun.append({})
            of_noun[-1][number] = item
        for noun, found in runs.items():
            for run in found:
                numbers = sorted(run)
                whole = range(1, numbers[-1] + 1)
                if len(run) < FEWEST or numbers[0] != 1 or 3 * len(run) < 2 * len(whole):
                    continue
                items = tuple(run[n] for n in numbers)
                first = items[0]
                missing = tuple(n for n in whole if n not in run)
                plural = re.sub(r"y$", "ies", noun) if noun.endswith("y") else noun + "s"
                yield Declared(plural, "numbered", "headline", *_place(first), items, missing)

    def by_table(self) -> Iterator[Declared]:
        """Columns headed "Priority", a row each."""
        tables: dict[tuple[str, ...], list[Item]] = {}
        heads: dict[tuple[str, ...], Section] = {}
        head = None
        for section in self.sections:
            if section.form == "heading" and section.level == 0:
                head = section
            if section.form != "table_row" or not section.cells or head is None:
                continue
            first = section.cells[0]
            if not COLUMN.fullmatch(first.header.strip()):
                continue
            columns = tuple(c.header for c in section.cells)
            item = self.item(first.start, first.end)
            if item is not None:
                tables.setdefault(columns, []).append(item)
                heads.setdefault(columns, head)
        for columns, found in tables.items():
            items = tuple({self.key(i): i for i in reversed(found)}.values())[::-1]
            if is_a_list(items):
                section = heads[columns]
                yield Declared(columns[0], "table", "headline", section.start, section.end, items)

    def by_opening(self) -> Iterator[Declared]:
        """Lines of one form in a text without headings that opens by speaking of its priorities."""
        if any(s.form == "heading" for s in self.sections):
            return
        for opening in self.sections[:OPENING]:
            text = self.words(opening)
            if re.search(r"\bour (?:[\w-]+ ){0,3}priorities\b", text, re.IGNORECASE):
                start, end = next(sentences(text))
                break
        else:
            return
        run: list[Item] = []
        runs = [run]
        for section in self.sections:
            text = self.words(section)
            if (
                section.form == "prose"
                and len(text.split()) <= LONGEST_PART
                and says_what_to_do(text)
            ):
                item = self.item(section.start, section.end)
                if item is not None:
                    run.append(item)
                    continue
            run = []
            runs.append(run)
        place = opening.start + start, opening.start + end
        for found in runs:
            if len(found) > FEWEST and is_a_list(found):
                yield Declared("priorities", "opening", "headline", *place, tuple(found))

    # One list, once

    def distinct(self, found: Sequence[Declared]) -> list[Declared]:
        """The lists without those that only point to others, and each list once."""
        own = [d for d in found if not self._points_to_lists(d)]
        own.sort(
            key=lambda d: (
                d.rank == "supporting",
                not PRIORITY_WORD.search(d.called),
                -len(d.items),
                BASES.index(d.basis),
                d.start,
            )
        )
        kept: list[Declared] = []
        for declared in own:
            same = next((k for k in kept if self._same(k, declared)), None)
            if same is None:
                kept.append(declared)
            else:
                place = declared.start, declared.end
                kept[kept.index(same)] = replace(same, also=(*same.also, place))
        return kept

    def _points_to_lists(self, declared: Declared) -> bool:
        """Whether its members are names of lists: "1. Cross cutting themes 2. Enablers"."""
        names = [ANY_NOUN.search(self.words(i)) and _short(self.words(i)) for i in declared.items]
        return 2 * sum(map(bool, names)) >= len(names)

    def _same(self, one: Declared, other: Declared) -> bool:
        """Whether two lists share most members of the shorter one."""
        mine = [self.stems(i) for i in one.items]
        shared = sum(any(alike_in_stems(m, self.stems(i)) for m in mine) for i in other.items)
        return 2 * shared >= min(len(one.items), len(other.items)) and shared >= 1


def _short(text: str) -> bool:
    return len(text.split()) <= 5


def _place(item: Item) -> tuple[int, int]:
    return item.start, item.end
