"""Words made up here, and the truth about a file made of them."""

import random
from dataclasses import dataclass

from reportlab.pdfbase.pdfmetrics import stringWidth

A4 = (595.0, 842.0)
LANDSCAPE = (842.0, 595.0)
BODY, BOLD = "Helvetica", "Helvetica-Bold"
SIZE = 10.0
LEADING = 12.5
MARGIN = 60.0


@dataclass(frozen=True)
class Made:
    """A file and the truth about it.

    Args:
        paragraphs: (page counted from 1, text), in reading order.
        header: names of the columns of its table, and `rows` the cells of each of its rows.
        labels: the number printed on each page, where there is one.
        stamps: the number stamped on each page, where there is one.
    """

    content: bytes
    paragraphs: tuple[tuple[int, str], ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    labels: tuple[str | None, ...] = ()
    stamps: tuple[int | None, ...] = ()


WHO = "The partnership|Each place|Our board|The hospital trust|Every practice|The council".split(
    "|"
)
DOES = (
    "will widen|will review|has agreed to fund|plans to open|will train staff for|will publish"
).split("|")
WHAT = (
    "memory clinics|same-day urgent care|school nursing|falls prevention|long-term housing support|"
    "community rehabilitation|bereavement counselling|early-years speech therapy|dental access|"
    "neighbourhood diabetes groups|anticipatory care planning|perinatal mental health visits"
).split("|")
WHOM = (
    "for people living with dementia|for older residents|for young carers|in coastal communities|"
    "with voluntary organisations|across all neighbourhoods|in the most deprived wards"
).split("|")
WHEN = "by March|before the summer of|in the autumn of|during|by the end of|from April".split("|")


def paragraphs(count: int, seed: int = 1, sentences: int = 4) -> list[str]:
    """As many paragraphs, no two of them alike."""
    rng = random.Random(seed)
    out = []
    for number in range(count):
        parts = [_sentence(rng, number * 100 + i) for i in range(sentences)]
        out.append(" ".join(parts))
    return out


def _sentence(rng: random.Random, number: int) -> str:
    who, does = rng.choice(WHO), rng.choice(DOES)
    first, second = rng.sample(WHAT, 2)
    year = 2025 + rng.randrange(8)
    return (
        f"{who} {does} {first} {rng.choice(WHOM)} {rng.choice(WHEN)} {year}, "
        f"and links it with {second} {rng.choice(WHOM)} in area {number}."
    )


def wrapped(text: str, width: float, hyphenated: bool = False, size: float = SIZE) -> list[str]:
    """Lines of a paragraph; if asked for, long words are parted by hyphens as typesetters do."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if stringWidth(longer, BODY, size) <= width:
            line = longer
            continue
        first, second = _parted(word) if hyphenated else ("", word)
        parted = f"{line} {first}".strip()
        if first and stringWidth(parted, BODY, size) <= width:
            lines.append(parted)
            line = second
            continue
        lines.append(line)
        line = word
    return [*lines, line]


def _parted(word: str) -> tuple[str, str]:
    """A word parted for the end of a line: at its own hyphen, or in the middle of a long one."""
    if "-" in word:
        first, second = word.split("-", 1)
        return f"{first}-", second
    if word.isalpha() and len(word) > 7:
        return f"{word[: len(word) // 2]}-", word[len(word) // 2 :]
    return "", word
