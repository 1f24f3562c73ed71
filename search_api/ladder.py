"""How strong a statement is: mention, aspiration, action, target, commitment.

Rules over wording, numbers, dates, owners and table columns, in the order below; the words that
decided are the triggers that are shown. docs/ladder.md explains them to readers.

* commitment: an action or a target with a date, or a target with an owner; a row with a date
* target: a number to be reached
* action: something definite that will be or is being done
* aspiration: what is wanted, or an outcome hoped for
* mention: all else: facts, needs, what has been done, how the document is built

The idea of an ordered scale of commitment, from recognition of a problem to a dated duty, follows
the coding frames used in content analysis of public plans; the words are general English.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from indexer.statements import sentences
from search_api.aims import aims_in, saving_under
from search_api.dates import deadlines_in
from search_api.model import LADDER, Ladder
from search_api.rows import Row
from search_api.wording import (
    ABSTRACT,
    ACT_NOUN,
    AHEAD,
    ASIDE,
    BEING_DONE,
    CONTINUES,
    DOING,
    FINITE,
    INFINITIVE,
    MEANS,
    MODAL,
    NAMED_AIM,
    ONGOING,
    OPENS,
    OUTCOME,
    OUTCOME_NOW,
    PAST,
    PROMISED,
    SETTLED_NOUN,
    SOFT_OPENS,
    SUBJECT,
    SUCCESS,
    THIN,
    THING,
    WANTED,
    WISHED,
    WORK_TO,
    YEAR_AHEAD,
    Triggers,
    label_end,
    settled,
)

FEWEST_WORDS = 4


def grade(
    text: str, cells: Sequence[tuple[str, str]] = (), headings: Iterable[str] = ()
) -> tuple[Ladder, Triggers]:
    """The rung of a statement and the words that put it there.

    Args:
        text: the statement.
        cells: of a table row, all of it as (header, text), so that a cell is judged by its row.
        headings: the headings above it; under one that names savings, a bare sum is a target.
    """
    row = Row.of(cells)
    place = row.place(text) if cells else ""
    own = "\n".join(row.texts("act", "aim")) if place == "row" else text
    figures = aims_in(text if place == "row" else own)
    deadlines = row.deadlines
    if deadlines and (figures or place in ("act", "aim", "row")):
        own_dates = _dates_of(figures[:1], text)
        return "commitment", (*figures[:1], *(own_dates or (deadlines[0].text,)))
    if place in ("owner", "time"):
        return "mention", ()
    rung, triggers = by_words(own or text)
    if rung == "mention" and (saving := saving_under(text, headings)):
        return "target", (saving,)
    if rung == "target" and row.owners:
        return "commitment", (*triggers, row.owners[0])
    if place == "act" and LADDER.index(rung) < LADDER.index("action") and _says_something(own):
        return "action", triggers or _first_word(own)
    if place == "why" and rung == "action":
        return "aspiration", triggers
    if place == "impact" and rung in ("mention", "action") and not PAST.search(own):
        return "aspiration", triggers
    return rung, triggers


def by_words(text: str) -> tuple[Ladder, Triggers]:
    """The rung of a text by its wording alone: that of its strongest sentence."""
    rungs = [_rung(text[start:end]) for start, end in sentences(text)]
    return max(rungs, key=lambda r: LADDER.index(r[0]), default=("mention", ()))


def _rung(sentence: str) -> tuple[Ladder, Triggers]:
    """The rung of one sentence: what is settled promises nothing."""
    body = sentence[label_end(sentence) :]
    if settled(body) or SETTLED_NOUN.match(body) or not _says_something(body):
        return "mention", ()
    dates = _dates(sentence)
    if figures := aims_in(sentence):
        return ("commitment", (figures[0], *dates)) if dates else ("target", figures[:1])
    if act := _act(body):
        return ("commitment", (act, *dates)) if dates else ("action", (act,))
    if wish := _wish(sentence, body):
        deadline = tuple(d.text for d in deadlines_in(sentence)[:1])
        return ("commitment", (wish, *deadline)) if deadline else ("aspiration", (wish,))
    return "mention", ()


def _dates(sentence: str) -> Triggers:
    """The first date by which something is due; a year in which it will be."""
    if found := deadlines_in(sentence):
        return (found[0].text,)
    if AHEAD.search(sentence) and (match := YEAR_AHEAD.search(sentence)):
        return (match[1],)
    return ()


def _dates_of(figures: Triggers, text: str) -> Triggers:
    """The date by which a figure is to be reached, if its own sentence names one."""
    for start, end in sentences(text) if figures else ():
        if figures[0] in text[start:end]:
            return tuple(date.text for date in deadlines_in(text[start:end])[:1])
    return ()


def _says_something(body: str) -> bool:
    return len(body.split()) >= FEWEST_WORDS and not body.rstrip().endswith(":")


def _act(body: str) -> str | None:
    """The words that say something definite will be or is being done."""
    rules: tuple[Callable[[str], str | None], ...] = (
        _opens, _promised, _being_done, _act_noun, _infinitive, _means, _thing,
    )  # fmt: skip
    return next((found for rule in rules if (found := rule(body))), None)


def _opens(body: str) -> str | None:
    match = OPENS.match(body) or ONGOING.match(body)
    if SUBJECT.match(body):
        return None
    if match and ONGOING.match(match[0]) and SOFT_OPENS.match(body[match.end() :].strip()):
        return None
    return None if match is None or THIN.match(body) else match[0]


def _promised(body: str) -> str | None:
    for match in _main(PROMISED, body):
        if not THIN.match(body, match.end() - len(match[0].split()[-1])):
            return match[0]
    if continued := next(_main(CONTINUES, body), None):
        return continued[0]
    work = WORK_TO.search(body)
    return work[0] if work and any(_main(WISHED, body[: work.end()])) else None


def _main(pattern: re.Pattern[str], body: str) -> Iterator[re.Match[str]]:
    """The matches that belong to what the sentence itself says, not to a clause within it."""
    for match in pattern.finditer(body):
        if not ASIDE.search(body[: match.start()]):
            yield match


def _being_done(body: str) -> str | None:
    return next((match[0] for match in _main(BEING_DONE, body)), None)


def _act_noun(body: str) -> str | None:
    match = ACT_NOUN.match(body)
    if match is None or FINITE.search(body[: match.end()]) or PAST.search(body):
        return None
    return match[0][match.start(1) :]


def _infinitive(body: str) -> str | None:
    match = INFINITIVE.match(body)
    if match is None or FINITE.search(body[: match.end()]) or ABSTRACT.search(match[0]):
        return None
    if OUTCOME.match(body) or SOFT_OPENS.match(body) or DOING.search(match[0]):
        return None
    return match[0][match[0].lower().rindex(" to ") + 1 :]


def _means(body: str) -> str | None:
    match = MEANS.search(body)
    return match[0] if match and _wish(body, body) else None


def _thing(body: str) -> str | None:
    """A soft verb with a definite thing as its object."""
    at = next((m.end() for m in _main(MODAL, body)), 0) if not SOFT_OPENS.match(body) else 0
    match = THING.match(body, at)
    return match[0] if match else None


def _wish(sentence: str, body: str) -> str | None:
    """The words that say what is wanted or hoped for."""
    if match := SUCCESS.match(body):
        return " ".join(match[0].split(" ")[-2:])
    for pattern in (SOFT_OPENS, OUTCOME):
        if (match := pattern.match(body)) and not SUBJECT.match(body):
            return match[0]
    if match := WANTED.search(body):
        return _last_words(match[0])
    if found := next((m[0] for m in _main(WISHED, body)), None):
        return found
    if match := NAMED_AIM.search(sentence):
        return match[0]
    if not FINITE.search(body) and (match := OUTCOME_NOW.search(body)):
        return match[0].lstrip(", ")
    return None


def _last_words(text: str) -> str:
    """The end of a match that began with its subject."""
    words = re.search(
        r"(?:(?:is|are) )?[\w’'-]+(?: (?:to|like|be|is|are))?\s*$", text.rstrip(), re.IGNORECASE
    )
    return words[0] if words else text


def _first_word(text: str) -> Triggers:
    word = re.search(r"[\w'’-]+", text)
    return (word[0],) if word else ()
