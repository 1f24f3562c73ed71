"""How statements are worded: verbs of definite acts, and what is settled, wanted or hoped for.

Patterns of general English; `search_api.ladder` says what each of them makes of a statement.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

Triggers = tuple[str, ...]
"""The words that decided."""

# Doing words that name a definite act, whatever their object.
DEFINITE = """
    adapt adjust adopt advertise agree align allocate amend analyse apply appoint arrange assess
    assign audit automate award benchmark bring build capture centralise check circulate
    co-create co-design co-locate co-ordinate co-produce collaborate collect commission
    communicate compile complete conduct consolidate construct consult contribute convene
    coordinate create decommission define delegate deliver deploy design develop digitise
    dismantle disseminate draw employ engage enrol equip establish evaluate evolve examine
    expand extend finalise formalise formulate fund gather hold host identify implement
    incorporate install integrate introduce invest investigate invite issue launch lead level
    lobby look manage map measure migrate mobilise modernise monitor move nominate offer open
    operate organise oversee participate phase pilot plan pool prepare present procure produce
    provide publish purchase re-convene re-procure rebuild recommission record recruit redesign
    refine refresh refurbish register reinvest relaunch relocate remodel replace report
    repurpose respond restructure review revise roll run scale scope screen set share specify
    spend standardise start streamline submit subscribe supply survey target tender test track
    train transfer trial undertake update upgrade upskill use utilise vaccinate visit widen work
    write
"""
# Doing words that name a wish: they say what should become of something, not what is to be done.
SOFT = """
    accelerate achieve address allow be become celebrate champion close commit consider decrease
    do embed embrace empower enable encourage enhance ensure explore feel focus foster give
    halve help improve increase join keep listen live lower maintain make maximise minimise
    narrow nurture optimise prevent prioritise promote protect raise realise recognise recover
    reduce respect retain safeguard seek simplify strengthen strive support sustain tackle
    transform understand value
"""
# Nouns of an act: "development of", "roll out of".
ACTS = """
    adoption appointment assessment audit co-production commissioning completion construction
    consultation creation delivery deployment design development establishment evaluation
    expansion extension finalisation implementation installation introduction investigation
    investment launch mapping mobilisation pilot procurement production provision publication
    recruitment redesign refresh relocation replacement review revision roll-out rollout scoping
    survey testing trial update upgrade upskilling utilisation
"""
IRREGULAR = {
    "bring": "brought",
    "build": "built",
    "draw": "drawn",
    "hold": "held",
    "lead": "led",
    "rebuild": "rebuilt",
    "run": "run",
    "set": "set",
    "spend": "spent",
    "undertake": "undertaken",
    "write": "written",
}
DOUBLED = {"commit", "enrol", "map", "plan", "run", "set", "transfer"}


def _gerund(verb: str) -> str:
    if verb in DOUBLED:
        return verb + verb[-1] + "ing"
    return (verb[:-1] if verb.endswith("e") and not verb.endswith("ee") else verb) + "ing"


def _participle(verb: str) -> str:
    if verb in IRREGULAR:
        return IRREGULAR[verb]
    if verb in DOUBLED:
        return verb + verb[-1] + "ed"
    return verb + ("d" if verb.endswith("e") else "ed")


def _any(words: Iterable[str]) -> str:
    """A pattern for any of the words, the longest first."""
    return "(?:" + "|".join(re.escape(w) for w in sorted(set(words), key=len, reverse=True)) + ")"


_definite, _soft = DEFINITE.split(), SOFT.split()
_BASE, _SOFT = _any(_definite), _any(_soft)
_ING, _SOFT_ING = _any(map(_gerund, _definite)), _any(map(_gerund, _soft))
_DONE = _any(map(_participle, _definite))
_ACTS = _any(ACTS.split())
_ADVERBS = (
    r"(?:(?:also|now|then|next|further|jointly|together|actively|continually|continuously|currently"
    r"|already|not|therefore|both|first|again|all|each|rapidly|fully|\w+ly) )*"
)
_MODAL = (
    r"(?:will|shall|['’]ll|(?:is|are|am) going to|plans? to|intends? to|pledges? to|agreed? to"
    r"|(?:is|are) (?:due |set |planning )?to|commits? to)"
)
_LABEL = re.compile(
    r"^\W*(?:\d+[.)]\s*)?(?:(?:[A-Z0-9][^\s:]*)(?:\s[^\s:]+){0,5}:\s+)?"
    r"(?:(?:Start|Live|Age|Die|Work|Starting|Living|Ageing|Dying|Working) Well\b\W*)?(?:To\s+)?"
)


def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern that takes capitals and small letters for the same."""
    return re.compile(pattern, re.IGNORECASE)


