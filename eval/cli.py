"""`icsearch eval`: run, report, compare, gate, reading."""

import json
from pathlib import Path
from typing import Any

import click

from eval.labels import APART, FRESH
from eval.reading import reading
from search_api.searcher import Searcher, open_searcher
from search_api.settings import SearchSettings

SPLITS = click.Choice(["tune", "test", *APART])


@click.group("eval")
def evaluate() -> None:
    """Measure the quality of search, answers and reading."""


evaluate.add_command(reading)


def _searcher(index: str | None) -> Searcher:
    return open_searcher(SearchSettings() if index is None else SearchSettings(index=index))


@evaluate.command("run")
@click.option("--index", metavar="DIR|URL", help="Where the index is.")
@click.option("--split", type=SPLITS, default=FRESH, show_default=True)
@click.option(
    "--dataset",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with corpus.jsonl, queries.jsonl and qrels.tsv instead of our questions.",
)
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), help="TREC files here.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def run_(
    index: str | None, split: str, dataset: Path | None, output: Path | None, as_json: bool
) -> None:
    """Search for every question and score what is found, beside the yardsticks."""
    from eval.report import retrieval
    from eval.run import write_run

    if dataset is not None:
        _dataset(dataset, _searcher(index))
        return
    found, judged, runs = retrieval(_searcher(index), split)
    if output is not None:
        write_run(output, judged, runs)
    if as_json:
        click.echo(json.dumps(found, indent=1))
    else:
        _show(found, len(judged.questions), split)


def _dataset(folder: Path, searcher: Searcher) -> None:
    """Score the search on a public collection, indexed by the same code."""
    from eval.dataset import open_dataset, read_dataset, run_dataset

    dataset = read_dataset(folder)
    found = run_dataset(open_dataset(dataset, searcher.store.encoder, searcher.settings), dataset)
    for name in found.values:
        click.echo(f"{name:<12}{found.mean(name):.4f}")
    click.echo(f"{len(dataset.qrels)} questions over {len(dataset.documents):,} documents.")


def _show(found: dict[str, Any], count: int, split: str) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    measures = found["measures"]
    table = Table(title=f"{count} questions of the {split} split")
    for name in ("Run", *measures["icsearch"]):
        table.add_column(name)
    for run, values in measures.items():
        table.add_row(run, *[f"{v:.3f}" for v in values.values()])
    console.print(table)
    for name, d in found["better_than"].items():
        console.print(
            f"nDCG@10 against {name}: {d['mean']:+.3f} ({d['low']:+.3f} to {d['high']:+.3f}), "
            f"p {d['p']:.4f}, {d['count']} questions, detectable {d['detectable']:.3f}"
        )
    for kind, values in found["by_kind"].items():
        console.print(f"{kind:<14}{values['count']:>4}  nDCG@10 {values['icsearch']:.3f}")


@evaluate.command()
@click.option("--index", metavar="DIR|URL", help="Where the index is.")
@click.option("--split", type=SPLITS, default=FRESH, show_default=True)
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), help="Folder for it.")
def report(index: str | None, split: str, output: Path | None) -> None:
    """Write report.json (shown on the quality page) and report.html."""
    from eval.report import html, make, write

    searcher = _searcher(index)
    folder = output or Path(__file__).parent
    content, judged, runs, asked = make(searcher, split)
    write(folder, content, html(content, judged, runs, asked))
    click.echo(f"Wrote {folder / 'report.json'} and {folder / 'report.html'}.")


@evaluate.command()
@click.argument("one", type=click.Path(exists=True, path_type=Path))
@click.argument("other", type=click.Path(exists=True, path_type=Path))
def compare(one: Path, other: Path) -> None:
    """Set two reports (report.json) side by side."""
    from eval.report import held

    first, second = (held(json.loads(p.read_text(encoding="utf-8"))) for p in (one, other))
    for name in first:
        a, b = first[name], second.get(name, 0.0)
        click.echo(f"{name:<36}{a:>9.4f}{b:>9.4f}{b - a:>+9.4f}")


@evaluate.command()
@click.option("--index", metavar="DIR|URL", help="Where the index is.")
@click.option("--accept", is_flag=True, help="Make what is measured now the baseline.")
def gate(index: str | None, accept: bool) -> None:
    """Fail if a measure fell below the committed baseline, or labels changed with code."""
    from eval import apart
    from eval import report as reporting

    not_looked_at = apart.check()
    if not_looked_at:
        click.echo(not_looked_at)
    content = reporting.make(_searcher(index), FRESH)[0]
    if accept:
        text = json.dumps(reporting.held(content), indent=1)
        reporting.BASELINE.write_text(text + "\n", encoding="utf-8")
        click.echo(f"Wrote {reporting.BASELINE}.")
        return
    baseline = json.loads(reporting.BASELINE.read_text(encoding="utf-8"))
    fallen = reporting.gate(content, baseline)
    if fallen:
        raise reporting.GateFailed("The gate is closed: " + "; ".join(fallen) + ".")
    click.echo(f"The gate is open: {len(baseline)} measures hold.")
