"""What a question is about: its words without those that only ask, and without whom it asks."""

import re
from collections.abc import Sequence

from indexer.analyse import stem, terms
from search_api.naming import Named, Names
from search_api.whom import COMPARED, EXCLUDING, NOT_ONLY, OTHER, WITH_ALL, compared_with_all

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
# Words for whoever is asked.
WHOSE = (
    r"(?:which|what|who|whose|any(?:one|body)?|others?|all|of|the|them|they|their|these|different"
    r"|various|icss?|icses|icbs?|systems?|places?|areas?|regions?|councils?|boroughs?|bodies"
    r"|partnerships?|strateg(?:y|ies)|plans?|documents?)"
)
HELPING = r"(?:how|do|does|did|has|have|had|are|is|was|were|will|been|being)"
# Who aims at something: what is aimed at is the subject.
AIMING = re.compile(
    rf"^\W*(?:(?:{WHOSE}|{HELPING})\s+)+(?:commit|aim|plan|intend|want|promise|pledge|hope|propose"
    r"|mean|undertake|set out|look|try|seek)(?:s|ed|d|ing|ning|ting|n)?\s+to\s+(?=\w)",
    re.IGNORECASE,
)
# Promises asked for: "what targets are there for smoking", "which cancer targets are set".
PROMISES = (
    r"(?:commitments?|promises?|targets?|pledges?|ambitions?|plans?|actions?|objectives?"
    r"|polic(?:y|ies)|strateg(?:y|ies))"
)
MADE = r"(?:made|set|given|there|in place|agreed|published)"
PROMISED_ON = re.compile(
    rf"^\W*(?:what|which|any|are there any|is there an?"
    rf"|(?:(?:{WHOSE}|do|does)\s+)+(?:have|has|had|set|got)"
    r"(?:\s+(?:an?|any|set|the|got"
    r"|(?:most |least |more )?(?:ambitious|specific|clear|firm|definite)|strongest|firmest))*)"
    rf"\s+{PROMISES}\s+(?:(?:{WHOSE}|{HELPING}|{MADE})\s+)*"
    r"(?:on|for|about|regarding|around|to)\s+(?=\w)",
    re.IGNORECASE,
)
PROMISES_MADE = re.compile(
    rf"^\W*(?:what|which)\s+(?P<on>\w.*?)\s+{PROMISES}\s+(?:(?:{WHOSE}|{HELPING})"
    rf"\s+)+{MADE}\b[\s?.!]*$",
    re.IGNORECASE,
)
# What is asked besides: "... and by when?"
BESIDES = re.compile(
    r",?\s+(?:(?:and|or)\s+)?(?:by when|by what (?:year|date|month)|and (?:when|how|why))[\s?.!]*$",
    re.IGNORECASE,
)
US_COMPARED = re.compile(
    r"^\W*(?:compare\s+|how (?:do|are|does)\s+)?(?:us|we|ours?(?: \w+)?)\b"
    r"(?:\s+(?:compared?|differ|with|to|from|and|against|versus|vs|the|others?|rest))*"
    r"(?:\s+(?:on|about|for))?\s+",
    re.IGNORECASE,
)
# What is ordered at the start of a question, and what is left hanging once names are gone.
ORDERS = re.compile(
    r"^\W*(?:(?:please )?"
    r"(?:compare|contrast|summari[sz]e|list(?: of)?|show(?: me)?|give me|find(?: me)?)\b"
    r"(?: and contrast)?(?: what(?= \w))?\s*)+",
    re.IGNORECASE,
)
# What is to be made of the answer, and for what: "a paragraph on net zero for a board paper".
MADE_OF_IT = re.compile(
    r"^\W*(?:(?:i|we) (?:need|want|am looking for|are looking for)\s+|write(?: me)?\s+|draft\s+)?"
    r"(?:(?:an?|some|any|all|the|short|brief|quick|good|best)\s+)*"
    r"(?:paragraphs?|summar(?:y|ies)|overviews?|quot(?:es?|ations?)|evidence|examples?"
    r"|page numbers?|pages?|references?|citations?|good practice|best practice)\s+"
    r"(?:on|about|of|for|that|regarding)\s+(?=\w)",
    re.IGNORECASE,
)
FOR_A_PAPER = re.compile(
    r"\s+for (?:an?|the|my|our|this|tomorrow'?s?|next \w+)\s+(?:\w+ )?"
    r"(?:paper|report|meeting|briefing|presentation|slides?|bid|business case)[\s?.!]*$",
    re.IGNORECASE,
)
# Who is further on than others: "is Sefton ahead on dementia", once those named are gone.
AHEAD = re.compile(
    r"^\W*(?:(?:how|where|why|is|are|was|were|do|does|did|has|have|we|they|it|doing|done|any|much"
    r"|far|further)\s+)*(?:ahead|behind|better|worse|more|less)"
    r"(?:(?:\s+(?:of|than))?\s+(?:the\s+)?(?:others?|rest|everyone)(?: \w+)?)?"
    r"\s+(?:on|about|for|in|with)\s+(?=\w)",
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


def subject_of(text: str, found: Sequence[Named], without: Sequence[str], names: Names) -> str:
    """The text without its frame, the systems it names and the words it rules out.

    Args:
        found: the names in it, in order.
        without: the words it rules out.
    """
    cut = text
    after: int | None = None
    for n in reversed(found):
        if n.meaning.kind == "whole":
            continue  # its parts' documents speak of it by that name
        # "Sefton and South East London": what joins two names goes with them.
        if after is not None and JOINING.fullmatch(text[n.end : after]):
            cut = cut[: n.end] + " " + cut[after:]
        before = EXCLUDING.sub(" ", NOT_ONLY.sub("", cut[: n.start]))
        if n.meaning.kind != "own":
            before = IN_THE.sub("", before)
        # "The Sefton Partnership" is spoken of: the Partnership stays; "in Sefton" says where.
        spoken_of = before.rstrip().lower().endswith("the")
        cut = f"{before} {names.rest_of(n) if spoken_of else ''} {cut[n.end :]}"
        after = n.start
    cut = WITH_ALL.sub(" ", cut) if compared_with_all(text, found) else cut
    if COMPARED.search(text):
        cut = US_COMPARED.sub("", re.sub(r"\s+", " ", cut))
    for word in without:
        cut = re.sub(rf"(?:^|\s)-{re.escape(word)}", " ", cut)
    cut = OTHER.sub(" ", cut) if FRAMES.search(cut) is None else FRAMES.sub("", cut)
    cut = BESIDES.sub("", AIMING.sub("", cut))
    cut = PROMISES_MADE.sub(r"\g<on>", PROMISED_ON.sub("", cut))
    cut = re.sub(r"\s+", " ", cut.replace('"', " ").replace("“", " ").replace("”", " "))
    cut = FOR_A_PAPER.sub("", MADE_OF_IT.sub("", ORDERS.sub("", cut.strip())))
    cut = ABOUT.sub("", AHEAD.sub("", cut) if COMPARED.search(text) else cut)
    cut = DANGLING.sub("", cut).strip(" ,;:")
    return cut if terms(cut) else text