# What is settled: the perfect, the past, and verbs of result in the past.
PAST = compiled(
    r"\b(?:has|have|had|['’]ve)\s+(?:\w+\s+){0,2}?(?:been|seen|made|led|held|grown|become|gone|taken"
    r"|given|begun|got|won|found|built|brought|set|\w+ed)\b"
    r"|\b(?:was|were|did|went|ran|took|became|began|saw|made|gave|came|grew|fell|rose|won|told|said"
    r"|held|led|met|underwent|showed)\b"
    r"|(?<!^)(?<!\bbe )(?<!are )(?<!\bis )(?<!een )"
    r"\b(?:achieved|received|responded|completed|cleared"
    r"|published|helped|managed|resulted|contributed|increased|decreased|improved|reduced|attended"
    r"|reported|identified|delivered|launched|opened)\s+(?:to|in|by|from|an?|the|over|nearly|about"
    r"|between|and|on|at|with|\d)",
)
_BEGUN = r"\b(?:has|have) (?:begun|started|commenced) (?:to|work)\b"
AHEAD = compiled(
    rf"\b{_MODAL}\b|\bshould\b|\bmust\b|\bto be {_DONE}\b|\bneeds? to (?!but\b|and\b)|\bplanned\b"
    rf"|\baims? to\b|{_BEGUN}"
)
FINITE = compiled(
    r"\b(?:is|are|was|were|am|has|have|had|will|shall|can|could|may|might|should|would|must|do|does"
    r"|did|went|ran|took|became|began|saw|made|underwent|needs?|wants?|includes?|provides?|['’]ve|continues|offers|works|helps|supports|enables|remains|shows|means"
    r"|reflects|brings|gives|makes|caters|consists|aims|seeks|plays|sets|promotes|ensures|works)\b"
)
# Words that make what follows a part of something else: "how we will", "services that will",
# "its role is to".
ASIDE = compiled(
    r"\b(?:how|what|why|where|which|who|that|whether|if|when|while|because|those|ensur(?:e|es|ing)"
    r"|purpose|role|function|remit|responsibility|duty|sets? out|describes?)\b"
    r"(?:\s+[\w’'-]+){0,2}?\s*$"
)

