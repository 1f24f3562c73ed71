"""The wordings in which documents declare their priorities, and those in which they do not.

Headings that name a list, sentences that announce one, labels that number its members; and what
tells apart a list of somebody else's, or of how the priorities came about or will be measured.
"""

import re
from typing import Literal

from indexer.analyse import stem, terms
from indexer.statements import sentences
from search_api.wording import DEFINITE, SOFT

Rank = Literal["headline", "supporting"]

MOST_COUNTED = 15
NUMBERS = {
    word: number
    for number, word in enumerate(
        "two three four five six seven eight nine ten eleven twelve".split(), start=2
    )
} | {str(n): n for n in range(2, MOST_COUNTED + 1)}

NUMBER = rf"(?:{'|'.join(NUMBERS)})"
PRIORITIES = r"priorit(?:ies|y (?:areas?|themes?|outcomes?|goals?))"
AIMS = r"(?:themes|ambitions|goals|aims|missions|pillars|objectives|focus areas|areas of focus)"
SUPPORTS = r"(?:principles|enablers|foundations|themes)"
ANY_NOUN = re.compile(rf"\b(?:{PRIORITIES}|{AIMS}|{SUPPORTS})\b", re.IGNORECASE)
CHIEF = re.compile(
    rf"\b(?:our|key|strategic|main|overarching|headline|shared|cross|crosscutting|top|big|{NUMBER})\b",
    re.IGNORECASE,
)
THROUGHOUT = re.compile(r"\b(?:cross[- ]?cutting|overarching|headline)\b", re.IGNORECASE)
HEADED = re.compile(
    rf"(?P<before>(?:[\w'’&/-]+ +){{0,6}}?)(?P<noun>{PRIORITIES}|{AIMS}|{SUPPORTS})\b(?P<after>.*)",
    re.IGNORECASE | re.DOTALL,
)
# Words before or after the noun that make a heading one about priorities rather than of them.
ABOUT = re.compile(
    r"\b(?:to|by|for|of|in|on|with|how|what|why|that|which|these|those|other|national|regional|"
    r"government|district|borough|partners?|previous|last|past|former|progress|your|their|"
    r"people's|residents?|public|research|nhs|england|individual|competing|example)\b|"
    r"\b(?!(?:commissioning|ageing|wellbeing|cross-?cutting|cutting|overarching|guiding)\b)\w+ing\b",
    re.IGNORECASE,
)
AFTERWARDS = re.compile(
    r"\b(?:progress|updates?|achiev\w+|deliver\w+|measur\w+|monitor\w+|align\w*|links?|feedback|"
    r"survey|engagement|told|heard|national\w*|government|nhs england|partners|will|we)\b",
    re.IGNORECASE,
)
JOINED = re.compile(
    r"\b(?:health|care|wellbeing|vision|aims?|goals?|ambitions?|values?|mission) (?:and|&) ", re.I
)
HELPING = re.compile(r"themes\b.*\b(?:help|support|underpin)", re.IGNORECASE)
SUPPORTING = re.compile(
    rf"(?:(?:our|the|core|guiding|key|strategic|{NUMBER}) +)*(?:principles|enablers|foundations)",
    re.IGNORECASE,
)
PLAIN_AIM = re.compile(r"\b(?:strategic|key|main|overarching|headline)\b", re.IGNORECASE)
NUMBERING = re.compile(r"(?:\(?\d{1,2}(?:\.\d{1,2})?[.)]?|[a-z][.)]|section \d+:?)\s+", re.I)
YEARS = re.compile(r"[\s,(–-]*\b20\d\d\b(?:\s?[-–/to]+\s?(?:20)?\d\d\b)?\)?")

