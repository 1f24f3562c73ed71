"""Properties that hold for any input: reading, splitting, understanding, marking, escaping.

A few examples are tried here; `make soak` tries thousands.
"""

import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import QueryError
from eval import making
from indexer import analyse
from indexer.cautions import Watch
from indexer.load import html, markdown, text
from indexer.normalise import HIDING, normalise, one_line
from search_api.model import MOST_CHARACTERS
from search_api.searcher import Searcher
from search_api.sheets import harmless, restored
from search_api.understand import Understander
from tests.fuzz.targets import LIMITS, SLOW, TARGETS
from web.highlight import Wanted
from web.templating import environment

# Letters, marks, breaks and mark-up in the mixture that documents have, and anything at all.
WORDS = st.sampled_from(
    """dementia care people We will by March 2027 70% £5m • - # ## | Objective Impact 1. (a) Page
    Contents NHS UEC not other Sefton LSC . : ; <b> </p> <br> &amp; &#x41; ** __ `` [x](y)
    <span style="display:none"> </span> <td> <table> <!-- --> {{7*7}} =cmd() '""".split()
)
LOOSE = st.text(max_size=40)
BREAKS = st.sampled_from(
    ["\n", "\n\n", "\r\n", "\r", "\t", " ", "\u200b", "\u00a0", "\u2028", "\f"]
)
TEXTS = st.lists(st.one_of(WORDS, LOOSE, BREAKS, WORDS), max_size=60).map(" ".join)


@given(st.text())
def test_normalising_twice_is_normalising_once(raw: str) -> None:
    once = normalise(raw)
    assert normalise(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert not HIDING.search(once)
    assert one_line(raw) == one_line(once)


@pytest.mark.parametrize("name", ["text", "markdown", "html"])
@given(raw=TEXTS)
def test_any_text_is_read_into_ranges_that_hold(name: str, raw: str) -> None:
    TARGETS[name](raw.encode(errors="replace"))


@given(raw=TEXTS)
def test_a_plain_text_gains_no_word_and_loses_none(raw: str) -> None:
    def letters(words: str) -> str:
        return re.sub(r"[\W_]+", "", normalise(words))

    loaded = text.load(raw)
    assert "".join(letters(block.words) for block in loaded.blocks) == letters(raw)


@given(raw=TEXTS, hidden=st.text(alphabet="xyzw ", min_size=1, max_size=30))
def test_hidden_words_never_change_what_is_read(raw: str, hidden: str) -> None:
    shown = " ".join(making.paragraphs(2))
    page = "<html><body><main><p>{}</p><p>{}</p></main></body></html>"
    safe = re.sub(r"[<>&{}]", "", normalise(raw))
    trick = f'<b style="font-size:0">{hidden}</b>'
    plain = html.load(page.format(shown, safe).encode(errors="replace"), "a", LIMITS)
    tricky = html.load(page.format(shown, safe + trick).encode(errors="replace"), "a", LIMITS)
    assert [b.words for b in tricky.blocks] == [b.words for b in plain.blocks]


@given(cells=st.lists(st.lists(LOOSE, min_size=2, max_size=5), min_size=1, max_size=6))
def test_any_table_is_read_into_ranges_that_hold(cells: list[list[str]]) -> None:
    rows = "\n".join("\t".join(re.sub(r"\s", " ", c) for c in row) for row in cells)
    TARGETS["markdown"](f"# A\n\n# B\n\n# C\n\n{rows}\n".encode(errors="replace"))


@given(raw=st.text(max_size=3000))
def test_what_is_told_of_a_text_is_short_and_whole(raw: str) -> None:
    watch = Watch()
    watch.see(raw, 1)
    watch.hide(raw, 2)
    for sentence in watch.warnings():
        assert len(sentence) < 600
        assert not HIDING.search(sentence)


@pytest.fixture(scope="module")
def understander(searcher: Searcher) -> Understander:
    return Understander(searcher.store)


QUESTIONS = st.one_of(TEXTS, st.text(max_size=MOST_CHARACTERS + 50))


@given(words=QUESTIONS, home=st.sampled_from([None, "sefton"]))
def test_any_question_is_understood_or_refused(
    understander: Understander, words: str, home: str | None
) -> None:
    try:
        understood = understander.understand(words, home)
    except QueryError as error:
        assert error.message.endswith(".")
        return
    assert understood.subject.strip()
    assert understood.text == " ".join(words.split())
    known = set(understander._store.systems)
    assert set(understood.systems) | set(understood.excluded_systems) <= known
    assert not set(understood.systems) & set(understood.excluded_systems)


HARD = """a - not " “ ( what compare tell_me say_about in a. a& other_x sefton seftno 1 LSC zqxj aé
    who_do_are_have for_by_of ? rest_of ' a' can_you_please 's -a £5m Q3_2023/24""".split()


@pytest.mark.parametrize("part", HARD)
def test_no_question_of_a_thousand_characters_is_slow(
    understander: Understander, part: str
) -> None:
    words = (part.replace("_", " ") + " ") * MOST_CHARACTERS
    began = time.process_time()
    understander.understand(words[:MOST_CHARACTERS].strip(), "sefton")
    assert time.process_time() - began < SLOW / 5


@given(raw=TEXTS)
def test_words_are_the_same_with_their_places_and_without(raw: str) -> None:
    found = analyse.tokens(raw)
    assert analyse.stems(raw) == tuple(word for word, _, _ in found)
    assert analyse.terms(raw) == [w for w, _, _ in found if w not in analyse.STOP_STEMS]
    assert analyse.distinct(raw) == frozenset(analyse.terms(raw))


@given(raw=st.text(max_size=300), wanted=st.lists(st.text(max_size=12), max_size=4))
def test_marking_and_escaping_give_the_text_back(raw: str, wanted: list[str]) -> None:
    pieces = Wanted(wanted).pieces(raw)
    assert "".join(piece.text for piece in pieces) == raw
    made = environment().from_string("<p>{{ text }}</p>").render(text=raw)
    assert "<" not in made[3:-4]


@given(raw=st.text(alphabet=st.one_of(st.sampled_from("=+-@\t\r\n '＝|!a1"), st.characters())))
def test_no_text_becomes_a_formula_and_all_is_given_back(raw: str) -> None:
    written = harmless(raw)
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))
    assert restored(written) == raw


@given(st.binary(max_size=2000))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    for name in ("text", "markdown", "html", "docx", "pptx", "pdf", "question"):
        TARGETS[name](data)


def test_markdown_takes_any_end_of_line() -> None:
    for end in ("\n", "\r\n", "\r"):
        loaded = markdown.load(end.join(["# Plan", "", "- one", "- two", "", "Words."]))
        assert [b.words for b in loaded.blocks] == ["Plan", "one", "two", "Words."]
