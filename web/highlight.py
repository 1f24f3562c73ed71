"""Which words of a text to mark: the words asked for in all their forms.

What comes back is pieces of plain text. Templates lay them out and escape them, so a text that
holds mark-up is shown as it was written and nothing here has to be trusted with HTML.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from indexer.analyse import STOP_STEMS, terms, tokens

Stems = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of plain text, marked or not."""

    text: str
    marked: bool = False


class Wanted:
    """Words and phrases to mark wherever they stand, whatever their endings."""

    def __init__(self, words: Iterable[str] = (), phrases: Iterable[str] = ()) -> None:
        """Mark each word of `words` alone, and each of `phrases` only as a whole."""
        runs: dict[str, set[Stems]] = defaultdict(set)
        for text in words:
            for stem in terms(text):
                runs[stem].add((stem,))
        for text in phrases:
            run = tuple(stem for stem, _, _ in tokens(text))
            if run and not set(run) <= STOP_STEMS:
                runs[run[0]].add(run)
        self._runs: Mapping[str, list[Stems]] = {
            first: sorted(found, key=len, reverse=True) for first, found in runs.items()
        }

    def pieces(self, text: str) -> tuple[Piece, ...]:
        """The text cut where marks begin and end; joined again it is the text.

        Example:
            >>> [p.text for p in Wanted(["carers"]).pieces("Every carer counts") if p.marked]
            ['carer']
        """
        if not self._runs:
            return (Piece(text),)
        out, done = [], 0
        for start, end in self._ranges(text):
            if start > done:
                out.append(Piece(text[done:start]))
            out.append(Piece(text[start:end], marked=True))
            done = end
        if done < len(text) or not out:
            out.append(Piece(text[done:]))
        return tuple(out)

    def _ranges(self, text: str) -> Iterable[tuple[int, int]]:
        found = list(tokens(text))
        at = 0
        while at < len(found):
            length = self._match(found, at)
            if length:
                yield found[at][1], found[at + length - 1][2]
            at += length or 1

    def _match(self, found: list[tuple[str, int, int]], at: int) -> int:
        for run in self._runs.get(found[at][0], ()):
            if tuple(stem for stem, _, _ in found[at : at + len(run)]) == run:
                return len(run)
        return 0