# A sentence that announces the list which follows it.
ANNOUNCED = re.compile(
    rf"(?P<noun>\b(?:(?:{NUMBER}|main|key|strategic|shared|system|following|top) )*"
    rf"(?:{PRIORITIES}|(?:strategic|key|main|overarching|cross[- ]cutting) {AIMS})|"
    r"\bprioriti[sz]e)\b(?P<tail>[^.]*)$",
    re.IGNORECASE,
)
BRACKETED = re.compile(r"\s*\([^()]*\)\s*")
THESE_ARE = re.compile(
    rf"(?:these|the) (?P<noun>(?:{NUMBER} )?(?:(?:strategic|key|main|overarching) )*"
    rf"(?:{PRIORITIES}|{AIMS})) (?:are|are as follows|include)\s?:",
    re.IGNORECASE,
)
OWN = re.compile(
    r"\b(?:we|our|us|ours)\b|\bth(?:is|e) (?:strategy|plan|partnership|board)\b|"
    r"\bthe following (?:\w+ ){0,2}priorit",
    re.IGNORECASE,
)
FOREIGN = re.compile(
    r"\bnational(?:ly)?\b|\bNHS England\b|\bGovernment\b|\bgovernment\b|Long[- ]Term Plan|Core20|"
    r"\bDepartment (?:of|for)\b|Prime Minister|\bNICE\b|World Health|Five Year Forward|"
    r"\bother (?:councils|systems|partners)\b|\btheir (?:\w+ )?priorit|\btold us\b|\bsaid\b|"
    r"\b(?:informed|shaped) (?:by )?(?:our|the|these)\b"
)
REFERS = re.compile(
    r"\b(?:these|those|align\w*|consider\w*|deliver\w*|achiev\w*|monitor\w*|progress|review\w*|"
    r"against|towards|inform\w*|shap(?:e|ed|ing)|support\w*|meet\w*)\b[^,;]{0,25}$",
    re.IGNORECASE,
)
TURNS = re.compile(
    r"\b(?:we|it|they|board|will|would|must|should|partners|indicators?|measures?|which|who)\b",
    re.IGNORECASE,
)
CAME_ABOUT = re.compile(
    r"\b(?:drawn|based|developed|informed|shaped|evolved|engag\w+|consult\w+|listen\w+|told|heard|"
    r"looked|considered|indicators?|measur\w+|monitor\w*)\b",
    re.IGNORECASE,
)
THROUGH = re.compile(r"\b(?:used|using|through|by|from|deliver\w*|achiev\w*)\b", re.IGNORECASE)
POINTING = re.compile(
    r"\b(?:(?:these|they) are|includ(?:e|es|ing)|following|below|as follows)\W*$", re.IGNORECASE
)
COUNTED = re.compile(
    rf"\b(?P<number>{NUMBER})(?: [\w-]+){{0,3}} "
    r"(?:priorit|areas|themes|ambitions|goals|aims|pillars|missions|objectives)",
    re.IGNORECASE,
)
COUNTED_OUT = re.compile(rf"\b{NUMBER}(?: [\w-]+){{0,2}} {PRIORITIES}\b", re.IGNORECASE)
LABELLED = re.compile(
    r"(?P<noun>(?:strategic |key )?(?:priority(?: area| theme)?|theme|ambition|goal|aim|objective|"
    r"pillar|mission|outcome))\s+(?P<number>\d{1,2})\b(?!\s*[,%/]|\.\d|\s+(?:and|of|to|in|is|was)\b)"
    r"(?P<mark>\s*[:.–—-]?\s*)",
    re.IGNORECASE,
)
FIRST_WORDS_OF_A_LINE = re.compile(r"\W*(?:to\s+)?(?P<word>[A-Za-z-]+)", re.IGNORECASE)
NUMBERED = re.compile(r"\(?(?P<number>\d{1,2})[.)]\s+(?=\S)")
BEFORE_ITEM = re.compile(r"(?:\(?\d{1,2}[.)]\s+|[a-z][.)]\s+|[•▪●*–-]+\s*|\s+)*")
COLUMN = re.compile(rf"(?:our |strategic |key )*(?:priority(?: area)?|{PRIORITIES})", re.IGNORECASE)
ACTS = frozenset(stem(verb) for verb in (DEFINITE + SOFT).split() if "-" not in verb)
PRIORITY_WORD = re.compile(r"priorit", re.IGNORECASE)


def called_in_heading(text: str) -> tuple[str, Rank] | None:
    """What a heading calls the list that it declares, and its rank; None if it declares none.

    >>> called_in_heading("2. Life-course priorities")
    ('Life-course priorities', 'headline')
    >>> called_in_heading("Our core principles")
    ('Our core principles', 'supporting')
    >>> called_in_heading("Monitoring progress on our priorities") is None
    True
    """
    plain = " ".join(YEARS.sub("", NUMBERING.sub("", text.strip(), count=1)).split())
    plain = plain.strip(" :–-*")
    match = HEADED.fullmatch(plain)
    if match is None or len(plain.split()) > 12:
        return None
    before, noun, after = (match[name].strip() for name in ("before", "noun", "after"))
    if HELPING.fullmatch(plain.split(" on ")[0]) or HELPING.match(plain):
        return plain, "supporting"
    loose = JOINED.sub("", before + " ")
    if ABOUT.search(loose.replace("’", "'")) or re.search(r"\b(?:and|&)\b", loose):
        return None
    if AFTERWARDS.search(after) or FOREIGN.search(plain):
        return None
    called = " ".join([*before.split(), *noun.split()])
    if PRIORITY_WORD.match(noun):
        return called, "headline"
    if SUPPORTING.fullmatch(called):
        return (called, "supporting") if not after else None
    chief = CHIEF.search(before)
    if re.fullmatch("objectives", noun, re.IGNORECASE):
        chief = PLAIN_AIM.search(before)
    return (called, "headline") if chief and re.fullmatch(AIMS, noun, re.IGNORECASE) else None


