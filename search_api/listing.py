"""The members of a list in a document: which lines belong to it, and the words of each.

Members are numbered lines, headings beneath a heading, list items, or paragraphs that each read as
a line. A list with a member that cannot be quoted is no list.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from corpus.model import Reading, Section
from indexer.analyse import terms
from indexer.statements import sentences
from search_api.declaring import (
    LABELLED,
    NUMBERED,
    announced_in,
    before_item,
    counted_in,
    points_to_a_list,
    says_what_to_do,
    unlabelled,
)

FEWEST, MOST_MEMBERS = 2, 15
LONGEST_ITEM = 60
LONGEST_LINE = 45
LONGEST_PART = 30
LEADS = 3
"""So many paragraphs may stand between a heading and its list."""


@dataclass(frozen=True, slots=True)
class Item:
    """One declared priority: its range, its number if it has one, and the areas named under it."""

    start: int
    end: int
    number: int | None = None
    parts: tuple["Item", ...] = ()


class Listing:
    """The sections of one document, and the members of the lists in it."""

    def __init__(self, reading: Reading) -> None:
        """The document that was read, without its pages of contents."""
        self.text = reading.text
        self.sections = [s for s in reading.sections if s.form != "contents"]

    # Members of a list

    def beneath(self, at: int, count: int | None, leads: int = LEADS) -> tuple[Item, ...]:
        """The members of the list under a heading: numbered, child headings, items or lines."""
        end = self._end_of(at)
        first = at + 1
        lead: list[str] = []
        while first < end and len(lead) <= leads:
            section = self.sections[first]
            if section.form != "prose":
                break
            if lines := self._lines(first, end, count):
                return lines
            lead.append(self.words(section))
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
        if self.sections[first].form == "heading":
            return self._children(first, end)
        return self._listed(first, end)

    def following(self, first: int, count: int | None) -> tuple[Item, ...]:
        """The members of the list that starts at a section."""
        if first >= len(self.sections):
            return ()
        end = len(self.sections)
        run = self._numbered_run(first, end)
        if len(run) >= FEWEST:
            return run
        if self.sections[first].form == "list_item":
            return self._listed(first, end)
        return self._lines(first, end, count) if count else ()

    def _children(self, first: int, end: int) -> tuple[Item, ...]:
        """The headings of the level that comes first, up to one above it; the labelled if some are.

        Levels of a PDF follow the size of its letters: the first heading beneath sets the level.
        """
        level = self.sections[first].level
        inner = [s for s in self.sections[first:end] if s.form == "heading" and s.level]
        children = list(takewhile(lambda s: s.level >= level, inner))
        children = [s for s in children if s.level == level]
        labelled = [s for s in children if self.labelled(s)]
        chosen = labelled if len(labelled) >= FEWEST else children
        return whole(self.item(s.start, s.end) for s in chosen)

    def _numbered_run(self, first: int, end: int) -> tuple[Item, ...]:
        """Neighbouring sections of any form that are numbered 1, 2, 3."""
        items: list[Item] = []
        for section in self.sections[first:end]:
            match = NUMBERED.match(self.words(section))
            if match is None or int(match["number"]) != len(items) + 1:
                break
            item = self.item(section.start, section.end)
            if item is None:
                break
            items.append(item)
        return tuple(items)

    def _listed(self, first: int, end: int) -> tuple[Item, ...]:
        """Neighbouring list items; a number that starts anew ends the list."""
        items: list[Item | None] = []
        before = 0
        for section in self.sections[first:end]:
            match = NUMBERED.match(self.words(section))
            if section.form != "list_item" or (match and int(match["number"]) <= before):
                break
            before = int(match["number"]) if match else before
            items.append(self.item(section.start, section.end))
        return whole(items)

    def _lines(self, first: int, end: int, count: int | None) -> tuple[Item, ...]:
        """Paragraphs that are each a line of a list: as many as are counted, or all there are."""
        last = end if count is None else min(end, first + count)
        sections = self.sections[first:last]
        if count is not None and len(sections) < count:
            return ()
        if any(s.form != "prose" or not self._is_line(s, count) for s in sections):
            return ()
        return whole(self.item(s.start, s.end) for s in sections)

    def _is_line(self, section: Section, count: int | None) -> bool:
        """Whether a paragraph reads as a line of a list, not as running text."""
        text = self.words(section)
        if len(text.split()) > (LONGEST_LINE if count else LONGEST_PART) or text.endswith(":"):
            return False
        return not text.endswith((".", "!", "?")) or says_what_to_do(text)

    def _end_of(self, at: int) -> int:
        """The section after the last under a heading; the same heading again goes on with it."""
        level, name = self.sections[at].level, self.words(self.sections[at]).casefold()
        for after in range(at + 1, len(self.sections)):
            section = self.sections[after]
            if section.form != "heading" or section.level == 0 or section.level > level:
                continue
            if self.words(section).casefold() != name:
                return after
        return len(self.sections)

    def labelled(self, section: Section) -> re.Match[str] | None:
        """ "Priority 1" at the head of a heading, list item or short line."""
        if section.form == "table_row" or (section.form == "heading" and section.level == 0):
            return None
        text = self.words(section)
        at = len(before_item(text))
        match = LABELLED.match(text, at)
        return match if match and len(text.split()) <= LONGEST_PART else None

    def item_of_label(self, at: int, match: re.Match[str]) -> Item | None:
        """The labelled line; where the label stands alone, with the line beneath it."""
        section = self.sections[at]
        end = section.end
        if match.end() >= len(self.words(section).rstrip(" *")):
            if at + 1 >= len(self.sections):
                return None
            after = self.sections[at + 1]
            if after.form == "table_row" or not self._is_line(after, None):
                return None
            end = after.end
        item = self.item(section.start, end)
        return replace(item, number=int(match["number"])) if item else None

    def with_parts(self, item: Item, headline: set[str]) -> Item:
        """A priority with the areas that stand under a heading of its name, directly."""
        for at, section in enumerate(self.sections):
            if section.form != "heading" or section.level == 0:
                continue
            if self.key(Item(section.start, section.end)) != self.key(item):
                continue
            parts = self.beneath(at, None, leads=0)
            short = all(len(self.words(p).split()) <= LONGEST_PART for p in parts)
            if is_a_list(parts) and short and not any(self.key(p) in headline for p in parts):
                return replace(item, parts=parts)
        return item

    def key(self, item: Item) -> str:
        """A member's words without label, number, case and spacing."""
        return " ".join(unlabelled(self.words(item)).casefold().rstrip(".;,").split())

    def stems(self, item: Item) -> frozenset[str]:
        """The stems of a member's words."""
        return frozenset(terms(self.key(item)))

    # Words and ranges

    def words(self, of: Section | Item) -> str:
        """The text of a section or member."""
        return self.text[of.start : of.end]

    def item(self, start: int, end: int) -> Item | None:
        """A member without its number and bullet; of a long one, the first sentence."""
        start, end = self.trimmed(start, end)
        text = self.text[start:end]
        number = NUMBERED.match(text)
        start += len(before_item(text))
        if len(self.text[start:end].split()) > LONGEST_ITEM:
            first = next(sentences(self.text[start:end]), (0, 0))
            end = start + first[1]
        start, end = self.trimmed(start, end)
        if end <= start or not re.search(r"[^\W\d_]{3}", self.text[start:end]):
            return None
        if len(self.text[start:end].split()) > LONGEST_ITEM:
            return None
        number = number or LABELLED.match(self.text[start:end])
        return Item(start, end, int(number["number"]) if number else None)

    def trimmed(self, start: int, end: int) -> tuple[int, int]:
        """A range without the space, stars and commas at its ends."""
        while start < end and self.text[start] in " \t\n*":
            start += 1
        while end > start and self.text[end - 1] in " \t\n*;,":
            end -= 1
        return start, end


def whole(items: Sequence[Item | None] | Iterator[Item | None]) -> tuple[Item, ...]:
    """The members if each can be quoted; none otherwise, since a list with holes misleads."""
    found = list(items)
    return () if None in found else tuple(i for i in found if i is not None)


def is_a_list(items: Sequence[Item]) -> bool:
    """Whether there are neither too few members nor too many."""
    return FEWEST <= len(items) <= MOST_MEMBERS
