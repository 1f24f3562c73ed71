"""Which kind of figure a question asks for, of what, and whether a text holds such a figure.

A question for a percentage is not answered by a date, nor one for a price by a percentage, and how
many podiatrists there are is told by a number beside podiatrists.
"""

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace

from indexer.analyse import stem, terms, tokens
from search_api.cover import Weight

WORDS = (
    "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|fifteen|twenty|thirty|forty"
    "|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?"
)
# Digits that count nothing: years, quarters, labels, ages, money and shares.
NO_COUNT = re.compile(
    r"\b(?:19|20)\d\d(?:\s?[/–-]\s?\d\d(?:\d\d)?)?\b|\bQ[1-4]\b|\b\d{1,2}(?:st|nd|rd|th)\b"
    r"|(?:^|\n)\s*\d{1,2}[.)]|\bCore20\w*|24/7|\b\d:\d\b|\bCOVID.19"
    r"|\b(?:figure|priority|level|tier|phase|stage|section|appendix|chapter|item|year|part|type"
    r"|category|step|band) \d+"
    r"|£\s?\d[\d.,]*\w*|\d[\d.]*\s?%"
    r"|\b(?:aged?|ages|under|over|between)\s+\d+(?:\s?(?:-|–|to|and)\s?\d+)?"
    r"|\b\d+\s?[-–]\s?\d+\s?(?:year|yr)s?|\b\d+\s?(?:years? old|years of age|yrs|year olds)"
    r"|\b[A-Za-z]+\d+\w*",
    re.IGNORECASE,
)
LASTS = re.compile(
    r"\b\d+(?:\s?[-–]\s?\d+)?[\s-]+(?:minute|hour|day|night|week|month|year)s?\b", re.IGNORECASE
)
UNITS = frozenset(stem(word) for word in "minutes hours days nights weeks months years".split())
COUNT = re.compile(rf"\d[\d,.]*|\b(?:{WORDS})\b", re.IGNORECASE)
SHARE = re.compile(
    r"\d\s?%|\bper ?cent|\bthirds?\b|\bhalf\b|\bquarters? of\b|\bone in \w+|\d in \d", re.IGNORECASE
)
MONEY = re.compile(r"£\s?\d|\d\s?(?:m|million|bn|billion|k)\b|\bpounds\b", re.IGNORECASE)
SPAN = re.compile(
    rf"\b(?:\d+|{WORDS})[\s-]+(?:to \d+ )?(?:minute|hour|day|week|month|year)", re.IGNORECASE
)
AGE = re.compile(
    r"\b(?:aged?|ages|under|over|between)\s+(?:the age of )?\d|\d+\s?(?:[-–]|to)\s?\d+"
    r"|\d+\s?(?:\+|years?\b|yrs)|\bages? of \d",
    re.IGNORECASE,
)
RATING = re.compile(
    r"\b(?:rat(?:ed|ings?)|judged|graded?|scored?|inspect\w*|CQC|Ofsted)\b[^.\n]{0,60}"
    r"\b(?:outstanding|good|requires improvement|inadequate)\b|\bwas rated\b",
    re.IGNORECASE,
)
YEAR = re.compile(r"\b(?:19|20)\d\d\b")
OFTEN = re.compile(
    r"\b(?:hourly|daily|weekly|fortnightly|monthly|quarterly|annual(?:ly)?|yearly|termly)"
    r"\b|\b(?:every|each|a|per) (?:\w+ )?(?:day|week|month|quarter|term|year)s?\b",
    re.IGNORECASE,
)