def announced_in(text: str) -> str | None:
    """What the last sentence of a paragraph calls the list that it announces, or None.

    >>> announced_in("We have identified three main strategic priority areas as our focus:")
    'three main strategic priority areas'
    >>> announced_in("The national strategy highlighted six priority areas for action:") is None
    True
    """
    *_, (start, end) = [(0, 0), *sentences(text)]
    last = " ".join(BRACKETED.sub(" ", text[start:end]).split())
    if not last.endswith(":") or not OWN.search(last) or FOREIGN.search(last):
        return None
    match = ANNOUNCED.search(last.rstrip(": "))
    if match is None or REFERS.search(last[: match.start()]) or TURNS.search(match["tail"]):
        return None
    if CAME_ABOUT.search(match["tail"]):
        return None
    return match["noun"] if len(match["tail"].split()) <= 12 else None


def announced_after(text: str, before: str) -> str | None:
    """What "These priorities are:" calls its list, if the sentence before speaks of one's own.

    >>> announced_after("These priorities are:", "Our strategy has two strategic priorities.")
    'priorities'
    >>> announced_after("These priorities are:", "The government has two priorities.") is None
    True
    """
    spoken = [text[start:end] for text in (before, text) for start, end in sentences(text)]
    if len(spoken) < 2:
        return None
    match = THESE_ARE.fullmatch(" ".join(spoken[-1].split()))
    own = OWN.search(spoken[-2]) and ANY_NOUN.search(spoken[-2]) and not FOREIGN.search(spoken[-2])
    return match["noun"] if match and own else None


def counted_out_in(text: str) -> str | None:
    """What a sentence without a colon calls the list, if it says how many there are.

    The list must then have just as many members: "... the four priority areas of this strategy."
    """
    *_, (start, end) = [(0, 0), *sentences(text)]
    last = text[start:end]
    match = COUNTED_OUT.search(last)
    if match is None or not OWN.search(last) or FOREIGN.search(last):
        return None
    return None if CAME_ABOUT.search(last) else " ".join(match[0].split())


def counted_in(text: str) -> int | None:
    """How many a text says that there are: "five areas of people's lives" is 5."""
    match = COUNTED.search(text)
    return NUMBERS[match["number"].lower()] if match else None


def before_item(text: str) -> str:
    """What stands before the words of a list item: its number or bullet."""
    match = BEFORE_ITEM.match(text)
    return match[0] if match else ""


def says_what_to_do(text: str) -> bool:
    """Whether a line begins by saying what to do: "Ensuring ...", "Become ...", "To work ..."."""
    match = FIRST_WORDS_OF_A_LINE.match(text)
    return match is not None and stem(match["word"].lower()) in ACTS


def points_to_a_list(text: str) -> bool:
    """Whether a paragraph under a heading points to the list after it: "Four principles guide us:".

    Not if it says how the list came about ("they are drawn from:"), or whose else it is.
    """
    *_, (start, end) = [(0, 0), *sentences(text)]
    last = text[start:end]
    if FOREIGN.search(last) or CAME_ABOUT.search(last):
        return False
    if POINTING.search(last):
        return True
    return bool(ANY_NOUN.search(last)) and not THROUGH.search(last)


def alike(one: str, other: str, whole: bool = False) -> bool:
    """Whether two priorities say the same, label and number aside.

    Args:
        whole: it is not enough that one holds the words of the other.
    """
    mine, theirs = (frozenset(terms(unlabelled(text))) for text in (one, other))
    return alike_in_stems(mine, theirs, whole)


def unlabelled(words: str) -> str:
    """The words of a priority without their label: "Priority 4: age well" is "age well"."""
    match = LABELLED.match(words)
    return words[match.end() :] if match else words


def alike_in_stems(one: frozenset[str], other: frozenset[str], whole: bool = False) -> bool:
    """Whether one holds the words of the other, or they share most of them."""
    if not one or not other:
        return False
    shared = len(one & other)
    within = shared == min(len(one), len(other)) and not whole
    return within or 5 * shared >= 3 * len(one | other)
