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
from itertools import takewhile
from typing import Any, Literal

from corpus.model import Reading, Section
from indexer.analyse import terms
from indexer.statements import sentences
from indexer.store import Store
from search_api.declaring import (
    ANY_NOUN,
    COLUMN,
    LABELLED,
    NUMBERED,
    PRIORITY_WORD,
    THROUGHOUT,
    Rank,
    alike_in_stems,
    announced_after,
    announced_in,
    before_item,
    called_in_heading,
    counted_in,
    counted_out_in,
    points_to_a_list,
    says_what_to_do,
    unlabelled,
)
from search_api.derived import by_document, once_a_store
from search_api.serialise import to_json

Basis = Literal["heading", "sentence", "numbered", "table", "opening"]

FEWEST, MOST_MEMBERS = 2, 15
LONGEST_ITEM = 60
LONGEST_LINE = 45
LONGEST_PART = 30
LEADS = 3
"""So many paragraphs may stand between a heading and its list."""
OPENING = 4
"""A text without headings must speak of its priorities in so many first paragraphs."""
RULES = (
    "search_api.declared",
    "search_api.declaring",
    "search_api.wording",
    "indexer.statements",
    "indexer.analyse",
)
"""What decides what is found: what was kept is of no use once one of these changes."""
BASES: tuple[Basis, ...] = ("heading", "sentence", "numbered", "table", "opening")


@dataclass(frozen=True, slots=True)
class Item:
    """One declared priority: its range, its number if it has one, and the areas named under it."""

    start: int
    end: int
    number: int | None = None
    parts: tuple["Item", ...] = ()


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


