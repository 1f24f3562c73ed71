"""What several pages show: links, forms, what was understood, how to take a page away."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from indexer.store import Store
from search_api.model import Understood
from search_api.naming import listed
from search_api.understand import NOWHERE, also_searched
from web.address import Address
from web.highlight import Wanted

FORMAT_NAMES = {"csv": "CSV (spreadsheet)", "xlsx": "Excel", "docx": "Word"}


@dataclass(frozen=True, slots=True)
class Link:
    """A text to follow. `count` says how many are behind it, `current` that we are there."""

    text: str
    href: str
    current: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True)
class TakeAway:
    """How to keep a page: a link that stays, the same as JSON, and files."""

    permalink: str
    json: str
    index_id: str
    files: tuple[Link, ...] = ()


def files_of(address: Address, formats: Sequence[str]) -> list[Link]:
    """The same as files to keep."""
    return [Link(FORMAT_NAMES[f], str(address.set("format", f))) for f in formats]


def take_away(address: Address, index_id: str, files: Sequence[Link] = ()) -> TakeAway:
    """How to keep what an address shows."""
    kept = address.set("index_id", index_id)
    return TakeAway(str(kept), str(kept.twin()), index_id, tuple(files))


@dataclass(frozen=True, slots=True)
class Read:
    """One thing that a question was taken to mean, and how to undo it."""

    text: str
    undo: Link | None = None


def understood_as(store: Store, understood: Understood, address: Address) -> tuple[Read, ...]:
    """What a question was taken to mean, each with the link that undoes it."""
    names = {s.id: s.name for s in store.systems.values()}
    filtered = any(name == "system" for name, _ in address.pairs)
    out = []
    if understood.systems and not filtered:
        every = Link("Ask every system", str(address.set("system", *names)))
        out.append(Read(f"Only {_names(understood.systems, names)}, as the question says", every))
    if understood.excluded_systems:
        out.append(_left_out(understood, names, address))
    for typed, told in also_searched(understood):
        only = Link(f"Only “{typed}” as typed", str(address.set("q", f'"{typed}"')))
        out.append(Read(told, only))
    for phrase in understood.phrases:
        out.append(Read(f"Every passage must hold “{phrase}” word for word"))
    for word in understood.without:
        out.append(Read(f"Passages with “{word}” were left out"))
    out += [Read(note.rstrip(".")) for note in understood.notes if note.startswith(NOWHERE)]
    return tuple(out)


def _left_out(understood: Understood, names: Mapping[str, str], address: Address) -> Read:
    home = dict(address.pairs).get("home")
    left_out = _names(understood.excluded_systems, names)
    if understood.excluded_systems == (home,):
        undo = Link(f"Include {left_out}", str(address.drop("home")))
        return Read(f"{left_out} was left out: it is your own system and you asked of others", undo)
    undo = Link(
        f"Ask every system about {understood.subject}", str(address.set("q", understood.subject))
    )
    return Read(f"{left_out} left out, as the question says", undo)


def _names(ids: Sequence[str], names: Mapping[str, str]) -> str:
    return listed([names.get(i, i) for i in ids])


def wanted_words(understood: Understood, themes: Iterable[Sequence[str]] = ()) -> Wanted:
    """The words to mark in what was found."""
    words = [understood.subject]
    phrases = [e.to for e in understood.expansions]
    phrases += [*understood.phrases, *(word for theme in themes for word in theme)]
    return Wanted(words, phrases)


@dataclass(frozen=True, slots=True)
class Option:
    """A choice of a form."""

    value: str
    text: str
    chosen: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a form, and the field it is about."""

    message: str
    field: str | None


@dataclass(frozen=True, slots=True)
class Form:
    """A question with its filters as it was typed, and what can be chosen."""

    q: str
    home: tuple[Option, ...]
    systems: tuple[Option, ...]
    kinds: tuple[Option, ...]
    from_year: str
    to_year: str
    include_superseded: bool
    filters_set: int
    suggestions: tuple[str, ...]
    hidden: tuple[tuple[str, str], ...]
    problem: Problem | None = None


NO_FILTER = frozenset({"q", "home", "theme", "limit", "index_id", "offset", "due_before", "sort"})
SHOWN_BY_THE_FORM = frozenset(
    {"q", "home", "system", "kind", "from", "to", "include_superseded", "theme", "limit", "offset"}
    | {"due_before", "sort"}
)


def form_of(
    store: Store, address: Address, home: str | None = None, problem: Problem | None = None
) -> Form:
    """The form as an address fills it in.

    Args:
        home: the home system remembered, chosen where the address names none.
    """
    given: dict[str, list[str]] = {}
    for name, value in address.pairs:
        given.setdefault(name, []).append(value)
    first = {name: values[-1] for name, values in given.items()}
    chosen_home = first.get("home", "" if address.pairs else home or "")
    kinds = sorted({d.kind for d in store.documents.values()})
    return Form(
        q=first.get("q", ""),
        home=tuple(Option(s.id, s.name, s.id == chosen_home) for s in store.systems.values()),
        systems=tuple(
            Option(s.id, s.name, s.id in given.get("system", ())) for s in store.systems.values()
        ),
        kinds=tuple(Option(k, k.capitalize(), k in given.get("kind", ())) for k in kinds),
        from_year=first.get("from", ""),
        to_year=first.get("to", ""),
        include_superseded=first.get("include_superseded", "").lower() in ("true", "1", "on"),
        filters_set=sum(len(values) for name, values in given.items() if name not in NO_FILTER),
        suggestions=suggestions(store),
        hidden=tuple(p for p in address.pairs if p[0] not in SHOWN_BY_THE_FORM),
        problem=problem,
    )


def suggestions(store: Store) -> tuple[str, ...]:
    """What a question may be about: themes, systems, and acronyms with their meaning."""
    themes = [theme.label for theme in store.themes.values()]
    acronyms = [f"{a.short} ({a.long})" for a in store.acronyms if len(a.short) > 1]
    return tuple(dict.fromkeys([*themes, *acronyms]))
