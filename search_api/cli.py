"""The command `icsearch`: a thin skin over the Searcher, and the door to the other packages' verbs.

Verbs of other packages are named as text and imported when used, so that `--help` loads nothing.
"""

import importlib
import sys
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from corpus.errors import IcsearchError

if TYPE_CHECKING:
    from collections.abc import Callable

    from search_api.model import Filters, Order
    from search_api.searcher import Searcher

F = TypeVar("F", bound="Callable[..., Any]")

# verb -> (where it is, one line of help)
ELSEWHERE = {
    "index": ("indexer.cli:index", "Build or update the index."),
    "add": ("indexer.cli:add", "Add a document to the corpus and the index."),
    "remove": ("indexer.cli:remove", "Take a document out of the corpus and the index."),
    "serve": ("web.cli:serve", "Open the web site and the API."),
    "token": ("web.cli:token", "Make a token to administer the web site with."),
    "eval": ("eval.cli:evaluate", "Measure the quality of search and answers."),
    "bench": ("eval.bench:bench", "Measure speed."),
}


LONGEST_HELP = 80
"""Characters of help beside a verb: enough not to cut any off."""
CHANGE_THE_INDEX = frozenset({"index", "add", "remove"})


def _prepares(command: click.Command) -> click.Command:
    """The verb, after which what rules find in the documents is found and kept (see `prepare`)."""
    change = command.callback
    assert change is not None

    def changed(**given: Any) -> None:
        change(**given)
        from search_api.prepare import prepare

        prepare(given.get("index"))

    prepared = copy(command)
    prepared.callback = changed
    return prepared


class Verbs(click.Group):
    """Own verbs and those of other packages, the latter imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs in order."""
        return sorted({*super().list_commands(ctx), *ELSEWHERE})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """A verb, its package imported if need be."""
        if name not in ELSEWHERE:
            return super().get_command(ctx, name)
        module, _, attribute = ELSEWHERE[name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return _prepares(command) if name in CHANGE_THE_INDEX else command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of verbs, without importing any."""
        rows = []
        for name in self.list_commands(ctx):
            own = super().get_command(ctx, name)
            rows.append((name, own.get_short_help_str(LONGEST_HELP) if own else ELSEWHERE[name][1]))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a verb; tell an error in one sentence and leave with its exit code."""
        try:
            return super().invoke(ctx)
        except IcsearchError as error:
            click.echo(f"Error: {error.message}", err=True)
            ctx.exit(error.exit_code)
        except ValueError as error:
            if not (told := _wrong_setting(error)):
                raise
            click.echo(f"Error: {told}", err=True)
            ctx.exit(1)


def _wrong_setting(error: Any) -> str | None:
    """What is wrong with a setting, if that is what an error is about.

    It is pydantic's error, told by its name: importing pydantic would make `--help` slow.
    """
    if type(error).__name__ != "ValidationError" or not error.title.endswith("Settings"):
        return None
    first = error.errors(include_url=False)[0]
    name = "_".join(str(part) for part in first["loc"]).upper()
    reason = str(first["msg"]).removeprefix("Input ").removeprefix("Value error, ")
    return f"The setting ICSEARCH_{name} is not usable: it {reason}, not {first['input']!r}."


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="icsearch")
def main() -> None:
    """Search, cited answers and comparison over integrated care strategies."""


def filtered(function: F) -> F:
    """The options that every verb which searches takes."""

    def repeated(name: str, metavar: str, told: str) -> Any:
        return click.option(name, multiple=True, metavar=metavar, help=f"{told} Repeatable.")

    def year(name: str, told: str) -> Any:
        of = click.IntRange(1900, 2200)
        return click.option(name, f"{name[2:]}_year", type=of, metavar="YYYY", help=told)

    options = [
        repeated("--system", "ID", "Only this system."),
        repeated("--exclude-system", "ID", "Not this system."),
        repeated("--document", "ID", "Only this document."),
        repeated("--kind", "K", "Only documents of this kind."),
        year("--from", "Only what speaks for this year or later."),
        year("--to", "Only what speaks for this year or earlier."),
        click.option("--include-superseded", is_flag=True, help="Superseded documents too."),
        click.option("--index-id", metavar="ID", help="A kept generation instead of the current."),
        click.option("--home", metavar="ID", help="Your own system, left out by “other”."),
        click.option("--index", metavar="DIR|URL", help="Where the index is."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def as_json(function: F) -> F:
    """The option that prints the API's JSON instead of text."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def _searcher(index: str | None, index_id: str | None = None) -> "Searcher":
    from search_api.searcher import open_searcher
    from search_api.settings import SearchSettings

    settings = SearchSettings() if index is None else SearchSettings(index=index)
    return open_searcher(settings, index_id)


def _filters(options: dict[str, Any]) -> "Filters":
    from search_api.model import Filters

    return Filters(
        system=options["system"],
        exclude_system=options["exclude_system"],
        document=options["document"],
        kind=options["kind"],
        from_year=options["from_year"],
        to_year=options["to_year"],
        include_superseded=options["include_superseded"],
    )


def _print(value: object) -> None:
    from search_api.serialise import dumps

    click.echo(dumps(value, indent=1))


@main.command()
@click.argument("text")
@filtered
@click.option("--limit", default=10, show_default=True, help="How many passages, 1 to 100.")
@as_json
def search(text: str, limit: int, as_json: bool, **options: Any) -> None:
    """Find passages about TEXT, best first."""
    from search_api import show
    from search_api.model import Query

    searcher = _searcher(options["index"], options["index_id"])
    result = searcher.search(Query(text, options["home"], _filters(options), limit))
    if as_json:
        _print(result)
    else:
        show.search(result, searcher.store)


@main.command()
@click.argument("text")
@filtered
@as_json
def ask(text: str, as_json: bool, **options: Any) -> None:
    """Answer TEXT in the documents' own words, by system, with citations."""
    from search_api import show
    from search_api.model import Query

    searcher = _searcher(options["index"], options["index_id"])
    answer = searcher.ask(Query(text, options["home"], _filters(options)))
    if as_json:
        _print(answer)
    else:
        show.answer(answer, searcher.store)


@main.command()
@click.option("--theme", multiple=True, metavar="TEXT", help="Theme. Repeatable.")
@click.option("--priorities", is_flag=True, help="What each system declares as its priorities.")
@filtered
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "xlsx", "docx"]),
    default="table",
    show_default=True,
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
def compare(
    theme: tuple[str, ...], priorities: bool, form: str, output: Path | None, **options: Any
) -> None:
    """Set themes, or declared priorities, side by side across systems."""
    if priorities == bool(theme):
        raise click.UsageError("Give themes with --theme, or --priorities.")
    _needs_output(form, output)
    if priorities:
        _priorities(form, output, options)
        return
    from search_api import show

    searcher = _searcher(options["index"], options["index_id"])
    comparison = searcher.compare(theme, options["home"], _filters(options))
    if form == "table" and output is None:
        show.comparison(comparison, searcher.store)
        return
    from search_api.cite import packed
    from search_api.export import export

    _write(export(comparison, "json" if form == "table" else form, packed(searcher.store)), output)


