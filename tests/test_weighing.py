"""What stems tell beforehand of a theme is never other than what the text says."""

from collections import Counter

from search_api.searcher import Searcher
from search_api.topics import ThemeWords
from search_api.weighing import by_stems


def test_stems_never_tell_other_than_the_text(searcher: Searcher) -> None:
    store = searcher.store
    rows = range(store.manifest.passages)
    told: Counter[bool | None] = Counter()
    for theme in map(ThemeWords.of, store.themes.values()):
        quick = by_stems(theme)
        for passage, gist in zip(store.passages(rows), store.gists(rows), strict=True):
            answer = quick(gist)
            told[answer] += 1
            if answer is not None:
                text = "\n".join((passage.text, *passage.heading[-1:]))
                assert theme.spoken_in(text) is answer, (theme.id, passage.id)
    # Most is told without a look at the text, or it would be of no use.
    assert told[True] > 500 and told[False] > 5 * told[None]
