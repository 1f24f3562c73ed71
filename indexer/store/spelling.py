"""Which word of the documents a misspelt one most likely is."""

from collections.abc import Mapping

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

LONG_WORD = 8


def bounds(word: str) -> tuple[str, str, int, int]:
    """From and before which word to look, and from and to which length.

    The first letter is taken as right: hardly anyone mistypes it.
    """
    most = _most(word)
    return word[0], chr(ord(word[0]) + 1), len(word) - most, len(word) + most


def likeliest(word: str, known: Mapping[str, int]) -> str | None:
    """Of known words, with the passages that hold each, the one a misspelt one is, or None."""
    near = process.extract(
        word,
        known.keys(),
        scorer=DamerauLevenshtein.distance,
        score_cutoff=_most(word),
        limit=None,
    )
    ranked = [(away, -known[w], w) for w, away, _ in near]
    return min(ranked)[2] if ranked else None


def _most(word: str) -> int:
    return 1 if len(word) < LONG_WORD else 2