def _priorities(form: str, output: Path | None, options: dict[str, Any]) -> None:
    """What each system declares as its priorities, printed or written."""
    from search_api import show
    from search_api.cite import packed
    from search_api.export import export_priorities

    searcher = _searcher(options["index"], options["index_id"])
    found = searcher.priorities(options["home"], _filters(options))
    if form == "table" and output is None:
        show.priorities(found, searcher.store)
        return
    wanted = "json" if form == "table" else form
    _write(export_priorities(found, wanted, packed(searcher.store)), output)


@main.command()
@click.option("--theme", metavar="TEXT", help="Only this theme.")
@filtered
@click.option("--due-before", metavar="YYYY-MM", help="Due before this month.")
@click.option(
    "--sort",
    type=click.Choice(["due", "owner", "document"]),
    default="due",
    show_default=True,
    help="In which order.",
)
@click.option("--limit", default=50, show_default=True, help="How many, 1 to 100; 0 for all.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "xlsx"]),
    default="table",
    show_default=True,
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
def commitments(
    theme: str | None,
    due_before: str | None,
    sort: "Order",
    limit: int,
    form: str,
    output: Path | None,
    **options: Any,
) -> None:
    """List what was promised: action, measure, date, owner."""
    _needs_output(form, output)
    from search_api import show

    searcher = _searcher(options["index"], options["index_id"])
    found = searcher.commitments(
        theme=theme,
        home=options["home"],
        filters=_filters(options),
        due_before=due_before,
        limit=limit,
        offset=0,
        sort=sort,
    )
    if form == "table" and output is None:
        show.commitments(found, searcher.store)
        return
    from search_api.export import export_commitments

    wanted = "json" if form == "table" else form
    _write(export_commitments(found, wanted, searcher.store.systems), output)


def _needs_output(form: str, output: Path | None) -> None:
    if form in ("xlsx", "docx") and output is None:
        raise click.UsageError(f"--format {form} needs --output FILE.")


def _write(content: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(content)
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        raise IcsearchError(f"Cannot write {output}: {error.strerror or error}.") from error
    click.echo(f"Wrote {output} ({len(content):,} bytes).")


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--index", metavar="DIR|URL", help="Check against this index.")
@click.option("--corpus", type=click.Path(path_type=Path), help="Check against the documents.")
@as_json
def verify(file: Path, index: str | None, corpus: Path | None, as_json: bool) -> None:
    """Check every citation of an exported CSV, XLSX, DOCX or JSON again."""
    from search_api import show
    from search_api.verify import citations_in, verify_file

    citations = citations_in(file)
    results = verify_file(citations, index=index, corpus=corpus)
    if as_json:
        _print({"results": results})
    else:
        show.verified(results, citations)
    if not all(r.valid for r in results):
        raise SystemExit(1)


@main.command()
@click.option("--index", metavar="DIR|URL", help="Where the index is.")
@as_json
def documents(index: str | None, as_json: bool) -> None:
    """List the documents that are indexed."""
    from search_api import show
    from search_api.serialise import document_entry

    store = _searcher(index).store
    entries = [document_entry(store, d) for d in store.documents.values()]
    if as_json:
        _print({"documents": entries})
    else:
        show.documents(entries, store)


@main.command()
@click.option("--index", metavar="DIR|URL", help="Where the index is.")
@as_json
def systems(index: str | None, as_json: bool) -> None:
    """List the systems that are indexed."""
    from search_api import show
    from search_api.serialise import system_entry

    store = _searcher(index).store
    entries = [system_entry(store, s) for s in store.systems.values()]
    if as_json:
        _print({"systems": entries})
    else:
        show.systems(entries)


@main.command()
@click.option("--index", metavar="DIR|URL", help="Where the index is.")
@as_json
def info(index: str | None, as_json: bool) -> None:
    """Say how the index was made."""
    from search_api import show

    manifest = _searcher(index).store.manifest
    if as_json:
        _print(manifest)
    else:
        show.info(manifest)


if __name__ == "__main__":
    main()
