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
from dataclasses import dataclass

from indexer.statements import sentences
from search_api.dates import Date, deadlines_in
from search_api.model import LADDER, Ladder

Triggers = tuple[str, ...]

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


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


# What is settled: the perfect, the past, and verbs of result in the past.
PAST = _compiled(
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
AHEAD = _compiled(
    rf"\b{_MODAL}\b|\bshould\b|\bmust\b|\bto be {_DONE}\b|\bneeds? to (?!but\b|and\b)|\bplanned\b"
    rf"|\baims? to\b|{_BEGUN}"
)
FINITE = _compiled(
    r"\b(?:is|are|was|were|am|has|have|had|will|shall|can|could|may|might|should|would|must|do|does"
    r"|did|went|ran|took|became|began|saw|made|underwent|needs?|wants?|includes?|provides?|['’]ve|continues|offers|works|helps|supports|enables|remains|shows|means"
    r"|reflects|brings|gives|makes|caters|consists|aims|seeks|plays|sets|promotes|ensures|works)\b"
)
# Words that make what follows a part of something else: "how we will", "services that will",
# "its role is to".
ASIDE = _compiled(
    r"\b(?:how|what|why|where|which|who|that|whether|if|when|while|because|those|ensur(?:e|es|ing)"
    r"|purpose|role|function|remit|responsibility|duty|sets? out|describes?)\b"
    r"(?:\s+[\w’'-]+){0,2}?\s*$"
)

# Something definite being done or to be done.
BEING_DONE = _compiled(
    rf"{_BEGUN}|\b(?:is|are) {_ADVERBS}(?:being \w+(?:ed|en|wn|ilt|un|et)\b"
    r"|in development\b|under ?way\b|in progress\b|in train\b|scheduled\b"
    rf"|{_ING}\b(?! (?:out|in|under)\b))"
)
MODAL = _compiled(rf"\b{_MODAL} {_ADVERBS}(?:continue to |help to |help )?")
PROMISED = _compiled(
    rf"\b{_MODAL} {_ADVERBS}"
    r"(?:(?:continue|aim|seek|look|begin|work (?:together|closely|collaboratively))"
    rf"(?: to| with| by)? {_ADVERBS})?"
    rf"(?:(?:include|involve) (?:the )?(?:{_ING}|{_ACTS} of)|be {_ADVERBS}{_DONE}"
    rf"|(?!work (?:together|closely|towards)){_BASE}|{_ING})\b"
)
CONTINUES = _compiled(rf"\b(?:will|shall) {_ADVERBS}(?:continue|proceed|start|begin)\b(?! to\b)")
WORK_TO = _compiled(rf"\bwork(?:ing)?\b[^.;,]{{0,90}}?\bto {_ADVERBS}{_BASE}\b")
OPENS = _compiled(
    rf"(?:(?:further|jointly|co-produced|ongoing|continu(?:e|ed|ing)(?: to)?|\w+ly|re-?)\s+)*"
    rf"(?!open access|plan on\b|work programme)(?:{_BASE}|(?!using\b){_ING}|roll(?:ing)?[ -]?out)"
    r"\b(?! (?:is|are|was|were|has|have|will)\b)"
)
ONGOING = _compiled(r"(?:ongoing|continu(?:e|ing|ed|ation))\b")
_NO_VERB = (
    r"(?:(?!(?:we|they|it|to|that|which|who|hope|supports?|provides?|includes?|enables?|covers?|ensures?"
    r"|requires?|promotes?|helps?)\b)[^\s,.;:]+\s+)"
)
ACT_NOUN = _compiled(rf"{_NO_VERB}{{0,5}}?({_ACTS}\s+(?:of|and|for|to|with))\b")
INFINITIVE = _compiled(
    rf"(?:[^\s,.;:]+\s+){{1,8}}?to\s+(?:be\s+{_DONE}|{_BASE}|access|receive|attend|lead|join)\b"
)
ABSTRACT = _compiled(
    r"\b(?:opportunit\w+|way|ways|need|needs|needed|abilit\w+|able|right|time|more|chance|how|ambition"
    r"|aspiration|desire|approach\w*|barriers?|access|commitment|order|aim|vision|support|likely"
    r"|hard|works?|meets?|comes?|uses?|rel(?:y|ies)|goes?|continues?|together|enough|used|going"
    r"|tools?|resources?|skills?|aims|wants|hopes|seeks|wishes|strives|tries|helps?|\w+ed|\w+ing)"
    r"\s+to\b"
)
DOING = re.compile(r"\s[a-z]+ing\s")
MEANS = _compiled(
    rf"\b(?:by|through)\s+(?:first\s+|also\s+|jointly\s+)?(?:the\s+)?(?:{_ING}|{_ACTS} of)\b"
)
# Definite verbs that promise nothing definite with such an object: "deliver better services".
THIN = _compiled(
    r"(?:deliver|provide|create|build|set|produce)(?:ing)?\s+(?:\w+ and )?"
    r"(?:an?\s+|the\s+|more\s+|our\s+)?(?:improved|improving|improvements?|better|best|excellent"
    r"|outstanding|high[- ]quality|effective|efficient|positive|great|fair|sustainable|world)\b"
)

# What is wanted.
WANTED = _compiled(
    r"\b(?:we|our|partners?|partnership|council|board|system|icb|ics|strategy|plan|vision|ambition"
    r"|it|i|this|services?|place|everyone|nhs)\b[^.;:]{0,60}?\b(?:wants?|hopes?|aspires?|wish(?:es)?"
    r"|strives?|aims?|seeks?|needs? to|must|would like|(?:is|are) committed to|commits? to"
    r"|envisages?d?|prioritises?|endeavours?"
    r"|(?:vision|aim|ambition|goal|aspiration)s? (?:is|are))\b"
    r"|\b(?:is|are) (?:striving|aiming|seeking|hoping|looking|determined|keen) (?:to|for)\b"
    r"|\bshould (?!be noted)|\b(?:is|are) (?:envisaged|hoped|intended)\b"
    r"|\bit is (?:important|essential|vital|critical|crucial|imperative) (?:that|to)\b"
)
WISHED = _compiled(rf"\b{_MODAL} (?!not only\b){_ADVERBS}[\w-]+")
SOFT_OPENS = _compiled(
    rf"(?:(?:further|actively|\w+ly)\s+)*(?:{_SOFT}|{_SOFT_ING}|using|working|deliver|provide"
    r"|aim(?:ing)? (?:to|for))\b(?! (?:is|are|was|were|has|have|will)\b)"
)
# An opening "-ing" that is the subject of the sentence: "Tackling inequality is central".
SUBJECT = _compiled(
    r"(?!ensuring|making sure)\w+ing\b[^,;:]{0,80}?\b(?:is|are|was|were|remains?|means|requires?)\b"
)
# An opening noun in "-ing" of something settled: "Funding secured", "Training provided".
SETTLED_NOUN = _compiled(
    r"(?:training|funding|planning|commissioning|mapping|testing|screening|working)\b"
    r"(?: [\w&-]+){0,4}? "
    r"(?:secured|provided|completed|published|established|agreed|approved|delivered|undertaken)\b"
)
OUTCOME = _compiled(
    r"(?:(?:a|an|the)\s+)?(?:more|fewer|less|better|best|greater|improved?|improvements?|increased?|reduced?"
    r"|reductions?|enhanced|earlier|quicker|faster|healthier|longer|lower|higher|stronger|timely"
    r"|equitable|maximised|minimised|seamless)\b"
)
OUTCOME_NOW = _compiled(
    r"\b(?:having|being|feeling|receiving|living|dying|enjoying)\b"
    r"|\b(?:leading to|with|and) (?:an? )?(?:improved|better|reduced|increased|greater)\b"
    r"|\b(?:leading to|resulting in) (?:an? )?(?:reduction|improvement|increase)"
    r"|,\s*(?:enabling|ensuring|supporting|helping|empowering|giving|allowing|improving|reducing)\b"
)
# An outcome told as if it were so, as plans write what success looks like.
SUCCESS = _compiled(
    r"(?:(?:all|our|more|the|local|older|every|disabled) )*(?:people|persons?|residents|children"
    r"|patients|carers|families|staff|everyone|communities|CYP|adults|parents|women|citizens)\b[^.;,]{0,60}?"
    r"\b(?:feels?|(?:are|is) able to|knows? (?:how|where|what)|can (?:easily )?access|enjoys?"
    r"|thrives?|benefits? from"
    r"|(?:has|have|receives?) (?:the right|better|improved|timely|equitable|equal)"
    r"|lives? (?:longer|healthier|well|independently))\b"
    r"|[^.;,]{0,40}\b(?:great|best|good|better|healthier) places? to (?:live|work|grow|learn)\b"
)
# Things that make an act of a soft verb: "promote the training", "support the pilot".
THING = _compiled(
    r"(?:support|promote|enhance|strengthen|maintain|sustain|improve|accelerate|raise|optimise"
    r"|focus on)(?:ing)?(?: (?:[\w’'-]+)){0,4}? "
    r"(?:programme|pilot|tool|toolkit|framework|dashboard|helpline|hub|forum|campaign|training|workshops?|register|clinics?|app|website|portal|coordinators?|recruitment"
    r"|rollout|roll out|awareness)\b"
)
NAMED_AIM = _compiled(
    r"^\W*(?:priority|ambition|aim|goal|vision|aspiration|objective)\b[^:]{0,20}:"
)
FEWEST_WORDS = 4
FEW_WORDS = 8

# Numbers that can be reached.
_DIGITS = r"\d[\d,]*(?:\.\d+)?"
_WORDS = r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty)"
_COUNT = rf"(?:{_DIGITS}|one|{_WORDS})"
_PERIOD = r"(?:minute|hour|day|week|month)"
PERCENT = _compiled(
    rf"(?<![\w.]){_DIGITS}\s?(?:%|per ?cent\b)|\b{_COUNT} (?:out of|in every) {_COUNT}\b"
)
MONEY = _compiled(rf"£\s?{_DIGITS}\s?(?:bn|billion|m|million|k|thousand)?\b")
LIMIT = _compiled(
    rf"\bwithin (?:the )?(?:first )?{_COUNT}[- ](?:working |calendar )?{_PERIOD}s?\b"
    rf"|\b{_COUNT}[- ](?:working )?{_PERIOD}s?(?= (?:standard|target|response time|wait))"
    rf"|\b{_COUNT} {_PERIOD}s(?= for {_DIGITS}\s?%)"
    rf"|\b(?:more than|longer than|less than|over) {_COUNT} {_PERIOD}s\b"
    r"|\bwithin (?:an hour|a day|a week|a month)\b"
    r"|\bby the (?:following|next|same) (?:working )?day\b"
)
# A level of service in figures.
SERVICE = _compiled(
    r"\b24/7\b|\b(?:seven|7)[- ]days?\b(?= (?:services?|provision|working|access|cover))"
)
SHARE = _compiled(
    r"\bby (?:a |one |two )?(?:half|third|quarter|fifth)s?\b|^(?:halve|halving|double|doubling)\b"
)
LEVEL = _compiled(rf"\b(?:{_DIGITS}|{_WORDS}|one|zero|none)\b(?!\s*(?:/|years?\b))")
ZERO = _compiled(r"\bnet[- ]zero\b|\bcarbon[- ]neutral\b")
ALL_OF = _compiled(
    r"(?:all|every|each)\b(?! ages?\b)[^.;]{0,60}?\bwill"
    r" (?:have (?:been |undertaken|completed|received|had|an?\b)"
    r"|be (?:trained|offered|invited|assessed|screened|seen))"
)
_REACH = (
    r"(?:achieve|reach|recover|restore|meet|attain|hit|halve|deliver|secure|ensure|increase|raise|grow|expand"
    r"|improve|reduce|cut|lower|decrease|narrow|save|maintain|keep|exceed|become|support|provide|see"
    r"|complete|offer|assess|treat|detect|eliminate|get|move|bring)"
)
REACHING = _compiled(
    rf"(?:^|\b(?:to|will|should|must|shall|and|or|rapidly|further|also|then|we) ){_REACH}\b"
    r"|(?:^|\bby )(?:meet|achiev|reach|ensur|increas|reduc"
    r"|improv|rais|cutt|lower|recover)ing\b"
)
BOUND = _compiled(
    r"\b(?:targets?|goal|standard|trajectory|minimum|maximum|at least|no (?:more|fewer|less) than"
    r"|ambition)(?: of| for| is| to)?\W+(?:\w+ ){0,2}$"
)
TO_LEVEL = _compiled(
    r"\b(?:reduce|fall|drop|decrease|increase|rise|grow|recover|improve)\b[^.;]{0,40}?\b(?:to|by) "
    r"(?:around |about |below |above |\w+ and )?$"
)
COUNTED = _compiled(
    r"\b(?:achieve|add|appoint|build|commission|complete|create|deliver|employ|offer|open|provide"
    r"|reach|recruit|support|train|treat)"
    r" (?:all |an additional |an extra |up to |at least |a further |over |more than )?$"
)
SAVING = _compiled(
    r"\b(?:savings?|efficienc\w+|cost improvement|CIP|QIPP|deficit|surplus|break[- ]?even)\b"
)
PLANNED = _compiled(
    r"\b(?:plann?e?d?|targets?|deliver|achieve|requirement|required|save|reduce|need)\b"
)
PROJECTED = _compiled(
    r"\b(?:projected|predicted|forecast|estimated|(?:is|are) expected to"
    r"|will be aged|will be over|likely to)\b"
)
# A share that defines a population, not one to be reached: "the most deprived 20%".
DEPRIVED = _compiled(r"\S+ (?:of )?(?:the )?(?:most|least|poorest|richest)\b")
POPULATION = _compiled(r"\b(?:most|(?<!at )least|poorest|richest|bottom|top)(?: \w+)? $")
MODAL_NEAR = _compiled(r"\b(?:will|should|must|shall) (?:not )?(?:be )?\w+")
FIGURE_REACH = 160
"""How many characters before a figure its verb may stand."""

