"""One line that sums an answer up: counts and dates that stand in the evidence, nothing else."""

from collections.abc import Sequence

from search_api.dates import dates_in
from search_api.judge import Asked
from search_api.model import Citation, SystemAnswer, Understood

VERBS = {"commits": "commits to a dated action or target", "says": "says what it will do"}


def plural(count: int, noun: str, many: str | None = None) -> str:
    """A count with its noun: "1 passage", "2 passages"."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def listed(names: Sequence[str]) -> str:
    """Names as a list in words: "A", "A and B", "A, B and C"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def subject_of(understood: Understood, asked: Asked) -> str:
    """The subject in as few words as it was asked in."""
    if asked.theme is not None:
        return asked.theme.label.lower() if asked.theme.label[1:].islower() else asked.theme.label
    return f"“{understood.subject.rstrip('?. ')}”"


def headline(
    understood: Understood,
    answers: Sequence[SystemAnswer],
    citations: Sequence[Citation],
    asked: Asked,
) -> str:
    """The headline of an answer."""
    spoken = [a for a in answers if a.statements]
    others = "other " if understood.excluded_systems else ""
    subject = subject_of(understood, asked)
    total = len(answers)
    if not spoken:
        body = plural(total, f"{others}system")
        return f"None of {body} was found to address {subject}." if total else "Nothing to search."
    quotes = {c.id: c.quote for c in citations}
    parts = [f"{len(spoken)} of {plural(total, f'{others}system')} address {subject}"]
    if total == 1:
        parts = [f"{spoken[0].name} addresses {subject}"]
    for said in spoken:
        if said.status != "commits":
            continue
        first = said.statements[0]
        dates = dates_in(quotes[first.citation]) or dates_in(first.context)
        by = f" by {dates[-1].text.removeprefix('by ')}" if dates else ""
        kind = "a target" if any(c.isdigit() for c in "".join(first.triggers[:1])) and (
            first.ladder == "target"
        ) else "a dated action or target"
        parts.append(f"{said.name} commits to {kind}{by}")
    silent = [a.name for a in answers if a.status == "silent"]
    if silent:
        parts.append(f"{listed(silent)} {'is' if len(silent) == 1 else 'are'} silent")
    return "; ".join(parts) + "."


def not_found_reason(understood: Understood, answers: Sequence[SystemAnswer]) -> str:
    """Why nothing was found, and how much was searched."""
    if understood.outside and not understood.systems:
        names = listed(understood.outside[:3])
        return (
            f"{names} {'is' if len(understood.outside) == 1 else 'are'} not in the corpus: "
            "no document of theirs is indexed, so nothing can be said for them."
        )
    passages = sum(a.searched.passages for a in answers)
    pages = sum(a.searched.unreadable_pages for a in answers)
    unread = f"; {plural(pages, 'page')} could not be read" if pages else ""
    return (
        f"Nothing in {plural(passages, 'passage')} of {plural(len(answers), 'system')} speaks "
        f"to this closely enough to quote{unread}. The nearest passages are shown."
    )
