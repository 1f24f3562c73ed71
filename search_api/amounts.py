"""Which kind of figure a question asks for, and whether a text holds one of that kind.

A question for a percentage is not answered by a date, nor one for a price by a percentage.
"""

import re
from dataclasses import dataclass

WORDS = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|million"
# Digits that count nothing: years, quarters, labels, ages, money and shares.
NO_COUNT = re.compile(
    r"\b(?:19|20)\d\d(?:\s?[/–-]\s?\d\d(?:\d\d)?)?\b|\bQ[1-4]\b|\b\d{1,2}(?:st|nd|rd|th)\b"
    r"|(?:^|\n)\s*\d{1,2}[.)]|\bCore20\w*|24/7|\bCOVID.19"
    r"|\b(?:figure|priority|level|tier|phase|stage|section|appendix|chapter|item|year|part|type"
    r"|category|step|band) \d+"
    r"|£\s?\d[\d.,]*\w*|\d[\d.]*\s?%"
    r"|\b(?:aged?|ages|under|over|between)\s+\d+(?:\s?(?:-|–|to|and)\s?\d+)?"
    r"|\b\d+\s?[-–]\s?\d+\s?(?:year|yr)s?|\b\d+\s?(?:years? old|years of age|yrs|year olds)"
    r"|\b[A-Za-z]+\d+\w*",
    re.IGNORECASE,
)
COUNT = re.compile(rf"\d|\b(?:{WORDS})\b", re.IGNORECASE)
SHARE = re.compile(
    r"\d\s?%|\bper ?cent|\bthirds?\b|\bhalf\b|\bquarters? of\b|\bone in \w+|\d in \d", re.IGNORECASE
)
MONEY = re.compile(r"£\s?\d|\d\s?(?:m|million|bn|billion|k)\b|\bpounds\b", re.IGNORECASE)
SPAN = re.compile(
    rf"\b(?:\d+|{WORDS})[\s-]+(?:to \d+ )?(?:minute|hour|day|week|month|year)", re.IGNORECASE
)
AGE = re.compile(
    r"\b(?:aged?|ages|under|over|between)\s+(?:the age of )?\d|\d+\s?(?:[-–]|to)\s?\d+"
    r"|\d+\s?(?:\+|years? old|years of age|yrs|year olds)",
    re.IGNORECASE,
)
RATING = re.compile(r"\b(?:outstanding|good|requires improvement|inadequate)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Amount:
    """A kind of figure: how it is asked for, and how it is written."""

    name: str
    asked: re.Pattern[str]
    written: tuple[re.Pattern[str], ...]
    counted: bool = False

    def in_text(self, text: str) -> bool:
        """Whether a text holds a figure of this kind."""
        if any(pattern.search(text) for pattern in self.written):
            return True
        return self.counted and COUNT.search(NO_COUNT.sub(" ", text)) is not None


def _asked(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


# The first that a question asks for counts.
AMOUNTS = (
    Amount(
        "share",
        _asked(
            r"\b(?:percentage|per ?cent|proportion|share of|portion|fraction)\b"
            r"|\bwhat share\b|\bwhat (?:\w+ ){0,3}rates?\b"
        ),
        (SHARE,),
    ),
    Amount("rating", _asked(r"\bratings?\b|\brated\b"), (RATING,)),
    Amount(
        "money",
        _asked(
            r"\bhow much (?:\w+ ){0,4}(?:money|funding|cash|was|is|has been|will be)\b"
            r"|\bhow much (?:does|did|do|will) .{0,40}\b(?:costs?|spend|save|receive|pay)\b"
            r"|\b(?:price|cost|budget|amount|pounds|salary)\b"
        ),
        (MONEY,),
    ),
    Amount(
        "time",
        _asked(r"\bhow (?:long|quickly|soon|fast)\b|\baverage (?:\w+ ){0,2}(?:times?|waits?)\b"),
        (SPAN,),
    ),
    Amount("age", _asked(r"\bhow old\b|\b(?:what|which) ages?\b"), (AGE,)),
    Amount("count", _asked(r"\bhow (?:many|often)\b|\b(?:what|the) number of\b"), (), True),
    Amount("size", _asked(r"\bhow (?:much|big|large|far)\b"), (SHARE, MONEY), True),
)


def amount_asked(text: str) -> Amount | None:
    """The kind of figure a question asks for, or None."""
    return next((a for a in AMOUNTS if a.asked.search(text)), None)
