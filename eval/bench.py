"""`icsearch bench`: what indexing, opening and asking take, and how that grows with the corpus.

Absolute times depend on the machine and on what else it does; the ratios within one run are what to
keep. The result is a JSON file that a later run can be compared with.
"""

import json
import math
import os
import platform
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click

from eval import rates, serving, synthetic, timing
from indexer.settings import IndexSettings
from indexer.store import open_store
from search_api.settings import SearchSettings

PARAGRAPHS_ADDED = 20


@click.command()
@click.option("--index", metavar="DIR", help="Index of the shipped corpus.")
@click.option("--queries", default=100, show_default=True, help="Questions per stage and filter.")
@click.option("--size", "sizes", type=click.IntRange(1), multiple=True, help="Made-up passages.")
@click.option("--work", type=click.Path(path_type=Path), help="Where made-up indexes are kept.")
@click.option("--workers", default=2, show_default=True, help="Processes that serve, at the most.")
@click.option("--rates/--no-rates", "with_rates", default=True, help="Measure indexing too.")
@click.option("--pages", is_flag=True, help="What pages take beyond their JSON twins, instead.")
@click.option("--add", is_flag=True, help="What adding one document takes, at each size, instead.")
@click.option("--beside", metavar="URL", help="Copy the index to PostgreSQL and ask both, instead.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write JSON here.")
@click.option(
    "--compare",
    "--against",
    "against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An earlier JSON file to compare with.",
)
@click.option("--plots", type=click.Path(file_okay=False, path_type=Path), help="Draw growth here.")
def bench(
    index: str | None,
    queries: int,
    sizes: tuple[int, ...],
    work: Path | None,
    workers: int,
    with_rates: bool,
    pages: bool,
    add: bool,
    beside: str | None,
    as_json: bool,
    output: Path | None,
    against: Path | None,
    plots: Path | None,
) -> None:
    """Measure indexing, opening and asking, on the shipped corpus and on made-up ones."""
    settings = SearchSettings() if index is None else SearchSettings(index=index)
    if pages:
        _pages(settings.index, queries, as_json, output)
        return
    if add:
        _add(settings.index, sizes, work, as_json, output)
        return
    if beside is not None:
        _beside(settings.index, beside, sizes, work, queries, as_json, output)
        return
    result: dict[str, Any] = {"machine": machine(), "load_at_start": os.getloadavg()}
    result["corpora"] = [shipped(settings, queries, workers)]
    _keep(result, output)
    if with_rates:
        result["indexing"] = rates.measure(settings)
    for size in sorted(sizes):
        click.echo(f"Measuring {size:,} passages.", err=True)
        result["corpora"].append(made_up(settings, work, size, queries, workers))
        _keep(result, output)
    result["load_at_end"] = os.getloadavg()
    result["growth"] = growth(result["corpora"])
    _keep(result, output)
    if plots is not None:
        draw(result, plots)
    earlier = json.loads(against.read_text(encoding="utf-8")) if against else None
    _told(result, as_json, output, lambda found: show(found, earlier))


def _pages(index: str, queries: int, as_json: bool, output: Path | None) -> None:
    from eval.bench_pages import measure_pages, show_pages

    _told(measure_pages(index, queries), as_json, output, show_pages)


def _add(
    index: str, sizes: Sequence[int], work: Path | None, as_json: bool, output: Path | None
) -> None:
    from eval.bench_update import measure_update, show_updates

    result: dict[str, Any] = {"machine": machine(), "updates": []}
    for size in sorted(sizes or (500, 10_000)):
        root = str(_root(work, size))
        result["updates"].append(apart(measure_update, root, index, size, PARAGRAPHS_ADDED))
        _keep(result, output)
    _told(result, as_json, output, lambda found: show_updates(found["updates"]))


def _beside(
    index: str,
    url: str,
    sizes: Sequence[int],
    work: Path | None,
    queries: int,
    as_json: bool,
    output: Path | None,
) -> None:
    from eval.bench_stores import measure_stores, show_stores

    if len(sizes) > 1:
        raise click.UsageError("--beside takes one --size.")
    folder = index
    if sizes:
        folder = str(_root(work, sizes[0]))
        apart(_build, folder, index, sizes[0])
    result = {"machine": machine(), **measure_stores(folder, url, queries)}
    _told(result, as_json, output, show_stores)


