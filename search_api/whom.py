"""Whom a question is put to: systems named, left out or compared, and the asker's own."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from corpus.model import System
from search_api.naming import Named, listed

OTHER = re.compile(
    r"\bother (?:\w+ ){0,2}?(?:ics(?:s|es|'s)?|icbs?|systems?|places?|areas?|regions?|councils?|"
    r"boroughs?|partnerships?|organisations?|neighbours?|parts of (?:england|the country))\b"
    r"|\belsewhere\b|\b(?:what|how|which|where|who|do|are|have|did|will) (?:\w+ )?others\b(?! in)"
    r"|\b(?:any|every)(?:one|body) (?:else|but us)\b|\bwho else\b"
    r"|\b(?:not|but|except|apart from|besides|other than|excluding) us\b"
    r"|\bour neighbours\b|\bthe rest of (?:england|the country|the systems)\b",
    re.IGNORECASE,
)
EXCLUDING = re.compile(
    r"(?:\bnot(?: in| at| from)?|\bexcept(?: for| in)?|\bexclud(?:e|ing)|\bother than|\bapart from"
    r"|\bbut(?: not)?|\bwithout|\boutside(?: of)?|\bbesides|\bneither|(?:^|\s)-)"
    r"\s*(?:the |nhs )?$",
    re.IGNORECASE,
)
# What stands between names that are left out together: "other than Sefton, Herts and Lancashire".
LISTED = re.compile(r"\s*(?:,|&|,?\s*\b(?:and|or|nor)\b)\s*(?:the |nhs )?", re.IGNORECASE)
COMPARED = re.compile(
    r"\b(?:compar\w+|contrast\w*|differ\w*|versus|vs|ahead (?:of|than)|behind"
    r"|(?:more|less|better|worse|further|earlier|later|faster) than)\b",
    re.IGNORECASE,
)
# With whom: only "compare … with the others" is a question to all, not "work with others".
WITH_ALL = re.compile(
    r"\b(?:with|to|from|against|versus|vs\.?|of|than|(?<=behind))\s+(?:all\s+)?(?:the\s+)?"
    r"(?:other (?:systems?|areas?|icss?|icbs?|places?|plans?)|others?|rest)\b(?! in\b)",
    re.IGNORECASE,
)
# Who asks means the home system: "what is our target for …", "compare us with Sefton".
OWN = re.compile(
    r"\bour (?:own )?(?:plans?|strateg\w+|documents?|commitments?|targets?|priorit\w+|position"
    r"|system|icss?|icb|place)\b|\b(?:do|have|did|are|will|should) we\b",
    re.IGNORECASE,
)
US = re.compile(r"\b(?:us|we|ours?|ourselves)\b", re.IGNORECASE)
BESIDE_OTHERS = re.compile(
    r"\b(?:others?|only|alone|first|last|more|less|better|ahead|behind|everyone)\b", re.IGNORECASE
)
NOT_ONLY = re.compile(r"\bnot (?:only|just)(?: (?:in|for|at))?\s+$", re.IGNORECASE)
# A question put to all systems at once.
ACROSS = re.compile(
    r"\b(?:icss?|icses|icbs?|systems|strategies|bodies|documents|plans|areas|compare|everyone"
    r"|each (?:system|body|area|strategy)|which (?:system|area|strategy|plan|body)"
    r"|who (?:says|said|mentions|talks|speaks|commits|promises|plans|aims)"
    r"|whose (?:aims?|plans?|strategy|priorities|documents?))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Whom:
    """Whose documents are asked: `systems`, or all of them but those left out.

    `outside` are bodies asked about that the corpus lacks; `notes` say how names were read.
    """

    systems: tuple[str, ...]
    left_out: tuple[str, ...]
    outside: tuple[str, ...]
    notes: tuple[str, ...]


def put_to(
    text: str, found: Sequence[Named], home: str | None, systems: Mapping[str, System]
) -> Whom:
    """Whom a question is put to.

    Args:
        found: the names in it, in order.
        home: the asker's own system.
    """
    notes: list[str] = []
    named = [n for n in found if not NOT_ONLY.search(text[: n.start])]
    excluded = _excluded(text, named)
    wanted = [n for n in named if n not in excluded]
    if wanted and compared_with_all(text, named):
        notes.append(
            f"{_all_of(wanted[0], systems)} is compared with all systems: all are searched."
        )
        wanted = []
    own: list[str] = []
    if home is not None and _means_home(text, wanted):
        own = [home]
        notes.append(f"“We”, “us” and “our” were read as {systems[home].name}, your own system.")
    left_out = systems_of(excluded)
    if OTHER.search(text):
        if home is None:
            notes.append(
                "The question says “other”, but no home system was given: none is left out."
            )
        elif home not in systems_of(wanted):
            left_out.append(home)
    notes += [note for n in named if (note := _read_as(n, systems)) is not None]
    both = {*systems_of(wanted)} & {*systems_of(excluded)}
    if both:
        # "Besides Sefton, who …, and what does Sefton itself …" is a question to all.
        wanted, left_out = [], [s for s in left_out if s not in both]
        names = listed(sorted(systems[s].name for s in both))
        notes.append(f"{names} is both asked for and left out: no system is left out for that.")
    outside = [n.meaning.name for n in wanted if n.meaning.kind == "outside"]
    return Whom(
        systems=tuple(dict.fromkeys([*own, *systems_of(wanted)])),
        left_out=tuple(dict.fromkeys(left_out)),
        outside=tuple(dict.fromkeys(outside)),
        notes=tuple(notes),
    )


def asks_across(text: str) -> bool:
    """Whether a question is put to all systems, or to all others."""
    return bool(OTHER.search(text) or ACROSS.search(text))


def systems_of(named: Iterable[Named]) -> list[str]:
    """The systems that names mean, each once."""
    return list(dict.fromkeys(system for n in named for system in n.systems))


def compared_with_all(text: str, named: Sequence[Named]) -> bool:
    """Whether one system is named and compared with all others."""
    one = len(systems_of(named)) == 1
    return one and bool(COMPARED.search(text) and WITH_ALL.search(text))


def _excluded(text: str, named: Sequence[Named]) -> list[Named]:
    """The names of those that a question leaves out."""
    out: list[Named] = []
    for n in named:
        together = bool(out) and LISTED.fullmatch(text[out[-1].end : n.start])
        if together or EXCLUDING.search(text[: n.start]):
            out.append(n)
    return out


def _means_home(text: str, wanted: Sequence[Named]) -> bool:
    """Whether a question is put to the asker's own system, alone or beside those it names."""
    if COMPARED.search(text) and US.search(text):
        return bool(wanted)
    return bool(OWN.search(text)) and not (OTHER.search(text) or BESIDE_OTHERS.search(text))


def _all_of(named: Named, systems: Mapping[str, System]) -> str:
    return listed([systems[system].name for system in named.systems])


def _read_as(named: Named, systems: Mapping[str, System]) -> str | None:
    """What is told of how a name was read, unless it is the system's own."""
    meaning, names = named.meaning, _all_of(named, systems)
    one = len(named.systems) == 1
    match meaning.kind:
        case "own":
            same = named.typed.casefold() == names.casefold()
            return None if same else f"“{named.typed}” was read as {names}."
        case "region":
            of = "the one system" if one else "the systems"
            return f"“{named.typed}” was read as {names}, {of} of that region here."
        case "place":
            return f"{meaning.name} lies in {names}: its documents are searched for it."
        case "whole":
            within = "a part of it, is" if one else "parts of it, are"
            return f"{meaning.name} as a whole is not in the corpus; {names}, {within}."
    return None
