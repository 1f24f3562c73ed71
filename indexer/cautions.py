"""What in a document hides from its reader or may mislead one: told, never obeyed.

Text that a reader cannot see is left out by the loader that knows it; characters without width and
those that reorder what is shown are taken out by `normalise`. Here both are counted and put into
sentences, with what is only suspicious and stays in the text: look-alike letters, words without an
end, sentences that speak to a program. A loader shows every text as its file has it to one `Watch`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from corpus.model import CAUTION
from indexer.normalise import DIRECTION, SELECTORS, TAGS, one_line

LEFT_OUT = "hidden text left out"
LEAST_UNSPOKEN = 3
HIDDEN_SHOWN = 8
WORDS_SHOWN = 3
MOST_SHOWN = 60
MOST_COLUMNS = 500
ENDLESS = re.compile(r"\S{1000,}")
# The flags of England, Scotland and Wales are written with tag characters too.
FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f")
WITHIN_WORDS = re.compile(
    "(?<=[A-Za-z])[\u034f\u115f\u1160\u180e\u200b-\u200d\u2060-\u2064\u3164\ufeff\uffa0]+(?=[A-Za-z])"
)
SMUGGLED = re.compile(f"(?:{SELECTORS.pattern}){{2,}}|[\U000e0100-\U000e01ef]")
LOOK_ALIKE = (
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf\u03bd"
    "\u0405\u0406\u0408\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425"
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0458\u04bb\u04cf\u0501\u051b\u051d"
)
"""Greek and Cyrillic letters that are drawn like Latin ones."""
MIXED = re.compile(
    rf"\b(?=\w*[A-Za-z])(?=\w*[{LOOK_ALIKE}])\w{{3,60}}\b"
    "|[\uff21-\uff3a\uff41-\uff5a]{3,60}|[\U0001d400-\U0001d7cb]{3,60}"
)
TO_A_PROGRAM = re.compile(
    r"\b(?:ignore|disregard|forget|override)\s+(?:all\s+|any\s+)?(?:of\s+)?(?:the\s+|your\s+|my\s+)?"
    r"(?:previous|prior|above|earlier|preceding|other|former)\s+"
    r"(?:instructions?|prompts?|directions?|rules)\b"
    r"|\b(?:your|hidden|secret)\s+system\s+prompt\b"
    r"|<\|[a-z_]{3,20}\|>|\[/?INST\]|<</?SYS>>"
    r"|\byou\s+are\s+(?:now\s+)?(?:an?\s+)?(?:AI|large\s+language\s+model|language\s+model|chatbot"
    r"|ChatGPT)\b"
    r"|\b(?:AI|language)\s+(?:model|assistant)s?\s+(?:must|should|shall)\s+"
    r"(?:always\s+|only\s+|not\s+)?(?:answer|reply|respond|say|output|rank)\b"
    r"|\bdo\s+not\s+(?:tell|reveal|mention)\s+(?:this\s+)?to\s+the\s+user\b",
    re.IGNORECASE,
)
Place = int | None


@dataclass(slots=True)
class Watch:
    """What one document holds that hides or may mislead, by page.

    Args:
        unit: what a numbered part of the file is called.
    """

    unit: str = "page"
    _words: dict[tuple[str, Place], list[str]] = field(default_factory=dict)
    _found: dict[str, dict[Place, list[str]]] = field(default_factory=dict)

    def see(self, text: str, place: Place = None) -> None:
        """Looks through a text as the file has it, before anything is taken out of it."""
        if text.isascii():
            kinds: Sequence[tuple[str, re.Pattern[str]]] = PLAIN
        else:
            text = FLAG.sub("\U0001f3f4", text)
            kinds = KINDS
        for kind, pattern in kinds:
            for match in pattern.finditer(text):
                self._found.setdefault(kind, {}).setdefault(place, []).append(match[0])

    def hide(self, words: str, place: Place = None) -> None:
        """Notes words that were left out because a reader cannot see them."""
        self._note(LEFT_OUT, words, place)

    def doubt(self, words: str, place: Place = None) -> None:
        """Notes words that stay, though they may not be seen: white, on a ground nobody knows."""
        self._note("white text kept, though it may not show", words, place)

    def unspoken(self, words: str, place: Place = None) -> None:
        """Notes words that stay, though a screen reader does not speak them."""
        if len(words.split()) >= LEAST_UNSPOKEN:
            self._note("text kept that screen readers are told to pass over", words, place)

    def _note(self, what: str, words: str, place: Place) -> None:
        if words := one_line(words):
            self._words.setdefault((what, place), []).extend(words.split())

    def warnings(self) -> Iterator[str]:
        """Every finding as a sentence that starts with `CAUTION`."""
        for (what, place), words in self._words.items():
            more = " ..." if len(words) > HIDDEN_SHOWN else ""
            shown = _cut(" ".join(words[:HIDDEN_SHOWN]))
            of = "of" if what == LEFT_OUT else "on"
            where = f" {of} {self.unit} {place}" if place is not None else ""
            yield f'{CAUTION}{what}{where}, {_count(len(words), "word")}: "{shown}{more}"'
        for kind, _ in KINDS:
            if places := self._found.get(kind):
                found = [one for each in places.values() for one in each]
                on = named([p for p in places if p is not None], self.unit)
                yield CAUTION + _sentence(kind, found, on)


def wide_table(columns: int) -> Iterator[str]:
    """A sentence about a table that is wider than anyone reads."""
    if columns > MOST_COLUMNS:
        yield f"{CAUTION}a table of {columns:,} columns"


def _sentence(kind: str, found: Sequence[str], on: str) -> str:
    letters = sum(map(len, found))
    taken = f" taken out{' of ' if on else ''}{on}"
    stands = f"{' on ' if on else ''}{on}"
    match kind:
        case "tags":
            spelt = "".join(chr(ord(c) - 0xE0000) for c in "".join(found))
            said = _cut(one_line(spelt))
            return f'{_count(letters, "invisible tag character")}{taken}, spelling "{said}"'
        case "direction":
            what = "character that turns" if letters == 1 else "characters that turn"
            return f"{letters:,} {what} the direction of writing{taken}"
        case "width":
            within = f"{' of ' if on else ''}{on}"
            what = _count(letters, "zero-width character")
            return f"{what} taken out from within words{within}"
        case "selectors":
            return f"{_count(letters, 'stray variation selector')}{taken}"
        case "mixed":
            return f"look-alike letters of other alphabets{stands}: {_shown(map(_named, found))}"
        case "endless":
            longest = max(map(len, found))
            return f"{_count(len(found), 'word')} of up to {longest:,} characters{stands}"
        case _:
            return f"words addressed to a computer program{stands}: {_shown(found)}"


PLAIN = (("endless", ENDLESS), ("program", TO_A_PROGRAM))
KINDS = (
    ("tags", TAGS),
    ("direction", DIRECTION),
    ("width", WITHIN_WORDS),
    ("selectors", SMUGGLED),
    ("mixed", MIXED),
    *PLAIN,
)


def _named(word: str) -> str:
    """A word with the code points in it that are not what they look like."""
    odd = dict.fromkeys(f"U+{ord(c):04X}" for c in word if ord(c) > 0x24F)
    return f"{word} ({', '.join(list(odd)[:WORDS_SHOWN])})"


def _shown(words: "Iterator[str] | Sequence[str]") -> str:
    distinct = list(dict.fromkeys(one_line(word) for word in words))
    more = " ..." if len(distinct) > WORDS_SHOWN else ""
    return ", ".join(f'"{_cut(word)}"' for word in distinct[:WORDS_SHOWN]) + more


def _cut(text: str) -> str:
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def named(numbers: Sequence[int], unit: str = "page") -> str:
    """Numbers of pages or slides in words, runs of them shortened; empty if there are none."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    told = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
    return f"{unit}{'' if len(numbers) == 1 else 's'} {told}" if told else ""
