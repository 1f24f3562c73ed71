"""How strong a statement is: mention, aspiration, action, target, commitment.

Rules over the wording, in the order below; the words that decided are the triggers that are shown.
docs/ladder.md explains them to readers.

* commitment: an action or a target with a date or an owner (a row that has a timeframe is one)
* target: a number to be reached
* action: something that will be or is being done
* aspiration: what is wanted
* mention: all else
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from search_api.dates import dates_in
from search_api.model import Ladder

ACTIONS = """
    achieve adopt advance advertise align allocate appoint assign assess audit build co-design
    co-produce collaborate commission complete conduct consult contribute coordinate co-ordinate
    create define deliver deploy design develop dismantle draw embed employ enable engage enhance
    ensure establish evaluate evolve expand explore finalise fund grow host identify implement
    improve increase integrate introduce invest involve launch lead level listen make map maximise
    mobilise monitor narrow open optimise oversee pilot plan procure produce promote provide publish
    realise re-convene recover recruit reduce refresh relaunch replace report respond review revise
    roll scope secure share shift simplify spend start strengthen support sustain target test tackle
    train transfer transform undertake update upgrade upskill use utilise work
"""
CONCRETE = """
    advertise appoint audit build co-design co-produce commission conduct consult create deliver
    deploy design develop dismantle employ establish evaluate expand finalise fund host implement
    introduce invest launch map mobilise open pilot procure produce publish recruit refresh review
    roll scope train undertake update upskill use draw share bring target
"""
GERUND = re.compile(
    r"^(?:develop|implement|deliver|establish|expand|review|recruit|train|finalis|mobilis|roll|creat"
    r"|introduc|embedd|evaluat|work|commission|mapp|produc|investigat|enhanc)(?:ing|ion|ment|ation|ery)\b",
    re.IGNORECASE,
)
WANTED = re.compile(
    r"\b(?:want|wants|hope|hopes|aspire|aspires|aspiration|ambition|ambitious|vision|believe|strive"
    r"|striving|aim|aims|seek|seeks|should be able|would like|priorit(?:y|ies|ise)|committed to"
    r"|commitment to|best start|better|improved?|ensure|encourage|enable|support|supporting"
    r"|promote|need to|must|increase|reduce|goal|recognise the need|will be able)\b",
    re.IGNORECASE,
)
WILL = re.compile(
    r"\b(?:we|partners?|council|sefton|service|team|programme|group|board|plan|strategy|who|it|this"
    r"|they|icb|ics|system)\b[^.;]{0,60}?\b(?:will|shall|are going to|is going to|plans? to"
    r"|intends? to|commit(?:s|ted)? to|pledge[sd]? to)\b",
    re.IGNORECASE,
)
DONE = re.compile(
    r"\b(?:has|have|had) (?:\w+ )?(?:been|already|seen|successfully|commissioned|developed|launched"
    r"|made|adopted|identified)\b|\bwas\b|\bwere\b",
    re.IGNORECASE,
)
NUMBER = re.compile(
    r"\b\d+(?:\.\d+)?\s?(?:%|per ?cent\b)|\b\d+(?:\.\d+)? out of \d+\b|£\s?\d[\d.,]*\s?(?:k|m|bn|million)?"
    r"|\bminimum of \d|\bwithin (?:two|three|four|five|six|\d+) (?:hours?|days?|weeks?|months?)\b"
    r"|\bnet zero\b|\ball \d+\b",
    re.IGNORECASE,
)
AIMED = re.compile(
    r"\b(?:to|target|achieve|reach|recover|ensure|increase|reduce|minimum|at least|within|become"
    r"|should reduce|by)\b",
    re.IGNORECASE,
)
OWNER_HEADER = re.compile(r"\b(?:lead|owner|responsib)", re.IGNORECASE)
TIME_HEADER = re.compile(r"\b(?:time|date|when|deadline|by when|target date|milestone)", re.IGNORECASE)
ACTION_HEADER = re.compile(r"\b(?:objective|action|outcome|aim|deliverable)", re.IGNORECASE)

_FIRST_WORDS = frozenset(ACTIONS.split())
_CONCRETE_WORDS = frozenset(CONCRETE.split())


def grade(
    text: str, cells: Sequence[tuple[str, str]] = (), headings: Iterable[str] = ()
) -> tuple[Ladder, tuple[str, ...]]:
    """The rung of a statement and the words that put it there.

    Args:
        text: the statement.
        cells: of a table row, all of it as (header, text), so that a cell is judged by its row.
    """
    row = _row(cells)
    body = "\n".join(row["action"]) or text
    dates = dates_in("\n".join(row["time"])) if row["time"] else dates_in(text)
    owners = row["owner"]
    number = NUMBER.search(body if row["action"] else text)
    aimed = number is not None and bool(AIMED.search(text[: max(0, number.start())] or body))
    action = _action(body if row["action"] else text)
    if row["time"] and dates:
        return "commitment", (dates[0].text,)
    if number and aimed and (dates or owners) and not DONE.search(text):
        return "commitment", (number[0].strip(), dates[0].text if dates else owners[0])
    if number and aimed and not DONE.search(text):
        return "target", (number[0].strip(),)
    if action and row["time"]:
        return "action", (action,)
    if action and dates and not DONE.search(text) and _future(text):
        return "commitment", (action, dates[0].text)
    if action and owners:
        return "commitment", (action, owners[0])
    if action and not DONE.search(text):
        return "action", (action,)
    if DONE.search(text) and not WILL.search(text):
        return "mention", ()
    if wanted := WANTED.search(text):
        return "aspiration", (wanted[0],)
    return "mention", ()


def _row(cells: Sequence[tuple[str, str]]) -> Mapping[str, list[str]]:
    """The texts of a row by what their column is about."""
    found: dict[str, list[str]] = {"action": [], "time": [], "owner": []}
    for header, text in cells:
        if OWNER_HEADER.search(header):
            found["owner"].append(text)
        elif TIME_HEADER.search(header):
            found["time"].append(text)
        elif ACTION_HEADER.search(header):
            found["action"].append(text)
    return found


def _action(text: str) -> str | None:
    """The words that say something will be done, or None."""
    for sentence in re.split(r"(?<=[.;])\s+|\n", text):
        first = re.match(r"[\W\d.]*([\w-]+)", sentence)
        word = first[1].lower() if first else ""
        if word in _CONCRETE_WORDS or GERUND.match(sentence.strip()):
            return first[1] if first else None
        if promised := WILL.search(sentence):
            after = sentence[promised.end() :]
            verb = next((w for w in re.findall(r"[\w-]+", after.lower())[:4] if w in _FIRST_WORDS), "")
            if verb in _CONCRETE_WORDS:
                return f"{promised[0].split()[-1]} {verb}"
    return None


def _future(text: str) -> bool:
    return bool(re.search(r"\bby\b|\bwill\b|\bfrom\b|:", text, re.IGNORECASE))
