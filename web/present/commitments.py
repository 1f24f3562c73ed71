"""The page of the register of commitments."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten

from indexer.store import Store
from search_api.dates import british_date
from search_api.model import Citation, Commitment, Commitments, Order
from web.address import Address
from web.evidence import RUNGS, Rung, page_of, reference
from web.parts import Form, Link, Option, Problem, TakeAway, files_of, form_of, take_away

LONGEST_TIMING = 80
ORDERS: dict[Order, str] = {"due": "Soonest due", "owner": "Owner", "document": "Document and page"}


@dataclass(frozen=True, slots=True)
class CommitmentRow:
    """A row of the register."""

    id: str
    text: str
    system: str
    action: str
    target: str | None
    due: str
    due_text: str | None
    owner: str | None
    themes: tuple[str, ...]
    milestones: tuple[tuple[str, str], ...]
    rung: Rung
    title: str
    page: str
    href: str
    reference: str


@dataclass(frozen=True, slots=True)
class CommitmentsPage:
    """The register of commitments: what was promised, how much, by when and by whom."""

    form: Form
    themes: tuple[Option, ...]
    due_before: str
    orders: tuple[Option, ...]
    total: int = 0
    first: int = 0
    rows: tuple[CommitmentRow, ...] = ()
    notes: tuple[str, ...] = ()
    start: Link | None = None
    previous: Link | None = None
    next: Link | None = None
    take: TakeAway | None = None

    @classmethod
    def empty(
        cls, store: Store, address: Address, home: str | None, problem: Problem | None = None
    ) -> "CommitmentsPage":
        """The register's form, with what is wrong about it."""
        given = dict(address.pairs)
        wanted = given.get("theme", "")
        themes = [Option(t.id, t.label, t.id == wanted) for t in store.themes.values()]
        if wanted and wanted not in store.themes:  # asked for in words of the asker's own
            themes.insert(0, Option(wanted, f"“{wanted}”", chosen=True))
        return cls(
            form=form_of(store, address, home, problem),
            themes=tuple(themes),
            due_before=given.get("due_before", ""),
            orders=tuple(
                Option(key, label, key == given.get("sort", "due")) for key, label in ORDERS.items()
            ),
        )

    @classmethod
    def of(
        cls, store: Store, address: Address, found: Commitments, formats: Sequence[str]
    ) -> "CommitmentsPage":
        """A page of the register."""
        blank = cls.empty(store, address, None)
        given = dict(address.pairs)
        offset, limit = int(given.get("offset", 0)), int(given.get("limit", 50))
        last = offset + len(found.commitments)
        before = str(max(0, offset - limit)) if offset else None
        return cls(
            form=blank.form,
            themes=blank.themes,
            due_before=blank.due_before,
            orders=blank.orders,
            total=found.total,
            first=offset + 1 if found.commitments else 0,
            rows=tuple(_commitment(store, c) for c in found.commitments),
            notes=found.notes,
            start=Link("See them from the first on", str(address.drop("offset"))),
            previous=Link("Previous", str(address.set("offset", before))) if before else None,
            next=Link("Next", str(address.set("offset", str(last))))
            if last < found.total
            else None,
            take=take_away(
                address, found.index_id, files_of(address.drop("offset", "limit"), formats)
            ),
        )


def _said(timing: str | None) -> str:
    """What a plan says of the time where it names no month: "2025", "under review"."""
    return shorten(timing or "", LONGEST_TIMING, placeholder=" …")


def _commitment(store: Store, commitment: Commitment) -> CommitmentRow:
    citation: Citation = commitment.citation
    page = page_of(store, citation)
    labels = [store.themes[t].label for t in commitment.themes if t in store.themes]
    return CommitmentRow(
        id=commitment.id,
        text=commitment.text,
        system=store.systems[commitment.system].name,
        action=commitment.action,
        target=commitment.target,
        due=british_date(commitment.due) or _said(commitment.due_text) or "No date",
        due_text=commitment.due_text,
        owner=commitment.owner,
        themes=tuple(labels),
        milestones=tuple((british_date(m.due), m.text) for m in commitment.milestones),
        rung=RUNGS[commitment.ladder],
        title=citation.document_title,
        page=page,
        href=citation.url,
        reference=reference(store, citation, store.documents[citation.document_id], page),
    )