def _root(work: Path | None, size: int) -> Path:
    """Where the made-up index of so many passages is kept."""
    root = (work or Path(tempfile.gettempdir()) / "icsearch-bench") / str(size)
    root.mkdir(parents=True, exist_ok=True)
    return root


def _told(
    result: dict[str, Any],
    as_json: bool,
    output: Path | None,
    show: Callable[[dict[str, Any]], None],
) -> None:
    """Write what was measured and print it, as JSON if asked for."""
    _keep(result, output)
    if as_json:
        click.echo(json.dumps(result, indent=1))
    else:
        show(result)


def _keep(result: dict[str, Any], output: Path | None) -> None:
    """Write what is measured so far, so that a run that is stopped leaves something."""
    if output is not None:
        output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def machine() -> dict[str, object]:
    """Facts of the machine and the programs that times depend on."""
    from importlib.metadata import version

    processor = platform.processor() or platform.machine()
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        names = [x for x in facts.read_text().splitlines() if x.startswith("model name")]
        processor = names[0].partition(":")[2].strip() if names else processor
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "processor": processor,
        "memory_gb": round(memory / 2**30, 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {n: version(n) for n in ("faiss-cpu", "tantivy", "onnxruntime", "numpy")},
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def apart(run: Callable[..., Any], *args: object) -> Any:
    """What a function returns in a process of its own, whose memory is its alone."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(run, *args).result()


def shipped(settings: SearchSettings, queries: int, workers: int) -> dict[str, Any]:
    """Everything about the index of the shipped corpus."""
    found = _asked("shipped", settings, queries, workers, None)
    found["stages"] |= timing.whole_corpus(settings)
    return found


def made_up(
    settings: SearchSettings, work: Path | None, size: int, queries: int, workers: int
) -> dict[str, Any]:
    """Everything about a made-up corpus of so many passages, written if it is not there yet."""
    root = _root(work, size)
    started = time.perf_counter()
    apart(_build, str(root), settings.index, size)
    seconds = round(time.perf_counter() - started, 1)
    told = root / "build_seconds.json"
    if seconds > 5 or not told.exists():
        told.write_text(json.dumps(seconds))
    own = settings.model_copy(update={"index": str(root)})
    found = _asked(f"{size:,} made up", own, queries, workers, settings.index)
    return found | {"build_seconds": json.loads(told.read_text())}


def _build(root: str, like: str, size: int) -> None:
    synthetic.build(Path(root), open_store(like), Path(like), size, IndexSettings())


def _asked(
    name: str, settings: SearchSettings, queries: int, workers: int, like: str | None
) -> dict[str, Any]:
    measured: dict[str, Any] = {"name": name}
    measured |= apart(timing.measure, settings, queries, like)
    measured["cold_start_ms"] = timing.cold_start_ms(settings.index)
    measured["http"] = serving.over_http(settings, queries)
    counts = dict.fromkeys((1, workers))
    measured["throughput"] = [serving.throughput(settings, count) for count in counts]
    return measured


def growth(corpora: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The power of the number of passages by which each grows, from the smallest made up on."""
    made = [c for c in corpora if c["name"] != "shipped"]
    if len(made) < 2:
        return {}
    times = math.log(made[-1]["passages"] / made[0]["passages"])

    def power(of: Callable[[Mapping[str, Any]], float]) -> float:
        return round(math.log(of(made[-1]) / of(made[0])) / times, 2)

    beyond = "search but encoding"
    return {
        f"{beyond}, p50": power(lambda c: c["stages"][beyond]["p50"]),
        f"{beyond}, CPU p50": power(lambda c: c["stages"][f"{beyond}, CPU"]["p50"]),
        f"{beyond} of 1 %, p50": power(lambda c: c["stages"][f"{beyond} of 1 %"]["p50"]),
        "memory": power(lambda c: c["memory_mb"]["Rss"]),
        "build": power(lambda c: c["build_seconds"]),
        "disk": power(lambda c: c["disk_mb"]),
    }


def draw(result: Mapping[str, Any], folder: Path) -> None:
    """Growth as a picture: time, memory, disk and build against the number of passages."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    made = [c for c in result["corpora"] if c["name"] != "shipped"]
    sizes = [c["passages"] for c in made]
    beyond = "search but encoding"
    curves = {
        "Search without encoding, ms (p50)": [c["stages"][beyond]["p50"] for c in made],
        "The same of 1 %, ms (p50)": [c["stages"][f"{beyond} of 1 %"]["p50"] for c in made],
        "Memory, MB": [c["memory_mb"]["Rss"] for c in made],
        "Build, s": [c["build_seconds"] for c in made],
    }
    folder.mkdir(parents=True, exist_ok=True)
    figure, axes = pyplot.subplots(1, 4, figsize=(15, 3.6), layout="constrained")
    for axis, (label, values) in zip(axes, curves.items(), strict=True):
        power = 0.5 if label.endswith("(p50)") else 1.0
        axis.loglog(sizes, values, marker="o", label="measured")
        bound = [values[0] * (size / sizes[0]) ** power for size in sizes]
        axis.loglog(sizes, bound, linestyle=":", label="square root" if power < 1 else "proportion")
        axis.set_title(label, fontsize=10)
        axis.set_xlabel("passages")
        axis.legend(fontsize=8)
    figure.savefig(folder / "growth.svg")
    pyplot.close(figure)


def compared(now: float, before: float | None) -> str:
    """A figure, and how it stands to an earlier one."""
    if not before:
        return f"{now:g}"
    return f"{now:g} ({now / before:.2f} times {before:g})"


def show(result: Mapping[str, Any], earlier: Mapping[str, Any] | None) -> None:
    """Print the figures, beside an earlier run's where there is one."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, soft_wrap=True)
    former = {c["name"]: c for c in (earlier or {}).get("corpora", [])}
    for corpus in result["corpora"]:
        before = former.get(corpus["name"], {})
        title = f"{corpus['name']}: {corpus['passages']:,} passages, {corpus['vectors']}"
        table = Table(title=title)
        table.add_column("Milliseconds")
        for column in ("p50", "p95", "p99"):
            table.add_column(column, justify="right")
        stages = corpus["stages"] | corpus["http"]["stages"]
        known = before.get("stages", {}) | before.get("http", {}).get("stages", {})
        for stage, took in stages.items():
            cells = [compared(took[p], known.get(stage, {}).get(p)) for p in ("p50", "p95", "p99")]
            table.add_row(stage, *cells)
        console.print(table)
        memory, recalled = corpus["memory_mb"], corpus["recall_at_10"]
        console.print(
            f"Recall@10 {recalled['all']} and {recalled['of 1 %']} of 1 %. "
            f"Opened in {corpus['open_ms']} ms, a whole command in {corpus['cold_start_ms']} ms, "
            f"a server ready in {corpus['http']['ready_ms']} ms. Memory {memory['Rss']} MB, "
            f"{memory['Anonymous']} MB of it not mapped; disk {corpus['disk_mb']} MB."
        )
        ratio = corpus["http"]["http_to_encoder"]
        console.print(
            f"Through HTTP {ratio['p50']} times the encoder at p50, {ratio['p95']} at p95."
        )
        for served in corpus["throughput"]:
            each = ", ".join(f"{r['clients']}: {r['a_second']}" for r in served["clients"])
            console.print(
                f"{served['workers']} workers, questions a second by clients: {each}; "
                f"{served['share_of_encoder']} of the encoder alone."
            )
    if "indexing" in result:
        console.print("Indexing: " + json.dumps(result["indexing"]))
    if result["growth"]:
        console.print(
            "Growth, as a power of the number of passages: " + json.dumps(result["growth"])
        )
    console.print(f"Load of the machine {result['load_at_start']} to {result['load_at_end']}.")