# Something definite being done or to be done.
BEING_DONE = compiled(
    rf"{_BEGUN}|\b(?:is|(?<!people )(?<!patients )(?<!residents )are) {_ADVERBS}"
    r"(?:being \w+(?:ed|en|wn|ilt|un|et)\b|in development\b|under ?way\b|in progress\b"
    r"|in train\b|scheduled\b"
    rf"|{_ING}\b(?! (?:out|in|under|after|forward)\b))"
)
MODAL = compiled(rf"\b{_MODAL} {_ADVERBS}(?:continue to |help to |help )?")
PROMISED = compiled(
    rf"\b{_MODAL} {_ADVERBS}"
    r"(?:(?:continue|aim|seek|look|begin|work (?:together|closely|collaboratively))"
    rf"(?: to| with| by)? {_ADVERBS})?"
    rf"(?:(?:include|involve) (?:the )?(?:{_ING}|{_ACTS} of)|be {_ADVERBS}{_DONE}"
    rf"|(?!work (?:together|closely|towards)){_BASE}|{_ING})\b"
)
CONTINUES = compiled(rf"\b(?:will|shall) {_ADVERBS}(?:continue|proceed|start|begin)\b(?! to\b)")
WORK_TO = compiled(rf"\bwork(?:ing)?\b[^.;,]{{0,90}}?\bto {_ADVERBS}{_BASE}\b")
OPENS = compiled(
    rf"(?:(?:further|jointly|co-produced|ongoing|continu(?:e|ed|ing)(?: to)?|\w+ly|re-?)\s+)*"
    rf"(?!open access|plan on\b|work programme)(?:{_BASE}|(?!using\b){_ING}|roll(?:ing)?[ -]?out)"
    r"\b(?! (?:is|are|was|were|has|have|will)\b)"
)
ONGOING = compiled(r"(?:ongoing|continu(?:e|ing|ed|ation))\b")
_NO_VERB = (
    r"(?:(?!(?:we|they|it|to|that|which|who|hope|supports?|provides?|includes?|enables?|covers?|ensures?"
    r"|requires?|promotes?|helps?)\b)[^\s,.;:]+\s+)"
)
ACT_NOUN = compiled(rf"{_NO_VERB}{{0,5}}?({_ACTS}\s+(?:of|and|for|to|with))\b")
INFINITIVE = compiled(
    rf"(?:[^\s,.;:]+\s+){{1,8}}?to\s+(?:be\s+{_DONE}|{_BASE}|access|receive|attend|lead|join)\b"
)
ABSTRACT = compiled(
    r"\b(?:opportunit\w+|way|ways|need|needs|needed|abilit\w+|able|right|time|more|chance|how|ambition"
    r"|aspiration|desire|approach\w*|barriers?|access|commitment|order|aim|vision|support|likely"
    r"|hard|works?|meets?|comes?|uses?|rel(?:y|ies)|goes?|continues?|together|enough|used|going"
    r"|tools?|resources?|skills?|aims|wants|hopes|seeks|wishes|strives|tries|helps?|\w+ed|\w+ing)"
    r"\s+to\b"
)
DOING = re.compile(r"\s[a-z]+ing\s")
MEANS = compiled(
    rf"\b(?:by|through)\s+(?:first\s+|also\s+|jointly\s+)?(?:the\s+)?(?:{_ING}|{_ACTS} of)\b"
)
# Definite verbs that promise nothing definite with such an object: "deliver better services".
THIN = compiled(
    r"(?:deliver|provide|create|build|set|produce)(?:ing)?\s+(?:\w+ and )?"
    r"(?:an?\s+|the\s+|more\s+|our\s+)?(?:improved|improving|improvements?|better|best|excellent"
    r"|outstanding|high[- ]quality|effective|efficient|positive|great|fair|sustainable|world)\b"
)

