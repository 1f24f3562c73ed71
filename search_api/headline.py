"""One line that sums an answer up: counts and dates that stand in the evidence, nothing else."""

import re
from collections.abc import Sequence

from search_api import medical
from search_api.dates import dates_in
from search_api.judge import Asked
from search_api.medical import is_personal_medical
from search_api.model import (
    Cell,
    CellStatus,
    ComparedSystem,
    ComparedTheme,
    Statement,
    SystemAnswer,
    Understood,
    in_doubt,
)
from search_api.naming import listed

FIGURE = re.compile(r"\d[\d.,]*\s?(?:%|per cent)|£\s?\d|\bnet[- ]zero\b", re.IGNORECASE)
YEAR = re.compile(r"20\d\d(?:[/-]\d\d)?")

ASKING = re.compile(
    r"(?:(?:at|by|for|from|in|on|since|to|until|up to) )?"
    r"(?:what|how|who|whose|which|where|when|why|do|does|did|is|are|has|have|will|can)\b",
    re.IGNORECASE,
)
DOUBTFUL = "Found by meaning: it may be about something near your subject. Read and judge."
"""What is said before statements of a system none of which is sure."""


IN_DOUBT = "in doubt"


def standing(status: CellStatus, statements: Sequence[Statement]) -> str:
    """What readers are told a system does: its status, unless none of its statements is sure."""
    return IN_DOUBT if in_doubt(statements) else status


def plural(count: int, noun: str, many: str | None = None) -> str:
    """A count with its noun: "1 passage", "2 passages"."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def subject_of(understood: Understood, asked: Asked) -> str:
    """The subject in as few words as it was asked in."""
    if asked.theme is not None:
        return asked.theme.label.lower() if asked.theme.label[1:].islower() else asked.theme.label
    # A question that lost the name in its middle reads badly: "how much does spend on beds".
    cut = understood.text if ASKING.match(understood.subject) else understood.subject
    return f"“{cut.rstrip('?. ')}”"


def headline(
    understood: Understood,
    answers: Sequence[SystemAnswer],
    asked: Asked,
) -> str:
    """The headline of an answer."""
    doubtful = [a for a in answers if in_doubt(a.statements)]
    spoken = [a for a in answers if a.statements and a not in doubtful]
    others = "other " if understood.excluded_systems else ""
    subject = subject_of(understood, asked)
    total = len(answers)
    if not spoken and not doubtful and understood.outside and not understood.systems:
        return f"{listed(understood.outside[:3])}: not in the corpus."
    outside = f"; {lacking(understood.outside)}" if understood.outside else ""
    if not spoken and not doubtful:
        body = plural(total, f"{others}system")
        does = f"address {subject}"
        if asked.figure:
            does = f"give the {asked.figure.told} asked for: {subject}"
        if total == 1:
            return f"{answers[0].name} was not found to {does}{outside}."
        if not total:
            return "Nothing to search."
        return f"None of {body} was found to {does}{outside}."
    parts = []
    if spoken:
        verb = "addresses" if len(spoken) == 1 else "address"
        parts = [f"{len(spoken)} of {plural(total, f'{others}system')} {verb} {subject}"]
        if total == 1:
            parts = [f"{spoken[0].name} addresses {subject}"]
    if doubtful:
        # Near in meaning, which is often about something else: no count says that they speak.
        names = listed([a.name for a in doubtful])
        parts.append(f"{names} may{' too' if spoken else f' address {subject}'}: read and judge")
    parts += [_promise(said) for said in spoken if said.status == "commits"]
    silent = [a.name for a in answers if a.status == "silent"]
    if silent:
        parts.append(f"{listed(silent)} {'is' if len(silent) == 1 else 'are'} silent")
    return "; ".join(parts) + outside + "."


def lacking(outside: Sequence[str]) -> str:
    """That bodies which were asked about are not in the corpus."""
    return f"{listed(outside[:3])} {'is' if len(outside) == 1 else 'are'} not in the corpus"


def _promise(said: SystemAnswer) -> str:
    """What a system's strongest statement commits it to, in its own figures and dates."""
    first = said.statements[0]
    measured = any(FIGURE.search(t) for t in first.triggers)
    dates = [d.text for t in first.triggers for d in dates_in(t)]
    dates += [t for t in first.triggers if YEAR.fullmatch(t)]
    by = f" by {' '.join(dates[0].removeprefix('by ').split())}" if dates else ""
    return f"{said.name} commits to {'a target' if measured else 'action'}{by}"


def not_found_reason(understood: Understood, answers: Sequence[SystemAnswer], asked: Asked) -> str:
    """Why nothing was found, and how much was searched."""
    if is_personal_medical(understood.text):
        return medical.REASON
    if understood.outside and not understood.systems:
        return (
            f"{lacking(understood.outside)}: "
            "no document of theirs is indexed, so nothing can be said for them."
        )
    passages = sum(a.searched.passages for a in answers)
    pages = sum(a.searched.unreadable_pages for a in answers)
    unread = f"; {plural(pages, 'page')} could not be read" if pages else ""
    outside = f" {lacking(understood.outside)}." if understood.outside else ""
    searched = f"{plural(passages, 'passage')} of {plural(len(answers), 'system')}"
    if asked.figure:
        return (
            f"Nothing in {searched} was found to give the {asked.figure.told} asked for{unread}. "
            f"The nearest passages are shown: they may speak of the subject.{outside}"
        )
    return (
        f"Nothing in {searched} speaks to this closely enough to quote{unread}. "
        f"The nearest passages are shown.{outside}"
    )


def comparison_summary(
    themes: Sequence[ComparedTheme], systems: Sequence[ComparedSystem], cells: Sequence[Cell]
) -> tuple[str, ...]:
    """Agreements and gaps of a comparison, made of counts: shared, said by one alone, by none."""
    if len(systems) < 2:
        return ()
    names = {s.id: s.name for s in systems}
    shared, alone, none, doubt = [], [], [], []
    for theme in themes:
        spoken = [c for c in cells if c.theme == theme.id and c.statements]
        unsure = [c for c in spoken if in_doubt(c.statements)]
        if unsure:
            where = listed([names[c.system] for c in unsure])
            doubt.append(f"{theme.label} ({where})")
        elif len(spoken) == len(systems):
            firm = sum(c.status == "commits" for c in spoken)
            shared.append(f"{theme.label} ({firm} of {len(systems)} with a target or commitment)")
        elif len(spoken) == 1:
            alone.append(f"{theme.label} ({names[spoken[0].system]})")
        elif not spoken:
            none.append(theme.label)
    out = []
    if shared:
        out.append(f"All {len(systems)} speak of: {'; '.join(shared)}.")
    if alone:
        out.append(f"Only one speaks of: {'; '.join(alone)}.")
    if none:
        out.append(f"None was found to speak of: {'; '.join(none)}.")
    if doubt:
        out.append(f"May be about something near, read and judge: {'; '.join(doubt)}.")
    return tuple(out)