YEAR_AHEAD = _compiled(r"\b(?:in|during) (20\d\d(?:\s?[/–-]\s?\d\d)?)\b(?![/–-])")

# Columns by what their header says.
COLUMNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "owner",
        _compiled(
            r"\b(?:leads?|owners?|responsib\w+|accountab\w+|sro|by whom|who)\b"
            r"(?! (?:will )?benefits?)"
        ),
    ),
    (
        "time",
        _compiled(
            r"\b(?:time\w*|dates?|when|deadline|milestones?|due|target date|completion|by)\b$|"
            r"\b(?:timeframe|timescales?|target date|deadline|by when|due|date to)\b"
        ),
    ),
    ("why", _compiled(r"\b(?:why|rationale|reasons?|context|background|issues?|needs?)\b")),
    ("act", _compiled(r"\b(?:actions?|deliverables?|tasks?|steps?|what we will do)\b")),
    (
        "aim",
        _compiled(r"\b(?:objectives?|commitments?|aims?|goals?|priorit\w+ actions?|outcomes? &)\b"),
    ),
    (
        "impact",
        _compiled(
            r"\b(?:impact|outcomes?|benefits?|difference|result|success|measures?|kpis?|metrics?)\b"
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Row:
    """The texts of a table row by what their column is about."""

    columns: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, cells: Sequence[tuple[str, str]]) -> "Row":
        """The row whose cells are (header, text)."""
        return cls(tuple((column_of(header), text) for header, text in cells))

    def texts(self, *kinds: str) -> tuple[str, ...]:
        """The texts of the columns of these kinds."""
        return tuple(text for kind, text in self.columns if kind in kinds and text.strip())

    @property
    def deadlines(self) -> list[Date]:
        """The dates in the columns of dates, or beside the lead where one column has both."""
        kind = "time" if any(kind == "time" for kind, _ in self.columns) else "owner"
        return deadlines_in("\n".join(self.texts(kind)), bare_years=kind == "time")

    @property
    def owners(self) -> tuple[str, ...]:
        """Who leads, as the row says."""
        return self.texts("owner")

    def place(self, text: str) -> str:
        """The kind of column in which a text stands; "row" if it is more than one cell's."""
        words = _spaced(text)
        kinds = [kind for kind, cell in self.columns if words in _spaced(cell)]
        for kind in ("act", "aim"):
            if kind in kinds:
                return kind
        return kinds[0] if kinds else "row"


def column_of(header: str) -> str:
    """What a column is about, by its header: owner, time, why, act, aim, impact or other."""
    return next((kind for kind, pattern in COLUMNS if pattern.search(header)), "other")


def _spaced(text: str) -> str:
    return " ".join(text.split())


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
        return "commitment", (*figures[:1], deadlines[0].text)
    if place in ("owner", "time"):
        return "mention", ()
    rung, triggers = by_words(own or text)
    if rung == "mention" and (saving := _saving(text, headings)):
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


def _saving(text: str, headings: Iterable[str]) -> str | None:
    """A sum of money that stands as a figure of a table under a heading that names savings."""
    heading = "".join([*headings][-1:])
    money = MONEY.search(text)
    bare = money is not None and len(text.split()) <= FEW_WORDS and SAVING.search(heading)
    return money[0] if money and bare else None


def by_words(text: str) -> tuple[Ladder, Triggers]:
    """The rung of a text by its wording alone: that of its strongest sentence."""
    rungs = [_rung(text[start:end]) for start, end in sentences(text)]
    return max(rungs, key=lambda r: LADDER.index(r[0]), default=("mention", ()))


def _rung(sentence: str) -> tuple[Ladder, Triggers]:
    """The rung of one sentence: what is settled promises nothing."""
    body = sentence[_label_end(sentence) :]
    if _settled(body) or SETTLED_NOUN.match(body) or not _says_something(body):
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


def _label_end(sentence: str) -> int:
    """Where a list number, a label such as "Priority 4:" and an opening "To" end."""
    match = _LABEL.match(sentence)
    return match.end() if match and match.end() < len(sentence) else 0


def _says_something(body: str) -> bool:
    return len(body.split()) >= FEWEST_WORDS and not body.rstrip().endswith(":")


def _settled(body: str) -> bool:
    """Whether a sentence tells only of what has been."""
    if OPENS.match(body) or SOFT_OPENS.match(body):
        return False
    return bool(PAST.search(body)) and not AHEAD.search(body)


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


def aims_in(text: str) -> Triggers:
    """The figures of a text that are to be reached, in order: not statistics, budgets or ages."""
    out: list[str] = []
    for start, end in sentences(text):
        sentence = text[start:end]
        body = sentence[_label_end(sentence) :]
        if not _settled(body) and not PROJECTED.search(body):
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


def _first_word(text: str) -> Triggers:
    word = re.search(r"[\w'’-]+", text)
    return (word[0],) if word else ()
