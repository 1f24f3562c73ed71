"""Acronyms that documents define themselves, found by the method of Schwartz and Hearst.

"A Simple Algorithm for Identifying Abbreviation Definitions in Biomedical Text" (Pacific Symposium
on Biocomputing, 2003): a short form in brackets after its long form, or the reverse, whose letters
all stand in the long form in order, the first at the start of a word.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from indexer.analyse import terms
from indexer.store.base import Acronym

BRACKET = re.compile(r"([^\n()]{0,160}?)\(([^()\n]{2,80})\)")
SHORT = re.compile(r"[A-Z][A-Za-z0-9&/-]{1,9}")
FEWEST_CAPITALS = 2
MOST_LONG_WORDS = 12

# Short forms that planners use and documents often leave unexplained. Each stands for what it
# means in health and care plans ("ICT" is an integrated care team here, not computers).
CURATED: Mapping[str, tuple[str, ...]] = {
    "A&E": ("accident and emergency",),
    "ADHD": ("attention deficit hyperactivity disorder",),
    "AHP": ("allied health professional",),
    "AMR": ("antimicrobial resistance",),
    "ASD": ("autism spectrum disorder",),
    "BCF": ("better care fund",),
    "CAMHS": ("child and adolescent mental health services",),
    "CCG": ("clinical commissioning group",),
    "CDC": ("community diagnostic centre",),
    "CHC": ("continuing healthcare",),
    "CIP": ("cost improvement plan",),
    "COPD": ("chronic obstructive pulmonary disease",),
    "CVD": ("cardiovascular disease",),
    "CYP": ("children and young people",),
    "EHCP": ("education, health and care plan",),
    "EOL": ("end of life",),
    "FIT": ("faecal immunochemical test",),
    "HWB": ("health and wellbeing board",),
    "IAPT": ("improving access to psychological therapies",),
    "ICB": ("integrated care board",),
    "ICP": ("integrated care partnership",),
    "ICS": ("integrated care system",),
    "ICT": ("integrated care team",),
    "INT": ("integrated neighbourhood team",),
    "JFP": ("joint forward plan",),
    "JSNA": ("joint strategic needs assessment",),
    "LD": ("learning disability",),
    "LTC": ("long term condition",),
    "MH": ("mental health",),
    "NCTR": ("no criteria to reside",),
    "OD": ("organisational development",),
    "OT": ("occupational therapy",),
    "PCN": ("primary care network",),
    "PEOLC": ("palliative and end of life care",),
    "PHB": ("personal health budget",),
    "PHM": ("population health management",),
    "RTT": ("referral to treatment",),
    "SALT": ("speech and language therapy",),
    "SDEC": ("same day emergency care",),
    "SEN": ("special educational needs",),
    "SEND": ("special educational needs and disabilities",),
    "SMI": ("severe mental illness",),
    "TEC": ("technology enabled care",),
    "UCR": ("urgent community response",),
    "UEC": ("urgent and emergency care",),
    "VCF": ("voluntary, community and faith sector",),
    "VCFSE": ("voluntary, community, faith and social enterprise sector",),
    "VCSE": ("voluntary, community and social enterprise sector",),
}


def mine(defined: Mapping[str, Sequence[tuple[str, str]]]) -> tuple[Acronym, ...]:
    """Acronyms that documents define and the curated ones, by short form.

    A short form with several meanings is given once for each, the commonest first.

    Args:
        defined: by document, what `definitions` finds in its text.
    """
    found: dict[str, Counter[str]] = defaultdict(Counter)
    where: dict[tuple[str, str], list[str]] = defaultdict(list)
    spelled: dict[tuple[str, str], str] = {}
    for document, pairs in defined.items():
        for short, long in pairs:
            key = short.upper(), " ".join(re.findall(r"\w+", long.lower()))
            found[key[0]][key[1]] += 1
            spelled.setdefault(key, long)
            if document not in where[key]:
                where[key].append(document)
    out = []
    for short in sorted(set(found) | set(CURATED)):
        meanings: dict[tuple[str, ...], list[str]] = {}
        for plain, _ in sorted(found[short].items(), key=lambda item: (-item[1], item[0])):
            meanings.setdefault(_meaning(plain), []).append(plain)
        for alike in meanings.values():
            documents = sorted({d for plain in alike for d in where[short, plain]})
            out.append(Acronym(short, spelled[short, alike[0]], tuple(documents)))
        for long in CURATED.get(short, ()):
            if _meaning(long) not in meanings:
                out.append(Acronym(short, long))
    return tuple(out)


def definitions(text: str) -> Iterable[tuple[str, str]]:
    """(short form, long form) for every definition in a text."""
    for match in BRACKET.finditer(text):
        before, inside = match[1].strip(), match[2].strip()
        inside = re.split(r"[;,]\s", inside)[0]
        if _is_short(inside):
            words = re.findall(r"\S+", before)
            most = min(len(inside) + 5, len(inside) * 2, MOST_LONG_WORDS)
            long = best_long_form(inside.rstrip("s"), " ".join(words[-most:]))
            if long:
                yield inside.rstrip("s") if inside.endswith("s") else inside, long
        else:
            last = re.findall(r"\S+", before)
            if last and _is_short(last[-1]) and len(inside.split()) <= MOST_LONG_WORDS:
                long = best_long_form(last[-1], inside)
                if long and len(long) >= len(inside) * 0.8:
                    yield last[-1], inside


def _is_short(text: str) -> bool:
    return bool(SHORT.fullmatch(text)) and sum(c.isupper() for c in text) >= FEWEST_CAPITALS


def best_long_form(short: str, long: str) -> str | None:
    """The shortest end of `long` whose letters spell `short` from the right, or None."""
    s, at = len(short) - 1, len(long) - 1
    while s >= 0:
        letter = short[s].lower()
        if not letter.isalnum():
            s -= 1
            continue
        while at >= 0 and (
            long[at].lower() != letter or (s == 0 and at > 0 and long[at - 1].isalnum())
        ):
            at -= 1
        if at < 0:
            return None
        at -= 1
        s -= 1
    start = long.rfind(" ", 0, at + 2) + 1
    form = long[start:].strip(" ‘’“”'\"-–")
    if len(form) <= len(short) or len(form.split()) < 2 or short.lower() in form.lower().split():
        return None
    return form


def _meaning(long: str) -> tuple[str, ...]:
    """What two spellings of one meaning share: the stems of its content words."""
    return tuple(sorted(set(terms(long))))
