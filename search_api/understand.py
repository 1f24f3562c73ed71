"""What a question means: whose documents, which subject, which words beside those typed.

Nothing here looks at passages. What was understood is shown to the asker, who can undo it by
wording the question otherwise or by filters.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from corpus.errors import QueryError
from indexer.analyse import STOP_STEMS, stem, terms, tokens
from indexer.store import Acronym, Store
from search_api import medical
from search_api.model import MOST_CHARACTERS, SEEN, Expansion, Understood
from search_api.naming import LEAST_FUZZY_LENGTH, WORD, Named, Names, listed
from search_api.thesaurus import SOURCE, open_thesaurus

PHRASE = re.compile(r"[\"“”]([^\"“”]{2,})[\"“”]")
WITHOUT = re.compile(r"(?:^|(?<=\s))-([^\W\d_][\w'’-]*)")
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
COMPARED = re.compile(r"\b(?:compar\w+|contrast\w*|differ\w*|versus|vs)\b", re.IGNORECASE)
# With whom: only "compare … with the others" is a question to all, not "work with others".
WITH_ALL = re.compile(
    r"\b(?:with|to|from|against|versus|vs\.?)\s+(?:all\s+)?(?:the\s+)?"
    r"(?:others?|rest|other (?:systems?|areas?|icss?|icbs?|places?|plans?))\b(?! in\b)",
    re.IGNORECASE,
)
FRAMES = re.compile(
    r"^\W*(?:(?:can|could) you |please |i(?:'d| would)? (?:want|like|need) to know |tell me "
    r"|show me |find (?:me )?|compare |list |give me )*"
    r"(?:(?:what|how|which|who|where|does|do|is|are|has|have)?\b.{0,60}?"
    r"\b(?:say|says|said|saying|speak|speaks|mention|mentions|talk|talks|write|writes)\b"
    r"(?: anything| something| nothing| much)? (?:about|on|of|regarding|concerning)"
    r"|(?:who|which|what|does|do|is|are)\b[^,;:]{0,60}?"
    r"\b(?:mentions?|address(?:es)?|(?:silent|nothing|anything) (?:on|about))"
    r"|(?:is there )?anything (?:about|on|regarding)"
    # What is planned or done: only with nothing else before it than who may plan.
    r"|(?:(?:what|how|which|who|where|anything|do|does|did|is|are|has|have|been|being|be|will|the"
    r"|their|our|they|we|others?|icss?|icses|icbs?|systems?|places?|areas?|regions?|councils?"
    r"|boroughs?|partnerships?|neighbours|plan)\s+)+"
    r"(?:plan|plans|planned|planning|intend|intends|propose|proposes|proposed|promise|promises"
    r"|promised|commit|commits|committed|do|does|doing|done)\b"
    r"(?: to do)?(?: anything| something| much| what)? (?:about|on|for|regarding))\s+",
    re.IGNORECASE,
)
# Who asks means the home system: "what is our target for …", "compare us with Sefton".
OWN = re.compile(
    r"\bour (?:own )?(?:plans?|strateg\w+|documents?|commitments?|targets?|priorit\w+|position"
    r"|system|icss?|icb|place)\b|\b(?:do|have|did|are|will|should) we\b",
    re.IGNORECASE,
)
US = re.compile(r"\b(?:us|we|ours?|ourselves)\b", re.IGNORECASE)
US_COMPARED = re.compile(
    r"^\W*(?:compare\s+|how (?:do|are|does)\s+)?(?:us|we|ours?(?: \w+)?)\b"
    r"(?:\s+(?:compared?|differ|with|to|from|and|against|versus|vs|the|others?|rest))*"
    r"(?:\s+(?:on|about|for))?\s+",
    re.IGNORECASE,
)
BESIDE_OTHERS = re.compile(
    r"\b(?:others?|only|alone|first|last|more|less|better|ahead|behind|everyone)\b", re.IGNORECASE
)
NOT_ONLY = re.compile(r"\bnot (?:only|just)(?: (?:in|for|at))?\s+$", re.IGNORECASE)
# What is ordered at the start of a question, and what is left hanging once names are gone.
ORDERS = re.compile(
    r"^\W*(?:(?:please )?"
    r"(?:compare|contrast|summari[sz]e|list(?: of)?|show(?: me)?|give me|find(?: me)?)\b"
    r"(?: and contrast)?(?: what(?= \w))?\s*)+",
    re.IGNORECASE,
)
ABOUT = re.compile(
    r"^(?:(?:every(?:one|body)|all(?: (?:other )?(?:systems|areas|places|icss?|icbs?))?)\s+)?"
    r"(?:on|about)\s+(?=\w)",
    re.IGNORECASE,
)
IN_THE = re.compile(r"\b(?:in|of|at|from|across|within|for|by)(?:\s+the)?\s+$", re.IGNORECASE)
DANGLING = re.compile(
    r"[,:;]?\s*(?:\b(?:in|for|by|of|at|from|across|with|to|between|and|or|than|versus|vs"
    r"|compare[ds]?|compared (?:with|to))\s*)+(?=[?.!]*$)",
    re.IGNORECASE,
)
JOINING = re.compile(
    r"\s*(?:,|&|and|or|nor|with|versus|vs\.?|to|, and|against|compared (?:with|to))"
    r"\s*(?:the |nhs )?",
    re.IGNORECASE,
)
# Words of the question's frame: they say that something is asked, not what about.
FRAME_WORDS = """
    say says said saying tell show mention mentions speak speaks talk compare comparison ics icss
    icses system systems anything something anyone document documents corpus please know find list
    described describe explain there elsewhere many much often
