"""PDFs with tables."""

import random
from collections.abc import Sequence

from reportlab.lib.colors import Color, black, white

from eval.making.pages import Pages
from eval.making.words import (
    BODY,
    BOLD,
    LANDSCAPE,
    LEADING,
    MARGIN,
    SIZE,
    WHAT,
    WHOM,
    Made,
    paragraphs,
    wrapped,
)

HEADER = ("Objective", "Impact", "Owner", "Timeframe")


def table_rows(count: int, seed: int = 3) -> list[tuple[str, ...]]:
    """Rows of an action plan, in four columns."""
    rng = random.Random(seed)
    people = ["Director of Public Health", "Place lead", "Chief Nurse", "Head of Commissioning"]
    rows: list[tuple[str, ...]] = []
    for n in range(1, count + 1):
        what = f"Objective {n}: widen {rng.choice(WHAT)} {rng.choice(WHOM)}"
        share, weeks = rng.randrange(5, 60), rng.randrange(2, 30)
        impact = f"{share}% fewer people wait longer than {weeks} weeks for {rng.choice(WHAT)}"
        when = f"{rng.choice(('March', 'June', 'October'))} {2025 + rng.randrange(6)}"
        rows.append((what, impact, rng.choice(people), when))
    return rows


def pdf_table(
    rows: Sequence[tuple[str, ...]],
    header: Sequence[str] = HEADER,
    ruled: str = "grid",
    repeat_header: bool = True,
    split_rows: bool = False,
) -> Made:
    """A table over as many pages as it takes, with wrapped cells.

    Args:
        ruled: "grid" for lines around all cells, "rows" for level lines alone, "fills" for coloured
            cells with white between them.
        split_rows: rows may go on over a page.
    """
    pages = Pages(LANDSCAPE)
    widths = [230.0, 250.0, 130.0, 100.0][: len(header)]
    lefts = [MARGIN + sum(widths[:i]) for i in range(len(widths))]
    y = 90.0
    pages.text(MARGIN, 60, "Our action plan", BOLD, 16)
    y = _row(pages, lefts, widths, y, list(map(_one, header)), ruled, BOLD)
    for row in rows:
        cells = [wrapped(text, w - 10) for text, w in zip(row, widths, strict=True)]
        height = LEADING * max(map(len, cells)) + 8
        room = pages.height - 60 - y
        if height > room and split_rows and room > 3 * LEADING:
            fit = int((room - 8) / LEADING)
            _row(pages, lefts, widths, y, [cell[:fit] for cell in cells], ruled)
            cells = [cell[fit:] for cell in cells]
            room = 0
        if height > room:
            pages.next()
            y = 90.0
            if repeat_header:
                y = _row(pages, lefts, widths, y, list(map(_one, header)), ruled, BOLD)
        y = _row(pages, lefts, widths, y, cells, ruled)
    pages.next()
    return Made(pages.done(), header=tuple(header), rows=tuple(tuple(row) for row in rows))


def _one(text: str) -> list[str]:
    return [text]


def _row(
    pages: Pages,
    lefts: Sequence[float],
    widths: Sequence[float],
    y: float,
    cells: Sequence[list[str]],
    ruled: str,
    font: str = BODY,
) -> float:
    height = LEADING * max(map(len, cells)) + 8
    for left, width, cell in zip(lefts, widths, cells, strict=True):
        if ruled == "grid":
            pages.box(left, y, width, height)
        elif ruled == "fills":
            pages.canvas.setStrokeColor(white)
            dark = font == BOLD
            pages.box(left, y, width, height, Color(0.2, 0.3, 0.6) if dark else Color(0.9, 0.9, 1))
            pages.canvas.setFillColor(white if dark else black)
        for i, line in enumerate(cell):
            pages.text(left + 5, y + 13 + i * LEADING, line, font)
        pages.canvas.setFillColor(black)
    if ruled == "rows":
        pages.line(lefts[0], y, lefts[-1] + widths[-1], y)
        pages.line(lefts[0], y + height, lefts[-1] + widths[-1], y + height)
    return y + height


def pdf_figures(rows: int = 8, header: Sequence[str] = ("Measure", "2023", "2024", "2025")) -> Made:
    """A table of figures without any lines, right aligned."""
    rng = random.Random(7)
    pages = Pages()
    told = [
        (
            f"{WHAT[i % len(WHAT)].capitalize()} {i}",
            *(f"{rng.randrange(1000, 99999):,}" for _ in header[1:]),
        )
        for i in range(rows)
    ]
    y = 150.0
    for line in wrapped(paragraphs(1)[0], 470):
        pages.text(MARGIN, y - 60, line)
        y += LEADING
    for n, row in enumerate([tuple(header), *told]):
        pages.text(MARGIN, y, row[0], BOLD if n == 0 else BODY)
        for i, value in enumerate(row[1:]):
            pages.canvas.setFont(BOLD if n == 0 else BODY, SIZE)
            pages.canvas.drawRightString(330 + i * 70, pages.height - y, value)
        y += 18
    pages.next()
    return Made(pages.done(), ((1, paragraphs(1)[0]),), tuple(header), tuple(told))
