"""Words that mean much the same in health and care, from `thesaurus.toml`."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from corpus.errors import CatalogueError
from indexer.analyse import STOP_STEMS, tokens

FILE = Path(__file__).parent / "thesaurus.toml"
SOURCE = "words that mean much the same"
"""The source of an expansion that comes from here."""
Stems = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A word or phrase of a group. An acronym counts only where it is written in capitals."""

    stems: Stems
    text: str
    group: int

    @property
    def acronym(self) -> bool:
        """Whether it is written in capitals."""
        return self.text.isupper()


@dataclass(frozen=True, slots=True)
class Alike:
    """A phrase of a question, where it stands, and other words for it."""

    typed: str
    place: tuple[int, int]
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Thesaurus:
    """Groups of words that mean nearly the same, and short forms with what they stand for."""

    groups: tuple[tuple[str, ...], ...]
    entries: Mapping[str, tuple[Entry, ...]]
    short: Mapping[str, str]

    def alike(self, text: str) -> Iterator[Alike]:
        """Phrases of the text that a group holds, with the group's other words.

        Of phrases inside one another the longest counts: "young carers" is not "carers".
        """
        found = [(word, start, end) for word, start, end in tokens(text)]
        words = [word for word, _, _ in found]
        places = [
            (at, at + len(entry.stems), entry)
            for at, word in enumerate(words)
            for entry in self.entries.get(word, ())
            if tuple(words[at : at + len(entry.stems)]) == entry.stems
        ]
        seen: set[int] = set()
        for start, end, entry in places:
            typed = text[found[start][1] : found[end - 1][2]]
            inside = any(s <= start and end <= e and e - s > end - start for s, e, _ in places)
            if inside or entry.group in seen or (entry.acronym and not _capital(typed)):
                continue
            seen.add(entry.group)
            said = {e.text for _, _, e in places if e.group == entry.group}
            place = found[start][1], found[end - 1][2]
            yield Alike(typed, place, tuple(w for w in self.groups[entry.group] if w not in said))


def _capital(typed: str) -> bool:
    return typed.removesuffix("s").isupper()


@cache
def open_thesaurus(path: Path = FILE) -> Thesaurus:
    """The thesaurus of a file.

    Raises:
        CatalogueError: it cannot be read.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        groups = [(tuple(g["words"]), tuple(g.get("lay", ()))) for g in content["group"]]
        short = {str(k).upper(): str(v) for k, v in content.get("short", {}).items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CatalogueError(f"{path} cannot be read as a thesaurus: {error!r}.") from error
    entries: dict[str, list[Entry]] = {}
    for number, (words, lay) in enumerate(groups):
        for text in (*words, *lay):
            stems = tuple(word for word, _, _ in tokens(text))
            if any(stem not in STOP_STEMS for stem in stems):
                entries.setdefault(stems[0], []).append(Entry(stems, text, number))
    return Thesaurus(
        groups=tuple(words for words, _ in groups),
        entries={word: tuple(held) for word, held in entries.items()},
        short=short,
    )
