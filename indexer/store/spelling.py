"""Which word of the documents a misspelt one most likely is."""

from collections.abc import Mapping
from functools import cache

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein, Indel
from spellchecker import SpellChecker

LONG_WORD = 8


def is_english(word: str) -> bool:
    """Whether a word is spelt right, so that no other was meant, be it in the documents or not.

    The word list is pyspellchecker's. Its own corrections are not used: the word that is meant is
    one of the documents.
    """
    return bool(_english().known([word]))


@cache
def _english() -> SpellChecker:
    return SpellChecker(language="en")  # takes a quarter of a second, so once it is needed


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
    # Of as many slips, letters left out or doubled are likelier than others in their place.
    ranked = [(away, Indel.distance(word, w), -known[w], w) for w, away, _ in near]
    return min(ranked)[-1] if ranked else None


def _most(word: str) -> int:
    return 1 if len(word) < LONG_WORD else 2