"""
FRAME_STEMS = frozenset(stem(w) for w in FRAME_WORDS.split())
# Acronyms that are also everyday words count only in capitals.
EVERYDAY = frozenset(
    """
    ACT AP CAB FIT IC ICE IT MASH OR PALS REACT RESPECT SEAS SEND SPA SPOT STOMP TEC
    """.split()
)
# A question put to all systems at once.
DUE = re.compile(
    r"\b(?:over[- ]?due|past (?:its|their|the) (?:date|deadline)s?|deadlines?"
    r"|due (?:before|by|in|this|next)"
    r"|what (?:happens|will happen|is (?:planned|promised|to be done))\s+(?:in|by|before|during)"
    r"\s[^?]{0,20}?20\d\d)\b",
    re.IGNORECASE,
)
ABOUT_DUE = "Dates are not searched for: what is due, and what is overdue, is in the register."
# What is asked for where nothing but priorities is: "what are the main priorities?"
PRIORITIES = frozenset(
    stem(w) for w in "priority priorities main key strategic top headline overall declared".split()
)
ABOUT_PRIORITIES = "The priorities that each system declares stand side by side under “Priorities”."
ACROSS = re.compile(
    r"\b(?:icss?|icses|icbs?|systems|strategies|bodies|documents|plans|areas|compare|everyone"
    r"|each (?:system|body|area|strategy)|which (?:system|area|strategy|plan|body)"
    r"|who (?:says|said|mentions|talks|speaks|commits|promises|plans|aims)"
    r"|whose (?:aims?|plans?|strategy|priorities|documents?))\b",
    re.IGNORECASE,
)
MOST_ALIKE = 5
# Quotation marks ask for the very words in a short query; in a long sentence they only stress.
MOST_BESIDE_PHRASE = 12
OWN_LIST = "icsearch's own list"


class Understander:
    """Reads questions against one generation's systems, acronyms and words."""

    def __init__(self, store: Store) -> None:
        """Prepare the tables of names, acronyms and words."""
        self._store = store
        self._names = Names(store)
        self._thesaurus = open_thesaurus()
        self._acronyms: dict[str, list[Acronym]] = {}
        for acronym in store.acronyms:
            self._acronyms.setdefault(acronym.short.upper(), []).append(acronym)
        for short, long in self._thesaurus.short.items():
            self._acronyms.setdefault(short, [Acronym(short, long)])
        self._long_forms = {
            key: acronym
            for acronym in reversed([a for held in self._acronyms.values() for a in held])
            if len(key := tuple(terms(acronym.long))) > 1
        }
        self._longest_form = max(map(len, self._long_forms), default=0)

    def understand(self, text: str, home: str | None) -> Understood:
        """What a question means.

        Raises:
            QueryError: it is empty or too long.
            UnknownId: the home system is not in the index.
        """
        text = " ".join(text.split())
        if not SEEN.search(text):
            raise QueryError("Type a question or some words to search for.", field="q")
        if len(text) > MOST_CHARACTERS:
            raise QueryError(
                f"The question has {len(text):,} characters; the most is {MOST_CHARACTERS:,}.",
                field="q",
            )
        notes: list[str] = [medical.REASON] if medical.is_personal_medical(text) else []
        phrases = tuple(m.strip() for m in PHRASE.findall(text))
        if len(PHRASE.sub(" ", text).split()) > MOST_BESIDE_PHRASE:
            phrases = ()
        found = self._names.find(text)
        named = [n for n in found if not NOT_ONLY.search(text[: n.start])]
        excluded: list[Named] = []
        for n in named:
            last = excluded[-1].end if excluded else None
            together = last is not None and LISTED.fullmatch(text[last : n.start])
            if together or EXCLUDING.search(text[: n.start]):
                excluded.append(n)
        without = [
            m[1]
            for m in WITHOUT.finditer(text)
            if not any(n.start <= m.end(1) - 1 < n.end for n in named)
        ]
        wanted = [n for n in named if n not in excluded]
        if wanted and _compared_with_all(text, named):
            notes.append(
                f"{self._listed(wanted[0])} is compared with all systems: all are searched."
            )
            wanted = []
        own = home is not None and _means_home(text, wanted)
        if own and home is not None:
            name = self._store.systems[home].name
            notes.append(f"“We”, “us” and “our” were read as {name}, your own system.")
        left_out = _systems_of(excluded)
        if OTHER.search(text):
            if home is None:
                notes.append(
                    "The question says “other”, but no home system was given: none is left out."
                )
            elif home not in _systems_of(wanted):
                left_out.append(home)
        notes += [note for n in named if (note := self._read_as(n)) is not None]
        both = {*_systems_of(wanted)} & {*_systems_of(excluded)}
        if both:
            # "Besides Sefton, who …, and what does Sefton itself …" is a question to all.
            wanted, left_out = [], [s for s in left_out if s not in both]
            names = listed(sorted(self._store.systems[s].name for s in both))
            notes.append(f"{names} is both asked for and left out: no system is left out for that.")
        outside = dict.fromkeys(n.meaning.name for n in wanted if n.meaning.kind == "outside")
        subject = self._subject(text, found, without)
        expansions = tuple(self._expansions(subject, notes))
        spelling, corrections = self._spelling(subject)
        for typed, right in corrections.items():
            subject = re.sub(rf"\b{re.escape(typed)}\b", right, subject)
            notes.append(f"“{typed}” is nowhere in the documents; “{right}” was searched for.")
        if DUE.search(text):
            notes.append(ABOUT_DUE)
        asked_for = {w for w in terms(subject) if w not in FRAME_STEMS}
        if stem("priorities") in asked_for and asked_for <= PRIORITIES:
            notes.append(ABOUT_PRIORITIES)
        if corrections:
            expansions = tuple(self._expansions(subject, []))
        return Understood(
            text=text,
            systems=tuple(dict.fromkeys([*([home] if own and home else ()), *_systems_of(wanted)])),
            excluded_systems=tuple(dict.fromkeys(left_out)),
            expansions=expansions,
            notes=tuple(dict.fromkeys(notes)),
            subject=subject,
            outside=tuple(outside),
            phrases=phrases,
            without=tuple(dict.fromkeys(without)),
            spelling=spelling,
        )

    def _listed(self, named: Named) -> str:
        return listed([self._store.systems[system].name for system in named.systems])

    def _read_as(self, named: Named) -> str | None:
        """What is told of how a name was read, unless it is the system's own."""
        meaning, names = named.meaning, self._listed(named)
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

    def _subject(self, text: str, named: Sequence[Named], without: Sequence[str]) -> str:
        """The text without its frame, the systems it names and the words it rules out."""
        cut = text
        after: int | None = None
        for n in sorted(named, key=lambda n: -n.start):
            if n.meaning.kind == "whole":
                continue  # its parts' documents speak of it by that name
            # "Sefton and South East London": what joins two names goes with them.
            if after is not None and JOINING.fullmatch(text[n.end : after]):
                cut = cut[: n.end] + " " + cut[after:]
            before = EXCLUDING.sub(" ", NOT_ONLY.sub("", cut[: n.start]))
            if n.meaning.kind != "own":
                before = IN_THE.sub("", before)
            cut = f"{before} {self._body(n, before)} {cut[n.end :]}"
            after = n.start
        cut = WITH_ALL.sub(" ", cut) if _compared_with_all(text, named) else cut
        if COMPARED.search(text):
            cut = US_COMPARED.sub("", re.sub(r"\s+", " ", cut))
        for word in without:
            cut = re.sub(rf"(?:^|\s)-{re.escape(word)}", " ", cut)
        cut = OTHER.sub(" ", cut) if FRAMES.search(cut) is None else FRAMES.sub("", cut)
        cut = re.sub(r"\s+", " ", cut.replace('"', " ").replace("“", " ").replace("”", " "))
        cut = ABOUT.sub("", ORDERS.sub("", cut.strip()))
        cut = DANGLING.sub("", cut).strip(" ,;:")
        return cut if terms(cut) else text

    def _body(self, named: Named, before: str) -> str:
        """What is left of a name in the subject: of "the Sefton Partnership" the Partnership.

        With an article before it a body is spoken of, not a place where something else is.
        """
        if not before.rstrip().lower().endswith("the"):
            return ""
        return self._names.rest_of(named)

    def _expansions(self, subject: str, notes: list[str]) -> Iterator[Expansion]:
        """Acronyms spelled out, and long forms shortened, as the documents define them."""
        seen = set()
        for match in WORD.finditer(subject):
            short = match[0].upper().removesuffix("'S")
            meanings = self._acronyms.get(short) or self._acronyms.get(short.removesuffix("S"))
            if not meanings or short in seen:
                continue
            capital = match[0][:2].isupper()
            if not capital and (short in EVERYDAY or len(short) < 3):
                continue
            seen.add(short)
            yield Expansion(match[0], meanings[0].long, self._where(meanings[0]))
            if len(meanings) > 1:
                others = " or ".join(m.long for m in meanings[1:3])
                notes.append(
                    f"“{match[0]}” was read as {meanings[0].long}; it can also be {others}."
                )
        places = [place for place in tokens(subject) if place[0] not in STOP_STEMS]
        words = [word for word, _, _ in places]
        spelled: list[tuple[int, int]] = []
        at = 0
        while at < len(words):
            for count in range(min(self._longest_form, len(words) - at), 1, -1):
                acronym = self._long_forms.get(tuple(words[at : at + count]))
                if acronym is None:
                    continue
                spelled.append((places[at][1], places[at + count - 1][2]))
                if acronym.short.upper() not in seen:
                    seen.add(acronym.short.upper())
                    yield Expansion(acronym.long, acronym.short, self._where(acronym))
                at += count - 1
                break
            at += 1
        yield from self._other_words(subject, spelled)

    def _other_words(self, subject: str, spelled: Sequence[tuple[int, int]]) -> Iterator[Expansion]:
        """Other words for the subject's, of those that stand in the documents.

        A word inside a spelled-out acronym means what that means: it is left alone, so that both
        ways of writing find the same.
        """
        for alike in self._thesaurus.alike(subject):
            start, end = alike.place
            if any(s <= start and end <= e and end - start < e - s for s, e in spelled):
                continue
            known = [w for w in alike.others if self._known(w)]
            for word in known[:MOST_ALIKE]:
                yield Expansion(alike.typed, word, SOURCE)

    def _known(self, text: str) -> bool:
        return all(self._store.document_frequency(word) for word in terms(text))

    def _where(self, acronym: Acronym) -> str:
        titles = [self._store.documents[d].title for d in acronym.documents[:2]]
        return " and ".join(titles) or OWN_LIST

    def _spelling(self, subject: str) -> tuple[str | None, Mapping[str, str]]:
        """The subject with words that are nowhere in the documents put right, if any are near."""
        corrections: dict[str, str] = {}
        for match in WORD.finditer(subject):
            word = match[0]
            if len(word) < LEAST_FUZZY_LENGTH or not word.isalpha() or word[1:].isupper():
                continue
            right = self._store.nearest_word(word.lower())
            if right is not None:
                corrections[word] = right
        if not corrections:
            return None, {}
        corrected = subject
        for typed, right in corrections.items():
            corrected = re.sub(rf"\b{re.escape(typed)}\b", right, corrected)
        return corrected, corrections


def asks_across(text: str) -> bool:
    """Whether a question is put to all systems, or to all others."""
    return bool(OTHER.search(text) or ACROSS.search(text))


def _systems_of(named: Iterable[Named]) -> list[str]:
    """The systems that names mean, each once."""
    return list(dict.fromkeys(system for n in named for system in n.systems))


def _means_home(text: str, wanted: Sequence[Named]) -> bool:
    """Whether a question is put to the asker's own system, alone or beside those it names."""
    if COMPARED.search(text) and US.search(text):
        return bool(wanted)
    return bool(OWN.search(text)) and not (OTHER.search(text) or BESIDE_OTHERS.search(text))


def _compared_with_all(text: str, named: Sequence[Named]) -> bool:
    """Whether one system is named and compared with all others."""
    one = len(_systems_of(named)) == 1
    return one and bool(COMPARED.search(text) and WITH_ALL.search(text))
