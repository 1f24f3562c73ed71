"""Replies as text for a terminal. Quotes are printed whole, word for word."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from corpus.model import LEVEL_NAMES, Passage
from indexer.manifest import Manifest
from indexer.store import Store
from search_api.cite import packed
from search_api.dates import british_date
from search_api.headline import DOUBTFUL, IN_DOUBT, plural, standing
from search_api.model import (
    Answer,
    Citation,
    Commitments,
    Comparison,
    Priorities,
    SearchResult,
    Statement,
    Understood,
    Verified,
)
from search_api.understand import also_searched

WIDTH = 100
BASIS_WORDS = {
    "heading": "its heading",
    "sentence": "the sentence that announces it",
    "numbered": "the numbers of its lines",
    "table": "the column of a table",
    "opening": "its place in a text that lost its headings: check it",
}


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)


def pages_in_words(
    pages: Sequence[int], inferred: bool, label: str | None, pack: bool = False
) -> str:
    """ "page 79 of the pack", "page 80 (number inferred)", or "" for a source without pages."""
    if not pages:
        return ""
    numbers = f"page {pages[0]}" if len(pages) == 1 else f"pages {pages[0]} to {pages[-1]}"
    whole = " of the pack" if pack else ""
    printed = f" (printed {label})" if label and not pack and label != str(pages[0]) else ""
    return numbers + whole + printed + (" (number inferred)" if inferred else "")


def place(citation: Citation | Passage, store: Store) -> str:
    """Document, page and heading of a citation or passage, on one line."""
    document = store.documents[citation.document_id]
    pages = pages_in_words(
        citation.pages, citation.page_inferred, citation.page_label, document.id in packed(store)
    )
    parts = [citation.document_title, pages, *citation.heading[-1:]]
    old = " [superseded]" if document.status == "superseded" else ""
    return " · ".join(p for p in parts if p) + old


def _quoted(text: str, indent: str) -> str:
    lines = [line for line in text.split("\n") if line]
    shown = [
        textwrap.fill(line, WIDTH, initial_indent=indent, subsequent_indent=indent)
        for line in lines
    ]
    first = shown[0]
    shown[0] = first[: len(indent)] + "“" + first[len(indent) :]
    return "\n".join(shown) + "”"


def _understood(console: Console, understood: Understood, notes: Iterable[str]) -> None:
    for _, told in also_searched(understood):
        console.print(f"{told}.", style="dim", markup=False)
    for note in dict.fromkeys(notes):
        console.print(f"Note: {note}", style="dim", markup=False)


def answer(found: Answer, store: Store) -> None:
    """Print an answer grouped by system."""
    console = _console()
    console.print(Text(found.headline, style="bold"))
    if found.reason:
        console.print(found.reason, markup=False)
    citations = {c.id: c for c in found.citations}
    for said in found.systems:
        level = LEVEL_NAMES[said.level]
        does = standing(said.status, said.statements)
        console.print()
        console.print(Text(f"{said.name} ({level}): {does}", style="bold"))
        if does == IN_DOUBT:
            console.print(f"  {DOUBTFUL}")
        for statement in said.statements:
            _statement(console, statement, citations[statement.citation], store)
        if not said.statements:
            s = said.searched
            pages = f" on {plural(s.pages, 'page')}" if s.pages else ""
            unread = (
                f", {plural(s.unreadable_pages, 'page')} unreadable" if s.unreadable_pages else ""
            )
            console.print(
                f"  Searched {plural(s.passages, 'passage')}{pages} of "
                f"{plural(s.documents, 'document')}{unread}: nothing on this."
            )
            if said.nearest:
                console.print("  The nearest, which does not answer the question:", style="dim")
                _statement(console, said.nearest, citations[said.nearest.citation], store)
    console.print()
    _understood(console, found.understood, found.notes)
    s_all = found.searched
    console.print(
        f"Searched {plural(s_all.passages, 'passage')} of "
        f"{plural(s_all.documents, 'document')} from "
        f"{plural(s_all.systems, 'system')}. Index {found.index_id}.",
        style="dim",
    )


def _statement(console: Console, statement: Statement, citation: Citation, store: Store) -> None:
    why = (
        f": {', '.join(' '.join(t.split()) for t in statement.triggers)}"
        if statement.triggers
        else ""
    )
    console.print(_quoted(statement.text, "  "), markup=False)
    if statement.context:
        console.print(f"    beside it: {statement.context}", style="dim", markup=False)
    doubt = "" if statement.sure else "in doubt, "
    console.print(
        f"    [{doubt}{statement.ladder}{why}] {place(citation, store)}", style="dim", markup=False
    )
    console.print(f"    {citation.id}", style="dim", markup=False)


def search(found: SearchResult, store: Store) -> None:
    """Print passages, best first."""
    console = _console()
    if not found.hits:
        console.print("Nothing was found.")
    for hit in found.hits:
        name = store.systems[hit.passage.system].name
        console.print(Text(f"{hit.rank}. {name} · {place(hit.passage, store)}", style="bold"))
        console.print(_quoted(hit.passage.text, "   "), markup=False)
        console.print(
            f"   {', '.join(hit.matched_by)} · score {hit.score:.3f} · {hit.passage.id}",
            style="dim",
        )
    _understood(console, found.understood, found.notes)
    console.print(f"Index {found.index_id}, {found.took_ms:.0f} ms.", style="dim")


def comparison(found: Comparison, store: Store) -> None:
    """Print themes by systems, then the strongest statement of every cell."""
    console = Console(highlight=False)
    table = Table()
    table.add_column("Theme")
    for system in found.systems:
        home = " (home)" if system.home else ""
        table.add_column(f"{system.name}{home}\n{LEVEL_NAMES[system.level]}")
    cells = {(c.theme, c.system): c for c in found.cells}
    for theme in found.themes:
        row = [cells[theme.id, s.id] for s in found.systems]
        table.add_row(
            theme.label,
            *[
                standing(c.status, c.statements)
                + (f" ({len(c.statements)})" if c.statements else "")
                for c in row
            ],
        )
    console.print(table)
    plain = _console()
    citations = {c.id: c for c in found.citations}
    for theme in found.themes:
        plain.print(Text(f"\n{theme.label}", style="bold"))
        for system in found.systems:
            cell = cells[theme.id, system.id]
            plain.print(f"{system.name}: {standing(cell.status, cell.statements)}")
            for statement in cell.statements[:1]:
                _statement(plain, statement, citations[statement.citation], store)
    for line in (*found.summary, *found.notes):
        plain.print(f"Note: {line}", style="dim", markup=False)
    plain.print(f"Index {found.index_id}.", style="dim")


def priorities(found: Priorities, store: Store) -> None:
    """Print what each system declares, then the themes that its priorities speak to."""
    console = _console()
    citations = {c.id: c for c in found.citations}
    for line in found.summary:
        console.print(Text(line, style="bold"))
    for system in found.systems:
        home = " (home)" if system.home else ""
        console.print(Text(f"\n{system.name}{home} ({LEVEL_NAMES[system.level]})", style="bold"))
        if not system.lists:
            s = system.searched
            unread = "; some pages could not be read" if system.status == "unreadable" else ""
            console.print(
                f"  Searched {plural(s.passages, 'passage')} of {plural(s.documents, 'document')}: "
                f"no declared list of priorities was found{unread}."
            )
        for of in system.lists:
            beside = "" if of.rank == "headline" else "beside them: "
            where = place(citations[of.declared_by], store)
            console.print(Text(f"  {beside}{of.called}"))
            console.print(
                f"    {where}; found by {BASIS_WORDS[of.basis]}", style="dim", markup=False
            )
            for p in of.priorities:
                indent = "      " if p.under else "    "
                console.print(_quoted(p.text, indent), markup=False)
                labels = [store.themes[t].label for t in (*p.themes, *p.themes_beneath)]
                about = f"; {', '.join(labels)}" if labels else ""
                console.print(f"{indent}  {p.citation}{about}", style="dim", markup=False)
    console.print()
    for note in found.notes:
        console.print(f"Note: {note}", style="dim", markup=False)
    console.print(f"Index {found.index_id}.", style="dim")


def commitments(found: Commitments, store: Store) -> None:
    """Print the register of commitments as a table."""
    console = Console(highlight=False)
    table = Table(title=f"{len(found.commitments)} of {plural(found.total, 'commitment')}")
    for column in ("Due", "Target", "What", "System", "Owner", "Where"):
        table.add_column(column, overflow="fold")
    for c in found.commitments:
        table.add_row(
            c.due or c.due_text or "undated",
            Text(c.target or ""),
            Text(c.action),
            Text(store.systems[c.system].name),
            Text(c.owner or "–"),
            Text(place(c.citation, store)),
        )
    console.print(table if found.commitments else "No commitment fits.")
    for note in found.notes:
        console.print(f"Note: {note}", style="dim", markup=False)


def verified(results: Sequence[Verified], citations: Sequence[Mapping[str, Any]]) -> None:
    """Print what became of each citation, the failed ones named."""
    console = _console()
    failed = 0
    for number, (result, citation) in enumerate(zip(results, citations, strict=True), 1):
        if not result.valid:
            failed += 1
            quote = " ".join(str(citation.get("quote", "")).split())[:80]
            console.print(
                f"{number}. {result.reason}: {result.citation} “{quote}…” {result.detail}",
                markup=False,
            )
    good = len(results) - failed
    console.print(f"{plural(good, 'citation')} of {len(results)} stand as quoted.")


def documents(entries: Sequence[Mapping[str, Any]], store: Store) -> None:
    """Print the documents with what reading found in each."""
    console = Console(highlight=False)
    # What tells documents apart stands in one column, so that words stay whole in 80 characters.
    table = Table(show_lines=True)
    table.add_column("Document")
    for column in ("Pages", "Unreadable", "Words", "Passages"):
        table.add_column(column, justify="right")
    for e in entries:
        told = " · ".join((e["system_name"], e["kind"], e["status"]))
        table.add_row(
            Text("\n").join(
                [Text(e["title"], style="bold"), *map(Text, (e["id"], told, *e["warnings"]))]
            ),
            *[f"{e[k]:,}" for k in ("pages", "unreadable_pages", "words", "passages")],
        )
    console.print(table)
    for document_id, reason in store.manifest.failures.items():
        console.print(f"Not read: {document_id}: {reason}", markup=False)


def systems(entries: Sequence[Mapping[str, Any]]) -> None:
    """Print the systems with their level and counts."""
    console = Console(highlight=False)
    table = Table()
    for column in ("System", "Id", "Level", "Documents", "Pages", "Passages", "What changes"):
        table.add_column(column, overflow="fold")
    for e in entries:
        changes = [f"{s['status']}, {british_date(s['date'])}: {s['event']}" for s in e["lineage"]]
        counts = [f"{e[k]:,}" for k in ("documents", "pages", "passages")]
        table.add_row(e["name"], e["id"], LEVEL_NAMES[e["level"]], *counts, "\n".join(changes))
    console.print(table)


def info(manifest: Manifest) -> None:
    """Print how an index was made."""
    console = _console()
    model = manifest.made["model"]
    size = sum(f.bytes for f in manifest.files.values())
    for name, value in (
        ("Index", manifest.index_id),
        ("Built at", manifest.built_at),
        ("Documents", f"{len(manifest.documents)} ({len(manifest.failures)} not read)"),
        ("Passages", f"{manifest.passages:,}"),
        ("Model", f"{model['model']}, {model['dimensions']} dimensions"),
        ("Weights", model["weights_sha256"]),
        ("Added", model.get("tuned") or "nothing"),
        ("Size", f"{size / 2**20:.1f} MiB in {len(manifest.files)} files"),
    ):
        console.print(f"{name:<10} {value}", markup=False)
