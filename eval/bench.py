"""`icsearch bench`: how long asking takes, measured in one run so that figures can be compared.

Every stage is timed over questions of `eval/labels` that the process has not seen before, so that
no cache answers. Absolute times depend on the machine; the ratios are what to keep.
"""

import json
import os
import platform
import socket
import statistics
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from eval.labels import read_labels
from search_api.model import Query
from search_api.searcher import Searcher, open_searcher
from search_api.settings import SearchSettings

WARM_UP = 20
THEMES_COMPARED = 25
MOST_SEARCH_RATIO = 3.0
MOST_HTTP_MS = 5.0


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds of one stage over all its runs."""

    stage: str
    runs: int
    p50: float
    p95: float
    p99: float


@click.command()
@click.option("--index", metavar="DIR|URL", help="Where the index is.")
@click.option("--queries", default=150, show_default=True, help="Questions per stage.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write JSON here.")
@click.option("--pages", is_flag=True, help="What pages take beyond their JSON twins, instead.")
@click.option("--against", type=click.Path(exists=True, path_type=Path), help="Compare with this.")
def bench(
    index: str | None,
    queries: int,
    as_json: bool,
    output: Path | None,
    pages: bool,
    against: Path | None,
) -> None:
    """Measure how long searching, asking and comparing take."""
    settings = SearchSettings() if index is None else SearchSettings(index=index)
    if pages:
        from eval.bench_pages import measure_pages, show_pages

        result = measure_pages(settings.index, queries)
    else:
        result = measure(settings, queries)
    content = json.dumps(result, indent=1)
    if output is not None:
        output.write_text(content + "\n")
    if as_json:
        click.echo(content)
        return
    if pages:
        show_pages(result)
        return
    _show(result, json.loads(against.read_text()) if against else None)


def measure(settings: SearchSettings, queries: int) -> dict[str, Any]:
    """Timings of every stage, their ratios, and facts of the machine."""
    started = time.perf_counter()
    searcher = open_searcher(settings)
    opened = (time.perf_counter() - started) * 1000
    texts = [q["text"] for q in read_labels("questions.jsonl")]
    while len(texts) < 4 * queries + WARM_UP:
        texts += [f"{t} please" for t in texts]
    for text in texts[:WARM_UP]:
        searcher.search(Query(text))
        searcher.ask(Query(text))
    fresh = iter(texts[WARM_UP:])
    # Interleaved, so that a slow moment of the machine falls on all stages alike.
    spent: dict[str, list[float]] = {}
    with Served(settings) as address:
        for _ in range(queries):
            _time(spent, "encode and exact FAISS search", lambda: _floor(searcher, next(fresh)))
            _time(spent, "Searcher.search", lambda: searcher.search(Query(next(fresh))))
            _time(spent, "HTTP search", lambda: _get(address, "search", q=next(fresh)))
            _time(spent, "Searcher.ask", lambda: searcher.ask(Query(next(fresh))))
        known = texts[0]
        for _ in range(max(20, queries // 3)):
            _time(spent, "Searcher.search again", lambda: searcher.search(Query(known)))
            _time(spent, "HTTP search again", lambda: _get(address, "search", q=known))
    themes = list(searcher.store.themes)[:THEMES_COMPARED]
    for _ in range(5):
        _time(spent, f"compare {len(themes)} themes", lambda: searcher.compare(themes))
    timings = [_timing(stage, values) for stage, values in spent.items()]
    by_stage = {t.stage: t for t in timings}
    search = by_stage["Searcher.search"].p50 / by_stage["encode and exact FAISS search"].p50
    http = by_stage["HTTP search again"].p50 - by_stage["Searcher.search again"].p50
    return {
        "machine": machine(),
        "index": searcher.index_id,
        "passages": searcher.store.manifest.passages,
        "open_ms": round(opened, 1),
        "timings": [asdict(t) for t in timings],
        "search_to_floor": round(search, 2),
        "http_adds_ms": round(http, 2),
        "bounds": {
            "search_to_floor": MOST_SEARCH_RATIO,
            "http_adds_ms": MOST_HTTP_MS,
        },
    }


def machine() -> dict[str, object]:
    """Facts of the machine that times depend on."""
    return {
        "cores": os.cpu_count(),
        "processor": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "system": platform.system(),
    }


def _floor(searcher: Searcher, text: str) -> None:
    vector = searcher.store.encoder.query(text)
    searcher.store.nearest(vector, 10, None)


def _time(spent: dict[str, list[float]], stage: str, run: Callable[[], object]) -> None:
    started = time.perf_counter()
    run()
    spent.setdefault(stage, []).append((time.perf_counter() - started) * 1000)


def _timing(stage: str, values: Sequence[float]) -> Timing:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return Timing(
        stage, len(values), *(round(v, 2) for v in (statistics.median(values), cuts[94], cuts[98]))
    )


class Served:
    """The site on a free port of this machine, for as long as the block runs."""

    def __init__(self, settings: SearchSettings) -> None:
        """Nothing is started yet."""
        self._settings = settings

    def __enter__(self) -> str:
        """Start the server; the address of its API."""
        import uvicorn

        from search_api.app import create_api
        from search_api.serving import Serving

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        app = create_api(Serving(self._settings), self._settings)
        config = uvicorn.Config(app, port=port, log_level="error", access_log=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        address = f"http://127.0.0.1:{port}/api/v1"
        for _ in range(WARM_UP):
            _get(address, "search", q="warm")
        return address

    def __exit__(self, *_: object) -> None:
        """Stop the server."""
        self._server.should_exit = True
        self._thread.join()


def _get(address: str, path: str, **params: str) -> bytes:
    url = f"{address}/{path}?{urllib.parse.urlencode(params)}"
    with urllib.request.urlopen(url) as reply:  # noqa: S310 - our own server on loopback
        return bytes(reply.read())


def _show(result: dict[str, Any], earlier: dict[str, Any] | None) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Milliseconds, {result['passages']} passages, index {result['index']}")
    table.add_column("Stage")
    for column in ("Runs", "p50", "p95", "p99", *(["p50 before"] if earlier else [])):
        table.add_column(column, justify="right")
    before = {t["stage"]: t["p50"] for t in (earlier or {}).get("timings", [])}
    for t in result["timings"]:
        cells = [t["stage"], *(str(t[k]) for k in ("runs", "p50", "p95", "p99"))]
        table.add_row(*cells, *([str(before.get(t["stage"], ""))] if earlier else []))
    console = Console(highlight=False)
    console.print(table)
    console.print(
        f"Searcher.search takes {result['search_to_floor']} times encoding the query and an exact "
        f"search (at most {MOST_SEARCH_RATIO:g}); HTTP adds {result['http_adds_ms']} ms at the "
        f"median (at most {MOST_HTTP_MS:g}). Opening took {result['open_ms']} ms."
    )
