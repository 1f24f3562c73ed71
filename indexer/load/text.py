"""Plain text: paragraphs, bullets and headings told by their look alone."""

import re

from indexer.blocks import Block, Loaded
from indexer.cautions import Watch
from indexer.normalise import normalise, one_line, without_bullet

HEADING_WORDS = 12
NUMBERED_HEADING_WORDS = 30
BODY_WORDS = 12
NUMBERED = re.compile(
    r"(?:priority|theme|aim|goal|objective|principle|ambition)?\s*\d+[:.)]\s", re.I
)
BULLET = re.compile(r"[•●○▪◦‣·*–-]\s+\S")


def load(text: str) -> Loaded:
    """Blocks of a plain text. A line is a paragraph unless it runs on into the next."""
    watch = Watch()
    watch.see(text)
    lines = normalise(text).split("\n")
    blank_parted = sum(not line for line in lines) * 3 >= sum(bool(line) for line in lines)
    joined = _join_wrapped(lines)
    blocks = []
    for i, (line, gap) in enumerate(joined):
        following = joined[i + 1] if i + 1 < len(joined) else None
        if BULLET.match(line):
            item = without_bullet(re.sub(r"^[*–-]\s+", "", line))
            blocks.append(Block("list_item", text=item, gap=gap))
        elif _is_heading(line, gap, following, blank_parted, first=i == 0):
            level = 1 if i == 0 else 3 if NUMBERED.match(line) else 2
            blocks.append(Block("heading", text=one_line(line), level=level, gap=gap))
        else:
            blocks.append(Block("prose", text=line, gap=gap))
    return Loaded(tuple(blocks), warnings=tuple(watch.warnings()))


def _join_wrapped(lines: list[str]) -> list[tuple[str, int]]:
    """(line, blank lines before it); a line broken inside its sentence is made whole."""
    out: list[tuple[str, int]] = []
    gap = 0
    for line in lines:
        if not line:
            gap += 1
            continue
        runs_on = out and gap == 0 and line[0].islower() and out[-1][0][-1] not in ".!?:;"
        if runs_on:
            out[-1] = (f"{out[-1][0]} {line}", out[-1][1])
        else:
            out.append((line, gap))
        gap = 0
    return out


def _is_heading(
    line: str, gap: int, following: tuple[str, int] | None, blank_parted: bool, first: bool
) -> bool:
    """Short, capitalised, without a full stop, and standing over something longer."""
    most = NUMBERED_HEADING_WORDS if NUMBERED.match(line) else HEADING_WORDS
    if following is None or len(line.split()) > most or line[-1] in ".,;:!”\"'’":
        return False
    if not (line[0].isupper() or line[0].isdigit()):
        return False
    below, below_gap = following
    if blank_parted:
        return (gap > 0 or first) and below_gap > 0
    sentence = len(below) > len(line) and below.endswith(".")
    return sentence or len(below.split()) >= BODY_WORDS or bool(BULLET.match(below))