# What is wanted.
WANTED = compiled(
    r"\b(?:we|our|partners?|partnership|council|board|system|icb|ics|strategy|plan|vision|ambition"
    r"|it|i|this|services?|place|everyone|nhs)\b[^.;:]{0,60}?\b(?:wants?|hopes?|aspires?|wish(?:es)?"
    r"|strives?|aims?|seeks?|needs? to|must|would like|(?:is|are) committed to|commits? to"
    r"|envisages?d?|prioritises?|endeavours?"
    r"|(?:vision|aim|ambition|goal|aspiration)s? (?:is|are))\b"
    r"|\b(?:is|are) (?:striving|aiming|seeking|hoping|looking|determined|keen) (?:to|for)\b"
    r"|\bshould (?!be noted)|\b(?:is|are) (?:envisaged|hoped|intended)\b"
    r"|\bit is (?:important|essential|vital|critical|crucial|imperative) (?:that|to)\b"
)
WISHED = compiled(rf"\b{_MODAL} (?!not only\b){_ADVERBS}[\w-]+")
SOFT_OPENS = compiled(
    rf"(?:(?:further|actively|\w+ly)\s+)*(?:{_SOFT}|{_SOFT_ING}|using|working|deliver|provide"
    r"|aim(?:ing)? (?:to|for))\b(?! (?:is|are|was|were|has|have|will)\b)"
)
# An opening "-ing" that is the subject of the sentence: "Tackling inequality is central".
SUBJECT = compiled(
    r"(?!ensuring|making sure)\w+ing\b[^,;:]{0,80}?(?<!\bthey )(?<!\bwho )(?<!\bthat )(?<!\bwhich )"
    r"\b(?:is|are|was|were|remains?|means|requires?)\b"
)
# An opening noun in "-ing" of something settled: "Funding secured", "Training provided".
SETTLED_NOUN = compiled(
    r"(?:training|funding|planning|commissioning|mapping|testing|screening|working)\b"
    r"(?: [\w&-]+){0,4}? "
    r"(?:secured|provided|completed|published|established|agreed|approved|delivered|undertaken)\b"
)
OUTCOME = compiled(
    r"(?:(?:a|an|the)\s+)?(?:more|fewer|less|better|best|greater|improved?|improvements?|increased?|reduced?"
    r"|reductions?|enhanced|earlier|quicker|faster|healthier|longer|lower|higher|stronger|timely"
    r"|equitable|maximised|minimised|seamless)\b"
)
OUTCOME_NOW = compiled(
    r"\b(?:having|being|feeling|receiving|living|dying|enjoying)\b"
    r"|\b(?:leading to|with|and) (?:an? )?(?:improved|better|reduced|increased|greater)\b"
    r"|\b(?:leading to|resulting in) (?:an? )?(?:reduction|improvement|increase)"
    r"|,\s*(?:enabling|ensuring|supporting|helping|empowering|giving|allowing|improving|reducing)\b"
)
# An outcome told as if it were so, as plans write what success looks like.
SUCCESS = compiled(
    r"(?:(?:all|our|more|the|local|older|every|disabled) )*(?:people|persons?|residents|children"
    r"|patients|carers|families|staff|everyone|communities|CYP|adults|parents|women|citizens)\b[^.;,]{0,60}?"
    r"\b(?:feels?|(?:are|is) able to|knows? (?:how|where|what)|can (?:easily )?access|enjoys?"
    r"|thrives?|benefits? from"
    r"|(?:has|have|receives?) (?:the right|better|improved|timely|equitable|equal)"
    r"|lives? (?:longer|healthier|well|independently))\b"
    r"|[^.;,]{0,40}\b(?:great|best|good|better|healthier) places? to (?:live|work|grow|learn)\b"
)
# Things that make an act of a soft verb: "promote the training", "support the pilot".
THING = compiled(
    r"(?:support|promote|enhance|strengthen|maintain|sustain|improve|accelerate|raise|optimise"
    r"|focus on)(?:ing)?(?: (?:[\w’'-]+)){0,4}? "
    r"(?:programme|pilot|tool|toolkit|framework|dashboard|helpline|hub|forum|campaign|training|workshops?|register|clinics?|app|website|portal|coordinators?|recruitment"
    r"|rollout|roll out|awareness)\b"
)
NAMED_AIM = compiled(r"^\W*(?:priority|ambition|aim|goal|vision|aspiration|objective)\b[^:]{0,20}:")

YEAR_AHEAD = compiled(r"\b(?:in|during) (20\d\d(?:\s?[/–-]\s?\d\d)?)\b(?![/–-])")


def label_end(sentence: str) -> int:
    """Where a list number, a label such as "Priority 4:" and an opening "To" end."""
    match = _LABEL.match(sentence)
    return match.end() if match and match.end() < len(sentence) else 0


@lru_cache(maxsize=1_000)
def settled(body: str) -> bool:
    """Whether a sentence tells only of what has been."""
    if OPENS.match(body) or SOFT_OPENS.match(body):
        return False
    return bool(PAST.search(body)) and not AHEAD.search(body)
