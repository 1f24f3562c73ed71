"""Verbs that change the index: `index`, `add`, `remove`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from corpus.errors import IndexError_
from indexer.manifest import Manifest
from indexer.settings import IndexSettings
from indexer.store import in_database

BEFORE = "the one before"


@click.command()
@click.option("--corpus", type=click.Path(path_type=Path), help="Folder of documents.")
@click.option("--index", metavar="DIR|URL", help="Where the index goes.")
@click.option("--model", metavar="NAME|DIR", help="Embedding model.")
@click.option("--scheduler", metavar="URL", help="Embed on the workers of this Dask scheduler.")
@click.option("--to", metavar="DIR|URL", help="Copy the index there instead of building it.")
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
@click.option(
    "--rollback",
    is_flag=False,
    flag_value=BEFORE,
    metavar="[ID]",
    help="Serve the generation before this one again, or the one named.",
)
@click.option("--check", is_flag=True, help="Only compare every file with what was written.")
def index(
    corpus: Path | None,
    index: str | None,
    model: str | None,
    scheduler: str | None,
    to: str | None,
    quiet: bool,
    rollback: str | None,
    check: bool,
) -> None:
    """Build or update the index; unchanged documents are not read or embedded again.

    An index in PostgreSQL is given by its address:

        icsearch index --index postgresql://user@host/database
    """
    settings = settings_from(corpus=corpus, index=index, model=model, scheduler=scheduler)
    if to is not None:
        _copy(settings, to, quiet)
    elif check:
        _check(settings)
    elif rollback is not None:
        _roll_back(settings, None if rollback == BEFORE else rollback)
    else:
        manifest = run(settings, quiet)
        if not quiet:
            report(manifest)
        _name_left_over(settings)


def _copy(settings: IndexSettings, to: str, quiet: bool) -> None:
    """Bring the current generation to another store."""
    from indexer.build import open_place
    from indexer.store.copy import copy_index

    place = open_place(settings.model_copy(update={"index": to}))
    manifest = copy_index(settings.index, place, settings.keep_generations)
    if not quiet:
        click.echo(
            f"Copied index {manifest.index_id} with {manifest.passages:,} passages; "
            "it is served there now."
        )


def _roll_back(settings: IndexSettings, index_id: str | None) -> None:
    if in_database(settings.index):
        from indexer.store.postgres import Keeper

        keeper = Keeper(settings.index)
        with keeper.writing():
            manifest = keeper.roll_back(index_id)
    else:
        from indexer.store.publish import roll_back

        manifest = roll_back(Path(settings.index), index_id)
    click.echo(
        f"Generation {manifest.index_id} is served again: {len(manifest.documents)} documents, "
        f"{manifest.passages:,} passages. The corpus was not changed: the next icsearch index "
        "follows it again."
    )


def _check(settings: IndexSettings) -> None:
    if in_database(settings.index):
        raise IndexError_(
            "--check compares the files of a folder; PostgreSQL checks its own pages: "
            "run pg_amcheck on the database."
        )
    from indexer.check import examine

    found = examine(settings)
    for line in found.whole:
        click.echo(line)
    for problem in found.problems:
        click.echo(problem, err=True)
    if found.problems:
        raise SystemExit(1)


def _name_left_over(settings: IndexSettings) -> None:
    from indexer.administer import left_over

    for path in left_over(settings.corpus):
        click.echo(f"Left over: {path} has no entry in the catalogue: add or delete it.", err=True)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--system", required=True, metavar="ID", help="Whose document it is.")
@click.option("--title", required=True, help="Its title.")
@click.option("--kind", default="document", show_default=True, help="What kind of document.")
@click.option("--published", metavar="YYYY-MM-DD", help="When it was published.")
@click.option("--period", metavar="YYYY-YYYY", help="The years it speaks for.")
@click.option("--url", help="Where the publisher has it.")
@click.option("--corpus", type=click.Path(path_type=Path), help="Folder of documents.")
@click.option("--index", metavar="DIR|URL", help="Where the index is.")
def add(file: Path, corpus: Path | None, index: str | None, **known: Any) -> None:
    """Add FILE to the corpus and the index."""
    from indexer.administer import Addition
    from indexer.administer import add as added

    settings = settings_from(corpus=corpus, index=index)
    addition = Addition(file=file, **known)
    identity, manifest = added(settings.corpus, addition, lambda: run(settings, quiet=False))
    facts = next(d for d in manifest.documents if d.id == identity)
    warnings = f" Warnings: {'; '.join(facts.warnings)}." if facts.warnings else ""
    _propose(settings, identity)
    click.echo(
        f"Added {identity}: {facts.pages:,} pages, {facts.words:,} words, "
        f"{facts.passages:,} passages.{warnings}"
    )


@click.command()
@click.argument("document_id")
@click.option("--corpus", type=click.Path(path_type=Path), help="Folder of documents.")
@click.option("--index", metavar="DIR|URL", help="Where the index is.")
def remove(document_id: str, corpus: Path | None, index: str | None) -> None:
    """Take DOCUMENT_ID out of the corpus and the index."""
    from indexer.administer import remove as removed

    settings = settings_from(corpus=corpus, index=index)
    manifest = removed(settings.corpus, document_id, lambda: run(settings, quiet=False))
    click.echo(f"Removed {document_id}; {len(manifest.documents)} documents are indexed.")


def _propose(settings: IndexSettings, identity: str) -> None:
    """Say which documents a pack seems to hold, as entries for the catalogue."""
    from indexer.packs import propose
    from indexer.store import open_store

    found = propose(open_store(settings.index).reading(identity))
    if found:
        click.echo(
            f"{identity} looks like a pack of {len(found)} items. To cite them apart, give each a "
            f"[[document]] entry in {settings.corpus / 'documents.toml'} with the same file:"
        )
        for proposal in found:
            click.echo(f'  title = "{proposal.title}"  pages = "{proposal.pages}"')


def settings_from(**given: Any) -> IndexSettings:
    """Settings from the environment, with what was given on the command line over them."""
    return IndexSettings(**{name: value for name, value in given.items() if value is not None})


def run(
    settings: IndexSettings, quiet: bool, also: Callable[[str, int, int], None] = lambda *_: None
) -> Manifest:
    """Build with a progress bar on a terminal's error stream, and tell `also` of each stage."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from indexer.build import build_index

    console = Console(stderr=True, quiet=quiet)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        tasks: dict[str, Any] = {}

        def tell(stage: str, done: int, total: int) -> None:
            also(stage, done, total)
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total)
            progress.update(tasks[stage], completed=done, total=total)

        return build_index(settings, tell)


def report(manifest: Manifest) -> None:
    """Print what reading each document found, and name what could not be read."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    console.print(f"Index {manifest.index_id}: {manifest.passages:,} passages")
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Document", overflow="fold")
    for column in ("Pages", "Unreadable", "Words", "Tables", "Passages", "Seconds"):
        table.add_column(column, justify="right", no_wrap=True)
    for d in manifest.documents:
        counts = (d.pages, d.unreadable_pages, d.words, d.tables, d.passages)
        table.add_row(d.id, *[f"{n:,}" for n in counts], f"{d.seconds:.1f}")
    console.print(table)
    # Under the table, where they have the whole width: a screen of 80 columns has none to spare.
    for d in manifest.documents:
        if d.warnings:
            console.print(Text(f"{d.id}: {'; '.join(d.warnings)}."))
    for document_id, reason in manifest.failures.items():
        print(f"Not read: {document_id}: {reason}", file=sys.stderr)  # noqa: T201