# What is counted stands between "how many" and the first of these.
COUNTED = re.compile(
    r"\b(?:how many|(?:the |^)number of|what number of)\s+(?:of (?:the|our|its|their)\s+)?"
    r"(?P<what>[^?.,;:]+)",
    re.IGNORECASE,
)
AFTER = re.compile(
    r"\b(?:(?P<verb>is|are|was|were|has|have|had|do|does|did|will|would|should|can|could|may|might"
    r"|must)|be|been|there|in|on|at|of|for|with|from|to|by|per|who|that|which|whose|across|within"
    r"|under|over|and|or|but|than|each|every|an?|the|get|gets|got|already|currently|now)\b",
    re.IGNORECASE,
)
# "How many systems mention dementia", "how many targets are set for it" ask for what is found to
# be counted, not for a figure that stands there.
COUNTS_FOUND = re.compile(
    r"\b(?:how many|number of) (?:of (?:the|them|these|those) )?(?:other |main )?(?:\w+ )?"
    r"(?:systems?|ICS['’]?s?|ICBs?|strateg(?:y|ies)|documents?|plans|areas|others|of them"
    r"|priorit(?:y|ies)|themes?|objectives?|goals?|aims?|targets?|commitments?|actions?|promises?"
    r"|recommendations?|subjects?|topics?|workstreams?|kinds?|types?|sorts?|ways?|ideas?|principles?"
    r"|things|reasons?|steps?)\b",
    re.IGNORECASE,
)
# "Who leads it and how many staff has it": the first part is not answered by a figure.
JOINED = re.compile(
    r"(?:,| and| or|;)+ (?=(?:by |for |to )?(?:who|what|when|where|why|which|how)\b)"
)
PEOPLE = frozenset(
    stem(word)
    for word in """
    people person us patients residents children kids youngsters adults men women families parents
    pupils schoolchildren students learners members attendees individuals population boys girls folk
    teenagers cases referrals requests applications
    """.split()
)
BESIDE_PEOPLE = PEOPLE | {stem("young"), stem("olds")}
NEAR, NEAR_PEOPLE = 50, 90
"""A figure is of what stands within so many characters of it; there are many words for people, and
more stands between them and their number."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A kind of figure: how it is asked for, how it is written, and what was asked to be counted.

    Attributes:
        told: what it is, for who asked.
        strict: whether nothing but such a figure answers; not where the question may ask for words.
        counted: whether any number that counts is one.
        of: what is counted, as sets of stems: where one stands in a text, it must stand beside the
            figure; none: anything.
        near: within how many characters of it.
    """

    name: str
    told: str
    asked: re.Pattern[str]
    written: tuple[re.Pattern[str], ...]
    counted: bool = False
    strict: bool = True
    of: tuple[frozenset[str], ...] = ()
    near: int = NEAR

    def in_text(self, text: str) -> bool:
        """Whether a text holds a figure of this kind, beside what was asked to be counted.

        A text that has other words for that, as far as one can tell, only needs the figure.
        """
        places = list(self._places(text))
        words = tokens(text) if places and self.of else ()
        if not self._names({stem for stem, _, _ in words}):
            return bool(places)
        near = self.near
        return any(
            self._names({stem for stem, at, to in words if start - near <= at and to <= end + near})
            for start, end in places
        )

    def _places(self, text: str) -> Iterator[tuple[int, int]]:
        for pattern in self.written:
            yield from (match.span() for match in pattern.finditer(text))
        if self.counted:
            plain = NO_COUNT.sub(_blank, text)
            if not any(what & UNITS for what in self.of):
                plain = LASTS.sub(_blank, plain)
            yield from (match.span() for match in COUNT.finditer(plain))

    def _names(self, stems: Set[str]) -> bool:
        return any(what <= stems for what in self.of)


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _asked(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


# The first that a question asks for counts.
AMOUNTS = (
    Amount(
        "share",
        "percentage",
        _asked(
            r"(?:\b(?:what|which|as an?)(?: \w+)? |^(?:the )?)"
            r"(?:percentage|per ?cent|proportion|portion|fraction)\b"
            r"|\bwhat share\b|^(?:the )?share of\b"
            r"|\bwhat (?:\w+ ){0,3}rates?\b|\bwhat is the (?:\w+ ){0,2}turnover\b"
        ),
        (SHARE,),
    ),
    Amount(
        "rating",
        "rating",
        _asked(
            r"(?=.*\b(?:CQC|Ofsted|inspect\w*)\b).*\b(?:rat(?:ed|ings?)|score|grade|judge?ments?)\b"
        ),
        (RATING,),
    ),
    Amount("year", "year", _asked(r"\b(?:what|which) year\b(?! group)"), (YEAR,)),
    Amount(
        "time",
        "length of time",
        _asked(
            r"(?:^|[,.:;–-] ?|\band |\bor )how (?:long|quickly)\b(?![- ]term)"
            r"|\baverage (?:\w+ ){0,2}(?:times?|waits?)\b"
            r"|\baverage (?:lifespan|life expectancy)\b"
            r"|\bin (?:minutes|hours|days|weeks|months)\s*\??$"
        ),
        (SPAN,),
    ),
    Amount(
        "money",
        "amount of money",
        _asked(
            r"\bhow much (?:[\w'’]+ ){0,4}(?:money|funding|cash)\b|\bhow many (?:\w+ )?pounds\b"
            r"|\bhow much .{0,60}\b(?:costs?|spen[dt]|saved?|receive[ds]?|pay|paid|worth|allocated"
            r"|awarded|invest(?:ed|ing)?)\b"
            r"|\bwhat (?:is|was|are|were|will be) (?:the |its |their )(?:[\w'’]+ ){0,5}"
            r"(?:price|costs?|budget|salary|fee|deficit|surplus|average value)\b"
            r"(?=\s*(?:$|[?,.;]|(?:for|of|in|on|at|by|and|to|this|next|last|per)\b))(?! of living)"
            r"|\bhow (?:big|large|high) (?:is|was|are|were|will be) (?:the |its |their )?"
            r"(?:[\w'’]+ ){0,5}(?:price|costs?|budget|salary|fee|deficit|surplus)\b(?! of living)"
            r"|\bwhat is the average (?:cost|value|price)\b"
            r"|\bwhat (?:does|did|do|will|would|has|have) (?!.{0,40}\b(?:say|said|about)\b).{0,60}"
            r"\b(?:costs?|spen[dt]|pay|paid)\b(?! of living)"
            r"|^(?:the )?(?:amount|price|cost|sum) (?:to be|of|spent|saved)\b(?! living)"
            r"|\bin (?:pounds|millions)\b"
        ),
        (MONEY,),
    ),
    Amount("time", "time", _asked(r"\bhow soon\b"), (SPAN, YEAR)),
    Amount("age", "age", _asked(r"\bhow old\b|\b(?:what|which) ages?\b"), (AGE,)),
    Amount("frequency", "frequency", _asked(r"\bhow (?:often|frequently|regularly)\b"), (OFTEN,)),
    Amount(
        "count",
        "number",
        _asked(
            r"\bhow many\b|\bwhat (?:is |was |are )?(?:the )?number of\b|^number of\b"
            r"|\bwhat(?:'s| is| was) the population\b"
        ),
        (SHARE,),
        True,
    ),
    Amount(
        "size",
        "figure",
        _asked(r"\bhow (?:much|big|large|far|fast)\b|^(?:the )?amount\b"),
        (SHARE, MONEY),
        True,
        strict=False,
    ),
)


def amount_asked(text: str, words: Mapping[str, Weight] | None = None) -> Amount | None:
    """The kind of figure a question asks for, and what it is to be counted, or None.

    Args:
        words: those of the question with what counts in place of each.
    """
    found = _first(text)
    if found is None:
        return None
    parts = JOINED.split(text)
    if not all(_first(part) for part in parts):
        found = replace(found, strict=False)
    if found.name != "count":
        return found
    if COUNTS_FOUND.search(text):
        return None
    return _counting(found, text, words or {})


def _first(text: str) -> Amount | None:
    return next((a for a in AMOUNTS if a.asked.search(text)), None)


def _counting(found: Amount, text: str, words: Mapping[str, Weight]) -> Amount:
    """A number asked for, and of what: the noun that follows "how many", or words for it."""
    match = COUNTED.search(text)
    if match is None:
        return found
    what, rest = match["what"], AFTER.search(match["what"])
    named = terms(what[: rest.start()] if rest else what)
    # Only before a verb that is surely one is the last word what is counted.
    heads = named[-1:] if rest and rest["verb"] else named
    if PEOPLE & {*named[:1], *heads}:
        people = tuple(frozenset((word,)) for word in sorted(BESIDE_PEOPLE))
        return replace(found, of=people, near=NEAR_PEOPLE)
    instead = [others for head in heads if head in words for others, _ in words[head].instead]
    return replace(found, of=(*(frozenset((head,)) for head in heads), *instead))
