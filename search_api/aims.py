"""Figures that are to be reached, as against statistics, budgets and ages."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from indexer.statements import sentences
from search_api.wording import AHEAD, OPENS, SOFT_OPENS, Triggers, compiled, label_end, settled

FEW_WORDS = 8

# Numbers that can be reached.
_DIGITS = r"\d[\d,]*(?:\.\d+)?"
_WORDS = r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty)"
_COUNT = rf"(?:{_DIGITS}|one|{_WORDS})"
_PERIOD = r"(?:minute|hour|day|week|month)"
PERCENT = compiled(
    rf"(?<![\w.]){_DIGITS}\s?(?:%|per ?cent\b)|\b{_COUNT} (?:out of|in every) {_COUNT}\b"
)
MONEY = compiled(rf"£\s?{_DIGITS}\s?(?:bn|billion|m|million|k|thousand)?\b")
LIMIT = compiled(
    rf"\bwithin (?:the )?(?:first )?{_COUNT}[- ](?:working |calendar )?{_PERIOD}s?\b"
    rf"|\b{_COUNT}[- ](?:working )?{_PERIOD}s?(?= (?:standard|target|response time|wait))"
    rf"|\b{_COUNT} {_PERIOD}s(?= for {_DIGITS}\s?%)"
    rf"|\b(?:more than|longer than|less than|over) {_COUNT} {_PERIOD}s\b"
    r"|\bwithin (?:an hour|a day|a week|a month)\b"
    r"|\bby the (?:following|next|same) (?:working )?day\b"
)
# A level of service in figures.
SERVICE = compiled(
    r"\b24/7\b|\b(?:seven|7)[- ]days?\b(?= (?:services?|provision|working|access|cover))"
)
SHARE = compiled(
    r"\bby (?:a |one |two )?(?:half|third|quarter|fifth)s?\b|^(?:halve|halving|double|doubling)\b"
)
LEVEL = compiled(rf"\b(?:{_DIGITS}|{_WORDS}|one|zero|none)\b(?!\s*(?:/|years?\b))")
ZERO = compiled(r"\bnet[- ]zero\b|\bcarbon[- ]neutral\b")
ALL_OF = compiled(
    r"(?:all|every|each)\b(?! ages?\b)[^.;]{0,60}?\bwill"
    r" (?:have (?:been |undertaken|completed|received|had|an?\b)"
    r"|be (?:trained|offered|invited|assessed|screened|seen))"
)
_REACH = (
    r"(?:achieve|reach|recover|restore|meet|attain|hit|halve|deliver|secure|ensure|increase|raise|grow|expand"
    r"|improve|reduce|cut|lower|decrease|narrow|save|maintain|keep|exceed|become|support|provide|see"
    r"|complete|offer|assess|treat|detect|eliminate|get|move|bring)"
)
REACHING = compiled(
    rf"(?:^|\b(?:to|will|should|must|shall|and|or|rapidly|further|also|then|we) ){_REACH}\b"
    r"|(?:^|\bby )(?:meet|achiev|reach|ensur|increas|reduc"
    r"|improv|rais|cutt|lower|recover)ing\b"
)
BOUND = compiled(
    r"\b(?:targets?|goal|standard|trajectory|minimum|maximum|at least|no (?:more|fewer|less) than"
    r"|ambition)(?: of| for| is| to)?\W+(?:\w+ ){0,2}$"
)
TO_LEVEL = compiled(
    r"\b(?:reduce|fall|drop|decrease|increase|rise|grow|recover|improve)\b[^.;]{0,40}?\b(?:to|by) "
    r"(?:around |about |below |above |\w+ and )?$"
)
COUNTED = compiled(
    r"\b(?:achieve|add|appoint|build|commission|complete|create|deliver|employ|offer|open|provide"
    r"|reach|recruit|support|train|treat)"
    r" (?:all |an additional |an extra |up to |at least |a further |over |more than )?$"
)
SAVING = compiled(
    r"\b(?:savings?|efficienc\w+|cost improvement|CIP|QIPP|deficit|surplus|break[- ]?even)\b"
)
PLANNED = compiled(
    r"\b(?:plann?e?d?|targets?|deliver|achieve|requirement|required|save|reduce|need)\b"
)
PROJECTED = compiled(
    r"\b(?:projected|predicted|forecast|estimated|(?:is|are) expected to"
    r"|will be aged|will be over|likely to)\b"
)
# A share that defines a population, not one to be reached: "the most deprived 20%".
DEPRIVED = compiled(r"\S+ (?:of )?(?:the )?(?:most|least|poorest|richest)\b")
POPULATION = compiled(r"\b(?:most|(?<!at )least|poorest|richest|bottom|top)(?: \w+)? $")
MODAL_NEAR = compiled(r"\b(?:will|should|must|shall) (?:not )?(?:be )?\w+")
FIGURE_REACH = 160
"""How many characters before a figure its verb may stand."""


def saving_under(text: str, headings: Iterable[str]) -> str | None:
    """A sum of money that stands as a figure of a table under a heading that names savings."""
    heading = "".join([*headings][-1:])
    money = MONEY.search(text)
    bare = money is not None and len(text.split()) <= FEW_WORDS and SAVING.search(heading)
    return money[0] if money and bare else None


@lru_cache(maxsize=1_000)
def aims_in(text: str) -> Triggers:
    """The figures of a text that are to be reached, in order: not statistics, budgets or ages."""
    out: list[str] = []
    for start, end in sentences(text):
        sentence = text[start:end]
        body = sentence[label_end(sentence) :]
        if not settled(body) and not PROJECTED.search(body):
            out.extend(_figures(body))
    return tuple(dict.fromkeys(out))


def _figures(body: str) -> list[str]:
    """The figures to be reached in one sentence that is not settled."""
    found = [
        *(m for m in PERCENT.finditer(body) if _reached(body, m.start())),
        *(m for m in LIMIT.finditer(body) if _reached(body, m.start())),
        *(m for m in SERVICE.finditer(body) if _opens_or_promises(body)),
        *(m for m in SHARE.finditer(body) if _opens_or_promises(body)),
        *(m for m in ZERO.finditer(body) if _becomes(body, m.start())),
        *(m for m in MONEY.finditer(body) if SAVING.search(body) and PLANNED.search(body)),
        *(m for m in LEVEL.finditer(body) if _levelled(body, m)),
    ]
    if found:  # "90% of patients within 6 weeks": the limit goes with the share
        found.extend(LIMIT.finditer(body))
    figures = _not_inside(found)
    if not figures and (match := ALL_OF.match(body)):
        return [match[0].split()[0]]
    return figures


def _opens_or_promises(body: str) -> bool:
    return bool(OPENS.match(body) or SOFT_OPENS.match(body) or AHEAD.search(body))


def _not_inside(found: Sequence[re.Match[str]]) -> list[str]:
    """The words of matches in order, without those that lie inside another."""
    spans = [m.span() for m in found]
    outer = [
        m
        for m in found
        if not any(a <= m.start() and m.end() <= b and (a, b) != m.span() for a, b in spans)
    ]
    return list(dict.fromkeys(m[0].strip() for m in sorted(outer, key=lambda m: m.start())))


def _reached(body: str, at: int) -> bool:
    """Whether a figure is to be reached, by the words before it (or "target" just after)."""
    before, after = body[max(0, at - FIGURE_REACH) : at], body[at : at + FIGURE_REACH]
    if POPULATION.search(before) or DEPRIVED.match(after):
        return False
    if at <= FIGURE_REACH and REACHING.search(body[:at]):
        return True
    if REACHING.search(before) and not before.startswith(body[:1]):
        return True
    if BOUND.search(before) or TO_LEVEL.search(before):
        return True
    named = re.match(
        r"\S+ (?:or more |of )?(?:target|standard|reduction|increase|saving|efficiency)\b",
        after,
        re.I,
    )
    return bool(named or MODAL_NEAR.search(before) or MODAL_NEAR.search(after))


def _becomes(body: str, at: int) -> bool:
    before = body[max(0, at - 40) : at]
    return bool(
        re.search(
            r"\b(?:become|becoming|reach|reaching|achieve|achieving|be|to)\b\W*(?:\w+ )?$",
            before,
            re.I,
        )
    )


def _levelled(body: str, match: re.Match[str]) -> bool:
    """Whether a plain number is a level or a count to be reached."""
    before = body[max(0, match.start() - 60) : match.start()]
    after = body[match.end() : match.end() + 2]
    if after[:1] in "%.-–" or before.endswith(("£", "-", "–", "/")):
        return False
    return bool(TO_LEVEL.search(before) or COUNTED.search(before))