class _Document:
    """The sections of one document, and the ways in which they may declare a list."""

    def __init__(self, reading: Reading) -> None:
        self._text = reading.text
        self._sections = [s for s in reading.sections if s.form != "contents"]

    # The five ways

    def by_heading(self) -> Iterator[Declared]:
        """Lists beneath headings that name them."""
        for at, section in enumerate(self._sections):
            if section.form != "heading" or section.level == 0:
                continue
            called = called_in_heading(self._words(section))
            if called is None:
                continue
            items = self._beneath(at, counted_in(self._words(section)))
            if _is_a_list(items):
                place = self._trimmed(section.start, section.end)
                yield Declared(called[0], "heading", called[1], *place, items)

    def by_sentence(self) -> Iterator[Declared]:
        """Lists that a sentence announces."""
        for at, section in enumerate(self._sections):
            if section.form not in ("prose", "list_item"):
                continue
            text = self._words(section)
            called, count = announced_in(text), counted_in(text)
            before = self._words(self._sections[at - 1]) if at else ""
            called = called or announced_after(text, before)
            sure = called is not None
            if not sure:
                called = counted_out_in(text)
            if called is None:
                continue
            items = self._following(at + 1, count)
            if _is_a_list(items) and (sure or len(items) == count):
                *_, (start, end) = sentences(text)
                place = section.start + start, section.start + end
                yield Declared(called, "sentence", "headline", *place, items)

    def by_number(self) -> Iterator[Declared]:
        """Runs of lines that are numbered as priorities, themes, ambitions and so on."""
        runs: dict[str, list[dict[int, Item]]] = {}
        for at, section in enumerate(self._sections):
            match = self._labelled(section)
            if match is None:
                continue
            noun, number = match["noun"].lower(), int(match["number"])
            item = self._item_of_label(at, match)
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
        for section in self._sections:
            if section.form == "heading" and section.level == 0:
                head = section
            if section.form != "table_row" or not section.cells or head is None:
                continue
            first = section.cells[0]
            if not COLUMN.fullmatch(first.header.strip()):
                continue
            columns = tuple(c.header for c in section.cells)
            item = self._item(first.start, first.end)
            if item is not None:
                tables.setdefault(columns, []).append(item)
                heads.setdefault(columns, head)
        for columns, found in tables.items():
            items = tuple({self.key(i): i for i in reversed(found)}.values())[::-1]
            if _is_a_list(items):
                section = heads[columns]
                yield Declared(columns[0], "table", "headline", section.start, section.end, items)

    def by_opening(self) -> Iterator[Declared]:
        """Lines of one form in a text without headings that opens by speaking of its priorities."""
        if any(s.form == "heading" for s in self._sections):
            return
        for opening in self._sections[:OPENING]:
            text = self._words(opening)
            if re.search(r"\bour (?:[\w-]+ ){0,3}priorities\b", text, re.IGNORECASE):
                start, end = next(sentences(text))
                break
        else:
            return
        run: list[Item] = []
        runs = [run]
        for section in self._sections:
            text = self._words(section)
            if (
                section.form == "prose"
                and len(text.split()) <= LONGEST_PART
                and says_what_to_do(text)
            ):
                item = self._item(section.start, section.end)
                if item is not None:
                    run.append(item)
                    continue
            run = []
            runs.append(run)
        place = opening.start + start, opening.start + end
        for found in runs:
            if len(found) > FEWEST and _is_a_list(found):
                yield Declared("priorities", "opening", "headline", *place, tuple(found))

    # Members of a list

    def _beneath(self, at: int, count: int | None, leads: int = LEADS) -> tuple[Item, ...]:
        """The members of the list under a heading: numbered, child headings, items or lines."""
        end = self._end_of(at)
        first = at + 1
        lead: list[str] = []
        while first < end and len(lead) <= leads:
            section = self._sections[first]
            if section.form != "prose":
                break
            if lines := self._lines(first, end, count):
                return lines
            lead.append(self._words(section))
            count = count or counted_in(lead[-1])
            first += 1
        if first >= end or len(lead) > leads:
            return ()
        if (
            lead
            and lead[-1].endswith(":")
            and not (announced_in(lead[-1]) or points_to_a_list(lead[-1]))
        ):
            return ()
        run = self._numbered_run(first, end)
        if len(run) > FEWEST:
            return run
        if self._sections[first].form == "heading":
            return self._children(first, end)
        return self._listed(first, end)

    def _following(self, first: int, count: int | None) -> tuple[Item, ...]:
        """The members of the list that starts at a section."""
        if first >= len(self._sections):
            return ()
        end = len(self._sections)
        run = self._numbered_run(first, end)
        if len(run) >= FEWEST:
            return run
        if self._sections[first].form == "list_item":
            return self._listed(first, end)
        return self._lines(first, end, count) if count else ()

    def _children(self, first: int, end: int) -> tuple[Item, ...]:
        """The headings of the level that comes first, up to one above it; the labelled if some are.

        Levels of a PDF follow the size of its letters: the first heading beneath sets the level.
        """
        level = self._sections[first].level
        inner = [s for s in self._sections[first:end] if s.form == "heading" and s.level]
        children = list(takewhile(lambda s: s.level >= level, inner))
        children = [s for s in children if s.level == level]
        labelled = [s for s in children if self._labelled(s)]
        chosen = labelled if len(labelled) >= FEWEST else children
        return _all(self._item(s.start, s.end) for s in chosen)

    def _numbered_run(self, first: int, end: int) -> tuple[Item, ...]:
        """Neighbouring sections of any form that are numbered 1, 2, 3."""
        items: list[Item] = []
        for section in self._sections[first:end]:
            match = NUMBERED.match(self._words(section))
            if match is None or int(match["number"]) != len(items) + 1:
                break
            item = self._item(section.start, section.end)
            if item is None:
                break
            items.append(item)
        return tuple(items)

    def _listed(self, first: int, end: int) -> tuple[Item, ...]:
        """Neighbouring list items; a number that starts anew ends the list."""
        items: list[Item | None] = []
        before = 0
        for section in self._sections[first:end]:
            match = NUMBERED.match(self._words(section))
            if section.form != "list_item" or (match and int(match["number"]) <= before):
                break
            before = int(match["number"]) if match else before
            items.append(self._item(section.start, section.end))
        return _all(items)

    def _lines(self, first: int, end: int, count: int | None) -> tuple[Item, ...]:
        """Paragraphs that are each a line of a list: as many as are counted, or all there are."""
        last = end if count is None else min(end, first + count)
        sections = self._sections[first:last]
        if count is not None and len(sections) < count:
            return ()
        if any(s.form != "prose" or not self._is_line(s, count) for s in sections):
            return ()
        return _all(self._item(s.start, s.end) for s in sections)

    def _is_line(self, section: Section, count: int | None) -> bool:
        """Whether a paragraph reads as a line of a list, not as running text."""
        text = self._words(section)
        if len(text.split()) > (LONGEST_LINE if count else LONGEST_PART) or text.endswith(":"):
            return False
        return not text.endswith((".", "!", "?")) or says_what_to_do(text)

    def _end_of(self, at: int) -> int:
        """The section after the last under a heading; the same heading again goes on with it."""
        level, name = self._sections[at].level, self._words(self._sections[at]).casefold()
        for after in range(at + 1, len(self._sections)):
            section = self._sections[after]
            if section.form != "heading" or section.level == 0 or section.level > level:
                continue
            if self._words(section).casefold() != name:
                return after
        return len(self._sections)

    def _labelled(self, section: Section) -> re.Match[str] | None:
        """ "Priority 1" at the head of a heading, list item or short line."""
        if section.form == "table_row" or (section.form == "heading" and section.level == 0):
            return None
        text = self._words(section)
        at = len(before_item(text))
        match = LABELLED.match(text, at)
        return match if match and len(text.split()) <= LONGEST_PART else None

    def _item_of_label(self, at: int, match: re.Match[str]) -> Item | None:
        """The labelled line; where the label stands alone, with the line beneath it."""
        section = self._sections[at]
        end = section.end
        if match.end() >= len(self._words(section).rstrip(" *")):
            if at + 1 >= len(self._sections):
                return None
            after = self._sections[at + 1]
            if after.form == "table_row" or not self._is_line(after, None):
                return None
            end = after.end
        item = self._item(section.start, end)
        return replace(item, number=int(match["number"])) if item else None

    def with_parts(self, item: Item, headline: set[str]) -> Item:
        """A priority with the areas that stand under a heading of its name, directly."""
        for at, section in enumerate(self._sections):
            if section.form != "heading" or section.level == 0:
                continue
            if self.key(Item(section.start, section.end)) != self.key(item):
                continue
            parts = self._beneath(at, None, leads=0)
            short = all(len(self._words(p).split()) <= LONGEST_PART for p in parts)
            if _is_a_list(parts) and short and not any(self.key(p) in headline for p in parts):
                return replace(item, parts=parts)
        return item

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
        names = [ANY_NOUN.search(self._words(i)) and _short(self._words(i)) for i in declared.items]
        return 2 * sum(map(bool, names)) >= len(names)

    def _same(self, one: Declared, other: Declared) -> bool:
        """Whether two lists share most members of the shorter one."""
        mine = [self._stems(i) for i in one.items]
        shared = sum(any(alike_in_stems(m, self._stems(i)) for m in mine) for i in other.items)
        return 2 * shared >= min(len(one.items), len(other.items)) and shared >= 1

    def key(self, item: Item) -> str:
        """A member's words without label, number, case and spacing."""
        return " ".join(unlabelled(self._words(item)).casefold().rstrip(".;,").split())

    def _stems(self, item: Item) -> frozenset[str]:
        return frozenset(terms(self.key(item)))

    # Words and ranges

    def _words(self, of: Section | Item) -> str:
        return self._text[of.start : of.end]

    def _item(self, start: int, end: int) -> Item | None:
        """A member without its number and bullet; of a long one, the first sentence."""
        start, end = self._trimmed(start, end)
        text = self._text[start:end]
        number = NUMBERED.match(text)
        start += len(before_item(text))
        if len(self._text[start:end].split()) > LONGEST_ITEM:
            first = next(sentences(self._text[start:end]), (0, 0))
            end = start + first[1]
        start, end = self._trimmed(start, end)
        if end <= start or not re.search(r"[^\W\d_]{3}", self._text[start:end]):
            return None
        if len(self._text[start:end].split()) > LONGEST_ITEM:
            return None
        number = number or LABELLED.match(self._text[start:end])
        return Item(start, end, int(number["number"]) if number else None)

    def _trimmed(self, start: int, end: int) -> tuple[int, int]:
        while start < end and self._text[start] in " \t\n*":
            start += 1
        while end > start and self._text[end - 1] in " \t\n*;,":
            end -= 1
        return start, end


def _short(text: str) -> bool:
    return len(text.split()) <= 5


def _all(items: Sequence[Item | None] | Iterator[Item | None]) -> tuple[Item, ...]:
    """The members if each can be quoted; none otherwise, since a list with holes misleads."""
    found = list(items)
    return () if None in found else tuple(i for i in found if i is not None)


def _is_a_list(items: Sequence[Item]) -> bool:
    return FEWEST <= len(items) <= MOST_MEMBERS


def _place(item: Item) -> tuple[int, int]:
    return item.start, item.end
