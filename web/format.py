"""Periods, page references and counts as the NHS content style writes them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from search_api.dates import british_date


def period(first: int | None, last: int | None) -> str:
    """The years a document speaks for.

    >>> period(2023, 2025), period(2023, 2023), period(None, 2022), period(None, None)
    ('2023 to 2025', '2023', 'up to 2022', 'undated')
    """
    if first is None and last is None:
        return "undated"
    if first is None:
        return f"up to {last}"
    if last is None:
        return f"from {first}"
    return f"{first}" if first == last else f"{first} to {last}"


def page_reference(
    pages: Sequence[int], label: str | None, inferred: bool, in_pack: bool, file_page: int | None
) -> str:
    """Where a reader finds a quote: "page 79 of the pack", "page 80 of the pack, number inferred".

    >>> page_reference((79,), "79", False, True, None)
    'page 79 of the pack'
    >>> page_reference((80,), None, True, True, None)
    'page 80 of the pack, number inferred'
    >>> page_reference((6,), "iv", False, False, 6)
    'page iv (6th page of the file)'
    >>> page_reference((), None, False, False, None)
    'no page numbers'
    """
    if not pages:
        return "no page numbers"
    numbers = str(pages[0]) if len(pages) == 1 else f"{pages[0]} to {pages[-1]}"
    if len(pages) == 2:
        numbers = f"{pages[0]} and {pages[1]}"
    noun = "page" if len(pages) == 1 else "pages"
    if label is not None and len(pages) == 1 and label != str(pages[0]):
        return f"page {label} ({ordinal(file_page or pages[0])} page of the file)"
    where = " of the pack" if in_pack else ""
    doubt = (", number inferred" if len(pages) == 1 else ", numbers inferred") if inferred else ""
    return f"{noun} {numbers}{where}{doubt}"


def ordinal(number: int) -> str:
    """A number as a rank.

    >>> ordinal(1), ordinal(12), ordinal(22), ordinal(103)
    ('1st', '12th', '22nd', '103rd')
    """
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{'th' if number % 100 in (11, 12, 13) else ending}"


def capital(text: str) -> str:
    """A text with its first letter a capital, the rest as it is.

    >>> capital("page 79 of the pack")
    'Page 79 of the pack'
    """
    return text[:1].upper() + text[1:]


def moment(when: str) -> str:
    """A time in words, for those who administer; what is no time comes back as it is.

    >>> moment("2026-11-02T09:05:30+00:00"), moment("yesterday")
    ('2 November 2026, 09:05 UTC', 'yesterday')
    """
    try:
        time = datetime.fromisoformat(when).astimezone(UTC)
    except ValueError:
        return when
    return f"{british_date(time.date().isoformat())}, {time:%H:%M} UTC"
