"""The page of an answer."""

from dataclasses import dataclass

from indexer.store import Store
from search_api.dates import dates_in
from search_api.headline import plural
from search_api.model import Answer, Searched
from search_api.understand import ABOUT_DUE, NOWHERE, asks_for_priorities
from web.address import Address
from web.evidence import Quoter, SystemPart, searched_in_words, status_of, system_part
from web.parts import (
    Form,
    Link,
    Problem,
    Read,
    TakeAway,
    form_of,
    take_away,
    understood_as,
    wanted_words,
)


@dataclass(frozen=True, slots=True)
class AskPage:
    """A question and, once it was asked, what each system says to it."""

    form: Form
    question: str
    headline: str = ""
    reason: str | None = None
    answered: bool = False
    outside: bool = False
    inside: Link | None = None
    parts: tuple[SystemPart, ...] = ()
    searched: str = ""
    understood: tuple[Read, ...] = ()
    subject: str = ""
    notes: tuple[str, ...] = ()
    compare: Link | None = None
    search: Link | None = None
    register: Link | None = None
    take: TakeAway | None = None

    @classmethod
    def empty(
        cls, store: Store, address: Address, home: str | None, problem: Problem | None = None
    ) -> "AskPage":
        """The form, with what is wrong about it."""
        return cls(form_of(store, address, home, problem), "")

    @classmethod
    def of(cls, store: Store, address: Address, answer: Answer) -> "AskPage":
        """The page of an answer."""
        themes = [t.words for t in store.themes.values() if _is_theme(t.label, answer)]
        quoter = Quoter(store, answer.citations, wanted_words(answer.understood, themes), address)
        home = dict(address.pairs).get("home")
        total = Searched(
            answer.searched.documents,
            answer.searched.passages,
            answer.searched.unreadable_pages,
            answer.searched.pages,
        )
        subject = answer.understood.subject
        # Nothing was searched where only bodies outside the corpus are named: nobody is silent.
        outside = bool(answer.understood.outside) and answer.status == "not_found"
        plain = address.set("q", subject)
        return cls(
            form=form_of(store, address),
            question=answer.query,
            headline=answer.headline,
            reason=answer.reason,
            answered=answer.status == "answered",
            outside=outside,
            inside=Link(f"Ask the systems that are in here about {subject}", str(plain)),
            parts=tuple(
                system_part(
                    store,
                    quoter,
                    s.system,
                    f"system-{s.system}",
                    s.statements,
                    s.nearest,
                    status_of(s.status, s.statements),
                    s.searched,
                    home,
                )
                for s in answer.systems
            ),  # fmt: skip
            searched=f"{plural(answer.searched.systems, 'system')}, {searched_in_words(total)}",
            understood=understood_as(store, answer.understood, address),
            subject=subject if subject.casefold() != answer.query.casefold() else "",
            notes=tuple(n for n in answer.notes if not n.startswith(NOWHERE)),
            compare=_side_by_side(subject, home),
            search=Link("See every passage about this", str(address.at("/search"))),
            register=_register(answer, home),
            take=take_away(address, answer.index_id),
        )


def _side_by_side(subject: str, home: str | None) -> Link:
    if asks_for_priorities(subject):
        declared = str(Address("/priorities").set("home", home))
        return Link("Compare the priorities side by side", declared)
    compared = str(Address("/compare").set("theme", subject).set("home", home))
    return Link("Compare the systems side by side", compared)


def _register(answer: Answer, home: str | None) -> Link | None:
    """Where what is due stands, for who asks for that; up to the date that was named, if any."""
    if ABOUT_DUE not in answer.notes:
        return None
    register = Address("/commitments").set("home", home)
    if answer.understood.systems:
        register = register.set("system", *answer.understood.systems)
    dates = dates_in(answer.query, bare_years=True)
    if dates:
        year, month = int(dates[0].due[:4]), int(dates[0].due[5:7] or 12)
        if "before" not in answer.query.casefold():
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        register = register.set("due_before", f"{year}-{month:02}")
    return Link("See what is due, and when, in the register", str(register))


def _is_theme(label: str, answer: Answer) -> bool:
    subject = " ".join(answer.understood.subject.casefold().strip(" ?.").split())
    return bool(subject) and (subject == label.casefold() or subject in label.casefold())
